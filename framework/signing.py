"""Signs text so that it can be handed out and trusted when it comes back. Knows nothing of cookies."""

import base64
import hmac
from collections.abc import Sequence

from framework.errors import ConfigurationError

__all__ = ["Signer"]

KEY_MIN = 32
"""Characters of a key: at least 128 bits even as hex (OWASP ASVS 5.0, 11.2.3)."""


class Signer:
    """Signs with the first of *keys* and accepts all of them, so that keys can be rotated.

    HMAC-SHA256 over purpose and text, each with its length before it, so that no two pairs sign
    alike. Raises `ConfigurationError` for no keys, or one of fewer than 32 characters.
    """

    __slots__ = ("_keys",)

    def __init__(self, keys: str | Sequence[str]) -> None:
        listed = keys.split() if isinstance(keys, str) else list(keys)
        if not listed or any(len(key) < KEY_MIN for key in listed):
            raise ConfigurationError(f"a signing key must have at least {KEY_MIN} characters")
        self._keys = [key.encode() for key in listed]

    def sign(self, purpose: str, text: str) -> str:
        """Return *text* with its signature for *purpose*: safe in a cookie and in a URL."""
        payload = base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()
        return f"{payload}.{_signature(self._keys[0], purpose, payload)}"

    def read(self, purpose: str, signed: str) -> str | None:
        """Return the text of *signed* if it was signed for *purpose* with one of the keys, or None."""
        payload, _, signature = signed.partition(".")
        given = signature.encode("utf-8", "surrogatepass")
        valid = [
            hmac.compare_digest(_signature(key, purpose, payload).encode(), given)
            for key in self._keys
        ]
        if not any(valid):
            return None
        try:
            return base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)).decode()
        except ValueError:  # no base64, or no UTF-8
            return None

    def __repr__(self) -> str:
        return f"<Signer with {len(self._keys)} keys>"


def _signature(key: bytes, purpose: str, payload: str) -> str:
    parts = [part.encode("utf-8", "surrogatepass") for part in (purpose, payload)]
    message = b"".join([len(part).to_bytes(4, "big") + part for part in parts])
    digest = hmac.digest(key, message, "sha256")
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
