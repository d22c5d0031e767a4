"""A guard passes or refuses; guards add up and never cancel, and one that breaks lets nobody in."""

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from copy import copy
from dataclasses import dataclass, field
from itertools import product
from typing import Annotated, Any, NamedTuple, Optional, Protocol, TypedDict
from unittest.mock import AsyncMock

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from framework import (
    Alias,
    App,
    ConfigurationError,
    Context,
    Cookie,
    Form,
    Header,
    HTTPError,
    Query,
    Router,
    Slot,
    all_of,
    any_of,
    guard,
    public,
)
from framework.database import Unavailable
from framework.errors import CrossSite, Forbidden, NotFound, ServiceUnavailable, Unauthorized
from framework.guards import CompiledGuard, Guard
from framework.plan import Scope
from framework.testing import json_of
from tests.answers import body_of

# One letter for each thing a guard can do, and the status that comes of it alone.
OUTCOMES: dict[str, tuple[Callable[[], Exception] | None, int]] = {
    "y": (None, 200),
    "u": (lambda: HTTPError(401), 401),
    "f": (lambda: HTTPError(403), 403),
    "x": (lambda: RuntimeError("CANARY"), 503),
    "d": (lambda: HTTPError(503), 503),
}


def leaf(letter: str, asked: list[str], name: str = "") -> Guard:
    """Return a guard that does what *letter* says, and notes that it was asked."""
    make_error, _ = OUTCOMES[letter]

    async def check(c: Context) -> None:
        asked.append(name or letter)
        if make_error is not None:
            raise make_error()

    return guard(check, name=name or letter)


async def status_behind(barrier: Guard, asked: list[str] | None = None) -> int:
    app = App()
    app.get("/", guard=barrier)(lambda: asked.append("handler") if asked is not None else None)
    status = (await app.request("GET", "/")).status
    return 200 if status == 204 else status


def expect_all(letters: str) -> tuple[int, str]:
    """Return the status of ``&`` over *letters*, and which of them are asked."""
    for index, letter in enumerate(letters):
        if letter != "y":
            return OUTCOMES[letter][1], letters[: index + 1]
    return 200, letters


def expect_any(letters: str) -> tuple[int, str]:
    """Return the status of ``|`` over *letters*, and which of them are asked."""
    for index, letter in enumerate(letters):
        if letter in "yxd":
            return OUTCOMES[letter][1], letters[: index + 1]
    return (403 if "f" in letters else 401), letters


TRIPLES = ["".join(letters) for size in (1, 2, 3) for letters in product(OUTCOMES, repeat=size)]


@pytest.mark.parametrize("letters", TRIPLES)
async def test_all_of_asks_from_left_to_right_until_one_does_not_pass(letters: str) -> None:
    asked: list[str] = []
    status, expected = expect_all(letters)

    assert await status_behind(all_of(*[leaf(x, asked) for x in letters]), asked) == status
    assert asked == [*expected, *(["handler"] if status == 200 else [])]


@pytest.mark.parametrize("letters", TRIPLES)
async def test_any_of_asks_from_left_to_right_while_guards_refuse(letters: str) -> None:
    asked: list[str] = []
    status, expected = expect_any(letters)

    assert await status_behind(any_of(*[leaf(x, asked) for x in letters]), asked) == status
    assert asked == [*expected, *(["handler"] if status == 200 else [])]


def refusing(status: int, challenge: str = "") -> Guard:
    """Return a guard that refuses with *status*, and names a way in if *challenge* does."""

    async def check(c: Context) -> None:
        raise HTTPError(status, headers={"WWW-Authenticate": challenge} if challenge else {})

    return guard(check, name=f"{status}{challenge}")


@pytest.mark.parametrize(
    ("refusals", "status", "challenges"),
    [
        ([(401, ""), (401, "Bearer")], 401, ["Bearer"]),
        ([(401, "Bearer"), (401, "")], 401, ["Bearer"]),
        ([(401, "Bearer"), (401, "Basic"), (401, "Bearer")], 401, ["Bearer", "Basic"]),
        ([(401, "Bearer"), (403, "")], 403, []),
        ([(401, "")], 401, []),
    ],
)
async def test_a_401_names_every_way_in(
    refusals: list[tuple[int, str]], status: int, challenges: list[str]
) -> None:
    app = App()
    app.get("/", guard=any_of(*[refusing(*each) for each in refusals]))(lambda: None)

    answer = await app.request("GET", "/")

    assert answer.status == status
    assert [value for name, value in answer.headers if name == "www-authenticate"] == challenges


