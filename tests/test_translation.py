"""All that the framework says to clients can be put into other words, by what is listed for that."""

import ast
import datetime
import decimal
import uuid
from collections.abc import Iterator
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

import framework
from framework import App, Context, HTTPError, Response, public
from framework.errors import (
    CrossSite,
    Invalid,
    InvalidField,
    MethodNotAllowed,
    NotFound,
    UnsupportedMediaType,
)
from framework.exact_numbers import flaw_of
from framework.problem import method_not_allowed, problem
from framework.testing import json_of
from framework.translation import MESSAGES, Words, translate
from framework.validation import convert

ROOT = Path(framework.__file__).parent
SAYING = {"InvalidField", "_malformed", "_misfit", "MalformedURL"}
"""What is called with a text for clients, beside the errors themselves."""
FROM_MSGSPEC = (
    "Duration is",
    "Expected",
    "Integer value",
    "Invalid ",
    "Number out",
    "Only units",
)


def modules() -> dict[Path, ast.Module]:
    """Return what is uploaded, but for the list itself."""
    paths = [path for path in ROOT.rglob("*.py") if path.name != "translation.py"]
    return {
        path: ast.parse(path.read_text("utf-8"))
        for path in paths
        if path.parent.name != "local" and path.name not in {"testing.py", "cli.py"}
    }


MODULES = modules()


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")


def subclasses() -> set[str]:
    """Return the names of all errors that a client may be answered with."""
    found = {"HTTPError"}
    classes = [node for tree in MODULES.values() for node in ast.walk(tree)]
    while True:
        more = {
            node.name
            for node in classes
            if isinstance(node, ast.ClassDef) and found & {name_of(base) for base in node.bases}
        } - found
        if not more:
            return found
        found |= more


