"""Reads multipart/form-data, all of it in memory and under the body limit. Knows nothing of requests."""

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from framework.cookies import TOKEN
from framework.errors import BadRequest

__all__ = [
    "ESCAPES",
    "MULTIPART_TYPE",
    "File",
    "FormFields",
    "Part",
    "boundary_of",
    "parse_multipart",
    "type_parameters",
]

MULTIPART_TYPE = "multipart/form-data"
"""The media type of forms with files (RFC 7578)."""

PART_LIMIT = 1000
"""Parts of one body."""

HEAD_LIMIT = 8 * 1024
"""Bytes of one part's headers."""

_TYPE_PARAMETER = re.compile(r';[ \t]*([^\s;="]+)=(?:"([^"]*)"|([^\s;"]*))')
_BOUNDARY_LIMIT = 70
_HEADER = re.compile(r"([!-9;-~]+):([^\r\n]*)")
"""One line, and no blank in its name (RFC 5322, 3.6.8): other software might fold it or cut that off."""
_PARAMETER = re.compile(rf';[ \t]*([a-zA-Z]+)=(?:"([^"]*)"|({TOKEN.pattern}))')
ESCAPES = {"%22": '"', "%0D": "\r", "%0A": "\n"}
"""What stands in the name of a field or a file for what would end it (WHATWG HTML)."""
_ESCAPE = re.compile("|".join(ESCAPES))


class File(msgspec.Struct, frozen=True):
    """An uploaded file. The client chose *name* and *content_type*: never use *name* as a path."""

    name: str
    content_type: str
    data: bytes

    def __repr__(self) -> str:
        return f"<File of {len(self.data)} bytes>"


FormValue = str | int | float | File
FormFields = Mapping[str, FormValue | Sequence[FormValue]] | list[tuple[str, FormValue]]
"""What a program sends as a form: fields by name, several values of one in a list; or pairs. A
boolean is sent as ``true`` or ``false``."""


class Part(NamedTuple):
    """One field of the form: a text, or a file."""

    name: str
    value: str | File


def type_parameters(content_type: str) -> tuple[list[tuple[str, str]], bool]:
    """Return the parameters of *content_type*, names in lower case, and whether they are all of it."""
    text = content_type[len(content_type.partition(";")[0]) :]
    found = [
        (name.lower(), quoted or plain) for name, quoted, plain in _TYPE_PARAMETER.findall(text)
    ]
    return found, content_type.isascii() and not _TYPE_PARAMETER.sub("", text).strip(" \t;")


def boundary_of(content_type: str) -> bytes:
    """Return the boundary that *content_type* names. Raises `BadRequest` unless it names one.

    Two are refused: other software might go by the other one, and see other fields than we do.
    """
    parameters, is_whole = type_parameters(content_type)
    found = [
        (name, value)
        for name, value in parameters
        if name.partition("*")[0] == "boundary"  # as in boundary*=, RFC 2231
    ]
    boundary: str = dict(found).get("boundary", "")
    if not is_whole or len(found) != 1 or not 1 <= len(boundary) <= _BOUNDARY_LIMIT:
        raise BadRequest("The multipart body names no boundary of 1 to 70 characters, or several.")
    return boundary.encode()


def parse_multipart(data: bytes, boundary: bytes) -> list[Part]:
    """Return the parts of *data*, in order. Raises `BadRequest` if it is malformed.

    Nothing may stand before the first boundary or after the last, as no browser sends it. Text is
    UTF-8, whatever a part claims. A file without a name and without content is left out: browsers
    send one where nothing was chosen.
    """
    delimiter = b"\r\n--" + boundary
    framed = b"\r\n" + data
    if framed.count(delimiter) > PART_LIMIT + 1:
        raise _malformed(f"more than {PART_LIMIT} parts")
    before, *sections = framed.split(delimiter)
    if before or sections[-1] not in {b"--", b"--\r\n"}:
        raise _malformed("it does not begin and end with its boundary")
    parts = map(_parse_part, sections[:-1])
    return [part for part in parts if part is not None]


def _parse_part(section: bytes) -> Part | None:
    """Return the part in *section*; None for a file that was not chosen."""
    head, blank, content = section.partition(b"\r\n\r\n")
    if not section.startswith(b"\r\n") or not blank:
        raise _malformed("a part has no headers")
    if len(head) > HEAD_LIMIT:
        raise _malformed(f"a part has more than {HEAD_LIMIT} bytes of headers")
    headers = _parse_head(head)
    kind, parameters = _disposition(headers.get("content-disposition", ""))
    if kind != "form-data" or "name" not in parameters:
        raise _malformed("a part has no name")
    if "filename" in parameters:
        if not parameters["filename"] and not content:
            return None
        declared = headers.get("content-type", "application/octet-stream")
        return Part(parameters["name"], File(parameters["filename"], declared, content))
    return Part(parameters["name"], _text(content))


def _parse_head(head: bytes) -> dict[str, str]:
    headers: dict[str, str] = {}
    for line in _text(head).split("\r\n")[1:]:
        found = _HEADER.fullmatch(line)
        if found is None or found[1].lower() in headers:
            raise _malformed("a header of a part is malformed, or there twice")
        headers[found[1].lower()] = found[2].strip(" \t")
    return headers


def _disposition(value: str) -> tuple[str, dict[str, str]]:
    """Return the kind and parameters of a Content-Disposition, as browsers write it.

    Quotes and line breaks inside of a name are percent-encoded there (WHATWG HTML, multipart form
    data). Others leave out the quotes around a token (RFC 2183). RFC 2231's ``filename*`` is not for
    forms (RFC 7578, 4.2), and so is refused with whatever else is left over. So is a parameter that
    comes twice: other software might go by the other one.
    """
    kind = value.partition(";")[0]
    rest = value[len(kind) :]
    pairs = _PARAMETER.findall(rest)
    found = {
        name.lower(): token or _ESCAPE.sub(lambda escape: ESCAPES[escape[0]], quoted)
        for name, quoted, token in pairs
    }
    if len(found) != len(pairs) or _PARAMETER.sub("", rest).strip(" \t"):
        raise _malformed("a part's Content-Disposition is malformed")
    return kind.strip(" \t").lower(), found


def _text(data: bytes) -> str:
    try:
        return data.decode()
    except UnicodeDecodeError:
        raise _malformed("a text is not UTF-8") from None


def _malformed(why: str) -> BadRequest:
    return BadRequest(f"The multipart body is malformed: {why}.")