async def test_a_401_carries_nothing_else_of_other_refusals() -> None:
    @guard
    async def tells_more() -> None:
        raise HTTPError(401, headers={"x-more": "of this way alone"})

    app = App()
    app.get("/other", guard=refusing(401, "Bearer") | tells_more)(lambda: None)
    app.get("/its-own", guard=tells_more | refusing(401, "Bearer"))(lambda: None)

    assert (await app.request("GET", "/other")).header("x-more") is None
    assert (await app.request("GET", "/its-own")).header("x-more") == "of this way alone"


async def test_a_refusal_that_several_guards_raise_is_told_as_each_way_tells_it() -> None:
    refusal = HTTPError(401)

    @guard
    async def shared() -> None:
        raise refusal

    app = App()
    app.get("/either", guard=shared | refusing(401, "Basic"))(lambda: None)
    app.get("/alone", guard=shared)(lambda: None)

    assert (await app.request("GET", "/either")).header("www-authenticate") == "Basic"
    assert (await app.request("GET", "/alone")).header("www-authenticate") is None


@dataclass(frozen=True)
class Frozen(Forbidden):
    """A refusal of which Python lets nobody set an attribute."""

    why: str
    detail = None
    headers = ()
    errors = ()


@pytest.mark.parametrize("path", ["/alone", "/either", "/handler"])
@pytest.mark.parametrize("refusal", [HTTPError(401), HTTPError(503), Frozen("no note")], ids=repr)
async def test_a_refusal_that_each_request_raises_keeps_none_of_them(
    path: str, refusal: HTTPError
) -> None:
    @guard
    async def shared() -> None:
        raise refusal

    async def handler() -> None:
        raise refusal

    app = App()
    app.get("/alone", guard=shared)(lambda: None)
    app.get("/either", guard=shared | leaf("y", []))(lambda: None)
    app.get("/handler", guard=public)(handler)

    answer = await app.request("GET", path)

    passes = path == "/either" and refusal.refusal
    assert answer.status == (204 if passes else refusal.status)
    assert refusal.__traceback__ is None


class Expression(NamedTuple):
    """A guard expression: a letter, or ``&`` or ``|`` over others."""

    operator: str
    parts: "tuple[Expression, ...]" = ()

    def build(self, asked: list[str]) -> Guard:
        if not self.parts:
            return leaf(self.operator, asked)
        members = [part.build(asked) for part in self.parts]
        return all_of(*members) if self.operator == "&" else any_of(*members)

    def expect(self, asked: list[str]) -> int:
        """Return the status, noting in *asked* which guards are asked."""
        if not self.parts:
            asked.append(self.operator)
            return OUTCOMES[self.operator][1]
        statuses: list[int] = []
        for part in self.parts:
            statuses.append(part.expect(asked))
            stops = statuses[-1] != 200 if self.operator == "&" else statuses[-1] in {200, 503}
            if stops:
                return statuses[-1]
        if self.operator == "&":
            return 200
        return 403 if 403 in statuses else 401


letters = st.sampled_from(list(OUTCOMES)).map(Expression)
expressions = st.recursive(
    letters,
    lambda inner: st.builds(
        Expression, st.sampled_from("&|"), st.lists(inner, min_size=1, max_size=3).map(tuple)
    ),
    max_leaves=12,
)


@settings(max_examples=120, deadline=None)
@given(st.lists(st.none() | expressions, min_size=4, max_size=4).filter(any))
async def test_no_handler_runs_unless_all_guards_of_app_routers_and_route_pass(
    levels: list[Expression | None],
) -> None:
    asked: list[str] = []
    guards = [None if level is None else level.build(asked) for level in levels]
    app = App(guard=guards[0])
    outer, inner = Router("/o", guard=guards[1]), Router("/i", guard=guards[2])
    inner.get("/:x", guard=guards[3])(lambda x: asked.append("handler"))
    outer.mount(inner)
    app.mount(outer)

    status = (await app.request("GET", "/o/i/x")).status

    expected: list[str] = []
    whole = Expression("&", tuple(level for level in levels if level is not None))
    expected_status = whole.expect(expected)
    assert status == (204 if expected_status == 200 else expected_status)
    assert asked == [*expected, *(["handler"] if expected_status == 200 else [])]


SPELLINGS = [
    *("/admin/x", "/%61dmin/x", "/admin/./x", "/a/../admin/x", "/admin\\x", "/admin/%78"),
    *("/Admin/x", "/admin//x", "//admin/x", "/admin/x/", "/admin%2Fx", "/admin/x%00", "/admin/"),
    *("/admin", "/admin/x;a", "/admin/x?y", "/admin/x#y", "/%2561dmin/x", "/admin/x%0A", "/x", "/"),
]
METHODS = ["GET", "HEAD", "POST", "PUT", "OPTIONS", "TRACE", "get", "PURGE"]


