"""Says which cookies a browser will not keep, and why: it tells nobody. Knows no applications.

A browser that drops the cookie of a session signs in with 200 and is nobody with its next request.
"""

import logging
from collections.abc import MutableMapping
from typing import Any

from framework.hosts import LOOPBACK, host_name
from framework.local.asgi import ASGIApplication, Receive, Scope, Send
from framework.log import one_line

__all__ = ["with_lost_cookies"]

_log = logging.getLogger("kagari")
_THIS_MACHINE = tuple(LOOPBACK)
"""How the names of this machine end: browsers take `acme.localhost` for it, too."""


def with_lost_cookies(application: ASGIApplication) -> ASGIApplication:
    """Return *application* with a line logged for each origin whose pages lose a cookie, once."""
    told: set[str] = set()

    async def watched(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await application(scope, receive, send)

        async def watching(message: MutableMapping[str, Any]) -> None:
            cookies = [text for name, text in message.get("headers", ()) if name == b"set-cookie"]
            if cookies:
                origin, why = _why_lost(dict(scope["headers"]), cookies)
                if why and origin not in told:
                    told.add(origin)
                    _log.warning("a browser keeps no cookie for %s: %s", origin, why)
            await send(message)

        return await application(scope, receive, watching)

    return watched


def _why_lost(headers: dict[bytes, bytes], cookies: list[bytes]) -> tuple[str, str]:
    """Return the origin of the page, and why its browser keeps none of *cookies*; "" where it does.

    A page says in ``Origin`` where it is. That is https where something in front of this server has
    TLS, and then all is well.
    """
    origin, here = (
        one_line(headers.get(name, b"").decode("ascii", "replace")) for name in (b"origin", b"host")
    )
    scheme, _, page = origin.partition("://")
    kept = [text.lower() for text in cookies if b"max-age=0;" not in text.lower() + b";"]
    if scheme != "http" or not kept:
        return origin, ""
    if headers.get(b"sec-fetch-site") == b"cross-site":
        near = page.replace(host_name(page), host_name(here))
        is_lost = all(b"samesite=none" not in text for text in kept)
        why = f"{here} is another site to it. Open http://{near}"
    else:
        is_lost = page == here and not host_name(page).endswith(_THIS_MACHINE)
        is_lost = is_lost and all(b"; secure" in text for text in kept)
        why = "it is Secure, as on all hosts but this machine, and there is no TLS. Open http://localhost"
    return origin, why if is_lost else ""
