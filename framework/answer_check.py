"""Compares what a handler returns with its annotation, in development. Knows nothing of routes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec
from msgspec import inspect

from framework.exact_numbers import parts_of
from framework.parameters import MISSING
from framework.response import Reply, Response, encode_json
from framework.text_types import (
    UNREADABLE,
    class_of,
    is_kind_of,
    is_union,
    members_of,
    notes_of,
    union_of,
    without_notes,
)

__all__ = ["AnswerMismatch", "make_answer_check"]

_UNSAID = (MISSING, Any, object)


class AnswerMismatch(TypeError):
    """A handler returned what its annotation does not allow. The message names where."""


def make_answer_check(annotation: Any, place: str) -> Callable[[Any], None] | None:
    """Return a function that raises `AnswerMismatch` for a value that *annotation* does not allow.

    Return None if it allows anything. The JSON of a `Response` is checked if ``Annotated[Response,
    Reply(...)]`` names the type for its status.
    """
    if any(annotation is unsaid for unsaid in _UNSAID):
        return None
    replies = {
        note.status: _comparable([note.type])
        for note in notes_of(annotation)
        if isinstance(note, Reply)
    }
    inside = without_notes(annotation)
    members = members_of(inside) if is_union(inside) else (annotation,)
    shapes = [member for member in members if not is_kind_of(member, Response)]
    allows_response = len(shapes) < len(members)
    wanted = _comparable(shapes or [None])

    def check(value: Any) -> None:
        if isinstance(value, Response):
            if not allows_response:
                raise AnswerMismatch(f"{place}: returned a Response, not {_named(annotation)}")
            _check_reply(value, replies, place)
        elif not shapes:
            raise AnswerMismatch(f"{place}: returned {type(value).__name__}, not Response")
        elif isinstance(value, bytes):  # JSON has no bytes: what it makes of them is text
            if not any(without_notes(shape) in {bytes, Any, object} for shape in shapes):
                raise AnswerMismatch(f"{place}: returned bytes, not {_named(annotation)}")
        else:
            _check_json(encode_json(value), wanted, place)

    return check


def _comparable(types: Sequence[Any]) -> Any:
    """Return the union of *types*, or Any where JSON is not read into it: a Protocol, or a base class."""
    try:
        type = union_of(types)
        parts = [*parts_of(inspect.type_info(type))]
    except UNREADABLE:  # NoReturn, or Structs without tags
        return Any
    return Any if any(isinstance(part, inspect.CustomType) for part in parts) else type


def _check_reply(response: Response, replies: dict[int, Any], place: str) -> None:
    if response.status not in replies:
        named = sorted(status for status in replies if status < 300)
        if named and response.status < 300:
            raise AnswerMismatch(
                f"{place}: answered {response.status}, and Reply names {', '.join(map(str, named))}"
            )
        return
    wanted = replies[response.status]
    if not isinstance(response.body, bytes):
        return
    if wanted in (None, type(None)):
        if response.body:
            status = response.status
            raise AnswerMismatch(
                f"{place}: {status} has a body, but Reply(None, {status}) has none"
            )
    elif (response.header("content-type") or "").startswith("application/json"):
        _check_json(response.body, wanted, place)


def _check_json(data: bytes, wanted: Any, place: str) -> None:
    try:
        made = msgspec.json.decode(data, type=wanted)
    except msgspec.ValidationError as error:
        raise AnswerMismatch(f"{place}: the answer is not {_named(wanted)}: {error}") from None
    lost = {*_lost(msgspec.json.decode(data), msgspec.json.decode(encode_json(made)))}
    if lost and (lost := lost.difference(_left_out([*parts_of(inspect.type_info(wanted))]))):
        raise AnswerMismatch(f"{place}: {_named(wanted)} has no {' and no '.join(sorted(lost))}")


def _left_out(parts: Sequence[inspect.Type]) -> Iterator[str]:
    """Yield the names that may go missing although *parts* have them.

    What they name has its default, or none but UNSET; or it is in a set, whose order is another.
    """
    has_sets = any(isinstance(part, inspect.SetType | inspect.FrozenSetType) for part in parts)
    for part in parts:
        config = getattr(class_of(getattr(part, "cls", None)), "__struct_config__", None)
        omits = has_sets or (config is not None and config.omit_defaults)
        for field in getattr(part, "fields", ()):
            has_none = field.default is msgspec.NODEFAULT is field.default_factory
            if omits or (has_none and not field.required):
                yield field.encode_name


def _lost(sent: Any, made: Any) -> Iterator[str]:
    """Yield each name in *sent* that is not in *made*, what was made of it."""
    if isinstance(sent, dict) and isinstance(made, dict):
        yield from sent.keys() - made.keys()
        for name in sent.keys() & made.keys():
            yield from _lost(sent[name], made[name])
    elif isinstance(sent, list) and isinstance(made, list):
        for each in zip(sent, made, strict=False):  # a set holds each once, in any order
            yield from _lost(*each)


def _named(annotation: Any) -> str:
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)