@pytest.mark.parametrize("path", SPELLINGS)
async def test_no_spelling_of_a_path_gets_round_its_guard(path: str) -> None:
    asked: list[str] = []
    app = App()
    for route in ("/", "/admin", "/admin/*", "/:x", "/:x/:y", "/*", "/admin/x"):

        def handler(c: Context) -> None:
            asked.append(f"handler {c.route.path}")

        app.all(route, guard=leaf("y", asked, f"guard {route}"))(handler)

    for method in METHODS:
        asked.clear()
        await app.request(method, path)
        assert asked in ([], [f"guard {r[8:]}" for r in asked[1:]] + asked[1:])


def plain(c: Context) -> None: ...


@pytest.mark.parametrize(
    ("build", "listed"),
    [
        (lambda a, b, d: a & b, "a & b"),
        (lambda a, b, d: a | b, "a | b"),
        (lambda a, b, d: a & b & d, "a & b & d"),
        (lambda a, b, d: a | b | d, "a | b | d"),
        (lambda a, b, d: a & (b | d), "a & (b | d)"),
        (lambda a, b, d: (a & b) | d, "(a & b) | d"),
        (lambda a, b, d: a | b & d, "a | (b & d)"),
        (lambda a, b, d: a & a, "a"),
        (lambda a, b, d: a & (b & a), "a & b"),
        (lambda a, b, d: public & a, "a"),
        (lambda a, b, d: a & public, "a"),
        (lambda a, b, d: public & public, "public"),
        (lambda a, b, d: all_of(public, a, public, b), "a & b"),
        (lambda a, b, d: all_of(a), "a"),
        (lambda a, b, d: any_of(a), "a"),
        (lambda a, b, d: any_of(any_of(a, b), d), "a | b | d"),
    ],
)
def test_an_expression_is_listed_as_it_is_asked(
    build: Callable[[Guard, Guard, Guard], Guard], listed: str
) -> None:
    built = build(*[guard(plain, name=name) for name in "abd"])

    assert str(built) == listed
    assert repr(built) == f"<Guard {listed}>"


@pytest.mark.parametrize("level", range(3))
async def test_public_inside_a_guarded_group_stays_guarded(level: int) -> None:
    closed = leaf("u", [])
    guards = [closed if index == level else public for index in range(3)]
    app, router = App(guard=guards[0]), Router("/r", guard=guards[1])
    router.get("/x", guard=guards[2])(lambda: "in")
    app.mount(router)

    assert (await app.request("GET", "/r/x")).status == 401
    assert app.access() == {("GET", "/r/x"): "u"}


@dataclass
class Told(Guard):
    """Equal to whatever is told the same, and without a hash, as a dataclass is."""

    word: str
    asks: Guard = field(compare=False)

    def compile(self, scope: Scope) -> CompiledGuard:
        return self.asks.compile(scope)


class Plain(Guard):
    """Says nothing of itself."""

    def compile(self, scope: Scope) -> CompiledGuard:
        return public.compile(scope)


@dataclass
class Role(Plain):
    """Says what a dataclass says of itself."""

    name: str


def test_a_guard_that_says_nothing_of_itself_is_listed_by_its_class() -> None:
    app = App(guard=Plain())
    app.get("/")(lambda: "in")
    app.get("/role", guard=Role("admin"))(lambda: "in")

    assert app.access() == {
        ("GET", "/"): "Plain",
        ("GET", "/role"): "Plain & Role(name='admin')",
    }
    assert repr(Plain() | Plain()) == "<Guard Plain | Plain>"


async def test_of_guards_that_are_equal_none_is_left_out() -> None:
    asked: list[str] = []
    first, second = Told("same", leaf("y", asked)), Told("same", leaf("f", asked))
    assert first == second

    assert await status_behind(first & second & first, asked) == 403
    assert asked == ["y", "f"]


@pytest.mark.parametrize(
    "build",
    [
        lambda: any_of(guard(plain), public),
        lambda: public | guard(plain),
        lambda: any_of(guard(plain), all_of(public, public)),
        lambda: any_of(),
        lambda: all_of(),
        lambda: all_of(plain),  # type: ignore[arg-type]  # as careless code does
        lambda: any_of(guard(plain), None),  # type: ignore[arg-type]  # so does this
    ],
)
def test_an_expression_that_says_nothing_is_refused(build: Callable[[], Guard]) -> None:
    with pytest.raises(ConfigurationError):
        build()


