"""Names that are one account, and names that are none."""

import pytest

from framework.auth import canonical_username


@pytest.mark.parametrize(
    ("username", "canonical"),
    [
        ("bob", "bob"),
        ("Bob", "bob"),
        ("BOB", "bob"),
        ("ｂｏｂ", "bob"),  # noqa: RUF001  # full-width
        ("\u212ale\u212a", "klek"),
        ("ſam", "sam"),  # noqa: RUF001  # long s
        ("ﬁsh", "fish"),
        ("straße", "strasse"),
        ("①23", "123"),
        ("bob.smith", "bob.smith"),
        ("bob@example.com", "bob@example.com"),
        ("bob_s+1-x", "bob_s+1-x"),
        ("007", "007"),
        ("a" * 64, "a" * 64),
        ("__proto__", None),
        ("", None),
        ("bo", None),
        ("a" * 65, None),
        ("ﬃ" * 22, None),
        (".bob", None),
        ("-bob", None),
        ("@bob", None),
        ("bob ", None),
        (" bob", None),
        ("bob\n", None),
        ("bob\0", None),
        ("bo b", None),
        ("bob\t", None),
        ("bob:x", None),
        ("bob/x", None),
        ("bób", None),
        ("bo\u0301b", None),
        ("İbo", None),
        ("ıbo", None),  # noqa: RUF001  # dotless i
        ("аdmin", None),  # noqa: RUF001  # Cyrillic a
        ("admin\u200b", None),
        ("\u202enimda", None),
        ("admin%00", None),
        ("bob\ud800", None),
        ("👍👍👍", None),
        ("用户名", None),
        ("x" * 1_000_000, None),
    ],
    ids=lambda value: ascii(value)[:24],
)
def test_the_one_form_of_a_name(username: str, canonical: str | None) -> None:
    assert canonical_username(username) == canonical


@pytest.mark.parametrize("username", ["Bob", "ﬁsh", "\u212ale\u212a"])
def test_the_one_form_stays_itself(username: str) -> None:
    once = canonical_username(username)

    assert once is not None
    assert canonical_username(once) == once
