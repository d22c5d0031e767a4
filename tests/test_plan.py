"""How a handler is called is worked out at import, and whatever could not be called is refused there."""

from collections.abc import Callable, Mapping
from contextlib import nullcontext
from enum import CONFORM, EJECT, STRICT, Flag, FlagBoundary, IntFlag
from functools import wraps
from typing import Annotated, Any, Generic, NewType, TypeVar, Union

import msgspec
import pytest
from typing_extensions import TypeAliasType  # which mypy brings

from framework import (
    Alias,
    App,
    ConfigurationError,
    Context,
    Depends,
    Form,
    Header,
    Query,
    Request,
    Response,
    Slot,
    guard,
    public,
)
from framework.database import Database, Result
from framework.multipart import File
from framework.openapi import describe
from framework.testing import json_of
from tests.later_annotations import build, build_with_own_router, build_wrapped, echo


class Note(msgspec.Struct):
    """A body."""

    text: str


class Person(msgspec.Struct):
    """What the guard here learns."""

    name: str


class Rights(IntFlag):
    READ = 1
    WRITE = 2


class OwnRights(IntFlag, boundary=STRICT):
    READ = 1
    WRITE = 2


T = TypeVar("T")


class Box(msgspec.Struct, Generic[T]):
    """What a slot carries, whatever is in it."""

    inside: T


PERSON = Slot("person", Person)
BOX: Slot[Any] = Slot("box", Box)
NAME_OF = Slot("name", str)
CLAIMS: Slot[dict[str, str]] = Slot("claims", dict)
known = guard(lambda: Person("ada"), provides=PERSON, name="known")


async def none() -> str:
    return "none"


async def context(c: Context) -> str:
    return c.request.method


async def untyped(c) -> str:  # type: ignore[no-untyped-def]  # people write so
    return str(c.request.method)


async def other_name(request_context: Context) -> str:
    return request_context.request.method


async def one(c: Context, a: str) -> str:
    return a


async def two(c: Context, a: str, b: int) -> str:
    return f"{a}{b}"


async def turned(b: int, a: str, c: Context) -> str:
    return f"{a}{b}{c.request.method}"


async def four(c: Context, b: int, a: str, person: Person) -> str:
    return f"{a}{b}{person.name}"


async def first_of_path(a, b) -> str:  # type: ignore[no-untyped-def]  # people write so
    return f"{a}{b}"


async def keyword_only(c: Context, *, a: str, b: int = 5) -> str:
    return f"{a}{b}"


async def with_query(c: Context, a: str, limit: Query[int] = 7) -> str:
    return f"{a}{limit}"


async def mixed(b: int, *, limit: Query[int] = 7, person: Person, a: str) -> str:
    return f"{a}{b}{limit}{person.name}"


def plain(c: Context, a: str) -> str:
    return a


def plain_awaitable(c: Context, a: str) -> Any:
    return one(c, a)


def plain_query(a: str, limit: Query[int] = 7) -> Any:
    return two(None, a, limit)  # type: ignore[arg-type]  # does not ask it


CALLS: list[tuple[Callable[..., Any], bytes]] = [
    (none, b"none"),
    (context, b"GET"),
    (untyped, b"GET"),
    (other_name, b"GET"),
    (one, b"x"),
    (two, b"x1"),
    (turned, b"x1GET"),
    (four, b"x1ada"),
    (first_of_path, b"x1"),
    (keyword_only, b"x1"),
    (with_query, b"x7"),
    (mixed, b"x17ada"),
    (plain, b"x"),
    (plain_awaitable, b"x"),
    (plain_query, b"x7"),
]


@pytest.mark.parametrize(
    ("handler", "body"), CALLS, ids=lambda value: getattr(value, "__name__", "")
)
async def test_a_handler_gets_what_it_declares(handler: Callable[..., Any], body: bytes) -> None:
    app = App()
    app.get("/:a/:b", guard=known)(handler)

    response = await app.request("GET", "/x/1")

    assert (response.status, response.body) == (200, body)


@pytest.mark.parametrize(("path", "value"), [("/a/1", 1), ("/a", 5)])
@pytest.mark.parametrize("is_async", [True, False])
async def test_an_optional_parameter_has_its_default(path: str, value: int, is_async: bool) -> None:
    async def later(c: Context, n: int = 5) -> int:
        return n

    def now(c: Context, n: int = 5) -> int:
        return n

    app = App()
    app.get("/a/:n?", guard=public)(later if is_async else now)

    assert json_of(await app.request("GET", path)) == value


