"""Finds the databases and rate limiters that an app asks for and `wrangler.toml` does not bind.

What requests, crons and queues are certain to reach is told from what another deployment may be meant
to reach: what stands below an `if` or a `try`, as in `static_check.py`, or after one that raises; what
nothing here calls; and what the app asks for before it uses it.
"""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from difflib import get_close_matches
from inspect import getattr_static
from types import FunctionType
from typing import Any, NamedTuple

from msgspec.structs import fields

from framework.application import App
from framework.bindings import Bindings
from framework.context import Context
from framework.database import Database
from framework.guards import Guard
from framework.local.configuration import FILE
from framework.local.program import FUNCTIONS, Module, assigned, attributes_given, begin, is_a
from framework.local.roles import roles_of
from framework.local.scope import Scope
from framework.local.static_check import certain

__all__ = ["find_unbound", "is_auth"]

Table = Mapping[str, Any]


class _Kind(NamedTuple):
    title: str
    table: str
    key: str


_D1 = _Kind("D1", "d1_databases", "binding")
_LIMITER = _Kind("rate limiter", "ratelimits", "name")
_OTHER = _Kind("binding", "", "")
"""Whatever a Protocol of the app's own stands for: a bucket, a queue."""


class _Asked(NamedTuple):
    """A binding that is asked for by its name."""

    place: str
    kind: _Kind
    name: str
    is_certain: bool = True


class _Function(NamedTuple):
    asked: list[_Asked]
    calls: set[tuple[str, int]]
    """The file and line of each function that it names."""


def find_unbound(
    modules: Sequence[Module], scopes: Iterable[Scope], app: App, settings: Table
) -> tuple[list[str], list[str]]:
    """Return a sentence for each name that cannot be right, and for each that may be.

    *modules* are those of *app*, *scopes* their functions, and *settings* what ``wrangler.toml`` says,
    as `configuration.py` reads it. Which environment is deployed is not known, so a name is right that
    any of them binds.
    """
    top = {key: value for key, value in settings.items() if key != "env"}
    bound_at_top, bound = {*_names(top)}, {*_names(settings)}
    is_known = "env" not in attributes_given(modules)  # what takes its place may have any name
    tried = {name for module in modules for name in _tried(module)}
    asked = [*_of_guards(modules, app), *_of_functions(modules, scopes, app)]
    limiters = {each["name"] for each in settings.get("ratelimits", ())}
    words = {each.name for each in asked} | {word for each in modules for word in _words(each)}
    limiters -= words
    # An `Auth` does without a limiter that nobody binds. One that is bound for nobody is meant for it.
    asked += _of_auths(modules, limiters)
    wrong: list[str] = []
    doubtful: list[str] = []
    for kind, name in dict.fromkeys((each.kind, each.name) for each in asked):
        uses = [each for each in asked if (each.kind, each.name) == (kind, name)]
        if kind is _OTHER:
            near = [] if name in bound else get_close_matches(name, bound - words, 1)
            why = f"{FILE} binds nothing as {name}, but {{}}, which nothing asks for"
            doubtful += [f"{uses[0].place}: {why.format(each)}" for each in near]
            continue
        sure = [each for each in uses if each.is_certain and is_known and name not in tried]
        place = _shown([each.place for each in sure or uses])
        remedy = f'write [[{kind.table}]] with {kind.key} = "{name}"'
        if name not in bound:
            others = " and ".join(str(each[kind.key]) for each in top.get(kind.table, ()))
            only = f", only as {others}: ask for what is bound, or" if others else ":"
            why = f"{place}: {FILE} binds no {kind.title} as {name}{only} {remedy}"
            (wrong if sure else doubtful).append(why)
        elif sure and name not in bound_at_top and top.get(kind.table) != []:
            none = "" if kind.table in top else f", or {kind.table} = [] if none is meant"
            why = f"only an environment binds the {kind.title} {name}, and without --env there is none"
            doubtful.append(f"{place}: {why}: {remedy}{none}")
    return wrong, doubtful


def _shown(places: list[str]) -> str:
    more = len({*places}) - 1
    return f"{places[0]} and {more} more" if more else places[0]


def _names(table: Table) -> Iterator[str]:
    """Yield the names in *table*, or in one below it, that may be those of bindings, of whatever kind."""
    for value in table.values():
        for entry in value if isinstance(value, list) else [value]:
            if isinstance(entry, dict):
                yield from (str(entry[key]) for key in ("binding", "name") if key in entry)
                yield from _names(entry)


def _words(module: Module) -> Iterator[Any]:
    """Yield the names and the texts in *module*: what it does not have there, it does not ask for."""
    for node in module.nodes:
        if isinstance(node, (ast.Name, ast.Constant)):
            yield node.id if isinstance(node, ast.Name) else node.value


def _tried(module: Module) -> Iterator[Any]:
    """Yield the texts in *module* that ask whether a binding is there, or may give one its name."""
    for node in module.nodes:
        texts: list[ast.expr | None] = []
        if isinstance(node, ast.Compare):
            texts = [node.left]
        elif isinstance(node, ast.Dict):
            texts = node.keys
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "get":
            texts = [*node.args]
        yield from (text.value for text in texts if isinstance(text, ast.Constant))


