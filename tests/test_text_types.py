"""What a type is, by whatever names and notes it goes."""

from datetime import date, datetime, time
from types import NoneType
from typing import Annotated, Any, Literal, NewType, TypeVar

import pytest
from msgspec import Meta
from typing_extensions import TypeAliasType  # which mypy brings

from framework.multipart import File
from framework.text_types import FRACTION, classes_of, speller_of, unaliased

T = TypeVar("T")
Digest = NewType("Digest", bytes)
Maybe = TypeAliasType("Maybe", Digest | None)
Several = TypeAliasType("Several", list[T], type_params=(T,))


@pytest.mark.parametrize(
    ("annotation", "classes"),
    [
        (Annotated[bytes | None, "a note"], [bytes, NoneType]),
        (Annotated[bytes | None, "a note"] | int, [bytes, NoneType, int]),
        (Annotated[Maybe, "a note"] | int, [bytes, NoneType, int]),
        (list[Digest], [list]),
    ],
    ids=str,
)
def test_notes_and_names_hide_no_class(annotation: Any, classes: list[Any]) -> None:
    assert classes_of(annotation) == classes


def test_what_a_generic_name_is_of_stays_with_it() -> None:
    assert unaliased(Several[int]) == Several[int]


@pytest.mark.parametrize("text", ["1.0", "1e2", "1E2", "-1.0", "-1e2", "-0"])
def test_an_integer_has_no_other_spelling(text: str) -> None:
    assert FRACTION.fullmatch(text)


@pytest.mark.parametrize("text", ["1", "-1", "0", "a.b", "e"])
def test_what_has_no_other_spelling_is_left_alone(text: str) -> None:
    assert not FRACTION.fullmatch(text)


FILE = File("10:30", "text/plain", b"")


@pytest.mark.parametrize(
    ("annotation", "sent", "read"),
    [
        (time, "10:30", "10:30:00"),
        (time | None, "10:30", "10:30:00"),
        (list[time], "10:30", "10:30:00"),
        (datetime, "2026-05-01T10:30", "2026-05-01T10:30:00"),
        (Annotated[datetime, "a note"] | None, "2026-05-01T10:30", "2026-05-01T10:30:00"),
        (bool, "on", "true"),
        (bool | None, "on", "true"),
        (float, ".5", "0.5"),
        (float | None, "-.5e3", "-0.5e3"),
        (float | None, "", None),
        (date | None, "", None),
        (int | None, "", None),
        (list[int | None], "", None),
        (list[date | None] | None, "", None),
        (Annotated[list[int | None], Meta(min_length=2)], "", None),
        (int, "1e2", "\0"),
    ],
    ids=str,
)
def test_what_a_page_sends_is_spelled_as_it_is_read(
    annotation: Any, sent: str, read: str | None
) -> None:
    spell = speller_of(annotation)

    assert spell is not None
    assert spell(sent) == read


@pytest.mark.parametrize(
    ("annotation", "sent"),
    [
        (time, "10:30:15"),
        (time, "10:30:15.1+02:00"),
        (time, ""),
        (time, "10.30"),
        (datetime, "2026-05-01T10:30Z"),
        (datetime, "2026-05-01"),
        (float, "0.5"),
        (bool, "off"),
        (Literal["on", "off"], "on"),
        (int, "10"),
        (int | None, "10"),
        (list[int] | None, ""),
        (time | None, FILE),
        (File | None, FILE),
    ],
    ids=str,
)
def test_what_is_spelled_so_is_left_alone(annotation: Any, sent: Any) -> None:
    spell = speller_of(annotation)

    assert spell is not None
    assert spell(sent) == sent


@pytest.mark.parametrize(
    "annotation", [str, str | None, date, list[str], list[str] | None, Any], ids=str
)
def test_what_has_one_spelling_needs_no_speller(annotation: Any) -> None:
    assert speller_of(annotation) is None
