"""Guards that read a credential from a header: bearer tokens, basic, API keys. Knows no sessions."""

import base64
import binascii
import re
from collections.abc import Awaitable, Callable
from hashlib import sha256
from hmac import compare_digest
from typing import Any

from framework.bearer_token import CREDENTIAL_LIMIT, read_bearer
from framework.callables import check_callable, place_of, settled
from framework.context import Context
from framework.errors import ConfigurationError, Unauthorized
from framework.guards import Guard, SecurityScheme, guard
from framework.slots import Slot

__all__ = ["CREDENTIAL_LIMIT", "api_key", "basic", "bearer", "read_bearer", "read_secret"]

_BASIC = re.compile(r"basic ([A-Za-z0-9+/]+={0,2})", re.IGNORECASE | re.ASCII)
_REALM = re.compile(r"[A-Za-z0-9 ._-]{1,64}")


def bearer(
    binding: str | None = None,
    *,
    verify: Callable[[Context, str], Awaitable[bool]] | None = None,
    realm: str = "api",
    name: str = "bearer",
) -> Guard:
    """Return a guard that admits requests with the right token in ``Authorization: Bearer``.

    The token stands in the secret *binding* (or several, separated by blanks, while one replaces
    another), or *verify* says whether it is right: an async function of the context and the token
    that returns a bool. Answers all others with 401 and ``WWW-Authenticate``. Raises
    `ConfigurationError` unless exactly one of the two is given, and for a *verify* that is not
    async or takes other arguments.
    """
    check = _checker(binding, verify)
    challenge = _challenge("Bearer", realm)

    async def has_token(c: Context) -> None:
        token = read_bearer(c)
        if token is None or not await check(c, token):
            raise Unauthorized("Send a valid bearer token.", headers=challenge)

    return guard(has_token, name=name, refuses=(401,), scheme=_http(name, "bearer", realm))


def basic(
    verify: Callable[[Context, str, str], Awaitable[bool]],
    *,
    realm: str = "site",
    name: str = "basic",
    user: Slot[str] | None = None,
) -> Guard:
    """Return a guard that admits requests with a username and a password that *verify* accepts.

    They come in ``Authorization: Basic`` (RFC 7617). *verify* is an async function of the context,
    the username and the password that returns a bool. The username is handed on in the slot *user*,
    if one is given. Answers all others with 401 and ``WWW-Authenticate``. Raises
    `ConfigurationError` for a *verify* that is not async or takes other arguments.
    """
    check_callable(verify, ("c", "username", "password"), "verify")
    check = _awaiting(verify)
    challenge = _challenge("Basic", realm)

    async def has_password(c: Context) -> Any:  # the username, if a slot is to carry it
        pair = _read_basic(c)
        if pair is None or not await check(c, *pair):
            raise Unauthorized("Send a valid username and password.", headers=challenge)
        return None if user is None else pair[0]

    return guard(
        has_password,
        name=name,
        provides=() if user is None else user,
        refuses=(401,),
        scheme=_http(name, "basic", realm),
    )


def api_key(
    binding: str | None = None,
    *,
    header: str = "x-api-key",
    verify: Callable[[Context, str], Awaitable[bool]] | None = None,
    name: str = "api_key",
) -> Guard:
    """Return a guard that admits requests with the right key in *header*; see `bearer`."""
    check = _checker(binding, verify)
    wanted = header.lower()

    async def has_key(c: Context) -> None:
        key = c.request.headers.get(wanted)
        if not key or len(key) > CREDENTIAL_LIMIT or not await check(c, key):
            raise Unauthorized(f"Send a valid key in {wanted}.")

    scheme = SecurityScheme(name, {"type": "apiKey", "in": "header", "name": wanted})
    return guard(has_key, name=name, refuses=(401,), scheme=scheme)


def read_secret(c: Context, binding: str) -> str:
    """Return the secret *binding*. Raises `ConfigurationError` if it is missing or empty."""
    try:
        secret = c.env[binding]
    except KeyError:
        secret = None
    if not isinstance(secret, str) or not secret.strip():
        raise ConfigurationError(
            f"the secret {binding} is missing: on your machine, put a line {binding}=… in"
            f" .dev.vars; for the deployed Worker, run npx wrangler secret put {binding}"
        )
    return secret


def _read_basic(c: Context) -> tuple[str, str] | None:
    header = c.request.headers.get("authorization") or ""
    found = _BASIC.fullmatch(header) if len(header) <= CREDENTIAL_LIMIT else None
    if found is None:
        return None
    try:
        user, colon, password = base64.b64decode(found[1], validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return (user, password) if colon else None


def _checker(
    binding: str | None, verify: Callable[[Context, str], Awaitable[bool]] | None
) -> Callable[[Context, str], Awaitable[bool]]:
    if (binding is None) == (verify is None):
        raise ConfigurationError("name the secret's binding, or give verify=: one of the two")
    if verify is not None:
        check_callable(verify, ("c", "token"), "verify")
        return _awaiting(verify)

    async def matches(c: Context, given: str) -> bool:
        return _is_one_of(given, read_secret(c, str(binding)))

    return matches


def _awaiting(verify: Callable[..., Awaitable[bool]]) -> Callable[..., Awaitable[bool]]:
    """Return *verify*, which breaks where it forgot an await: what nobody awaited is true."""

    what = f"{place_of(verify)}: verify"

    async def check(c: Context, *given: str) -> bool:
        return settled(await verify(c, *given), what)

    return check


def _is_one_of(given: str, secrets: str) -> bool:
    """Return whether *given* is one of *secrets*, in a time that tells nothing of either.

    Digests are compared: they are equally long, and `compare_digest` takes no text beyond ASCII.
    """
    digest = sha256(given.encode("utf-8", "surrogatepass")).digest()
    matches = [compare_digest(digest, sha256(each.encode()).digest()) for each in secrets.split()]
    return any(matches)


def _http(name: str, scheme: str, realm: str) -> SecurityScheme:
    definition = {"type": "http", "scheme": scheme, "description": f"Realm: {realm}."}
    return SecurityScheme(name, definition)


def _challenge(scheme: str, realm: str) -> list[tuple[str, str]]:
    if not _REALM.fullmatch(realm):
        raise ConfigurationError(f"{realm!r} is not a realm: letters, digits, blanks and . _ -")
    charset = ', charset="UTF-8"' if scheme == "Basic" else ""
    return [("www-authenticate", f'{scheme} realm="{realm}"{charset}')]