# --- What is asked for ---------------------------------------------------------------------------


def _of_guards(modules: Sequence[Module], app: App) -> Iterator[_Asked]:
    """Yield the databases that guards of routes read from, at their `Auth`, their own place or the route."""
    shown = {module.file: module.place for module in modules}
    found: dict[str, str] = {}
    for route in app.routes:
        file, _, line = route.declaration.place.rpartition(":")
        for read in route._compiled.reads if route._compiled else ():
            found.setdefault(read.database, f"{shown.get(file, file)}:{line}")
    for place, _, value in sorted(assigned(modules), key=lambda each: is_auth(each[2])):
        is_guard = is_a(value, Guard) and getattr(value, "_reads", None) is not None
        if (is_guard or is_auth(value)) and value._database in found:
            found[value._database] = place
    yield from (_Asked(place, _D1, name) for name, place in found.items())


def _of_auths(modules: Sequence[Module], unused: Collection[str]) -> Iterator[_Asked]:
    """Yield the rate limiters that each `Auth` names, certain where an *unused* one is close."""
    for place, _, value in assigned(modules):
        if is_auth(value) and (name := value._rate_limiter) is not None:
            yield _Asked(place, _LIMITER, name, bool(get_close_matches(name, unused)))


def _of_functions(modules: Sequence[Module], scopes: Iterable[Scope], app: App) -> Iterator[_Asked]:
    """Yield what is asked for in functions, certainly where the app calls these."""
    all_roles = roles_of(app)
    waiting = [(file, line) for file, roles in all_roles.items() for line in roles]
    waiting += [_begin(each) for each in (*app.crons.values(), *app.queues.values())]
    found: dict[tuple[str, int], _Function] = {}
    sure: set[int] = set()
    for module in modules:
        with suppress(RecursionError):  # it nests deeper than can be followed
            sure |= {id(node) for node in certain(module.tree, ast.Raise)}
    for scope in scopes:
        with suppress(RecursionError):
            known = _look(scope, sure)
            inner = [node for node in scope.nodes if isinstance(node, FUNCTIONS)]
            found |= {(scope.module.file, begin(node)): known for node in inner}
    reached: set[int] = set()
    while waiting:
        one = found.get(waiting.pop())
        if one and id(one) not in reached:
            reached.add(id(one))
            waiting += one.calls
    for one in {id(each): each for each in found.values()}.values():  # inner functions share theirs
        is_reached = id(one) in reached
        yield from (a._replace(is_certain=a.is_certain and is_reached) for a in one.asked)


def _look(scope: Scope, sure: set[int]) -> _Function:
    found = _Function([], set())
    for node in scope.nodes:
        is_certain = id(node) in sure
        if is_certain and is_a(named := scope.value(node), FunctionType):
            found.calls.add(_begin(named))
        for line, kind, name in _named(node, scope):
            found.asked.append(_Asked(f"{scope.module.place}:{line}", kind, name, is_certain))
    return found


def _named(node: ast.AST, scope: Scope) -> Iterator[tuple[int, _Kind, str]]:
    """Yield the bindings that *node* names, each with its line."""
    if isinstance(node, FUNCTIONS) and begin(node) in scope.roles:
        for each in [*node.args.args, *node.args.kwonlyargs]:
            yield from (
                (each.lineno, *named) for named in _of_bindings(scope.value(each.annotation))
            )
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        kind, auth = scope.kind(node), scope.value(node.func.value)
        if kind is Database:
            given = [*node.args, *(each.value for each in node.keywords)]
            name = given[0] if given else ast.Constant("DB")
            if isinstance(name, ast.Constant) and isinstance(name.value, str):
                yield node.lineno, _D1, name.value
        elif is_auth(auth) and node.args and scope.kind(node.args[0]) is Context:
            method = getattr_static(auth, node.func.attr, None)
            if getattr(method, "__module__", "").startswith("framework."):
                yield node.lineno, _D1, auth._database
        else:
            yield from ((node.lineno, *named) for named in _of_bindings(kind))


def _of_bindings(kind: Any) -> Iterator[tuple[_Kind, str]]:
    if is_a(kind, type) and issubclass(kind, Bindings):
        with suppress(Exception):  # whatever its annotations raise; who reads a binding is told
            for field in fields(kind):
                if field.required and field.type is Database:
                    yield _D1, field.encode_name
                elif field.required and _is_ours(field.type, "auth.address_limit", "RateLimiter"):
                    yield _LIMITER, field.encode_name
                elif field.required and getattr(field.type, "_is_protocol", False):
                    yield _OTHER, field.encode_name


def _begin(function: Any) -> tuple[str, int]:
    code = getattr(function, "__code__", None)
    return ("", 0) if code is None else (code.co_filename, code.co_firstlineno)


def is_auth(value: Any) -> bool:
    """Return whether *value* is an `Auth`, whose class is not loaded if the app has none."""
    return any(_is_ours(each, "auth.auth", "Auth") for each in type(value).__mro__)


def _is_ours(kind: Any, module: str, name: str) -> bool:
    """Return whether *kind* is the class of the framework's, which is not loaded if the app has none."""
    known = getattr(kind, "__module__", ""), getattr(kind, "__qualname__", "")
    return known == (f"framework.{module}", name)