def test_a_guard_is_no_truth_value() -> None:
    a, b = guard(plain), guard(plain)

    for judge in (lambda: a and b, lambda: a or b, lambda: not a, lambda: bool(a)):
        with pytest.raises(TypeError, match=r"compose guards with & and \|"):
            judge()


@pytest.mark.parametrize(
    ("error", "status", "next_is_asked"),
    [
        (Unauthorized(), 401, True),
        (Forbidden(), 403, True),
        (NotFound(), 404, True),
        (HTTPError(401), 401, True),
        (HTTPError(404, "Not here."), 404, True),
        (CrossSite(), 403, False),
        (HTTPError(400), 400, False),
        (HTTPError(429), 429, False),
        (HTTPError(500), 500, False),
        (ServiceUnavailable(), 503, False),
        (Unavailable("D1 is out"), 503, False),
        (KeyError("DB"), 503, False),
        (TypeError(), 503, False),
        (ConfigurationError("no binding"), 503, False),
        (RecursionError(), 503, False),
        (TimeoutError(), 503, False),
    ],
    ids=repr,
)
async def test_only_a_refusal_asks_the_next(
    error: Exception, status: int, next_is_asked: bool
) -> None:
    async def check(c: Context) -> None:
        raise copy(error)

    assert await status_behind(guard(check)) == status
    assert await status_behind(any_of(guard(check), leaf("y", []))) == (
        200 if next_is_asked else status
    )


@guard
async def signed(x_signature: Header[str], n: Query[int] = 0) -> None:
    if x_signature != "right":
        raise Forbidden


@guard
async def named(x_name: Header[str | None] = None) -> None:
    if x_name is None:
        raise Unauthorized


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("/alone", {"x-signature": "right"}, 204),
        ("/alone", {}, 422),
        ("/either", {"x-signature": "right"}, 204),
        ("/either", {"x-name": "ada"}, 204),
        ("/either?n=x", {"x-name": "ada", "x-signature": "right"}, 204),
        ("/either", {"x-signature": "wrong", "x-name": "ada"}, 204),
        ("/either", {"x-signature": "wrong"}, 403),
        ("/either", {}, 401),
        ("/turned", {}, 401),
        ("/turned", {"x-signature": "right"}, 204),
    ],
)
async def test_a_parameter_that_a_guard_lacks_asks_the_next(
    path: str, headers: dict[str, str], status: int
) -> None:
    app = App()
    for name, asked in {
        "/alone": signed,
        "/either": signed | named,
        "/turned": named | signed,
    }.items():

        @app.get(name, guard=asked)
        async def show() -> None: ...

    assert (await app.request("GET", path, headers=headers)).status == status


class Suspended(HTTPError):
    """An application's own refusal."""

    status = 403
    code = "suspended"


async def test_a_subclass_with_the_status_of_a_refusal_is_one() -> None:
    @guard
    async def suspended(c: Context) -> None:
        raise Suspended

    assert await status_behind(suspended) == 403
    assert await status_behind(suspended | leaf("y", [])) == 200


async def test_a_guard_that_breaks_says_nothing_of_why() -> None:
    app = App()
    app.get("/", guard=leaf("x", []))(lambda: "in")

    response = await app.request("GET", "/")

    assert response.status == 503
    assert response.header("retry-after") == "5"
    assert b"CANARY" not in body_of(response)
    assert json_of(response)["code"] == "unavailable"


class Person(msgspec.Struct):
    """What the guards here learn."""

    name: str


class Admin(Person):
    """A person of another kind."""


PERSON: Slot[Person] = Slot("person", Person)


@guard(provides=PERSON)
async def known(c: Context) -> Person:
    return Person("ada")


@pytest.mark.parametrize(
    "value", [True, False, 0, 1, "", "yes", {}, [], object(), Person("ada"), Exception(), NotFound]
)
async def test_a_value_that_no_slot_carries_lets_nobody_pass(value: object) -> None:
    def stray(c: Context):  # type: ignore[no-untyped-def]  # as careless code is
        return value

    assert await status_behind(guard(stray)) == 503
    assert await status_behind(any_of(guard(stray), leaf("y", []))) == 503


@pytest.mark.parametrize("value", [True, "ada", None, {}, Person])
async def test_a_value_of_another_type_than_the_slot_lets_nobody_pass(value: object) -> None:
    def stray(c: Context):  # type: ignore[no-untyped-def]  # as careless code is
        return value

    assert await status_behind(guard(stray, provides=PERSON)) == 503


