"""A guard that asks Cloudflare Turnstile whether a person is there. Knows nothing of who it is."""

from collections.abc import Collection, Sequence
from typing import Final

import msgspec

from framework.context import Context
from framework.credentials import read_secret
from framework.errors import ConfigurationError, Forbidden
from framework.fetching import FetchFailed, check_url, fetch
from framework.guards import Guard, guard
from framework.hosts import LOOPBACK
from framework.multipart import MULTIPART_TYPE, boundary_of, parse_multipart
from framework.parameters import FORM_TYPE
from framework.paths import encode_segment

__all__ = ["SITEVERIFY", "TOKEN_LIMIT", "TurnstileFailed", "turnstile"]

SITEVERIFY: Final = "https://challenges.cloudflare.com/turnstile/v0/siteverify"
"""Where tokens are verified. Source: Cloudflare's documentation of Turnstile, "Validate the token"."""

TOKEN_LIMIT: Final = 2048
"""Characters that a token may have. Source: the same page."""

_TIMEOUT = 5_000
_ANSWER_LIMIT = 64 * 1024
_NOT_THE_CLIENT = {"missing-input-secret", "invalid-input-secret", "bad-request", "internal-error"}
"""Error codes that say nothing of the token. Source: the same page."""


class TurnstileFailed(Forbidden):
    """The token of the challenge is missing, spent, too old, or of another page."""

    code = "turnstile-failed"
    detail = "Please solve the challenge, and send the form again."


class _Verdict(msgspec.Struct, rename="kebab"):
    """What siteverify answers, as far as it is looked at."""

    success: bool
    error_codes: list[str] = []
    hostname: str | None = None
    action: str | None = None


def turnstile(
    secret: str = "TURNSTILE_SECRET",  # noqa: S107  the name of a binding
    *,
    field: str = "cf-turnstile-response",
    header: str = "x-turnstile-token",
    hostname: str | Collection[str] | None = None,
    action: str | None = None,
    verify_url: str = SITEVERIFY,
    name: str = "turnstile",
) -> Guard:
    """Return a guard that lets pass whoever solved a Turnstile challenge, once for each token.

    The token stands in *header*, or in *field* of an urlencoded or multipart form; the form is read
    then, up to the body limit, and kept for the handler. *secret* names the binding of the widget's
    secret key. *hostname*, one or several, and *action* are those that the widget's page must have
    had.

    Refuses with 403 ``turnstile-failed`` where the token is missing, longer than `TOKEN_LIMIT`,
    spent, expired, or of another hostname or action. Where siteverify does not answer, answers with
    what is no verdict, or does not know our secret, the guard fails: 503, and no other guard is
    asked. Each token is good for one question: put this guard behind those that cost less, and only
    once.

    Raises `ConfigurationError` for a *verify_url* that is not https (http on this machine alone), and
    for an empty *hostname* or *action*.
    """
    _check_verify_url(verify_url)
    hosts = _hosts(hostname)
    if action == "":
        raise ConfigurationError("action must be a non-empty name, or None for any")
    wanted_header = header.lower()

    async def solved(c: Context) -> None:
        token = c.request.headers.get(wanted_header) or await _read_field(c, field)
        if not token or len(token) > TOKEN_LIMIT or not token.isascii():
            raise TurnstileFailed
        verdict = await _verify(c, verify_url, read_secret(c, secret), token)
        if hosts is not None and (verdict.hostname or "").lower() not in hosts:
            raise TurnstileFailed
        if action is not None and verdict.action != action:
            raise TurnstileFailed

    return guard(solved, name=name, refuses=(TurnstileFailed.status,))


def _check_verify_url(url: str) -> None:
    try:
        host = check_url(url)
    except ValueError as error:
        raise ConfigurationError(f"verify_url: {error}") from None
    if not url.lower().startswith("https:") and host not in LOOPBACK:
        raise ConfigurationError("verify_url must be https: the secret is sent there")


def _hosts(hostname: str | Collection[str] | None) -> frozenset[str] | None:
    if hostname is None:
        return None
    hosts = frozenset([hostname] if isinstance(hostname, str) else hostname)
    if not hosts or not all(hosts):
        raise ConfigurationError("hostname must be one or more host names, or None for any")
    return frozenset(host.lower() for host in hosts)


async def _read_field(c: Context, field: str) -> str | None:
    """Return the one text of *field* in a form; None where there is no form, or not one such text.

    Raises `ContentTooLarge`, and `BadRequest` for a form that is none.
    """
    request = c.request
    values: Sequence[object] = ()
    if request.media_type == FORM_TYPE:
        values = (await request.form()).get(field, ())
    elif request.media_type == MULTIPART_TYPE:
        boundary = boundary_of(request.headers.get("content-type") or "")
        parts = parse_multipart(await request.bytes(), boundary)
        values = [part.value for part in parts if part.name == field]
    token = values[0] if len(values) == 1 else None
    return token if isinstance(token, str) else None


async def _verify(c: Context, url: str, secret: str, token: str) -> _Verdict:
    """Return the verdict on *token*, where it is yes.

    Raises `TurnstileFailed` where it is no, and `FetchFailed` or `ConfigurationError` where there
    is none.
    """
    fields = {"secret": secret, "response": token}
    if c.request.address is not None:
        fields["remoteip"] = c.request.address
    answer = await fetch(
        url,
        method="POST",
        headers={"content-type": FORM_TYPE},
        body="&".join(f"{key}={encode_segment(text)}" for key, text in fields.items()).encode(),
        timeout_ms=_TIMEOUT,
        limit=_ANSWER_LIMIT,
    )
    verdict: _Verdict = answer.json(_Verdict)
    if verdict.success:
        if answer.status != 200:
            raise FetchFailed(f"{answer.host} accepted the token, but with status {answer.status}")
        return verdict
    _raise_ours(answer.status, verdict)
    raise TurnstileFailed


def _raise_ours(status: int, verdict: _Verdict) -> None:
    """Raise where the verdict is no for a reason that is not the client's."""
    codes = _NOT_THE_CLIENT.intersection(verdict.error_codes)
    if {"missing-input-secret", "invalid-input-secret"} & codes:
        raise ConfigurationError("siteverify does not know this secret: is it of another widget?")
    if codes or status >= 500 or status == 429:
        raise FetchFailed(
            f"siteverify answered {status}: {', '.join(sorted(codes)) or 'no reason'}"
        )
