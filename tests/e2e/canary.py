"""Remembers every secret of a test run, and finds them where they should not be."""

import base64
import hashlib
import secrets
from collections import deque

__all__ = ["Canary"]


class Canary:
    """The secrets drawn and issued so far, each in the forms in which it could leak."""

    def __init__(self) -> None:
        self._all: set[bytes] = set()
        self._recent: deque[bytes] = deque(maxlen=400)

    def new_password(self) -> str:
        """Return a password that nobody has had before."""
        password = f"Pw-{secrets.token_hex(12)}"
        self.remember(password)
        return password

    def remember(self, secret: str) -> None:
        """Watch for *secret*: as it is, its digest, and both usual encodings."""
        raw = secret.encode()
        digest = hashlib.sha256(raw).hexdigest().encode()
        forms = [raw, digest, raw.hex().encode(), base64.b64encode(raw).rstrip(b"=")]
        if raw not in self._all:
            self._all.update(forms)
            self._recent.extend(forms)

    def is_clean(self, data: bytes) -> bool:
        """Return whether *data* holds none of the last hundred secrets."""
        return not any(form in data for form in self._recent)

    def is_clean_of_all(self, data: bytes) -> bool:
        """Return whether *data* holds none of all secrets."""
        return not any(form in data for form in self._all)

    def __repr__(self) -> str:
        return f"<Canary of {len(self._all)} forms>"