async def test_a_parameter_of_one_path_of_several_is_optional() -> None:
    app = App()

    @app.get("/a", "/b/:n", guard=public)
    async def show(n: int = 0) -> int:
        return n

    assert [json_of(await app.request("GET", path)) for path in ("/a", "/b/7")] == [0, 7]


@pytest.mark.parametrize("paths", [("/a/:n?",), ("/:n?/b",), ("/a", "/b/:n")])
def test_an_optional_parameter_without_a_default_is_refused(paths: tuple[str, ...]) -> None:
    def show(n: int) -> None: ...

    with pytest.raises(
        ConfigurationError, match=r"test_plan\.py:[0-9]+: the path may leave out 'n'"
    ):
        App().get(*paths, guard=public)(show)


async def test_annotations_that_are_text_are_understood() -> None:
    app = build()

    module = await app.request("POST", "/module?limit=1&limit=2", json={"text": "a"})
    local = await app.request("POST", "/local?who=eve", json={"number": 3})

    assert json_of(module) == {"text": "a", "limit": [1, 2]}
    assert json_of(local) == {"number": 3, "name": "eve"}


async def test_what_another_module_names_is_not_what_is_called_so_where_it_is_declared() -> None:
    class Note(msgspec.Struct):
        other: int = 0

    app = App()
    app.post("/", guard=public)(echo)

    response = await app.request("POST", "/", json={"text": "a"})

    assert json_of(response) == {"text": "a"}
    assert Note().other == 0


@pytest.mark.parametrize("times", [0, 1, 2])
async def test_a_handler_that_others_wrap_is_understood_where_it_is_written(times: int) -> None:
    def wrap(handler: Any) -> Any:
        @wraps(handler)
        async def wrapped(local: Any) -> Any:
            return await handler(local)

        return wrapped

    answer = await build_wrapped(*[wrap] * times).request("POST", "/", json={"number": 3})

    assert json_of(answer) == {"number": 3}


async def test_a_router_of_ones_own_kind_may_wrap_the_decorators() -> None:
    answer = await build_with_own_router().request("GET", "/local?number=3")

    assert json_of(answer) == {"number": 3}


class Methods:
    """Handlers are functions; these are not."""

    def bound(self, c: Context) -> None: ...

    def __call__(self, c: Context) -> None: ...


def variadic(*arguments: Any) -> None: ...


def variadic_names(c: Context, **named: Any) -> None: ...


def by_position(c: Context, /) -> None: ...


def generator(c: Context) -> Any:
    yield


async def async_generator(c: Context) -> Any:
    yield


def unknown_name(c: Context, a: "Nowhere") -> None: ...  # type: ignore[name-defined]  # noqa: F821  on purpose


def unknown_attribute(c: Context, a: "msgspec.Nowhere") -> None: ...  # type: ignore[name-defined]  # on purpose


def no_expression(c: Context, a: "not a type") -> None: ...  # type: ignore[valid-type]  # noqa: F722  on purpose


def no_generic(c: Context, a: Any) -> None: ...


no_generic.__annotations__["a"] = "list[int][int]"


def bare(c: Context, limit) -> None: ...  # type: ignore[no-untyped-def]  # people write so


def bare_with_default(word="tea") -> None: ...  # type: ignore[no-untyped-def]  # as in a loop, word=word


def method(self) -> None: ...  # type: ignore[no-untyped-def]  # as below a class, which has no instance


def unmarked(c: Context, limit: int) -> None: ...


def marked_inside(c: Context, limit: Query[int] | None = None) -> None: ...


def marked_deep_inside(c: Context, limits: list[Query[int]]) -> None: ...


def form_in_a_union(c: Context, note: Form[Note] | Note | int) -> None: ...


def unmarked_default(c: Context, limit: int = 5) -> None: ...


def some_class(c: Context, value: Methods) -> None: ...


def some_mapping(value: Mapping[str, int]) -> None: ...


def some_union(c: Context, value: Union[int, Note]) -> None: ...  # noqa: UP007  as people write it


def slot_nobody_fills(person: Person) -> None: ...


