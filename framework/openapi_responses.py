"""Writes what a route may answer: from what its handler returns, and from what may go wrong before."""

from collections.abc import Iterable, Iterator, Mapping
from http import HTTPStatus
from typing import Any, Literal, Never, NoReturn, get_args, get_origin

from framework.openapi_schemas import Schemas
from framework.parameters import JSON_TYPE, MISSING
from framework.problem import Problem
from framework.response import Reply, Response
from framework.text_types import is_kind_of, members_of, notes_of, union_of, without_notes

__all__ = ["PROBLEM_TYPE", "problems", "responses"]

PROBLEM_TYPE = "application/problem+json"
"""The media type of RFC 9457."""

_TYPES: dict[Any, str] = {
    str: "text/plain; charset=utf-8",
    bytes: "application/octet-stream",
    Problem: PROBLEM_TYPE,
}

_PROBLEMS = {
    "default": ("Error", "Anything else that is refused or fails."),
    "400": ("BadRequest", "The request cannot be understood: its path, its query or its body."),
    "401": ("Unauthorized", "Nobody is signed in."),
    "403": ("Forbidden", "This client may not do this, or the request comes from another site."),
    "404": ("NotFound", "There is nothing here, or nothing that this client may know of."),
    "409": ("Conflict", "What the request would make exists already."),
    "413": ("ContentTooLarge", "The body is larger than is read."),
    "415": ("UnsupportedMediaType", "The body is of a type, charset or coding that is not read."),
    "422": ("Invalid", "The request does not fit the schema; every misfit is named."),
    "429": ("TooManyRequests", "Asked too often: Retry-After says for how long to wait."),
    "503": ("ServiceUnavailable", "Something that this depends on does not answer."),
}


def responses(annotation: Any, refusals: Iterable[int], schemas: Schemas) -> dict[str, Any]:
    """Return the Responses Object of a handler that returns *annotation*.

    *refusals* are the statuses of what may go wrong before the handler is asked.
    """
    written: dict[str, Any] = {}
    failures = {str(status) for status in refusals} | {"default"}
    for answer in _answers(annotation):
        if answer.status >= 400 and answer.type is None:
            failures.add(str(answer.status))
        else:
            _merge(written, answer, schemas)
    for status in failures - set(written):
        written[status] = {"$ref": f"#/components/responses/{_problem(status)[0]}"}
    return dict(sorted(written.items()))


def problems(documents: Iterable[Mapping[str, Any]], schemas: Schemas) -> dict[str, Any]:
    """Return the responses that the Responses Objects *documents* refer to, by name."""
    statuses = {
        status for document in documents for status, said in document.items() if "$ref" in said
    }
    content = {PROBLEM_TYPE: {"schema": schemas.of(Problem)}}
    return {
        name: {"description": description, "content": content}
        for name, description in sorted(map(_problem, statuses))
    }


def _problem(status: str) -> tuple[str, str]:
    return _PROBLEMS.get(status) or (f"Error{status}", "A guard refuses.")


def _merge(written: dict[str, Any], answer: Reply, schemas: Schemas) -> None:
    try:
        phrase = HTTPStatus(answer.status).phrase
    except ValueError:
        phrase = "An answer"
    response = written.setdefault(str(answer.status), {"description": f"{phrase}."})
    if answer.type is MISSING:
        response["description"] = f"{phrase}: of a shape that the route does not declare."
    elif answer.type is not None:
        media_type = answer.media_type or _TYPES.get(without_notes(answer.type), JSON_TYPE)
        schema = {} if answer.type is bytes else {"schema": schemas.of(answer.type)}
        response.setdefault("content", {})[media_type] = schema


def _answers(annotation: Any) -> Iterator[Reply]:
    """Yield what *annotation* says may be answered: of the type `MISSING` where it does not say."""
    replies = [note for note in notes_of(annotation) if isinstance(note, Reply)]
    if replies:
        yield from replies
        return
    shapes = []
    for member in members_of(annotation):
        special = [*_special(member)]
        yield from special
        if not special and member not in (Never, NoReturn):  # which always raises
            shapes.append(member)
    if shapes:
        yield Reply(union_of(shapes))


def _special(member: Any) -> Iterator[Reply]:
    """Yield the answers of a member that is not simply JSON."""
    plain = without_notes(member)
    if any(isinstance(note, Reply) for note in notes_of(member)):
        yield from _answers(member)
    elif plain in {None, type(None)}:
        yield Reply(None, 204)
    elif plain in {MISSING, Any, object} or is_kind_of(plain, Response):
        yield Reply(MISSING)
    elif plain is bytes:
        yield Reply(plain)
    elif _is_text(plain):
        yield Reply(plain, media_type=_TYPES[str])


def _is_text(plain: Any) -> bool:
    """Return whether all that *plain* allows is text, and so sent as it is."""
    if get_origin(plain) is Literal:
        return all(isinstance(value, str) for value in get_args(plain))
    return is_kind_of(plain, str)
