"""What a type is, by whatever names and notes it goes."""

from types import NoneType
from typing import Annotated, Any, NewType, TypeVar

import pytest
from typing_extensions import TypeAliasType  # which mypy brings

from framework.text_types import FRACTION, classes_of, unaliased

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
