"""Says who may pass: values that compose with & and |, and are checked before a body is read."""

import sys
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from itertools import chain, product
from types import FunctionType
from typing import Any, Generic, NamedTuple, ParamSpec, TypeVar, get_args, overload

from framework.context import Context
from framework.database import Result, Statement
from framework.errors import (
    RETRY_SOON,
    ConfigurationError,
    HTTPError,
    Invalid,
    ServiceUnavailable,
    Unauthorized,
    as_fault,
)
from framework.guard_reads import Read
from framework.plan import Scope, Signature, make_plan, read_signature
from framework.slots import Slot
from framework.text_types import class_of, members_of

__all__ = [
    "Check",
    "CompiledGuard",
    "Guard",
    "GuardFailed",
    "SecurityScheme",
    "all_of",
    "any_of",
    "guard",
    "public",
]

Check = Callable[[Context], Awaitable[None]]
"""A guard made ready for one route: returns where the request may pass, raises where it may not."""
Reader = Callable[..., Statement | None] | Callable[..., Awaitable[Statement | None]]
P = ParamSpec("P")
R = TypeVar("R")


class GuardFailed(ServiceUnavailable):
    """A guard broke, so that nobody can tell who may pass. Never read as a yes or a no."""

    headers = RETRY_SOON


class CompiledGuard(NamedTuple):
    """A guard made ready for one route. *slots* are filled wherever the check passes."""

    check: Check
    slots: tuple[Slot[Any], ...]
    reads: tuple[Read, ...] = ()
    """What it reads; all of a route's go to the database in one trip."""
    statements: int = 0
    """How many statements it runs besides, each a trip of its own."""
    maybe: tuple[Slot[Any], ...] = ()
    """Slots that some of the ways to pass fill, or all."""


class SecurityScheme(NamedTuple):
    """How a client shows who it is. *definition* is a Security Scheme Object of OpenAPI's."""

    name: str
    definition: Mapping[str, Any]


class Guard:
    """Who may pass. Composes with ``&`` and ``|``; ``str`` gives the expression as it is listed."""

    refuses: Sequence[int] = ()
    """The statuses that this refuses with; empty where it does not say. For documents only."""
    scheme: SecurityScheme | None = None
    """What this reads of a request to know who asks. For documents only."""
    signatures: tuple[Signature, ...] = ()
    """What its function asks for, and then its *reads*; empty where it is not made from a function."""
    provides: tuple[Slot[Any], ...] = ()
    """The slots that its function fills. For checks of the source only."""
    is_public: bool = False
    """Whether this lets everybody pass."""

    def __and__(self, other: "Guard") -> "Guard":
        return all_of(self, other)

    def __or__(self, other: "Guard") -> "Guard":
        return any_of(self, other)

    def __bool__(self) -> bool:
        raise TypeError("a guard has no truth value: compose guards with & and |")

    def compile(self, scope: Scope) -> CompiledGuard:
        """Return this guard ready for a route with *scope*. Raises `ConfigurationError`."""
        raise NotImplementedError

    def alternatives(self) -> list[tuple["Guard", ...]]:
        """Return the ways to pass, each a tuple of guards that all have to. For documents only."""
        return [(self,)]

    def __repr__(self) -> str:
        if type(self).__str__ is object.__str__:  # which asks for this
            return type(self).__name__
        return f"<Guard {self}>"


class _Public(Guard):
    """Everybody may pass. Adds nothing to the guards it stands beside, and takes nothing away."""

    is_public = True

    def compile(self, scope: Scope) -> CompiledGuard:  # noqa: ARG002  asks for nothing
        return CompiledGuard(_pass, ())

    def alternatives(self) -> list[tuple[Guard, ...]]:
        return [()]

    def __str__(self) -> str:
        return "public"


async def _pass(c: Context) -> None:
    """Let everybody pass."""


public: Guard = _Public()
"""The guard that lets everybody pass. Adds nothing to others, and takes nothing away."""