def slot_in_a_form(person: Form[Person]) -> None: ...


def slot_in_either(person: Form[Person] | Note) -> None: ...


def slot_by_name(person: Annotated[Person, PERSON]) -> None: ...


def slot_of_a_builtin(claims: Annotated[dict[str, str], CLAIMS]) -> None: ...


def slot_of_a_builtin_or_none(claims: Annotated[dict[str, str], CLAIMS] | None) -> None: ...


def slot_of_a_generic(box: Box[int]) -> None: ...


def slot_with_a_note(person: Annotated[Person, "whoever is there"]) -> None: ...


def the_request(request: Request) -> None: ...


def a_database(db: Database) -> None: ...


def the_body(data: bytes) -> None: ...


def the_response(response: Response) -> None: ...


def an_outcome(found: Result) -> None: ...


class Unreadable(msgspec.Struct):
    DB: Database


def unreadable(body: Unreadable) -> None: ...


class Upload(msgspec.Struct):
    photo: File
    more: list[File] | None = None


class Album(msgspec.Struct):
    uploads: list[Upload]


def file_in_json(upload: Upload) -> None: ...


def file_deep_in_json(albums: dict[str, Album]) -> None: ...


def file_alone(photo: File) -> None: ...


def file_in_either(upload: Upload | Form[Upload]) -> None: ...


class Nested(msgspec.Struct):
    inner: Note
    text: str = ""


class Table(msgspec.Struct):
    text: str
    counts: dict[str, int] = msgspec.field(name="the-counts")
    maybe: dict[str, int] = {}


def struct_in_a_form(nested: Form[Nested]) -> None: ...


def dict_in_a_form(table: Form[Table] | Note) -> None: ...


def two_bodies(a: Note, b: list[Note]) -> None: ...


def two_forms(a: Form[Note], b: Note) -> None: ...


def form_and_field(a: Form[Note], b: Form[str]) -> None: ...


def field_twice(a: Form[str], b: Annotated[Form[str], Alias("a")]) -> None: ...


def field_and_body(a: Form[str], b: Note) -> None: ...


class Cat(msgspec.Struct, tag=True):
    lives: int


class Dog(msgspec.Struct, tag=True):
    tricks: int


def find_note() -> Note:
    return Note("a")


ASK: Any = Depends(find_note)
DRAFT = Note("b")


def provider_as_default(note: Note = ASK) -> None: ...


def provider_as_default_of_a_query(limit: Query[int] = ASK) -> None: ...


def provider_as_default_of_nothing(anything=ASK) -> None: ...  # type: ignore[no-untyped-def]  # on purpose


NAME, RULE = Alias("from"), msgspec.Meta(min_length=3)


def name_as_default(since: Query[str] = NAME) -> None: ...  # type: ignore[assignment]  # a mistake


def rule_as_default(word: Query[str] = RULE) -> None: ...  # type: ignore[assignment]  # another


def body_with_default(note: Note = DRAFT) -> None: ...


def form_with_default(note: Form[Note] = DRAFT) -> None: ...


def body_or_nothing(note: Note | None = None) -> None: ...


def body_or_slot(value: Cat | Person) -> None: ...


def untagged(note: Note | Unreadable) -> None: ...


def two_names(a: Annotated[Query[str], Alias("a"), Alias("b")]) -> None: ...


def no_name(a: Annotated[Query[str], Alias("")]) -> None: ...


class Unfinished(msgspec.Struct):
    later: "Nowhere"  # type: ignore[name-defined]  # noqa: F821  as what is imported for types alone


class Misspelt(msgspec.Struct):
    later: "msgspec.Nowhere"  # type: ignore[name-defined]  # on purpose


class Garbled(msgspec.Struct):
    later: "not a type"  # type: ignore[valid-type]  # noqa: F722  on purpose


class Itself:
    """As ``type Itself = Itself``."""

    @property
    def __value__(self) -> Any:
        return self


def unfinished(note: Unfinished) -> None: ...


def unfinished_in_a_list(notes: list[Unfinished]) -> None: ...


def unfinished_form(note: Form[Unfinished]) -> None: ...


def unfinished_query(note: Query[Unfinished]) -> None: ...


def misspelt(note: Misspelt) -> None: ...


def garbled(note: Form[Garbled]) -> None: ...


def endless(note: Any) -> None: ...


