"""Providers are asked once a request; slots that only some ways fill may be asked for as None."""

from collections.abc import Callable
from typing import Annotated, Any

import msgspec
import pytest

from framework import (
    App,
    ConfigurationError,
    Context,
    Depends,
    Header,
    Query,
    Slot,
    all_of,
    any_of,
    guard,
    public,
)
from framework.errors import Forbidden, Invalid, NotFound
from framework.testing import json_of


class Page(msgspec.Struct):
    size: int
    after: str | None = None


class Person(msgspec.Struct):
    name: str


class Machine(msgspec.Struct):
    name: str


class Note(msgspec.Struct):
    title: str


asked: list[str] = []


async def read_page(size: Query[int] = 20, after: Query[str | None] = None) -> Page:
    asked.append("page")
    return Page(size, after)


def tenant(c: Context) -> str:
    asked.append("tenant")
    return c.request.host


async def describe(
    page: Annotated[Page, Depends(read_page)], host: Annotated[str, Depends(tenant)]
) -> str:
    return f"{host}:{page.size}"


PERSON, MACHINE = Slot("person", Person), Slot("machine", Machine)


@guard(provides=PERSON)
async def is_person(c: Context) -> Person:
    if c.request.headers.get("person") is None:
        raise Forbidden
    return Person("ada")


@guard(provides=MACHINE)
async def is_machine(c: Context) -> Machine:
    if c.request.headers.get("machine") is None:
        raise Forbidden
    return Machine("m1")


@pytest.fixture(autouse=True)
def nothing_asked() -> None:
    asked.clear()


@pytest.mark.parametrize(
    ("query", "status", "answer"),
    [
        ("", 200, {"size": 20, "after": None}),
        ("?size=5&after=x", 200, {"size": 5, "after": "x"}),
        ("?size=x", 422, None),
        ("?size=5&size=6", 422, None),
    ],
)
async def test_a_provider_reads_what_a_handler_would(query: str, status: int, answer: Any) -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(page: Annotated[Page, Depends(read_page)]) -> Page:
        return page

    response = await app.request("GET", f"/{query}")

    assert response.status == status
    assert answer is None or json_of(response) == answer


async def test_a_provider_is_asked_once_a_request_by_guards_and_handlers_together() -> None:
    app = App()

    @guard
    async def wants_page(page: Annotated[Page, Depends(read_page)]) -> None:
        asked.append(f"guard {page.size}")

    @app.get("/", guard=wants_page)
    def index(
        page: Annotated[Page, Depends(read_page)],
        text: Annotated[str, Depends(describe)],
        host: Annotated[str, Depends(tenant)],
    ) -> list[Any]:
        return [page.size, text, host]

    answers = [json_of(await app.request("GET", "/?size=3")) for _ in range(2)]

    assert answers == [[3, "localhost:3", "localhost"]] * 2
    assert asked == ["page", "guard 3", "tenant"] * 2


async def test_the_misfits_of_providers_and_of_the_body_are_named_together_and_once() -> None:
    app = App()

    @app.post("/", guard=public)
    async def make(
        note: Note,
        page: Annotated[Page, Depends(read_page)],
        text: Annotated[str, Depends(describe)],
        size: Query[int],
        lang: Header[str],
    ) -> None:
        raise AssertionError

    response = await app.request("POST", "/?size=x", json={"title": 5})

    errors = json_of(response)["errors"]
    assert response.status == 422
    assert sorted(str(error.get("parameter") or error.get("pointer")) for error in errors) == [
        "/title",
        "header:lang",
        "query:size",
    ]


async def test_what_a_provider_raises_is_the_answer() -> None:
    app = App()

    def refuse() -> str:
        raise NotFound("no such tenant")

    def broken() -> str:
        raise LookupError("secret")

    @app.get("/refused", guard=public)
    async def refused(value: Annotated[str, Depends(refuse)]) -> str:
        return value

    @app.get("/broken", guard=public)
    async def fails(value: Annotated[str, Depends(broken)]) -> str:
        return value

    assert (await app.request("GET", "/refused")).status == 404
    assert (await app.request("GET", "/broken")).status == 500


class OldCursor(Invalid):
    """Says by its code what to do."""

    code = "old-cursor"


async def test_a_misfit_with_a_code_of_its_own_keeps_it() -> None:
    app = App()

    def refuse() -> str:
        raise OldCursor("Begin again.", headers={"x-next": "/"})

    def ask(value: Annotated[str, Depends(refuse)]) -> str:
        return value

    @app.get("/alone", guard=public)
    async def alone(value: Annotated[str, Depends(ask)]) -> str:
        return value

    @app.get("/beside", guard=public)
    def beside(value: Annotated[str, Depends(ask)], size: Query[int] = 1) -> str:
        return value * size

    for path in ("/alone", "/beside", "/beside?size=x"):
        response = await app.request("GET", path)
        assert (response.status, json_of(response)["code"]) == (422, "old-cursor")
        assert json_of(response)["detail"] == "Begin again."
        assert response.header("x-next") == "/"


