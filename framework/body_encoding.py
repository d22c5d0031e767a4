"""Encodes the body of a request that is made in this process. Knows nothing of who answers it."""

from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import urlencode

from framework.multipart import ESCAPES, MULTIPART_TYPE, File, FormFields
from framework.parameters import FORM_TYPE, JSON_TYPE
from framework.response import encode_json
from framework.shared_headers import pairs_of

__all__ = ["encode_body"]

_ESCAPES = str.maketrans({text: escape for escape, text in ESCAPES.items()})


def encode_body(
    json: Any, form: FormFields | None, body: bytes | str | None
) -> tuple[bytes, str | None]:
    """Return the bytes of a body and its media type, which is None for *body* and for no body.

    *form* is multipart if there is a `File` among its values, and else urlencoded. An argument that
    is None is no content. Raises `ValueError` for more than one, and `TypeError` for a value that
    no form can send.
    """
    if [json, form, body].count(None) < 2:
        raise ValueError("a request has one body: give json, form or body")
    if json is not None:
        return encode_json(json), JSON_TYPE
    if form is None:
        return body.encode() if isinstance(body, str) else body or b"", None
    fields = list(_fields_of(form))
    if any(isinstance(value, File) for _, value in fields):
        return _encode_multipart(fields)
    return urlencode(fields).encode(), FORM_TYPE


def _fields_of(form: FormFields) -> Iterator[tuple[str, str | File]]:
    for name, given in pairs_of(form):
        for value in given if isinstance(given, list | tuple) else [given]:
            if not isinstance(value, str | int | float | File):
                raise TypeError(f"a form cannot send {name!r}, a {type(value).__name__}")
            if isinstance(value, bool):
                yield name, str(value).lower()
            else:
                yield name, value if isinstance(value, File) else str(value)


def _encode_multipart(fields: list[tuple[str, str | File]]) -> tuple[bytes, str]:
    parts = [_encode_part(name, value) for name, value in fields]
    content = b"".join(parts)
    boundary = next(name for name in map("form-{}".format, count()) if name.encode() not in content)
    delimiter = f"--{boundary}".encode()
    data = b"".join([delimiter + part for part in parts]) + delimiter + b"--\r\n"
    return data, f"{MULTIPART_TYPE}; boundary={boundary}"


def _encode_part(name: str, value: str | File) -> bytes:
    """Return a part as browsers write it (WHATWG HTML, multipart form data)."""
    head = f'\r\nContent-Disposition: form-data; name="{name.translate(_ESCAPES)}"'
    if isinstance(value, str):
        return f"{head}\r\n\r\n{value}\r\n".encode()
    head += f'; filename="{value.name.translate(_ESCAPES)}"\r\nContent-Type: {value.content_type}'
    return head.encode() + b"\r\n\r\n" + value.data + b"\r\n"