endless.__annotations__["note"] = Itself()


def no_type(note: Any) -> None: ...


no_type.__annotations__["note"] = [Note]


def the_cookie_header(cookie: Header[str]) -> None: ...


def the_cookie_header_by_name(a: Annotated[Header[str], Alias("Cookie")]) -> None: ...


@pytest.mark.parametrize(
    ("handler", "words"),
    [
        (Methods().bound, "not a plain function"),
        (Methods(), "not a plain function"),
        (Methods, "not a plain function"),
        (print, "not a plain function"),
        (public, "not a plain function"),
        (variadic, r"takes \* or \*\*"),
        (variadic_names, r"takes \* or \*\*"),
        (by_position, "by position only: remove the /"),
        (generator, "is a generator"),
        (async_generator, r"is a generator: .* framework\.streaming\.stream\(\.\.\.\)"),
        (unknown_name, "Nowhere"),
        (unknown_attribute, "Nowhere"),
        (no_expression, "not a type"),
        (no_generic, r"no_generic: .*list\[int\]"),
        (bare, "'limit' of bare has no annotation and is not in the path"),
        (bare_with_default, "'word' of bare_with_default has no annotation and is not in the path"),
        (method, "'self' of method has no annotation and is not in the path"),
        (
            unmarked,
            r"'limit' of unmarked is not in the path: write Query\[\.\.\.\], Header\[\.\.\.\]",
        ),
        (
            marked_inside,
            r"'limit' of marked_inside: a marker .* whole type, as in Query\[int \| None\]",
        ),
        (marked_deep_inside, "'limits' of marked_deep_inside: a marker stands around"),
        (form_in_a_union, r"'note' of form_in_a_union: write Form\[A\] \| B"),
        (unmarked_default, r"write Query\[\.\.\.\], Header\[\.\.\.\], Cookie\[\.\.\.\] or Form"),
        (some_class, "since Methods is not a msgspec Struct, list or dict"),
        (some_mapping, "'value' of some_mapping is not a body, since Mapping is not a msgspec"),
        (some_union, "'value' of some_union is not in the path"),
        (slot_nobody_fills, "but no guard in front of this provides one"),
        (slot_in_a_form, "'person' of slot_in_a_form asks for Person, which the slot 'person'"),
        (slot_in_either, "asks for Person, which the slot 'person' hands on"),
        (slot_by_name, "but no guard in front of this provides one"),
        (slot_of_a_builtin, "asks for dict, which a slot hands on, but no guard in front of this"),
        (slot_of_a_builtin_or_none, "asks for dict, which a slot hands on"),
        (slot_of_a_generic, "asks for Box, which the slot 'box' hands on"),
        (slot_with_a_note, "but no guard in front of this provides one"),
        (the_request, "take the context, c: Context, and read c.request"),
        (a_database, r"take the context, c: Context, and call c.database\(\)"),
        (the_body, r"asks for bytes: .* and await c.request.bytes\(\)"),
        (the_response, "asks for Response: .* return the Response; cookies are set with c.cookies"),
        (an_outcome, "asks for a Result, but no reads= says what to read"),
        (unreadable, "the body 'body': JSON is not read into Database"),
        (
            file_in_json,
            r"the body 'upload': a File comes in a form alone: .* Form\[...\] of a Struct",
        ),
        (file_deep_in_json, r"the body 'albums': a File comes in a form alone"),
        (file_alone, r"the body 'photo': a File comes in a form alone: write Form\[File\]"),
        (file_in_either, r"the body 'upload': a File comes in a form alone"),
        (struct_in_a_form, "the body 'nested': the field 'inner' is text in a form, and .*Note"),
        (dict_in_a_form, r"the field 'the-counts' is text in a form, and dict\[str, int\] is not"),
        (two_bodies, "two_bodies reads the body twice"),
        (two_forms, "two_forms reads the body twice"),
        (form_and_field, "form_and_field reads the body twice"),
        (field_twice, "field_twice: Multiple fields rename to the same name"),
        (field_and_body, "field_and_body reads the body twice"),
        (provider_as_default, r"write note: Annotated\[..., Depends\(find_note\)\]"),
        (provider_as_default_of_a_query, r"write limit: Annotated\[..., Depends\(find_note\)\]"),
        (provider_as_default_of_nothing, r"write anything: Annotated\[..., Depends"),
        (name_as_default, r"write since: Annotated\[..., Alias\(text='from'\)\]"),
        (rule_as_default, r"write word: Annotated\[..., msgspec.Meta\(min_length=3\)\]"),
        (body_with_default, "every request has to send: remove its default"),
        (form_with_default, "every request has to send: remove its default"),
        (body_or_nothing, "a body or None, and every request has to send one"),
        (body_or_slot, "asks for Person, which the slot 'person' hands on"),
        (untagged, "the body 'note': "),
        (two_names, "has to have one name"),
        (no_name, "has to have one name"),
        (unfinished, "the body 'note': name 'Nowhere' is not defined"),
        (unfinished_in_a_list, "the body 'notes': name 'Nowhere' is not defined"),
        (unfinished_form, "the parameter 'note' of unfinished_form: name 'Nowhere' is not defined"),
        (unfinished_query, "Unfinished'> is not read from text"),
        (misspelt, "the body 'note': module 'msgspec' has no attribute 'Nowhere'"),
        (garbled, "the parameter 'note' of garbled: .*not a type"),
        (endless, "endless: maximum recursion depth exceeded"),
        (no_type, "'note' of no_type is not in the path"),
        (the_cookie_header, r"write cookie: Cookie\[...\]"),
        (the_cookie_header_by_name, r"write a: Cookie\[...\]"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_what_could_not_be_called_is_refused(handler: Any, words: str) -> None:
    with pytest.raises(ConfigurationError, match=words) as refused:
        App().post("/", guard=public)(handler)

    assert "test_plan.py:" in str(refused.value) or "not a plain function" in str(refused.value)


@pytest.mark.parametrize("method", ["get", "post", "put", "patch", "delete", "all"])
def test_a_provider_in_the_place_of_a_default_is_refused(method: str) -> None:
    with pytest.raises(ConfigurationError, match="write note: Annotated"):
        getattr(App(), method)("/", guard=public)(provider_as_default)


@pytest.mark.parametrize(
    ("body", "status", "name"),
    [
        ({"type": "Cat", "lives": 9}, 200, "Cat"),
        ({"type": "Dog", "tricks": 1}, 200, "Dog"),
        ({"type": "Cow"}, 422, None),
        ({"lives": 9}, 422, None),
    ],
)
async def test_a_body_is_one_of_several_by_its_tag(
    body: dict[str, Any], status: int, name: str | None
) -> None:
    app = App()

    @app.post("/", guard=public)
    async def read(pet: Cat | Dog) -> str:
        return type(pet).__name__

    answer = await app.request("POST", "/", json=body)

    assert answer.status == status
    assert answer.body == name.encode() if name else json_of(answer)["code"] == "invalid-request"


def reads_note(note: Note) -> None: ...


def reads_list(notes: list[Note]) -> None: ...


def reads_dict(notes: dict[str, int]) -> None: ...


def reads_form(note: Form[Note]) -> None: ...


def reads_either(note: Form[Note] | Note) -> None: ...


def reads_files(upload: Form[Upload]) -> None: ...


def reads_fields(text: Form[str], number: Form[int] = 1) -> None: ...


class Partly(msgspec.Struct):
    """What a form can leave out needs no form."""

    text: list[Annotated[str, msgspec.Meta(max_length=3)]] | None
    anything: Any
    inner: Note | None = None


def reads_partly(partly: Form[Partly]) -> None: ...


BODIES = [
    *(reads_note, reads_list, reads_dict, reads_form, reads_either),
    *(reads_files, reads_partly, reads_fields),
]


@pytest.mark.parametrize("handler", BODIES)
@pytest.mark.parametrize("methods", [["GET"], ["GET", "POST"]])
def test_a_body_on_get_is_refused(handler: Callable[..., None], methods: list[str]) -> None:
    with pytest.raises(ConfigurationError, match=r"test_plan\.py:[0-9]+.*asks for a body"):
        App().on(methods, "/", guard=public)(handler)


@pytest.mark.parametrize("handler", BODIES)
@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "PURGE"])
def test_a_body_on_any_other_method_is_read(handler: Callable[..., None], method: str) -> None:
    app = App()

    app.on(method, "/", guard=public)(handler)

    assert [parameter.source for parameter in app.routes[0].parameters] == ["body"]


def test_a_body_that_msgspec_cannot_read_is_refused_where_it_stands() -> None:
    class Tagless(msgspec.Struct):
        other: int

    def read(body: list[Note | Tagless]) -> None: ...

    with pytest.raises(ConfigurationError, match=r"test_plan\.py:[0-9]+: the body 'body'"):
        App().post("/", guard=public)(read)


async def test_what_a_slot_carries_is_never_read_from_a_body() -> None:
    app = App()

    @app.post("/", guard=known)
    async def show(person: Person, note: Note) -> str:
        return person.name + note.text

    response = await app.request("POST", "/", json={"name": "eve", "text": "!"})

    assert response.body == b"ada!"
    with pytest.raises(ConfigurationError, match="asks for Person"):
        App().post("/", guard=public)(slot_nobody_fills)


async def test_no_other_name_of_what_a_slot_carries_is_read_from_a_body() -> None:
    def by_type(person: Form[Note] | Whoever) -> None: ...

    def or_another_body(person: Person | Cat) -> None: ...

    def by_new_type(person: Any) -> None: ...

    new_type: Any = NewType  # mypy 2.4 cannot make one of a Struct
    by_new_type.__annotations__["person"] = Form[Note] | new_type("Somebody", Person)

    for read in (by_type, or_another_body, by_new_type):
        with pytest.raises(ConfigurationError, match="asks for Person, which the slot 'person'"):
            App().post("/", guard=known)(read)


async def test_a_slot_that_is_named_comes_before_the_path_and_the_body() -> None:
    app = App()

    @guard(provides=[NAME_OF, CLAIMS])
    async def signed(c: Context) -> None:
        c.set(NAME_OF, "ada")
        c.set(CLAIMS, {"role": "user"})

    @app.post("/:name", guard=signed)
    async def show(name: Annotated[str, NAME_OF], claims: Annotated[dict[str, str], CLAIMS]) -> str:
        return f"{name} {claims['role']}"

    @app.post("/:name/maybe", guard=signed)
    async def show_maybe(
        name: Annotated[str, NAME_OF] | None, claims: Annotated[dict[str, str] | None, CLAIMS]
    ) -> str:
        return f"{name} {claims}"

    assert (await app.request("POST", "/eve", json={"role": "admin"})).body == b"ada user"
    assert (await app.request("POST", "/eve/maybe")).body == b"ada {'role': 'user'}"


async def test_a_generic_of_what_a_slot_that_is_named_carries_is_filled() -> None:
    app = App()

    @guard(provides=BOX)
    def packs() -> Box[int]:
        return Box(5)

    @app.get("/", guard=packs)
    async def show(box: Annotated[Box[int], BOX]) -> int:
        return box.inside

    assert (await app.request("GET", "/")).body == b"5"


async def test_a_note_beside_a_class_hides_no_slot() -> None:
    app = App()

    @app.post("/maybe", guard=known)
    async def show_maybe(person: Annotated[Person | None, PERSON]) -> str:
        return "" if person is None else person.name

    assert (await app.request("POST", "/maybe", json={"name": "eve"})).body == b"ada"

    @app.post("/", guard=known)
    async def show(person: Annotated[Person, "whoever is there"]) -> str:
        return person.name

    assert (await app.request("POST", "/", json={"name": "eve"})).body == b"ada"


# As ``type Limit = Query[int]`` makes them in Python 3.12 and later.
Limit = TypeAliasType("Limit", Query[int])
SomeNote = TypeAliasType("SomeNote", Note)
Body = TypeAliasType("Body", SomeNote)
Whoever = TypeAliasType("Whoever", Person)
Found = TypeAliasType("Found", Annotated[Note, Depends(find_note)])
Text = TypeAliasType("Text", str)


async def test_a_named_type_is_what_it_stands_for() -> None:
    app = App()

    @app.post("/", guard=known)
    async def read(limit: Limit, body: Body, person: Whoever, found: Found) -> Text:
        return f"{limit} {body.text} {person.name} {found.text}"

    @app.post("/inside", guard=known)
    async def read_inside(
        body: Form[Body], person: Whoever | None, again: Annotated[Whoever, PERSON]
    ) -> Annotated[Text, "who and what"] | None:
        return f"{body.text} {person} {again.name}"

    answer = await app.request("POST", "/?limit=5", json={"text": "a"})

    assert answer.body == b"5 a ada a"
    answer = await app.request("POST", "/inside", form={"text": "a"})
    assert answer.body == b"a Person(name='ada') ada"
    answers = describe(app, title="", version="")["paths"]["/"]["post"]["responses"]
    assert list(answers["200"]["content"]) == ["text/plain; charset=utf-8"]


def test_a_route_lists_what_it_reads() -> None:
    app = App()

    @app.post("/:id", guard=public)
    async def read(c: Context, id: int, note: Form[Note] | Note, limit: Query[int] = 5) -> None: ...

    listed = [(p.name, p.source, p.type, tuple(p.media_types)) for p in app.routes[0].parameters]

    assert listed == [
        ("id", "path", int, ()),
        ("note", "body", Note, ("application/json", "application/x-www-form-urlencoded")),
        ("limit", "query", int, ()),
    ]


async def flags_in_json(rights: list[Rights]) -> None: ...


async def flags_in_the_query(rights: Query[Rights]) -> None: ...


async def flags_in_a_form(rights: Form[set[Rights]]) -> None: ...


async def flags_in_a_header(rights: Header[Rights | None]) -> None: ...


@pytest.mark.parametrize(
    "handler", [flags_in_json, flags_in_the_query, flags_in_a_form, flags_in_a_header]
)
def test_flags_of_which_python_would_keep_every_number_are_refused(handler: Any) -> None:
    with pytest.raises(
        ConfigurationError, match=r"test_plan\.py.*Rights .* give it boundary=STRICT"
    ):
        App().post("/", guard=public)(handler)


MAKE_FLAGS: dict[type[Flag], Any] = {Flag: Flag, IntFlag: IntFlag}  # mypy knows them as classes


@pytest.mark.parametrize("boundary", [CONFORM, EJECT])
@pytest.mark.parametrize("kind", [Flag, IntFlag])
def test_flags_that_take_numbers_which_they_do_not_have_are_refused(
    kind: type[Flag], boundary: FlagBoundary
) -> None:
    open_flags = MAKE_FLAGS[kind]("Open", ["READ", "WRITE"], boundary=boundary)

    async def grant(rights: list[open_flags]) -> None: ...  # type: ignore[valid-type]  # made above

    with pytest.raises(ConfigurationError, match="Open takes any number: give it boundary=STRICT"):
        App().post("/", guard=public)(grant)


@pytest.mark.parametrize(("count", "fits"), [(12, True), (13, False)])
def test_flags_of_too_many_combinations_are_refused(count: int, fits: bool) -> None:
    many = MAKE_FLAGS[IntFlag]("Many", [f"F{each}" for each in range(count)], boundary=STRICT)

    async def grant(rights: list[many]) -> None: ...  # type: ignore[valid-type]  # made above

    with nullcontext() if fits else pytest.raises(ConfigurationError, match="Many has over 12"):
        App().post("/", guard=public)(grant)


@pytest.mark.parametrize(("sent", "status"), [(3, 200), (4, 422)])
async def test_flags_of_a_closed_set_are_taken_and_any_are_answered(sent: int, status: int) -> None:
    app = App(check_answers=True)

    @app.post("/", guard=public)
    async def grant(rights: list[OwnRights]) -> list[Rights]:
        return [Rights(each) for each in rights]

    answer = await app.request("POST", "/", json=[sent])

    assert answer.status == status
    assert OwnRights._value2member_map_.keys() <= {0, 1, 2, 3}


class Grade(msgspec.Struct):
    """What a handler reads, whoever sends it."""

    value: int


def reads_grade(grade: Grade) -> None: ...


def test_no_slot_carries_what_a_handler_reads_from_a_body() -> None:
    App().post("/", guard=public)(reads_grade)

    with pytest.raises(ConfigurationError, match=r"test_plan.py:\d+: reads_grade reads Grade from"):
        Slot("grade", Grade)


def test_a_mistake_in_a_guard_is_said_to_be_there() -> None:
    async def wants_a_body(counts: dict[str, int]) -> None: ...

    line = wants_a_body.__code__.co_firstlineno

    with pytest.raises(ConfigurationError, match=rf"test_plan.py:{line}: the parameter 'counts'"):
        App().get("/", guard=guard(wants_a_body))(lambda: "in")
