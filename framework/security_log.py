"""Says who signs in, who is refused, and what changes: security events. Knows nothing of where they go.

The names are those of OWASP's Logging Vocabulary Cheat Sheet, which tools for alerts know.
"""

from collections.abc import Callable
from typing import Any, Final, Literal, get_args

import msgspec

from framework.callables import place_of, wants_await
from framework.context import Context
from framework.errors import ConfigurationError, CrossSite, HTTPError
from framework.log import encode_line, print_line, time_now
from framework.problem import report
from framework.request import Request

__all__ = [
    "EventName",
    "SecurityEvent",
    "SecurityLog",
    "check_security_log",
    "log_event",
    "log_refusal",
    "write_event",
]

_Warning = Literal[
    "authn_login_fail",
    "authn_login_lock",
    "authn_password_change_fail",
    "authz_fail",
    "excess_rate_limit_exceeded",
    "input_validation_fail",
    "malicious_cors",
    "malicious_extraneous",
]
"""Those that somebody may want to look into."""
_WARNINGS: Final = get_args(_Warning)

EventName = Literal[
    _Warning,
    "authn_login_success",
    "authn_password_change",
    "authn_token_created",
    "session_expired",
    "user_created",
    "user_deleted",
    "user_updated",
]
"""What can happen; docs/security.md says when."""

_BY_STATUS: Final[dict[int, EventName]] = {
    401: "authz_fail",
    403: "authz_fail",
    413: "input_validation_fail",
    429: "excess_rate_limit_exceeded",
}


_RAY_LIMIT: Final = 64
"""Characters of it; Cloudflare sends 20. Where that is not in front, the client may have written it."""


class SecurityEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that happened. Holds no secret and no path, nor a name as it was typed."""

    time: str
    """When, in UTC: ISO 8601, to the millisecond."""
    level: Literal["info", "warning"]
    event: EventName
    reason: str | None
    """The code of the error that was answered, or one word."""
    status: int | None
    """The status of that error."""
    method: str
    route: str | None
    """The pattern of the path; None where no route matched."""
    user_id: str | None
    """Who it was: known by the session, or meant by a name that exists."""
    session: str | None
    """`Session.handle`: a digest that opens nothing."""
    address: str | None
    """The client's, as `Request.address`."""
    request_id: str | None
    """As the layer `request_id` has it, or else Cloudflare's ``cf-ray``."""


SecurityLog = Callable[[Context, SecurityEvent], None]
"""Called with the context and each event as it happens. What it raises is logged, and changes no answer."""


def write_event(_: Context, event: SecurityEvent) -> None:
    """Print *event* as one line of JSON, without what is None; in the Worker to console.log."""
    fields = msgspec.structs.asdict(event)
    print_line(encode_line({name: value for name, value in fields.items() if value is not None}))


def check_security_log(function: Any) -> SecurityLog | None:
    """Return *function*. Raises `ConfigurationError` where it cannot be called, or is async."""
    if function is None:
        return None
    if not callable(function):
        raise ConfigurationError(f"security_log={function!r} cannot be called")
    if hasattr(function, "__code__") and wants_await(function):
        raise ConfigurationError(
            f"{place_of(function)}: a security log is not async: hand what takes long to c.wait_until"
        )
    log: SecurityLog = function
    return log


def log_event(
    c: Context,
    event: EventName,
    reason: str | None = None,
    *,
    user_id: str | None = None,
    error: HTTPError | None = None,
) -> None:
    """Hand *event* to the application's security log, if it has one.

    *error* is the error that is answered; it is not logged again. *user_id* is whom the event
    concerns, where that is not the signed-in user.
    """
    if error is not None:
        c.told = error
    log: SecurityLog | None = getattr(c.app, "security_log", None)
    if log is None:
        return
    who, request = c.actor, c.request
    try:
        log(
            c,
            SecurityEvent(
                time=time_now(),
                level="warning" if event in _WARNINGS else "info",
                event=event,
                reason=reason or (None if error is None else error.code),
                status=None if error is None else error.status,
                method=request.method,
                route=c.route and c.route.path,
                user_id=user_id or (who and who.user_id),
                session=who and who.handle,
                address=request.address,
                request_id=c.request_id or _ray_of(request),
            ),
        )
    except Exception as fault:  # whatever it is: what was done is done, and is answered
        report(c, fault)


def _ray_of(request: Request) -> str | None:
    try:
        ray = request.headers.get("cf-ray")
        return ray and ray[:_RAY_LIMIT]
    except HTTPError:  # of headers first read now, as `asgi` refuses some: told all the same
        return None


def log_refusal(c: Context, error: HTTPError) -> None:
    """Log *error* if it is a refusal (401, 403, 413, 429, a guard's 404) that is not logged yet."""
    if c.told is not None and c.told in (error, error.__cause__):  # raised anew, in other words
        return
    event = _BY_STATUS.get(error.status)
    if isinstance(error, CrossSite):
        event = "malicious_cors"
    elif error.refusal and c.guard_outcome == "refused":  # one that says 404, too
        event = "authz_fail"
    if event is not None:
        log_event(c, event, error=error)
