"""Reads the cookies of one request and sets those of its answer. Knows nothing of sessions."""

from collections.abc import Callable
from typing import Literal, Protocol

from msgspec.structs import replace

from framework.cookies import SetCookie
from framework.request import Request, is_loopback

__all__ = ["CookieJar", "Prefix", "Signs"]

Prefix = Literal["", "host", "secure"]
"""What a cookie's name promises: ``host`` is ``__Host-`` (this host alone, Path=/, Secure),
``secure`` is ``__Secure-``. Browsers refuse a cookie that breaks the promise."""


class Signs(Protocol):
    """What `framework.signing.Signer` does; named here to keep hashing off the cold-start path."""

    def sign(self, purpose: str, text: str, /) -> str:
        """Return *text* with its signature for *purpose*."""

    def read(self, purpose: str, signed: str, /) -> str | None:
        """Return the text of *signed*, or None."""


_PREFIXES: dict[Prefix, str] = {"": "", "host": "__Host-", "secure": "__Secure-"}


class CookieJar:
    """The cookies of one request, at ``c.cookies``.

    On plain http to this very machine a cookie is set without Secure, and its prefix is left out,
    since browsers differ there; the URL decides, never a setting. What a prefix asks for is asked
    for there, too. Raises `KeyError` for a prefix that is no `Prefix`.
    """

    __slots__ = ("_request", "_send")

    def __init__(self, request: Request, send: Callable[[SetCookie], None]) -> None:
        self._request = request
        self._send = send

    def get(self, name: str, *, prefix: Prefix = "") -> str | None:
        """Return the value of the cookie *name*, as it came; None if there is none.

        None as well if two of that name differ: one of them may be somebody else's.
        """
        return self._request.cookie(self._full(name, prefix))

    def get_signed(self, signer: Signs, name: str, *, prefix: Prefix = "") -> str | None:
        """Return the text that `set_signed` signed for *name*; None for anything else."""
        signed = self.get(name, prefix=prefix)
        return None if signed is None else signer.read(self._purpose(name, prefix), signed)

    def set(
        self,
        name: str,
        value: str,
        *,
        prefix: Prefix = "",
        max_age: int | None = None,
        path: str = "/",
        domain: str | None = None,
        http_only: bool = True,
        same_site: Literal["Lax", "Strict", "None"] = "Lax",
    ) -> None:
        """Send the cookie *name* with whatever is answered; see `SetCookie` for what is refused.

        *max_age* is in seconds: None keeps it until the browser closes.
        """
        cookie = SetCookie(
            name=_PREFIXES[prefix] + name,
            value=value,
            max_age=max_age,
            path=path,
            domain=domain,
            http_only=http_only,
            same_site=same_site,
        )
        if is_loopback(self._request):  # what its prefix promises was checked above
            cookie = replace(cookie, name=name, secure=same_site == "None")
        self._send(cookie)

    def set_signed(
        self,
        signer: Signs,
        name: str,
        text: str,
        *,
        prefix: Prefix = "",
        max_age: int | None = None,
        path: str = "/",
        domain: str | None = None,
        http_only: bool = True,
        same_site: Literal["Lax", "Strict", "None"] = "Lax",
    ) -> None:
        """Send *text*, any text, signed for this *name* and *prefix*: no other cookie stands in for it.

        All else is as for `set`.
        """
        self.set(
            name,
            signer.sign(self._purpose(name, prefix), text),
            prefix=prefix,
            max_age=max_age,
            path=path,
            domain=domain,
            http_only=http_only,
            same_site=same_site,
        )

    def delete(
        self,
        name: str,
        *,
        prefix: Prefix = "",
        path: str = "/",
        domain: str | None = None,
        same_site: Literal["Lax", "Strict", "None"] = "Lax",
    ) -> None:
        """Have the browser forget the cookie *name*; *path* and *domain* are those it was set with.

        Of a page inside of another site's, browsers take only what says *same_site* "None".
        """
        self.set(name, "", prefix=prefix, max_age=0, path=path, domain=domain, same_site=same_site)

    def _purpose(self, name: str, prefix: Prefix) -> str:
        return f"cookie {self._full(name, prefix)}"

    def _full(self, name: str, prefix: Prefix) -> str:
        full = _PREFIXES[prefix] + name  # an unknown prefix fails on this machine, too
        return name if is_loopback(self._request) else full
