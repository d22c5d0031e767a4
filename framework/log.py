"""Writes lines of JSON, one for each thing said. Knows nothing of where the lines go."""

from collections.abc import Callable
from typing import Any

__all__ = [
    "Log",
    "encode_line",
    "log_error",
    "log_warning",
    "one_line",
    "print_line",
    "time_now",
    "traceback_of",
]


def print_line(line: str) -> None:
    """Print *line*: in the Worker to console.log, which Workers Logs reads as JSON."""
    print(line)  # noqa: T201  the line is what was asked for


def encode_line(fields: dict[str, Any]) -> str:
    """Return *fields* as JSON in printable ASCII; what JSON does not know is written as its repr.

    No value can end the line or colour a terminal: msgspec would leave U+2028 as it is.
    """
    try:
        return _encode(fields)
    except (TypeError, ValueError, RecursionError):  # keys that are no text, NaN, what holds itself
        return _encode({str(name): _encodable(value) for name, value in fields.items()})


def _encode(value: object) -> str:
    import json  # off the cold-start path: most requests have nothing to say

    return json.dumps(value, separators=(",", ":"), default=repr, allow_nan=False)


def _encodable(value: object) -> object:
    """Return *value* where JSON has a form for it, else its repr."""
    try:
        _encode(value)
    except (TypeError, ValueError, RecursionError):
        return repr(value)
    return value


def time_now() -> str:
    """Return the time in UTC, as ISO 8601 writes it, to the millisecond."""
    from datetime import UTC, datetime  # off the cold-start path, as above

    return datetime.now(UTC).isoformat(timespec="milliseconds")


def log_error(message: str, error: BaseException) -> None:
    """Log *message* with the traceback of *error*, escaped: it can end no line and colour no terminal."""
    import logging  # off the cold-start path: most requests have nothing to say

    logger = logging.getLogger("kagari")
    if logger.isEnabledFor(logging.ERROR):
        info = (type(error), error, error.__traceback__)
        record = logger.makeRecord(logger.name, logging.ERROR, __file__, 0, message, (), info)
        record.exc_text = traceback_of(error)  # formatters take it as it is
        logger.handle(record)


def log_warning(message: str) -> None:
    """Log *message*: something may want a look."""
    import logging  # off the cold-start path, as above

    logging.getLogger("kagari").warning("%s", message)


def traceback_of(error: BaseException) -> str:
    """Return the traceback of *error*, all that is not printable escaped."""
    from traceback import TracebackException  # off the cold-start path, as above

    parts = [part.strip("\n") for part in TracebackException.from_exception(error).format()]
    return "\n".join([part if part.startswith("  File ") else one_line(part) for part in parts])


def one_line(text: str) -> str:
    """Return *text* with all that is not printable escaped."""
    return "".join(
        [each if each.isprintable() else each.encode("unicode_escape").decode() for each in text]
    )


class Log:
    """Writes lines of JSON for a handler, each with time, level, message and *fields*.

    Fields given to a method follow them, and replace none of them. Sessions, keys and cookies are
    written by their repr, which shows no secret; text is written as it is.
    """

    __slots__ = ("_fields", "_write")

    def __init__(self, fields: dict[str, Any], write: Callable[[str], None] = print_line) -> None:
        self._fields = fields
        self._write = write

    def debug(self, message: str, /, **fields: Any) -> None:
        """Write *message*, for whoever looks for a fault."""
        self._say("debug", message, fields)

    def info(self, message: str, /, **fields: Any) -> None:
        """Write *message*: something went as it should."""
        self._say("info", message, fields)

    def warning(self, message: str, /, **fields: Any) -> None:
        """Write *message*: something may want a look."""
        self._say("warning", message, fields)

    def error(self, message: str, /, **fields: Any) -> None:
        """Write *message*: something went wrong."""
        self._say("error", message, fields)

    def _say(self, level: str, message: str, fields: dict[str, Any]) -> None:
        line = {"time": time_now(), "level": level, "message": message, **self._fields}
        self._write(encode_line({**line, **fields, **line}))  # first, and not to be replaced
