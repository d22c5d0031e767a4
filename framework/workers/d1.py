"""The `Database` over a D1 binding. Knows nothing of the request it serves.

Each call crosses into JavaScript a fixed number of times, however many rows come back: they cross
as one JSON string, which is decoded into the asked-for type. JavaScript is lent one function only,
which ends a call that takes too long; it is released when the call is over.
"""

from collections.abc import Sequence
from typing import Any, NoReturn, TypeVar

import msgspec
from js import JSON, Array, TextEncoder, clearTimeout, setTimeout
from pyodide import ffi
from pyodide.ffi import JsException, JsProxy, create_once_callable, to_js

from framework.database import (
    Bound,
    Result,
    Statement,
    Transient,
    Value,
    check,
    classify,
    decode_rows,
)

__all__ = ["NULL", "D1Database"]

T = TypeVar("T")

_FFI: Any = ffi
NULL = _FFI.jsnull  # newer than the published types
"""JavaScript's null, which is no None in Pyodide."""

DEADLINE = 10_000
"""How many milliseconds a call may take. D1 itself gives up on a statement after 30 seconds."""

MANY = 20
"""From this many rows on, they cross as bytes: four crossings more, and half the time for a hundred rows."""


class _Meta(msgspec.Struct):
    changes: int = 0


class _Outcome(msgspec.Struct):
    """One statement's part of what `batch()` answers; its rows stay JSON until they are read."""

    results: msgspec.Raw
    meta: _Meta


_OUTCOME = msgspec.json.Decoder(_Outcome)
_OUTCOMES = msgspec.json.Decoder(list[_Outcome])

_proxies: set[type] = set()
"""The types known to be JavaScript's: asking Pyodide about an object takes 9 µs."""


class D1Database:
    """A D1 binding behind the `Database` protocol, for one request.

    *binding* is `env.DB`, as JavaScript has it or in the wrapper that the SDK puts around it.
    A call that takes longer than *deadline* milliseconds raises `Transient`; its late answer is
    thrown away, and a write may still happen.
    """

    def __init__(self, binding: Any, *, deadline: int = DEADLINE) -> None:
        self._binding: Any = _unwrap(binding)
        self._deadline = deadline

    def with_session(self, start: str) -> "D1Database":
        """Return a session of D1's, whose reads replicas may answer; *start* is one of its constraints."""
        return D1Database(self._binding.withSession(start), deadline=self._deadline)

    async def first(self, type: type[T], sql: str, *parameters: Value) -> T | None:
        """Return the first row, or None."""
        rows = await self.all(type, sql, *parameters)
        return rows[0] if rows else None

    async def all(self, type: type[T], sql: str, *parameters: Value) -> list[T]:
        """Return every row."""
        answer = await self._ask(sql, check(sql, parameters))
        return decode_rows(type, _as_json(answer.results), sql)

    async def run(self, sql: str, *parameters: Value) -> int:
        """Run a write and return how many rows it changed."""
        answer = await self._ask(sql, check(sql, parameters))
        return int(answer.meta.changes)

    async def batch(self, statements: Sequence[Statement]) -> list[Result]:
        """Run *statements* in one transaction, all or none."""
        if len(statements) < 2:
            return [await self._run_alone(each) for each in statements]
        checked = [(each.sql, check(each.sql, each.parameters)) for each in statements]
        sql = "; ".join(each.sql for each in statements)  # D1 does not say which of them failed
        try:
            prepared = Array.of(*[self._prepare(each, bound) for each, bound in checked])
            answers = await self._in_time(self._binding.batch(prepared), sql)
        except JsException as error:
            _fail(error, sql)
        outcomes = _OUTCOMES.decode(JSON.stringify(answers))
        return list(map(_result, outcomes, statements))

    async def _run_alone(self, one: Statement) -> Result:
        """Run a batch of one: it needs no transaction of its own, and crosses without an array."""
        answer = await self._ask(one.sql, check(one.sql, one.parameters))
        return _result(_OUTCOME.decode(JSON.stringify(answer)), one)

    async def _ask(self, sql: str, bound: Sequence[Bound]) -> Any:
        """Return D1's answer to one statement. Always by `all()`: `run()` may leave rows out."""
        try:
            return await self._in_time(self._prepare(sql, bound).all(), sql)
        except JsException as error:
            _fail(error, sql)

    def _prepare(self, sql: str, bound: Sequence[Bound]) -> Any:
        prepared = self._binding.prepare(sql)
        return prepared.bind(*map(_to_javascript, bound)) if bound else prepared

    async def _in_time(self, answer: Any, sql: str) -> Any:
        """Wait for *answer*, which Pyodide hands over as a future, until the deadline.

        asyncio's timeouts will not do: under Pyodide their timers cannot be taken down, and each
        would keep a Python function alive for as long as the deadline, and longer than the request.
        """
        fired = False

        def give_up() -> None:
            nonlocal fired
            fired = True
            if not answer.done():
                message = f"D1 did not answer within {self._deadline} ms"
                answer.set_exception(Transient(message, sql))

        late: Any = create_once_callable(give_up)
        timer = setTimeout(late, self._deadline)
        try:
            return await answer
        finally:
            clearTimeout(timer)
            if not fired:  # it takes itself down when it is called
                late.destroy()


def _unwrap(binding: Any) -> Any:
    """Return the binding as JavaScript has it."""
    kind = type(binding)
    if kind in _proxies:
        return binding
    if isinstance(binding, JsProxy):
        _proxies.add(kind)
        return binding
    return binding._binding


def _as_json(rows: Any) -> str | bytes:
    """Return *rows* as JSON. Text crosses character by character; bytes cross at once.

    So that the text stays in JavaScript, an array is encoded: as text, an array of one is that one.
    """
    if rows.length < MANY:
        text: str = JSON.stringify(rows)
        return text
    encoded: bytes = TextEncoder.new().encode(Array.of(rows).map(JSON.stringify)).to_bytes()
    return encoded


def _to_javascript(value: Bound) -> Any:
    """Return *value* as D1's bind() takes it.

    None is null, not undefined. An int crosses as a float, since Pyodide makes a BigInt of a large
    one, which D1 refuses; D1 knows only JavaScript's numbers anyway.
    """
    kind = type(value)
    if kind is int:
        return float(value)  # type: ignore[arg-type]  # by its type
    if kind is bytes:
        return to_js(value)
    return NULL if value is None else value


def _result(outcome: _Outcome, statement: Statement) -> Result:
    rows, sql = outcome.results, statement.sql
    return Result(outcome.meta.changes, lambda type: decode_rows(type, rows, sql))


def _fail(error: JsException, sql: str) -> NoReturn:
    """Raise the `DatabaseError` for *error*; chained to it, unless its text shows a value."""
    message = str(error.message)
    fault = classify(message, sql)
    raise fault from (error if fault.message == message else None)
