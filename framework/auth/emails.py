"""Gives an e-mail address one form, in which it is stored, compared and written to."""

import re
import unicodedata
from typing import Final

__all__ = ["EMAIL_MAX", "normalize_email"]

EMAIL_MAX: Final = 254
"""Characters of an address: what a path of 256 octets holds (RFC 5321, section 4.5.3.1.3)."""

_LOCAL_MAX: Final = 64
"""Characters before the @ (RFC 5321, section 4.5.3.1.1)."""

# A dot-atom (RFC 5322, section 3.2.3) and a host name with a dot in it (RFC 1123, section 2.1).
_ATOM: Final = r"[a-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LABEL: Final = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_EMAIL: Final = re.compile(rf"({_ATOM}(?:\.{_ATOM})*)@(?:{_LABEL}\.)+(?![0-9]+\Z){_LABEL}\Z")


def normalize_email(text: str) -> str | None:
    """Return the one form of the address *text*, or None where it is none.

    NFKC, without blanks around it, case folded; what is not ASCII then is refused, and with it
    every look-alike, line breaks, quoted names and addresses in brackets. A domain in another script
    is given as it stands in the DNS, with ``xn--``. The name is case folded too: RFC 5321 lets a
    host tell ``Bob`` and ``bob`` apart, hardly one does, and we always write to ``bob``. Dots and
    ``+`` mean what the host likes, and are left alone.
    """
    if len(text) > EMAIL_MAX:  # before NFKC, whose time is quadratic in combining marks
        return None
    folded = unicodedata.normalize("NFKC", text).strip().casefold()
    found = _EMAIL.match(folded)
    if found is None or len(folded) > EMAIL_MAX or len(found[1]) > _LOCAL_MAX:
        return None
    return folded