@pytest.mark.parametrize("kind", [int, bool])
async def test_a_bool_lets_nobody_pass_even_where_a_slot_would_carry_it(kind: type[int]) -> None:
    flag: Slot[int] = Slot("flag", kind)

    def stray(c: Context):  # type: ignore[no-untyped-def]  # as careless code is
        return False

    assert await status_behind(guard(stray, provides=flag)) == 503


async def test_a_guard_that_fills_only_some_of_its_slots_lets_nobody_pass() -> None:
    other: Slot[Admin] = Slot("other", Admin)

    @guard(provides=(PERSON, other))
    async def half(c: Context) -> None:
        c.set(PERSON, Person("ada"))

    assert await status_behind(half) == 503


async def test_a_guard_that_returns_nothing_may_fill_its_only_slot_itself() -> None:
    @guard(provides=PERSON)
    async def fills(c: Context) -> None:
        c.set(PERSON, Person("ada"))

    assert await status_behind(fills) == 200


def returns_bool(c: Context) -> bool:
    return False


def returns_bool_or_none(c: Context) -> bool | None:
    return False


def returns_awaitable_bool(c: Context) -> Awaitable[bool]:
    raise NotImplementedError


@pytest.mark.parametrize("function", [returns_bool, returns_bool_or_none, returns_awaitable_bool])
def test_a_guard_that_returns_a_bool_is_refused(function: Callable[[Context], object]) -> None:
    with pytest.raises(ConfigurationError, match=r"test_guards\.py:[0-9]+.*refuses by raising"):
        guard(function)


async def finds(c: Context) -> Person:
    return Person("ada")


async def finds_some(c: Context) -> list[Person]:
    return []


async def finds_or_has_nothing(c: Context) -> Person | None:
    return None


@pytest.mark.parametrize(
    ("function", "provides", "named"),
    [
        (finds, (), "Person"),
        (finds, (PERSON, Slot("admin", Admin)), "Person"),
        (finds_some, (), "list"),
        (finds_or_has_nothing, (), "Person"),
    ],
)
def test_a_guard_that_hands_on_what_it_finds_says_where(
    function: Callable[[Context], object], provides: Sequence[Slot[Any]], named: str
) -> None:
    with pytest.raises(
        ConfigurationError, match=f"{named} that no slot carries: name one in provides="
    ):
        guard(function, provides=provides)


async def lets_pass() -> None:
    """Let everybody pass."""


def says_nothing_of_itself(c: Context) -> object:
    return None


def waits(c: Context) -> Coroutine:  # type: ignore[type-arg]  # as it is written too
    return lets_pass()


def waits_for_none(c: Context) -> Awaitable[None]:
    return lets_pass()


@pytest.mark.parametrize("function", [says_nothing_of_itself, waits, waits_for_none])
async def test_a_guard_may_return_none_under_another_name(
    function: Callable[[Context], object],
) -> None:
    assert await status_behind(guard(function)) == 200


class Word(str):
    """What a guard hands on beside a person."""


def finds_or_not(c: Context) -> Person | None:
    return None


async def finds_an_admin_or_not(c: Context) -> Optional[Admin]:  # noqa: UP045  as it is written too
    return None


def finds_a_person_or_text(c: Context) -> Person | str:
    return ""


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (
            finds_or_not,
            "finds_or_not returns a NoneType, but <Slot person: Person> .*: raise NotFound",
        ),
        (finds_an_admin_or_not, "finds_an_admin_or_not returns a NoneType, but .*: raise NotFound"),
        (finds_a_person_or_text, "returns a str, but <Slot person: Person> is to carry it"),
    ],
)
def test_a_guard_that_may_return_what_its_slot_does_not_carry_is_refused(
    function: Callable[[Context], object], words: str
) -> None:
    with pytest.raises(ConfigurationError, match=rf"test_guards\.py:[0-9]+: .*{words}"):
        guard(function, provides=PERSON)


@pytest.mark.parametrize("returned", [Person | Admin, Admin, Any])
def test_a_guard_may_return_any_of_what_its_slot_carries(returned: Any) -> None:
    def finds(c: Context) -> Any:
        return Admin("eve")

    finds.__annotations__["return"] = returned

    found: Any = guard(finds, provides=PERSON)

    assert found(None) == Admin("eve")


async def test_each_guard_may_ask_for_what_any_before_it_hands_on() -> None:
    word = Slot("word", Word)

    @guard(provides=word)
    def says(person: Person) -> Word:
        return Word(person.name)

    @guard
    def has_both(person: Person, said: Word) -> None:
        if person.name != said:
            raise Forbidden

    assert await status_behind(known & says & has_both) == 200