class _FunctionGuard(Guard, Generic[P, R]):
    """Passes where a function returns, refuses where it raises `HTTPError`."""

    def __init__(
        self,
        signature: Signature,
        name: str,
        provides: tuple[Slot[Any], ...],
        reads: Signature | None,
        database: str,
        statements: int,
        refuses: Sequence[int],
        scheme: SecurityScheme | None,
    ) -> None:
        if bool in {signature.returns, *get_args(signature.returns)}:
            raise ConfigurationError(
                f"{signature.place}: the guard {name} returns a bool: it refuses by raising HTTPError"
            )
        for returned in members_of(signature.returns):
            if len(provides) != 1:
                _refuse_any(signature, class_of(returned), name)
            elif signature.returns is not _NOTHING:  # it fills the slot itself
                _refuse_other(signature, returned, provides[0])
        self.signatures = (signature,) if reads is None else (signature, reads)
        self.refuses = tuple(refuses)
        self.scheme = scheme
        self._name = name
        self.provides = provides
        self._reads = reads
        self._database = database
        self._statements = statements

    def compile(self, scope: Scope) -> CompiledGuard:
        scope = scope._replace(with_body=False)
        read = None
        if self._reads is not None:
            make = make_plan(self._reads, scope._replace(slots=(), maybe=())).call
            read = Read(make, self._database, Slot(f"what {self._name} reads", Result))
            scope = scope._replace(slots=(*scope.slots, read.slot))
        call = make_plan(self.signatures[0], scope).call
        provides, name = self.provides, self._name
        only = provides[0].type if len(provides) == 1 else None
        expected = None if only is bool else only

        async def check(c: Context) -> None:
            try:
                if read is not None:
                    await _take(c, read)
                result = await call(c)
                if c.unawaited:
                    c.refuse_unawaited()
            except Invalid as error:  # what shows who asks is missing, or is not what it has to be
                error.refusal = True
                raise
            except HTTPError:
                raise
            except BaseException as error:
                raise GuardFailed from as_fault(error)
            if type(result) is expected:
                c.set(provides[0], result)
            elif result is not None:
                _hand_on(c, result, provides, name)
            else:
                for slot in provides:
                    if c.find(slot) is None:
                        raise GuardFailed from TypeError(f"the guard {name} left {slot!r} empty")

        return CompiledGuard(check, provides, (read,) if read else (), self._statements)

    def __call__(self, *arguments: P.args, **named: P.kwargs) -> R:
        """Call the function itself, as a test would.

        Raises `ConfigurationError` for a function as only argument: so a decorator would be called, and the
        route that it was to guard would stay as it is.
        """
        if [*map(type, arguments), *named] == [FunctionType]:
            raise ConfigurationError(f"{self} does not decorate: write guard={self}")
        result: R = self.signatures[0].function(*arguments, **named)
        return result

    def __str__(self) -> str:
        return self._name


_NOTHING = type(None)
_MAYBE_NOTHING = (_NOTHING, object, Any)


def _refuse_other(signature: Signature, returned: Any, slot: Slot[Any]) -> None:
    """Raise where a guard says that it returns what its slot does not carry."""
    if returned is Any or not isinstance(returned, type) or slot.type in returned.__mro__:
        return
    if returned not in slot.type.__mro__:
        cure = ": raise NotFound instead" if returned is _NOTHING else ""
        raise ConfigurationError(
            f"{signature.place}: {signature.name} returns a {returned.__name__}, but {slot!r} is to"
            f" carry it{cure}"
        )


def _refuse_any(signature: Signature, returned: Any, name: str) -> None:
    """Raise where a guard without just one slot says that it returns something."""
    if (
        isinstance(returned, type)
        and returned not in _MAYBE_NOTHING
        and not hasattr(returned, "__await__")  # what is awaited may come to None
    ):
        raise ConfigurationError(
            f"{signature.place}: the guard {name} returns a {returned.__name__} that no slot"
            " carries: name one in provides="
        )


async def _take(c: Context, read: Read) -> None:
    """Leave the outcome of *read* where the guard's function finds it."""
    if c.reads is None:
        raise ConfigurationError("the guard's reads were not declared with its route")
    outcome = await c.reads.take(c, read)
    if outcome is not None:
        c.set(read.slot, outcome)


def _hand_on(c: Context, result: Any, provides: tuple[Slot[Any], ...], name: str) -> None:
    """Leave what a guard returned in its slot. Anything that no slot carries is a mistake."""
    if isinstance(result, bool) or len(provides) != 1 or not isinstance(result, provides[0].type):
        raise GuardFailed from TypeError(
            f"the guard {name} returned a {type(result).__name__} that no slot carries:"
            " name one in provides=, or refuse by raising HTTPError"
        )
    c.set(provides[0], result)


class _Composed(Guard):
    """Passes by what several guards say. One of its own kind among them is taken apart."""

    def __init__(self, guards: Iterable[Guard]) -> None:
        self.guards = tuple(guards)

    @classmethod
    def taken_apart(cls, guards: Iterable[Guard]) -> list[Guard]:
        """Return *guards*, each of this kind replaced by those that it is composed of."""
        return [
            part
            for member in guards
            for part in (member.guards if isinstance(member, cls) else [member])
        ]


