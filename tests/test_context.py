"""The context hands guards and handlers what they ask for, and says plainly what is missing."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from framework import App, ConfigurationError, Context, Job, Request, Slot, public
from framework.cookies import SetCookie
from framework.slots import handed_on, reserve


class Person(msgspec.Struct):
    """What a slot carries."""

    name: str


class Admin(Person):
    """A person of another kind."""


class Note(msgspec.Struct):
    """What no slot carries."""

    text: str


PERSON = Slot("person", Person)


def context(env: Any = None) -> Context:
    return Context(Request.build("GET", "/a?secret=1"), env or {})


def test_a_slot_holds_what_it_was_given() -> None:
    c = context()

    assert c.find(PERSON) is None
    with pytest.raises(
        ConfigurationError, match="no guard of this route fills <Slot person: Person>"
    ):
        c.get(PERSON)

    c.set(PERSON, Person("ada"))
    assert c.get(PERSON) == c.find(PERSON) == Person("ada")


def test_slots_of_one_name_are_apart() -> None:
    c, other = context(), Slot("person", Person)

    c.set(PERSON, Person("ada"))

    assert c.find(other) is None


def test_slots_can_be_set_back() -> None:
    c, other = context(), Slot("other", Person)
    c.set(PERSON, Person("ada"))
    before = c.filled()

    c.set(PERSON, Person("eve"))
    c.set(other, Person("bob"))
    c.refill(before)

    assert (c.get(PERSON), c.find(other)) == (Person("ada"), None)


@pytest.mark.parametrize(
    ("annotation", "held"),
    [
        (Person, True),
        (Admin, True),
        (Note, False),
        (int, False),
        (list[Person], False),
        ("x", False),
    ],
)
def test_what_a_slot_carries_is_known(annotation: Any, held: bool) -> None:
    assert (handed_on(annotation) is not None) is held


def test_a_class_can_be_reserved_without_a_slot() -> None:
    class Secret(msgspec.Struct):
        value: str

    before = handed_on(Secret)
    reserve(Secret, "the vault")

    assert (before, handed_on(Secret)) == (None, "the vault")


def test_a_slot_of_a_type_of_the_language_takes_it_from_nobody_else() -> None:
    slots: list[Slot[Any]] = [Slot("count", int), Slot("names", dict), Slot("name", str)]

    assert [handed_on(slot.type) for slot in slots] == [None, None, None]


@pytest.mark.parametrize("is_slot_first", [False, True])
def test_what_a_guard_finds_out_is_no_body_whichever_was_declared_first(
    is_slot_first: bool,
) -> None:
    class Draft(msgspec.Struct):
        id: int

    app = App()

    def declare_slot() -> None:
        Slot("draft", Draft)

    def declare_route() -> None:
        @app.post("/publish", guard=public)
        async def publish(draft: Draft) -> None: ...

    first, second = declare_route, declare_slot
    if is_slot_first:
        first, second = declare_slot, declare_route
    first()
    with pytest.raises(ConfigurationError, match="the slot 'draft'") as caught:
        second()

    assert "Draft" in str(caught.value)
    assert f"{__file__}:" in str(caught.value)


def test_a_missing_database_says_where_to_name_it() -> None:
    for asked in (context(), Job("* * * * *", {}, 0)):
        with pytest.raises(ConfigurationError, match="DB is missing: add it under"):
            asked.database()


def test_a_database_is_found_by_its_name() -> None:
    database = object()

    assert context({"DB": database}).database() is database
    assert context({"B": database}).database("B") is database


def test_the_last_cookie_of_a_name_counts() -> None:
    c = context()

    for name, value in (("a", "1"), ("b", "2"), ("a", "3")):
        c.send_cookie(SetCookie(name=name, value=value))

    assert [(cookie.name, cookie.value) for cookie in c.cookies_to_send()] == [
        ("a", "3"),
        ("b", "2"),
    ]


async def test_work_may_go_on_where_the_edge_lets_it() -> None:
    kept: list[Awaitable[Any]] = []

    async def work() -> str:
        return "done"

    Context(Request.build("GET", "/"), {}, kept.append).wait_until(work())

    assert [await one for one in kept] == ["done"]
    later = work()
    with pytest.raises(ConfigurationError, match="no wait_until here"):
        context().wait_until(later)
    later.close()


@pytest.mark.parametrize("work", [asyncio.sleep, None])
async def test_what_is_no_work_is_refused_where_it_is_handed_over(
    work: Any, caplog: pytest.LogCaptureFixture
) -> None:
    app = App()

    @app.get("/", guard=public)
    async def show(c: Context) -> None:
        c.wait_until(work)

    assert (await app.request("GET", "/")).status == 500
    assert "cannot be awaited: call an async function" in caplog.text
    assert "c.wait_until(work)" in caplog.text


def test_a_repr_shows_no_query() -> None:
    assert repr(context()) == "<Context GET no route>"


async def test_what_is_left_for_after_the_answer_is_done_when_a_request_returns() -> None:
    app, done = App(), list[str]()

    async def later(name: str, more: Callable[[], None] | None = None) -> None:
        done.append(name)
        if more is not None:
            more()

    @app.get("/", guard=public)
    async def answer(c: Context) -> str:
        c.wait_until(later("first", lambda: c.wait_until(later("third"))))
        await c.after_answer(later("second"))
        return ",".join(done)

    assert (await app.request("GET", "/")).body == b""
    assert done == ["first", "second", "third"]


async def test_work_after_the_answer_that_fails_is_raised_and_the_rest_done() -> None:
    app, done = App(), list[str]()

    async def fail() -> None:
        raise ZeroDivisionError

    async def later() -> None:
        done.append("later")

    @app.get("/", guard=public)
    async def answer(c: Context) -> None:
        c.wait_until(fail())
        c.wait_until(later())

    with pytest.raises(ZeroDivisionError):
        await app.request("GET", "/")
    assert done == ["later"]