def text_of(node: ast.AST) -> str | None:
    """Return the sentence that *node* is, with {} for what varies."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in node.values]
        return "".join(map(str, parts))
    return None


def said() -> Iterator[tuple[Path, str]]:
    """Yield each text and each code that stands where an error is made or declared."""
    errors = subclasses()
    for path, tree in MODULES.items():
        for node in ast.walk(tree):
            texts: list[ast.AST] = []
            if isinstance(node, ast.ClassDef) and node.name in errors:
                for line in node.body:
                    if not isinstance(line, ast.Assign | ast.AnnAssign) or line.value is None:
                        continue
                    target = line.target if isinstance(line, ast.AnnAssign) else line.targets[0]
                    if name_of(target) in {"code", "detail"}:
                        texts.append(line.value)
            elif isinstance(node, ast.Call) and name_of(node.func) in (errors | SAYING):
                if name_of(node.func) != "FetchFailed":  # that is for the log
                    texts += [*node.args, *[k.value for k in node.keywords if k.arg == "code"]]
            elif isinstance(node, ast.Return) and path.name in {
                "validation.py",
                "exact_numbers.py",
                "origin.py",
            }:
                texts += [] if node.value is None else [node.value]
            for each in texts:
                text = text_of(each)
                if text:
                    yield path, text


def test_whatever_is_said_is_listed() -> None:
    found = {text for _, text in said() if len(text) > 3}
    ours = {
        text
        for text in found
        # made of what an app says: a description, values that it lists
        if not text.startswith(("Expected{}", "Expected {}{}", "/", "{}"))
    }
    fits_another = {"Expected datetime with a timezone component.", "Expected int."}
    listed = {*MESSAGES, *fits_another, "Expected {} {} characters."}

    assert len(ours) > 60
    assert ours <= listed, sorted(ours - listed)


def test_nothing_is_listed_that_is_never_said() -> None:
    written = "".join([path.read_text("utf-8") for path in MODULES])
    sentences = [each for each in MESSAGES if " " in each and not each.startswith(FROM_MSGSPEC)]
    unsaid = {
        part
        for sentence in sentences
        for part in sentence.split("{}")
        if part not in written.replace('"\n            "', "")
    }

    assert unsaid == set()
    assert len(MESSAGES) == len({*MESSAGES})


class Colour(Enum):
    RED = "red"


class Inner(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    size: int = 0


PSEUDO: Words = {each: f"[{each}]" for each in MESSAGES}


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("x", int),
        (1, str),
        (None, str),
        ("x", bool),
        ("x", float),
        ([], int),
        ({}, list[int]),
        ([1], dict[str, int]),
        ("x", int | None),
        ({"name": 1, "size": "a"}, Inner),
        ({}, Inner),
        ({"name": "", "more": 1}, Inner),
        ([{}], list[Inner]),
        ("blue", Colour),
        ("blue", Literal["red", "green"]),
        (9, Literal[1, 2]),
        ("x", datetime.datetime),
        ("x", datetime.date),
        ("x", datetime.time),
        ("x", datetime.timedelta),
        ("P1Y", datetime.timedelta),
        ("2026-01-01T00:00:00", Annotated[datetime.datetime, Meta(tz=True)]),
        ("2026-01-01T00:00:00Z", Annotated[datetime.datetime, Meta(tz=False)]),
        (float("nan"), datetime.datetime),
        (1e300, datetime.datetime),
        (1e300, datetime.timedelta),
        ("x", uuid.UUID),
        ("x", decimal.Decimal),
        ("?", bytes),
        ("", Annotated[str, Meta(min_length=2)]),
        ("abc", Annotated[str, Meta(max_length=2)]),
        ("abc", Annotated[str, Meta(min_length=2, max_length=2)]),
        ("abc", Annotated[str, Meta(pattern="^x$")]),
        ("YQ==", Annotated[bytes, Meta(min_length=2)]),
        ([], Annotated[list[int], Meta(min_length=1)]),
        ([1, 2], Annotated[list[int], Meta(max_length=1)]),
        ({"a": 1}, Annotated[dict[str, int], Meta(max_length=0)]),
        ({}, Annotated[dict[str, int], Meta(min_length=1)]),
        ([1], tuple[int, int]),
        (0, Annotated[int, Meta(ge=1)]),
        (1, Annotated[int, Meta(gt=1)]),
        (9, Annotated[int, Meta(le=1)]),
        (9, Annotated[int, Meta(lt=1)]),
        (9, Annotated[int, Meta(multiple_of=2)]),
        (0.5, Annotated[float, Meta(ge=1)]),
        (0.5, Annotated[float, Meta(multiple_of=2)]),
        (2**70, Annotated[int, Meta(ge=1, le=10)]),
    ],
    ids=str,
)
@pytest.mark.parametrize("strict", [True, False], ids=["strict", "lax"])
def test_each_misfit_has_other_words(value: Any, kind: Any, *, strict: bool) -> None:
    try:
        convert(value, kind, strict=strict)
    except Invalid as error:
        told = [misfit.detail for misfit in translate(error, PSEUDO).errors]
        assert all(each.startswith("[") and each.endswith("]") for each in told), told


def test_the_values_of_d1_have_other_words() -> None:
    far = datetime.datetime(
        9999, 12, 31, 23, tzinfo=datetime.timezone(datetime.timedelta(hours=-9))
    )
    flaws = [flaw_of(each, zoned=True) for each in (2**60, datetime.datetime(2026, 1, 1), far)]
    error = Invalid(errors=[InvalidField(str(flaw)) for flaw in flaws])

    told = [misfit.detail for misfit in translate(error, PSEUDO).errors]
    assert all(each.startswith("[") for each in told), told


def many(count: str) -> str:
    return "ein Zeichen" if count == "1" else f"{count} Zeichen"


GERMAN: Words = {
    "not-found": "Das gibt es nicht.",
    "conflict": "Das gibt es schon.",
    "method-not-allowed": "So geht das nicht.",
    "The request does not fit the schema.": "Das passt nicht {so}.",
    "Expected at least {} characters.": lambda count: f"Mindestens {many(count)}.",
    "Expected {} >= {}.": "{0} ab {1}.",
    "Expected {}, got {}.": "{1} statt {0}.",
    "Expected {}.": "Gefragt: {}.",
    "int": "ganze Zahl",
    "The path is malformed: {}.": "Der Pfad: {}.",
    "more than {} fields": "mehr als {} Felder",
    "The request comes from {}, but this site is {}.": "Von {} nach {}.",
    "Send the body as {}, in UTF-8.": "Schicke {} in UTF-8.",
    "Send the body as {} or {}, in UTF-8.": "Schicke {} oder {} in UTF-8.",
    "Sold out.": "Ausverkauft.",
}


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("Expected at least 1 characters.", "Mindestens ein Zeichen."),
        ("Expected at least 8 characters.", "Mindestens 8 Zeichen."),
        ("Expected int >= 3.", "ganze Zahl ab 3."),
        ("Expected int, got str.", "str statt ganze Zahl."),
        ('Expected "a, b".', 'Gefragt: "a, b".'),
        ("Unexpected int.", "Unexpected int."),
        ("Expected: The year", "Expected: The year"),
        ("Something else.", "Something else."),
        ("Sold out.", "Ausverkauft."),
        ("Expected\nsomething.", "Expected\nsomething."),
    ],
)
def test_a_misfit_is_said_in_other_words(said: str, told: str) -> None:
    error = Invalid(errors=[InvalidField(said, pointer="/a"), InvalidField(said, parameter="b")])

    translated = translate(error, GERMAN)

    assert translated.detail == "Das passt nicht {so}."
    assert translated.errors == (
        InvalidField(told, pointer="/a"),
        InvalidField(told, parameter="b"),
    )
    assert error.errors[0].detail == said


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (NotFound(), "Das gibt es nicht."),
        (HTTPError(404, "Unknown here."), "Das gibt es nicht."),
        (HTTPError(409, "Sold out.", code="sold-out"), "Ausverkauft."),
        (HTTPError(409, "Unknown here.", code="sold-out"), "Unknown here."),
        (HTTPError(409, code="sold-out"), None),
        (
            HTTPError(400, "The path is malformed: more than 9 fields."),
            "Der Pfad: mehr als 9 Felder.",
        ),
        (
            UnsupportedMediaType("Send the body as a/b or c/d, in UTF-8."),
            "Schicke a/b oder c/d in UTF-8.",
        ),
        (
            CrossSite("The request comes from null, but this site is https://a.b."),
            "Von null nach https://a.b.",
        ),
    ],
    ids=repr,
)
def test_an_error_is_said_in_other_words(error: HTTPError, told: str | None) -> None:
    translated = translate(error, GERMAN)

    assert translated.detail == told
    assert (translated.status, translated.code) == (error.status, error.code)


def test_what_an_app_says_fits_no_sentence_of_the_frameworks_by_a_word_in_it() -> None:
    error = HTTPError(404, "There is no such note or folder.")

    assert translate(error, PSEUDO).detail == "[not-found]"


def test_headers_go_along() -> None:
    error = method_not_allowed(("GET",))
    assert isinstance(error, MethodNotAllowed)
    assert translate(error, GERMAN).headers == error.headers
    assert translate(error, {"{}": "all", "": "none"}).detail is None


app = App(body_limit=10)


@app.get("/items/:id", guard=public)
async def show(id: int) -> int:
    return 1 // id


@app.post("/items", guard=public)
async def add(item: Inner) -> str:
    return item.name


@app.on_error
async def explain(_c: Context, error: HTTPError) -> Response:
    return problem(translate(error, PSEUDO))


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/nowhere", b"", {}, 404),
        ("GET", "/items/x", b"", {}, 404),
        ("GET", "/%ff", b"", {}, 400),
        ("GET", "/a%2Fb", b"", {}, 400),
        ("PUT", "/items", b"", {}, 405),
        ("POST", "/items", b"{}", {"origin": "https://evil.example"}, 403),
        ("POST", "/items", b"{}", {"content-type": "text/plain"}, 415),
        ("POST", "/items", b"{", {"content-type": "application/json"}, 400),
        ("POST", "/items", b"{}", {"content-type": "application/json"}, 422),
        ("POST", "/items", b"[" * 11, {"content-type": "application/json"}, 413),
        ("GET", "/items/0", b"", {}, 500),
    ],
)
@pytest.mark.usefixtures("caplog")
async def test_each_answer_is_in_other_words(
    method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    answer = await app.request(method, path, body=body, headers=headers)

    told = json_of(answer)
    assert answer.status == status
    assert told["detail"].startswith("[")
    assert all(each["detail"].startswith("[") for each in told.get("errors", ()))