async def test_what_a_guard_learned_reaches_later_guards_and_the_handler() -> None:
    @guard
    async def is_ada(person: Person) -> None:
        if person.name != "ada":
            raise Forbidden

    app = App()

    @app.get("/", guard=known & is_ada)
    async def show(c: Context, person: Person) -> str:
        return person.name + c.get(PERSON).name

    assert (await app.request("GET", "/")).body == b"adaada"


async def test_a_subclass_is_handed_on_as_what_it_is() -> None:
    admin: Slot[Admin] = Slot("admin", Admin)
    app = App()
    signed_in = guard(lambda: Admin("eve"), provides=admin, name="admin")

    @app.get("/", guard=signed_in)
    async def show(person: Person) -> str:
        return type(person).__name__

    assert (await app.request("GET", "/")).body == b"Admin"


def says_admin() -> Admin:
    return Admin("eve")


def says_person() -> Person:
    return Admin("eve")


def says_guard() -> Guard:
    return public


ADMIN: Slot[Admin] = Slot("admin", Admin)


@pytest.mark.parametrize(("function", "slot"), [(says_admin, PERSON), (says_person, ADMIN)])
async def test_what_a_guard_says_it_returns_may_be_more_or_less_than_its_slot(
    function: Callable[[], Person], slot: Slot[Any]
) -> None:
    app = App()

    @app.get("/", guard=guard(function, provides=slot))
    async def show(c: Context) -> str:
        person: Person = c.get(slot)
        return type(person).__name__

    assert (await app.request("GET", "/")).body == b"Admin"


def test_a_guard_that_says_it_returns_something_else_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="says_guard returns a Guard, but"):
        guard(says_guard, provides=PERSON)


def wants_person(person: Person) -> str:
    return person.name


def maybe_person(person: Person | None) -> str:
    return "" if person is None else person.name


@pytest.mark.parametrize(
    ("build", "handler"),
    [
        (lambda: public, wants_person),
        (lambda: public, maybe_person),
        (lambda: guard(plain), wants_person),
        (lambda: guard(plain), maybe_person),
        (lambda: any_of(known, guard(plain)), wants_person),
        (lambda: any_of(guard(plain), known & guard(plain)), wants_person),
    ],
    ids=["public", "public, or None", "another", "another, or None", "or another", "or both"],
)
def test_a_slot_that_nobody_surely_fills_is_refused(
    build: Callable[[], Guard], handler: Callable[..., str]
) -> None:
    for method in ("GET", "POST"):
        with pytest.raises(ConfigurationError, match=r"test_guards\.py:[0-9]+|always be None"):
            App().on(method, "/", guard=build())(handler)


async def test_a_slot_that_the_first_of_many_guards_fills_is_there_for_the_last() -> None:
    @guard
    def is_person(person: Person) -> None: ...

    assert await status_behind(known & leaf("y", []) & is_person) == 200


async def test_a_slot_that_every_alternative_fills_is_there() -> None:
    app = App()
    bob = guard(lambda: Person("bob"), provides=PERSON, name="bob")
    app.get("/", guard=any_of(leaf("u", []) & known, bob & leaf("y", [])))(wants_person)

    assert (await app.request("GET", "/")).body == b"bob"


@pytest.mark.parametrize("others", ["uy", "yy"])
async def test_a_slot_that_an_alternative_in_an_alternative_fills_may_be_there(others: str) -> None:
    first, second = (leaf(letter, []) for letter in others)
    app = App()
    app.get("/", guard=((first & known) | second) & leaf("y", []) | leaf("y", []))(maybe_person)

    assert (await app.request("GET", "/")).body == (b"" if others == "uy" else b"ada")


@pytest.mark.parametrize(("first", "status"), [("y", 403), ("u", 200)])
async def test_a_later_guard_may_ask_for_what_only_some_ways_hand_on(
    first: str, status: int
) -> None:
    @guard
    async def is_known(person: Person | None) -> None:
        if person is None:
            raise Forbidden

    assert await status_behind((leaf(first, []) | known) & is_known) == status


async def test_an_alternative_that_refused_leaves_nothing_behind() -> None:
    app = App()

    @app.get("/", guard=(known & leaf("f", [])) | leaf("y", []))
    async def show(c: Context) -> str:
        person = c.find(PERSON)
        return repr(person)

    assert (await app.request("GET", "/")).body == b"None"


async def test_what_was_learned_before_an_alternative_stays() -> None:
    app = App()

    @app.get("/", guard=known & (leaf("f", []) | leaf("y", [])))
    async def show(person: Person) -> str:
        return person.name

    assert (await app.request("GET", "/")).body == b"ada"