class _AllOf(_Composed):
    """Passes where every guard does, asked from left to right until one refuses."""

    def compile(self, scope: Scope) -> CompiledGuard:
        compiled: list[CompiledGuard] = []
        for member in self.guards:
            compiled.append(member.compile(scope))
            scope = scope._replace(
                slots=scope.slots + compiled[-1].slots, maybe=scope.maybe + compiled[-1].maybe
            )
        checks = [member.check for member in compiled]

        async def check(c: Context) -> None:
            for member in checks:
                await member(c)

        slots = [slot for member in compiled for slot in member.slots]
        maybe = [slot for member in compiled for slot in member.maybe]
        return _compiled(check, compiled, slots, maybe)

    def alternatives(self) -> list[tuple[Guard, ...]]:
        combined = product(*[member.alternatives() for member in self.guards])
        return [tuple(chain.from_iterable(ways)) for ways in combined]

    def __str__(self) -> str:
        return " & ".join(_grouped(member, _AnyOf) for member in self.guards)


class _AnyOf(_Composed):
    """Passes where one guard does, asked from left to right. Only a refusal asks the next one.

    A guard that refuses leaves nothing behind for whoever passes after it: neither in the slots, nor
    of what providers made of them, nor for the security log. One that has signed somebody in
    is the last that is asked.
    """

    def compile(self, scope: Scope) -> CompiledGuard:
        compiled = [member.compile(scope) for member in self.guards]
        checks = [member.check for member in compiled]

        async def check(c: Context) -> None:
            refusals: list[tuple[HTTPError, Any]] = []
            before, actor, begun = c.filled(), c.actor, c.if_failed
            for member in checks:
                try:
                    return await member(c)
                except HTTPError as error:
                    # The next guard would find the session that this one has begun.
                    if not error.refusal or c.if_failed is not begun:
                        raise
                    # without traceback, as in `Fallback.explain`
                    refusals.append((error.with_traceback(None), c.actor))
                    c.refill(before)
                    c.actor = actor  # whoever passes may be another
            refusals.sort(key=lambda refusal: _RANKS.get(refusal[0].status, 0))
            c.actor = next((who for _, who in refusals if who is not None), None)
            raise _with_challenges(c, [error for error, _ in refusals])

        common = [s for s in compiled[0].slots if all(s in member.slots for member in compiled)]
        all_slots = (slot for member in compiled for slot in (*member.slots, *member.maybe))
        return _compiled(check, compiled, common, dict.fromkeys(all_slots))

    def alternatives(self) -> list[tuple[Guard, ...]]:
        return [way for member in self.guards for way in member.alternatives()]

    def __str__(self) -> str:
        return " | ".join(_grouped(member, _AllOf) for member in self.guards)


def _compiled(
    check: Check,
    members: Sequence[CompiledGuard],
    slots: Iterable[Slot[Any]],
    maybe: Iterable[Slot[Any]],
) -> CompiledGuard:
    """Return the guard of *members* that *check* asks: it reads and runs whatever they do."""
    reads = tuple(read for member in members for read in member.reads)
    statements = sum(member.statements for member in members)
    return CompiledGuard(check, tuple(slots), reads, statements, tuple(maybe))


def _grouped(member: Guard, other: type[Guard]) -> str:
    return f"({member})" if isinstance(member, other) else str(member)


_RANKS = {Unauthorized.status: 1, Invalid.status: 2}
"""What tells the most comes first: a 403 or 404, then a 401, then the 422 of a parameter."""


def _with_challenges(c: Context, refusals: list[HTTPError]) -> HTTPError:
    """Return the first of *refusals*; a 401 with the challenges of all.

    Each of them names a way in (RFC 9110, 11.6.1).
    """
    telling = refusals[0]
    if telling.status == Unauthorized.status:
        headers = [pair for refusal in refusals for pair in refusal.headers]
        offered = [pair for pair in headers if pair[0].lower() == "www-authenticate"]
        kind = type(telling)
        alike = kind.__new__(kind, *telling.args)  # it may be raised elsewhere, too
        headers = [*telling.headers, *offered]
        alike.__dict__.update(telling.__dict__, headers=tuple(dict.fromkeys(headers)))
        if c.told is telling:
            c.told = alike
        return alike
    return telling


