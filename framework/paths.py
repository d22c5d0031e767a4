"""Reads the path and the query of a URL, once. Knows nothing of routes."""

import re

__all__ = [
    "MalformedURL",
    "decode_component",
    "decode_path",
    "decode_segment",
    "encode_segment",
    "parse_query",
    "resolve_path",
]

_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\]")
_DIGITS = "0123456789abcdefABCDEF"
_BYTES = {
    (high + low).encode(): bytes((int(high + low, 16),)) for high in _DIGITS for low in _DIGITS
}
_DOT = {".", "%2e", "%2E"}
_DOT_DOT = {first + second for first in _DOT for second in _DOT}

_UNRESERVED = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")

FIELD_LIMIT = 1000
"""How many fields a query or a form may have: enough for any page, too few to keep us busy."""


class MalformedURL(ValueError):
    """The text is not a percent-encoded UTF-8 string, or hides a separator or control character."""


def decode_path(path: str) -> str:
    """Return *path* with each segment percent-decoded once, after splitting.

    The one value serves matching, guards and handlers. Raises `MalformedURL` for a segment that
    decodes to bad UTF-8, to ``.`` or ``..``, or to text with ``/``, ``\\`` or a control character.
    """
    if "%" not in path and path.isascii() and path.isprintable():
        return path
    return "/".join([decode_segment(segment) for segment in path.split("/")])


def decode_segment(segment: str) -> str:
    """Return one *segment* percent-decoded once. Raises `MalformedURL`, as `decode_path` does."""
    text = decode_component(segment)
    if _UNSAFE.search(text) or text in {".", ".."}:
        raise MalformedURL("a path segment holds a separator or a control character")
    return text


def decode_component(text: str) -> str:
    """Return *text* percent-decoded as UTF-8. Raises `MalformedURL`, for half a surrogate pair as well."""
    if "%" not in text and text.isascii():
        return text
    try:
        first, *escapes = text.encode().split(b"%")
        return b"".join([first, *[_BYTES[part[:2]] + part[2:] for part in escapes]]).decode()
    except (KeyError, ValueError):
        raise MalformedURL("not percent-encoded UTF-8") from None


def encode_segment(text: str) -> str:
    """Return *text* percent-encoded for one segment of a path: all but RFC 3986's unreserved."""
    return "".join([chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in text.encode()])


def parse_query(text: str) -> dict[str, list[str]]:
    """Return the fields of a query string or urlencoded form, each with all its values in order.

    Raises `MalformedURL` for bad encoding and for more than `FIELD_LIMIT` fields.
    """
    if text.count("&") >= FIELD_LIMIT:
        raise MalformedURL(f"more than {FIELD_LIMIT} fields")
    fields: dict[str, list[str]] = {}
    for field in text.replace("+", " ").split("&"):
        if field:
            name, _, value = field.partition("=")
            fields.setdefault(decode_component(name), []).append(decode_component(value))
    return fields


def resolve_path(path: str) -> str:
    """Return *path* as a browser's URL parser leaves it: ``\\`` is ``/``, dot segments resolved.

    Not every server does this before us, and all edges are to see the same path.
    """
    if "\\" not in path and "/." not in path and "/%2" not in path:
        return path
    resolved: list[str] = []
    segments = path.replace("\\", "/").split("/")[1:]
    for segment in segments:
        if segment in _DOT_DOT:
            del resolved[-1:]
        elif segment not in _DOT:
            resolved.append(segment)
    if segments[-1] in _DOT or segments[-1] in _DOT_DOT:
        resolved.append("")
    return "/" + "/".join(resolved)