async def test_a_provider_gets_what_the_guards_hand_on() -> None:
    app = App()

    def greet(person: Person, id: int) -> str:
        return f"{person.name} {id}"

    @app.get("/:id", guard=is_person)
    async def show(id: int, greeting: Annotated[str, Depends(greet)]) -> str:
        return greeting

    assert (await app.request("GET", "/7", headers={"person": "y"})).body == b"ada 7"


def takes_body(note: Note) -> str:
    return note.title


def takes_person(person: Person) -> str:
    return person.name


def takes_itself(value: "Annotated[str, Depends(takes_itself)]") -> str:
    return value


def takes_another(value: "Annotated[str, Depends(takes_it_back)]") -> str:
    return value


def takes_it_back(value: Annotated[str, Depends(takes_another)]) -> str:
    return value


def takes_the_unknown(value: int) -> int:
    return value


async def generates() -> Any:
    yield 1


@pytest.mark.parametrize(
    ("provider", "message"),
    [
        (takes_body, "asks for a body, which GET, guards and providers do not read"),
        (takes_person, "but no guard"),
        (takes_itself, "asks for itself"),
        (takes_another, "asks for itself"),
        (takes_the_unknown, "is not in the path"),
        (generates, "is a generator"),
        (print, "is not a plain function"),
    ],
)
def test_a_provider_that_could_not_be_asked_is_refused_at_import(
    provider: Callable[..., Any], message: str
) -> None:
    with pytest.raises(ConfigurationError, match=message):

        @App().post("/", guard=public)
        async def make(value: Annotated[str, Depends(provider)]) -> str:
            return value


def test_two_providers_for_one_parameter_are_refused() -> None:
    with pytest.raises(ConfigurationError, match="two providers"):

        @App().get("/", guard=public)
        async def index(value: Annotated[str, Depends(tenant), Depends(describe)]) -> str:
            return value


def test_what_providers_read_is_known_of_the_route() -> None:
    app = App()

    @app.get("/", guard=public)
    async def index(
        text: Annotated[str, Depends(describe)], page: Annotated[Page, Depends(read_page)]
    ) -> str:
        return text

    assert [(p.source, p.name) for p in app.routes[0].parameters] == [
        ("query", "size"),
        ("query", "after"),
    ]


@pytest.mark.parametrize(
    ("headers", "status", "answer"),
    [
        ({"person": "y"}, 200, ["ada", None]),
        ({"machine": "y"}, 200, [None, "m1"]),
        ({"person": "y", "machine": "y"}, 200, ["ada", None]),
        ({}, 403, None),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
async def test_a_slot_that_one_way_fills_is_none_on_the_others(
    nested: bool, headers: dict[str, str], status: int, answer: Any
) -> None:
    app = App()
    either = any_of(is_person, is_machine)

    @app.get("/", guard=all_of(either, guard(passes)) if nested else either)
    async def index(person: Person | None, machine: Machine | None) -> list[Any]:
        return [person and person.name, machine and machine.name]

    response = await app.request("GET", "/", headers=headers)

    assert response.status == status
    assert answer is None or json_of(response) == answer


async def passes() -> None:
    return None


def test_a_slot_that_one_way_fills_cannot_be_asked_for_as_certain() -> None:
    with pytest.raises(ConfigurationError, match="asks for Person"):

        @App().get("/", guard=is_person | is_machine)
        async def index(person: Person) -> str:
            return person.name


account_slot = Slot("account", Person)


async def name_of(person: Person) -> str:
    return person.name


@guard(provides=account_slot)
async def by_cookie(c: Context) -> Person:
    return Person("alice")


@guard(provides=account_slot)
async def by_token(c: Context) -> Person:
    return Person("bob")


@guard
async def not_banned(name: Annotated[str, Depends(name_of)]) -> None:
    if name == "alice":
        raise Forbidden


async def test_what_a_provider_returned_for_who_was_refused_is_forgotten() -> None:
    app = App()

    @app.get("/", guard=(by_cookie & not_banned) | by_token)
    async def show(person: Person, name: Annotated[str, Depends(name_of)]) -> list[str]:
        return [person.name, name]

    assert json_of(await app.request("GET", "/")) == ["bob", "bob"]


async def test_what_a_provider_returned_before_is_kept() -> None:
    app = App()
    asked.clear()

    @guard
    async def first(host: Annotated[str, Depends(tenant)]) -> None: ...

    @app.get("/", guard=first & ((by_cookie & not_banned) | by_token))
    async def show(host: Annotated[str, Depends(tenant)]) -> str:
        return host

    assert (await app.request("GET", "/")).body == b"localhost"
    assert asked == ["tenant"]