def all_of(*guards: Guard) -> Guard:
    """Return a guard that passes where all of *guards* pass. `public` adds nothing.

    Raises `ConfigurationError` if none are given, and for what is not a guard.
    """
    flat = _AllOf.taken_apart(_checked(guards))
    asking = [*{id(member): member for member in flat if not member.is_public}.values()]
    if len(asking) > 1:
        return _AllOf(asking)
    return asking[0] if asking else public


def any_of(*guards: Guard) -> Guard:
    """Return a guard that passes where one of *guards* passes, asked from left to right.

    Only a refusal (401, 403, 404, or a parameter of the guard's own that is missing or does not
    fit) asks the next: an outage is 503, never "not you". A guard that has signed somebody in and then
    refuses is the last. Where all refuse, the client reads the first 403 or 404, else the first 401,
    with the challenges of all. Raises `ConfigurationError` if none are given, for what is not a guard,
    and for `public`, which would let everybody pass.
    """
    members = _checked(guards)
    if any(member.is_public for member in members):
        raise ConfigurationError("any_of with public lets everybody pass: write public alone")
    flat = _AnyOf.taken_apart(members)
    return _AnyOf(flat) if len(flat) > 1 else flat[0]


def check_guard(given: object) -> None:
    """Raise `ConfigurationError` where *given* is no guard, and say what was probably meant."""
    if isinstance(given, Guard):
        return
    cure = "wrap the function in guard(...)"
    if isinstance(given, list | tuple | set):
        cure = "compose guards with & and |"
    elif hasattr(given, "__self__"):  # a method that makes one
        cure = "call it"
    elif callable(getattr(given, "guard", None)):
        cure = "call its guard()"
    raise ConfigurationError(f"{given!r} is not a guard: {cure}")


def _checked(guards: Sequence[Guard]) -> Sequence[Guard]:
    if not guards:
        raise ConfigurationError("no guards given: name at least one")
    for member in guards:
        check_guard(member)
    return guards


@overload
def guard(
    function: Callable[P, R],
    /,
    *,
    name: str | None = None,
    provides: Slot[Any] | Sequence[Slot[Any]] = (),
    reads: Reader | None = None,
    database: str = "DB",
    statements: int = 0,
    refuses: Sequence[int] = (),
    scheme: SecurityScheme | None = None,
) -> _FunctionGuard[P, R]: ...


@overload
def guard(
    *,
    name: str | None = None,
    provides: Slot[Any] | Sequence[Slot[Any]] = (),
    reads: Reader | None = None,
    database: str = "DB",
    statements: int = 0,
    refuses: Sequence[int] = (),
    scheme: SecurityScheme | None = None,
) -> Callable[[Callable[P, R]], _FunctionGuard[P, R]]: ...


def guard(
    function: Callable[..., Any] | None = None,
    /,
    *,
    name: str | None = None,
    provides: Slot[Any] | Sequence[Slot[Any]] = (),
    reads: Reader | None = None,
    database: str = "DB",
    statements: int = 0,
    refuses: Sequence[int] = (),
    scheme: SecurityScheme | None = None,
) -> Guard | Callable[[Callable[..., Any]], Guard]:
    """Return *function*, plain or async, as a guard; also a decorator.

    The function takes what a handler takes, except a body: the context, parameters, and what
    earlier guards hand on. It lets a request pass by returning, and refuses by raising `HTTPError`.

    - *name* stands in the access table; it is the function's own unless given.
    - *provides* is the slot that takes what it returns; or several slots, which it fills itself,
      with ``c.set``.
    - *reads* is a function of the context and path parameters that returns a statement, or None.
      The guard's function takes the outcome, as a parameter annotated `Result` or
      ``Result | None``. All that a route's guards read goes to *database* in one trip, before any of
      them has let the request pass: so it must not write.
    - *statements* is how many the function runs besides, each a trip of its own.
    - *refuses* and *scheme* are for OpenAPI: the statuses it refuses with, and how clients show who
      they are.

    Raises `ConfigurationError` for a function that cannot be called so, for one annotated to return
    a bool or what its slot does not carry (None included) or, without just one, anything but None,
    and for a *provides* that is a class.
    """
    if isinstance(provides, type):
        raise ConfigurationError(
            f"provides takes a Slot, not {provides.__name__}: write Slot('name', {provides.__name__})"
        )
    slots = (provides,) if isinstance(provides, Slot) else tuple(provides)
    frame = sys._getframe(1)

    def make(function: Callable[..., Any]) -> Guard:
        signature = read_signature(function, frame)
        read = None if reads is None else read_signature(reads, frame)
        return _FunctionGuard(
            signature, name or signature.name, slots, read, database, statements, refuses, scheme
        )

    return make if function is None else make(function)
