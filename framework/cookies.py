"""Reads the Cookie header and writes Set-Cookie. Knows nothing of sessions."""

import re
from typing import Literal

import msgspec

__all__ = ["TOKEN", "SetCookie", "parse_cookies"]

TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
"""Matches a token, which the names of headers and cookies are (RFC 9110, 5.6.2)."""

_VALUE = re.compile(r"[!#-+\--:<-\[\]-~]*")
_PATH = re.compile(r"/[ -:<-~]*")

PAIR_LIMIT = 4096
"""Octets of name and value together that browsers keep (RFC 6265bis, section 5.6)."""

AGE_LIMIT = 400 * 24 * 3600
"""Seconds a cookie may live (RFC 6265bis, section 5.5: 400 days)."""


def parse_cookies(header: str) -> dict[str, list[str]]:
    """Return the cookies of a Cookie header, each name with all its values, in order.

    Values stay as they came: no unquoting and no percent-decoding. A pair without a name or without
    ``=`` is passed over, whatever stands beside it. Never raises.
    """
    cookies: dict[str, list[str]] = {}
    for pair in header.split(";"):
        name, equals, value = pair.partition("=")
        name = name.strip(" \t")
        if equals and name:
            cookies.setdefault(name, []).append(value.strip(" \t"))
    return cookies


class SetCookie(msgspec.Struct, frozen=True, kw_only=True):
    """A cookie to send, safe unless told otherwise: HttpOnly, Secure, SameSite=Lax, Path=/.

    *max_age* is in seconds: 0 removes the cookie, None keeps it until the browser closes. Raises
    `ValueError`, when made, for a name, value or attribute that would break out of the header, for
    what browsers refuse (over 4096 octets, over 400 days), and for a ``__Host-``, ``__Secure-``,
    ``__Http-`` or ``__Host-Http-`` name without what that prefix promises.
    """

    name: str
    value: str
    max_age: int | None = None
    path: str = "/"
    domain: str | None = None
    secure: bool = True
    http_only: bool = True
    same_site: Literal["Lax", "Strict", "None"] = "Lax"

    def __post_init__(self) -> None:
        _check(TOKEN.fullmatch(self.name), "the name is not a token")
        _check(_VALUE.fullmatch(self.value), "the value holds a forbidden character")
        _check(len(self.name) + len(self.value) <= PAIR_LIMIT, "longer than 4096 octets")
        _check(
            _PATH.fullmatch(self.path),
            "the path does not start with / or holds a forbidden character",
        )
        _check(
            self.max_age is None
            or (type(self.max_age) is int and 0 <= self.max_age <= AGE_LIMIT),  # 60.0 is ignored
            "Max-Age must be a whole number of seconds, 0 to 400 days",
        )
        _check(
            self.same_site in {"Lax", "Strict", "None"},
            'SameSite must be "Lax", "Strict" or "None"',
        )
        _check(self.secure or self.same_site != "None", "SameSite=None requires Secure")
        _check(self.domain is None or TOKEN.fullmatch(self.domain), "the domain is not a host name")
        name = self.name.lower()
        _check(
            self.secure or not name.startswith(("__host-", "__secure-", "__http-")),
            "a __ prefix requires Secure",
        )
        _check(
            self.http_only or not name.startswith(("__http-", "__host-http-")),
            "a __Http- prefix requires HttpOnly",
        )
        _check(
            not name.startswith("__host-") or (self.domain is None and self.path == "/"),
            "a __Host- prefix requires Path=/ and no Domain",
        )

    def header(self) -> str:
        """Return the value of the Set-Cookie header."""
        parts = [f"{self.name}={self.value}"]
        if self.max_age is not None:
            parts.append(f"Max-Age={self.max_age}")
        if self.domain is not None:
            parts.append(f"Domain={self.domain}")
        parts.append(f"Path={self.path}")
        if self.secure:
            parts.append("Secure")
        if self.http_only:
            parts.append("HttpOnly")
        parts.append(f"SameSite={self.same_site}")
        return "; ".join(parts)

    def __repr__(self) -> str:
        return f"<SetCookie {self.name}>"


def _check(holds: object, problem: str) -> None:
    if not holds:
        raise ValueError(f"cookie refused: {problem}")
