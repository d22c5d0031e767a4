"""The two families of error: the program is wrong, or the request is. Knows nothing of responses."""

from collections.abc import Iterable, Mapping, Sequence
from typing import overload

import msgspec

from framework.shared_headers import pairs_of

__all__ = [
    "RETRY_SOON",
    "BadRequest",
    "ConfigurationError",
    "Conflict",
    "ContentTooLarge",
    "CrossSite",
    "Forbidden",
    "HTTPError",
    "Invalid",
    "InvalidField",
    "MethodNotAllowed",
    "NotFound",
    "ServiceUnavailable",
    "TooManyRequests",
    "Unauthorized",
    "UnsupportedMediaType",
]


class ConfigurationError(Exception):
    """The program or its deployment is set up wrong.

    Raised at import where that can be seen there. What only a request can show, such as a missing
    binding or secret, answers 500 and is logged.
    """


class InvalidField(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing that does not fit the schema: where it stands, and what was expected there.

    *pointer* is an RFC 6901 JSON pointer into the body; *parameter* names a value from elsewhere,
    as ``query:limit`` does. Neither the text nor the place repeats what the client sent.
    """

    detail: str
    pointer: str | None = None
    parameter: str | None = None


RETRY_SOON = (("retry-after", "5"),)
"""Headers of a 503 that may be over in a moment: the seconds that a client should wait."""

_REFUSALS = frozenset({401, 403, 404})


class HTTPError(Exception):
    """The request is wrong, or cannot be answered now.

    Becomes an RFC 9457 problem with *status*, a stable *code* and *detail*, a sentence for people
    that never holds what the client sent. Raise it as ``HTTPError(418, "I am a teapot.",
    code="teapot")``, or make a subclass that fixes ``status`` and ``code``, perhaps ``headers``, and
    raise that with a sentence or with nothing. The code is that of the status unless given, such as
    ``not-found`` for 404, or ``error`` where no class of this module has that status. *headers* are
    sent along, *errors* are listed in the answer. Raises `ValueError` for a status that is not from
    400 to 599, and for headers that are not pairs of text.
    """

    status: int = 500
    code: str = "internal-error"
    detail: str | None = None
    refusal: bool = False
    """Whether this says "not you" (401, 403, 404), so that `any_of` may ask the next guard."""
    headers: tuple[tuple[str, str], ...] = ()
    """Sent along: pairs of name and value."""
    errors: tuple[InvalidField, ...] = ()
    """The misfits of a 422: an `InvalidField` each."""

    def __init_subclass__(cls) -> None:
        if "status" not in cls.__dict__:
            return
        _check_status(cls.status)
        if "refusal" not in cls.__dict__:
            cls.refusal = cls.status in _REFUSALS
        if cls.code == HTTPError.code:
            cls.code = _CODES.get(cls.status, "error")

    @overload
    def __init__(
        self,
        detail: str | None = None,
        /,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        errors: Sequence[InvalidField] = (),
    ) -> None: ...

    @overload
    def __init__(
        self,
        status: int,
        detail: str | None = None,
        /,
        *,
        code: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        errors: Sequence[InvalidField] = (),
    ) -> None: ...

    def __init__(
        self,
        *arguments: int | str | None,
        code: str | None = None,
        headers: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        errors: Sequence[InvalidField] = (),
    ) -> None:
        for argument in arguments:
            if isinstance(argument, int):
                _check_status(argument)
                self.status = argument
                self.code = code or _CODES.get(argument, "error")
                self.refusal = argument in _REFUSALS
            elif argument is not None:
                self.detail = argument
        if code is not None:
            self.code = code
        self.headers = tuple([(name, value) for name, value in pairs_of(headers or self.headers)])
        if not all(isinstance(text, str) for pair in self.headers for text in pair):
            raise ValueError("the headers of an error are pairs of text")
        self.errors = tuple(errors)
        super().__init__(self.detail or self.code)


def _check_status(status: int) -> None:
    if not 400 <= status <= 599:
        raise ValueError(f"{status} is not an error status")


class BadRequest(HTTPError):
    """The request cannot be understood: its path, its JSON, its form."""

    status = 400
    code = "malformed-request"


class Unauthorized(HTTPError):
    """Nobody is signed in."""

    status = 401
    code = "unauthorized"


class Forbidden(HTTPError):
    """Somebody is signed in, and may not do this."""

    status = 403
    code = "forbidden"


class CrossSite(HTTPError):
    """An unsafe request came from another site, or does not say where it came from."""

    status = 403
    code = "cross-site"
    refusal = False
    lucia = ("AUTH_INVALID_REQUEST",)  # Lucia v2's code for it; the others are in framework.auth


class NotFound(HTTPError):
    """There is nothing here, or nothing that this client may know of."""

    status = 404
    code = "not-found"


class MethodNotAllowed(HTTPError):
    """The path exists, but not for this method; ``Allow`` lists those it has."""

    status = 405
    code = "method-not-allowed"


class Conflict(HTTPError):
    """What the request would make exists already."""

    status = 409
    code = "conflict"


class ContentTooLarge(HTTPError):
    """The body is larger than the application reads."""

    status = 413
    code = "content-too-large"


class UnsupportedMediaType(HTTPError):
    """The body is of a type, charset or coding that this route does not read."""

    status = 415
    code = "unsupported-media-type"


class Invalid(HTTPError):
    """The request was understood and does not fit the schema; *errors* names every misfit."""

    status = 422
    code = "invalid-request"
    detail = "The request does not fit the schema."


class TooManyRequests(HTTPError):
    """Asked too often. *retry_after* is in whole seconds; any other number is rounded up."""

    status = 429
    code = "too-many-requests"

    def __init__(self, detail: str | None = None, *, retry_after: int) -> None:
        super().__init__(detail, headers=(("retry-after", str(max(1, -int(-retry_after // 1)))),))


class ServiceUnavailable(HTTPError):
    """Something we depend on does not answer. Never says anything about who is asking."""

    status = 503
    code = "unavailable"
    detail = "Please try again in a moment."


def as_fault(error: BaseException) -> Exception:
    """Return *error*, or an error that stands for it where it is a cancellation of something awaited here.

    Raises *error* itself where it ends the process or this task.
    """
    if isinstance(error, Exception):
        return error
    if type(error).__name__ == "CancelledError":
        from asyncio import current_task  # off the cold-start path: cancelled things have loaded it

        task = current_task()
        if task is not None and not task.cancelling():
            fault = RuntimeError("what was awaited here was cancelled, and nobody caught that")
            fault.__cause__ = error
            return fault
    raise error


_CODES = {kind.status: kind.code for kind in reversed(HTTPError.__subclasses__())}
_CODES[HTTPError.status] = HTTPError.code
"""The code of an error that has none of its own, by status: that of the first such class above."""
