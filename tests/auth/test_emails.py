"""Addresses that are one, and addresses that are none."""

import pytest

from framework.auth import normalize_email
from framework.auth.mail import Message

LONG = "a" * 64


@pytest.mark.parametrize(
    ("text", "email"),
    [
        ("bob@example.com", "bob@example.com"),
        ("Bob@Example.COM", "bob@example.com"),
        (" bob@example.com\t\n", "bob@example.com"),
        ("\u3000bob@example.com\xa0", "bob@example.com"),
        ("b.o.b+tag@example.com", "b.o.b+tag@example.com"),
        ("o'neil!#$%&*/=?^_`{|}~-@example.com", "o'neil!#$%&*/=?^_`{|}~-@example.com"),
        ("a@b.co", "a@b.co"),
        ("bob@sub.domain.example.com", "bob@sub.domain.example.com"),
        ("bob@xn--bcher-kva.example", "bob@xn--bcher-kva.example"),
        ("bob@3com.com", "bob@3com.com"),
        (f"{LONG}@example.com", f"{LONG}@example.com"),
        ("a@" + "b." * 125 + "co", "a@" + "b." * 125 + "co"),
        ("", None),
        (" ", None),
        ("bob", None),
        ("@example.com", None),
        ("bob@", None),
        ("bob@@example.com", None),
        ("bob@eve@example.com", None),
        ("bob@localhost", None),
        ("bob@example.com.", None),
        ("bob@.example.com", None),
        ("bob@exa..mple.com", None),
        ("bob@-example.com", None),
        ("bob@example-.com", None),
        ("bob@127.0.0.1", None),
        ("bob@[127.0.0.1]", None),
        ("bob@example.123", None),
        ("bob@exa_mple.com", None),
        (".bob@example.com", None),
        ("bob.@example.com", None),
        ("bo..b@example.com", None),
        ('"bob smith"@example.com', None),
        ("bob smith@example.com", None),
        ("Bob <bob@example.com>", None),
        ("bob@example.com,eve@example.com", None),
        ("bob@example.com;eve@example.com", None),
        ("bob@example.com eve@example.com", None),
        ("bob@example.com\r\nBcc: eve@example.com", None),
        ("bob\r\n@example.com", None),
        ("bob@example.com\0", None),
        ("bo\0b@example.com", None),
        ("bob@example.com\u2028x", None),
        ("bób@example.com", None),
        ("ｂｏｂ＠ｅｘａｍｐｌｅ．ｃｏｍ", None),  # noqa: RUF001  # full-width
        ("bob＠example.com", None),  # noqa: RUF001  full-width
        ("\u212ale\u212a@example.com", None),  # Kelvin sign
        ("ﬁsh@example.com", None),
        ("straße@example.com", None),
        ("user@faß.de", None),  # xn--fa-hia.de in the DNS, and never fass.de
        ("user@fass.de", "user@fass.de"),
        ("user@βόλος.com", None),
        ("\u2100@x.com", None),  # a/c
        ("x@\u2100.com", None),
        ("İ@example.com", None),
        ("1²@example.com", None),
        ("bob@x\u00ad.com", None),  # a soft hyphen
        ("bob@example\uff0ecom", None),
        ("аlice@example.com", None),  # noqa: RUF001  # Cyrillic a
        ("mıke@example.com", None),  # noqa: RUF001  # dotless i
        ("bob@bücher.example", None),
        ("bob@exаmple.com", None),  # noqa: RUF001  # Cyrillic a
        ("bob@example。com", None),  # ideographic full stop
        ("bob\u200b@example.com", None),
        ("\u202ebob@example.com", None),
        ("bob\ud800@example.com", None),
        ("bob%40example.com", None),
        (f"{LONG}a@example.com", None),
        ("a@" + "b." * 125 + "com", None),
        ("a@" + "b" * 64 + ".com", None),
        ("ﬃ" * 22 + "@example.com", None),
        ("a" + "\u0301" * 100_000, None),
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_the_one_form_of_an_address(text: str, email: str | None) -> None:
    assert normalize_email(text) == email
    if email is not None:
        assert normalize_email(email) == email
        assert Message(email, "Hello", "").to == email