class Employee(Person):
    """What no guard hands on."""


def test_who_asks_for_more_than_the_guard_hands_on_is_told_so() -> None:
    async def show(person: Employee) -> None: ...

    words = "its guard hands on Person: declare that guard so that it hands on Employee"
    with pytest.raises(ConfigurationError, match=words):
        App().get("/", guard=known)(show)


def test_who_asks_for_what_only_some_ways_hand_on_is_told_so() -> None:
    async def show(person: Person) -> None: ...

    words = r"which only some ways past its guards hand on: write Person \| None"
    with pytest.raises(ConfigurationError, match=words):
        App().get("/", guard=known | leaf("y", []))(show)


def member_of(name: str) -> Guard:
    """Return a guard that is told what the path calls the team."""

    async def check(team: Annotated[int, Alias(name)]) -> None:
        if team != 1:
            raise Forbidden

    return guard(check, name=f"member_of({name})")


@pytest.mark.parametrize(
    ("path", "status"), [("/teams/1", 200), ("/teams/2", 403), ("/teams/one", 404)]
)
async def test_a_guard_is_told_the_name_in_the_path(path: str, status: int) -> None:
    app = App()
    app.get("/teams/:team_id", guard=member_of("team_id"))(lambda: "")

    assert (await app.request("GET", path)).status == status


def test_a_name_that_the_path_lacks_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="is the path's :id, and the path has :team_id"):
        App().get("/teams/:team_id", guard=member_of("id"))(lambda: "")


def test_a_slot_before_its_guard_is_refused() -> None:
    needs = guard(lambda person: None, name="needs")

    @guard
    async def typed(person: Person) -> None: ...

    with pytest.raises(ConfigurationError, match="no guard in front of this provides one"):
        App().get("/", guard=typed & known)(lambda: "")
    with pytest.raises(ConfigurationError, match=r"has no annotation|is not in the path"):
        App().get("/", guard=known & guard(lambda c, person: None, name="untyped"))(lambda: "")
    assert str(needs) == "needs"


def test_what_is_handed_on_by_a_name_of_the_path_is_told_to_take_another() -> None:
    async def show(person: Person) -> None: ...

    words = "'person' of show is text in the path, .*: give it another name"
    with pytest.raises(ConfigurationError, match=words):
        App().get("/:person", guard=known)(show)


def test_a_class_in_the_place_of_its_slot_is_refused() -> None:
    asked: Any = Person

    with pytest.raises(ConfigurationError, match="provides takes a Slot, not Person: write Slot"):
        guard(provides=asked)


@pytest.mark.parametrize("kind", [object, list[int], int | str, "Person", None])
def test_a_slot_of_no_class_of_its_own_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="needs a class, and not object"):
        Slot("any", kind)


class Shape(Protocol):
    """What no value can be asked whether it is one."""

    area: float


class Row(TypedDict):
    """As above."""

    id: int


@pytest.mark.parametrize("kind", [Shape, Row, Any])
def test_a_slot_of_what_no_value_can_be_held_against_is_refused(kind: Any) -> None:
    with pytest.raises(ConfigurationError, match="the slot any"):
        Slot("any", kind)


async def test_a_list_of_what_a_slot_carries_is_not_the_slot() -> None:
    app = App()

    @app.post("/", guard=known)
    async def store(people: list[Person], person: Person) -> list[str]:
        return [one.name for one in [*people, person]]

    response = await app.request("POST", "/", json=[{"name": "bob"}, {"name": "cyd"}])

    assert json_of(response) == ["bob", "cyd", "ada"]


async def test_a_guard_takes_typed_parameters() -> None:
    @guard
    async def typed(
        c: Context,
        id: int,
        limit: Query[int] = 5,
        x_token: Header[str] = "",
        theme: Cookie[str] = "",
    ) -> None:
        if (id, limit, x_token, theme) != (7, 3, "t", "dark"):
            raise Forbidden

    app = App()
    app.get("/:id", guard=typed)(lambda: "in")
    headers = {"x-token": "t", "cookie": "theme=dark"}

    async def ask(path: str) -> int:
        return (await app.request("GET", path, headers=headers)).status

    assert [await ask(path) for path in ("/7?limit=3", "/7", "/8?limit=3", "/7?limit=x", "/x")] == [
        *(200, 403, 403, 422, 404)
    ]


@pytest.mark.parametrize("is_async", [True, False])
async def test_a_guard_may_be_plain_or_async(is_async: bool) -> None:
    async def later(c: Context) -> None:
        raise Forbidden

    def now(c: Context) -> None:
        raise Forbidden

    assert await status_behind(guard(later if is_async else now)) == 403
    assert await status_behind(guard(lambda c: later(c), name="wrapped")) == 403


