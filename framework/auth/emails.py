"""Gives an e-mail address one form, in which it is stored, compared and written to."""

import re
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

    That is without blanks around it, in lower case, and otherwise as it was written. What is not
    ASCII is refused: look-alikes, and whatever Unicode might turn into another mailbox (``straße``
    becomes ``strasse`` in one of its forms, and is a domain of its own in the DNS). Line breaks,
    quoted names and addresses in brackets are refused as well. A domain in another script is given
    as it stands in the DNS, with ``xn--``. The part before the ``@`` is in lower case too: RFC 5321
    lets a host tell ``Bob`` and ``bob`` apart, but hardly any does, and we always write to ``bob``.
    Dots and ``+`` mean what each host decides, and are left alone.
    """
    if len(text) > EMAIL_MAX or not text.strip().isascii():
        return None
    lower = text.strip().lower()
    found = _EMAIL.match(lower)
    return lower if found is not None and len(found[1]) <= _LOCAL_MAX else None
