"""What was signed comes back, what was changed does not, and keys can be rotated."""

import base64
import hmac
import re

import pytest

from framework import ConfigurationError
from framework.signing import Signer

OLD, NEW = "o" * 32, "n" * 32


@pytest.mark.parametrize(
    "text", ["", "a", "ünï😀", "a.b.c", "1234567", '{"json": true}', "x" * 2000]
)
def test_what_was_signed_comes_back(text: str) -> None:
    signer = Signer(NEW)

    signed = signer.sign("cart", text)

    assert signer.read("cart", signed) == text
    assert re.fullmatch(r"[\w-]*\.[\w-]{43}", signed, re.ASCII)


@pytest.mark.parametrize(
    "change",
    [
        lambda signed: signed[:-1],
        lambda signed: signed + "A",
        lambda signed: "A" + signed,
        lambda signed: signed.replace(".", "", 1),
        lambda signed: signed.swapcase(),
        lambda signed: signed.split(".")[0] + ".",
        lambda signed: "." + signed.split(".")[1],
        lambda _: "",
        lambda _: ".",
        lambda _: "é.é",
        lambda _: "\ud800",
        lambda _: "a.\ud800",
    ],
)
def test_what_was_changed_does_not(change: object) -> None:
    signer = Signer(NEW)

    assert callable(change)
    assert signer.read("cart", change(signer.sign("cart", "text"))) is None


def signed_elsewhere(payload: str) -> str:
    """Return *payload* signed for a cart by another program that has the key."""
    parts = [b"cart", payload.encode()]
    message = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    digest = hmac.digest(NEW.encode(), message, "sha256")
    return f"{payload}.{base64.urlsafe_b64encode(digest).decode().removesuffix('=')}"


def test_a_signature_is_the_same_from_version_to_version() -> None:
    assert Signer(NEW).sign("cart", "text") == signed_elsewhere("dGV4dA")


@pytest.mark.parametrize("payload", ["A", "_w", "é"], ids=["short", "no UTF-8", "no base64"])
def test_what_is_signed_and_no_text_is_none(payload: str) -> None:
    assert Signer(NEW).read("cart", signed_elsewhere(payload)) is None


def test_a_signature_is_for_one_purpose() -> None:
    signer = Signer(NEW)

    assert signer.read("cartx", signer.sign("cart", "x")) is None
    assert signer.sign("ab", "c") != signer.sign("a", "bc")


def test_keys_are_rotated() -> None:
    before, during, after = Signer(OLD), Signer([NEW, OLD]), Signer(NEW)

    assert during.read("p", before.sign("p", "x")) == "x"
    assert after.read("p", during.sign("p", "x")) == "x"
    assert after.read("p", before.sign("p", "x")) is None


@pytest.mark.parametrize("keys", ["", "short", ["x" * 31], [], f"{NEW} short"], ids=str)
def test_short_keys_are_refused(keys: str | list[str]) -> None:
    with pytest.raises(ConfigurationError, match="at least 32 characters"):
        Signer(keys)


def test_a_signer_does_not_show_its_keys() -> None:
    assert NEW not in repr(Signer(NEW))