class Note(msgspec.Struct):
    """A body."""

    text: str


def reads_json(c: Context, note: Note) -> None: ...


def reads_form(c: Context, note: Form[Note]) -> None: ...


def reads_either(c: Context, note: Form[Note] | Note) -> None: ...


@pytest.mark.parametrize("function", [reads_json, reads_form, reads_either])
def test_a_guard_that_reads_the_body_is_refused(function: Callable[..., None]) -> None:
    with pytest.raises(ConfigurationError, match="asks for a body"):
        App().post("/", guard=guard(function))(lambda: "")


@pytest.mark.parametrize(
    ("body", "content_type"),
    [
        (b"{", "application/json"),
        (b"[" * 100_000, "application/json"),
        (b"{}", "application/json"),
        (b"", "text/plain"),
        (b"x" * (1024 * 1024 + 1), "application/json"),
    ],
    ids=["malformed", "deep", "misfit", "type", "large"],
)
async def test_the_guard_is_asked_before_the_body_is_read(body: bytes, content_type: str) -> None:
    app = App()
    app.post("/", guard=leaf("u", []))(reads_json)

    response = await app.request("POST", "/", headers={"content-type": content_type}, body=body)

    assert response.status == 401


async def test_the_guard_is_asked_before_queries_and_paths_are_read() -> None:
    app = App()

    @app.get("/:id", guard=leaf("u", []))
    async def show(id: int, limit: Query[int]) -> None: ...

    assert (await app.request("GET", "/x?limit=x")).status == 401


@pytest.mark.parametrize(
    ("expression", "statements"),
    [
        (lambda a, b: a, 1),
        (lambda a, b: a & b, 3),
        (lambda a, b: a & b & a, 3),
        (lambda a, b: a | b, 3),
        (lambda a, b: public & b, 2),
        (lambda a, b: public, 0),
    ],
)
def test_the_statements_of_a_route_are_those_of_its_guards(
    expression: Callable[[Guard, Guard], Guard], statements: int
) -> None:
    app = App()
    one, two = guard(plain, statements=1), guard(plain, statements=2)

    app.get("/", guard=expression(one, two))(lambda: "")

    assert app.routes[0].statements == statements


def test_a_guard_can_be_called_as_the_function_it_is() -> None:
    @guard
    def double(number: int, more: int = 0) -> None:
        raise HTTPError(400 + number + more)

    with pytest.raises(HTTPError) as raised:
        double(10, more=8)
    assert raised.value.status == 418


@pytest.mark.parametrize("is_async", [True, False])
def test_a_guard_above_a_route_is_refused_since_it_would_guard_nothing(is_async: bool) -> None:
    async def wait(c: Context) -> None: ...

    def pass_by(c: Context) -> None: ...

    only_editors: Any = guard(wait if is_async else pass_by, name="only_editors")

    with pytest.raises(ConfigurationError, match="write guard=only_editors"):

        @only_editors  # type: ignore[untyped-decorator]  # as Flask and Django have it
        @App().get("/", guard=public)
        async def show() -> None: ...


def test_a_guard_may_be_called_with_a_mock_that_looks_like_a_function() -> None:
    seen: list[Any] = []

    @guard
    def look(c: Any) -> None:
        seen.append(c)

    context = AsyncMock()  # has a __code__
    look(context)

    assert seen == [context]


def test_a_guard_may_be_called_with_a_function_among_its_arguments() -> None:
    @guard
    def in_hours(clock: Any, c: Any) -> None:
        if clock() > 17:
            raise Forbidden

    in_hours(lambda: 9, None)
    with pytest.raises(Forbidden):
        in_hours(lambda: 18, c=None)


def generator(c: Context) -> Any:
    yield


async def async_generator(c: Context) -> Any:
    yield


@pytest.mark.parametrize("function", [generator, async_generator, public, object(), print])
def test_what_would_never_run_is_no_guard(function: Any) -> None:
    with pytest.raises(ConfigurationError):
        guard(function)


async def test_no_header_switches_a_guard_off() -> None:
    app = App()
    app.all("/x", guard=leaf("u", []))(lambda: "in")
    names = [
        "x-middleware-subrequest",
        "x-http-method-override",
        "x-original-url",
        "x-forwarded-for",
    ]

    for name, value in product(names, ["1", "GET", "/public", "127.0.0.1", "middleware"]):
        response = await app.request("POST", "/x?_method=OPTIONS", headers={name: value})
        assert response.status == 401
