"""Sends the headers that make a browser careful. Knows nothing of what the answers hold.

``X-Content-Type-Options`` is not among them: the application sends it with every answer.
"""

import re
from collections.abc import Sequence

from framework.compose import Middleware, Next
from framework.context import Context
from framework.errors import ConfigurationError
from framework.middleware.nonce import NONCE, find_nonce
from framework.response import Header, Response, make
from framework.shared_headers import SharedHeaders

__all__ = ["DATA_POLICY", "HTML_POLICY", "secure_headers"]

# Written out, so that `content_security_policy` is not uploaded with apps that have no policy of their own.
DATA_POLICY = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'"
"""For JSON and whatever else is no page: it loads nothing, and is framed by nobody."""

HTML_POLICY = (
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self';"
    " frame-ancestors 'none'"
)
"""For pages: only what this site serves, no script in the page itself, framed by nobody."""

_POLICY = "content-security-policy"
_HSTS = re.compile(
    r"max-age=(?P<age>[0-9]{1,10})(?P<sub>; includeSubDomains)?(?P<preload>; preload)?"
)
_YEAR = 365 * 24 * 3600
_VALUE = re.compile(r"[ -~]+")
_REFERRER_POLICIES = {
    "no-referrer", "no-referrer-when-downgrade", "origin", "origin-when-cross-origin",
    "same-origin", "strict-origin", "strict-origin-when-cross-origin", "unsafe-url",
}  # fmt: skip
_OPENER_POLICIES = {
    "noopener-allow-popups", "same-origin", "same-origin-allow-popups", "unsafe-none",
}  # fmt: skip
_RESOURCE_POLICIES = {"cross-origin", "same-origin", "same-site"}


def secure_headers(
    *,
    html: str | None = HTML_POLICY,
    data: str | None = DATA_POLICY,
    hsts: str | None = f"max-age={_YEAR}",
    referrer: str | None = "same-origin",
    opener: str | None = "same-origin",
    resource: str | None = "same-origin",
    permissions: str | None = None,
) -> Middleware:
    """Return a layer that adds the headers an answer does not have yet; None leaves one out.

    *html* and *data* are the Content-Security-Policy of pages and of everything else, *hsts* is
    sent over https only, *opener* and *permissions* with pages only; *resource* and *referrer* with
    all. A 304 is left alone: the browser has the headers of the answer that it keeps. Raises
    `ConfigurationError` for a value that browsers would not understand.
    """
    for value in (html, data, permissions):
        if value is not None and not _VALUE.fullmatch(value):
            raise ConfigurationError(f"{value!r} is no header value")
    if data is not None and NONCE in data:
        raise ConfigurationError("a nonce is for pages: put it in html=")
    everywhere = {
        "referrer-policy": _one_of(referrer, _REFERRER_POLICIES),
        "cross-origin-resource-policy": _one_of(resource, _RESOURCE_POLICIES),
    }
    for_pages = {
        **everywhere,
        "cross-origin-opener-policy": _one_of(opener, _OPENER_POLICIES),
        "permissions-policy": permissions,
        _POLICY: html and html.replace(f" {NONCE}", ""),
    }
    for_data = {**everywhere, _POLICY: data}
    over_https = {"strict-transport-security": _check_hsts(hsts)}
    ready = {
        (True, "http"): _stated(for_pages),
        (True, "https"): _stated(for_pages | over_https),
        (False, "http"): _stated(for_data),
        (False, "https"): _stated(for_data | over_https),
    }

    async def send_secure_headers(c: Context, call_next: Next) -> Response:
        response = await call_next()
        if response.status == 304:
            return response  # its headers replace those of the page that the browser has
        is_page = (response.header("content-type") or "").lower().startswith("text/html")
        added = ready[is_page, c.request.scheme]
        if is_page and html is not None and (drawn := find_nonce(c)) is not None:
            policy = html.replace(NONCE, f"'nonce-{drawn}'")
            added = ((_POLICY, policy), *(pair for pair in added if pair[0] != _POLICY))
        return make(response.body, response.status, _add_missing(response.headers, added))

    return send_secure_headers


def _add_missing(headers: Sequence[Header], added: tuple[Header, ...]) -> Sequence[Header]:
    """Return *headers* with those of *added* that they do not have; shared ones stay shared."""
    if type(headers) is SharedHeaders and (known := headers.more.get(("", added))) is not None:
        return known
    own = {name for name, _ in headers}
    missing = [pair for pair in added if pair[0] not in own]
    if type(headers) is SharedHeaders:
        return headers.share("", added, (*headers, *missing))
    return [*headers, *missing]


def _stated(headers: dict[str, str | None]) -> tuple[Header, ...]:
    return tuple([(name, value) for name, value in headers.items() if value is not None])


def _one_of(value: str | None, known: set[str]) -> str | None:
    if value is not None and value not in known:
        raise ConfigurationError(f"{value!r} is none of {', '.join(sorted(known))}")
    return value


def _check_hsts(value: str | None) -> str | None:
    if value is None:
        return None
    match = _HSTS.fullmatch(value)
    if match is None:
        raise ConfigurationError(
            f"{value!r} is no Strict-Transport-Security: write max-age=31536000, and after it maybe"
            " ; includeSubDomains and ; preload"
        )
    if match["preload"] and (not match["sub"] or int(match["age"]) < _YEAR):
        raise ConfigurationError(
            "preload requires includeSubDomains and a max-age of at least a year"
        )
    return value
