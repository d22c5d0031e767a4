"""Knows what the expressions in a function come to, where that is certain. Judges nothing.

Annotations are believed, as type checkers believe them.
"""

import ast
from collections import ChainMap, Counter
from collections.abc import Collection, Iterable, Iterator
from contextlib import suppress
from inspect import getattr_static
from typing import Any

from msgspec.structs import fields

from framework.bindings import Bindings
from framework.compose import Next
from framework.context import Context, Job
from framework.database import Database
from framework.guards import Guard
from framework.local.program import (
    FUNCTIONS,
    Module,
    begin,
    bound,
    functions,
    is_a,
    is_async,
    is_read,
    own,
    target,
    value_of,
)
from framework.local.roles import Roles, roles_of
from framework.queues import Batch
from framework.request import Request
from framework.response import Response

__all__ = ["Scope", "scopes_of"]

_PROMISES = {
    "Binding": {
        *("all", "batch", "delete", "fetch", "first", "head"),
        *("list", "put", "run", "send", "sendBatch"),
    },
    "Database": {"all", "batch", "first", "run"},
    "Hasher": {"hash", "verify"},
    "Mailer": {"send"},
    "RateLimiter": {"allows"},
    "Store": {"delete", "get", "getWithMetadata", "head", "list", "put"},
}
"""The async methods of the framework's Protocols: a build leaves nothing of them in the classes."""
_DEPLOYED = (Context, Job, Batch)
_CATCHES = (ast.Try, ast.TryStar, ast.With, ast.AsyncWith)
_MAKES = {"bytes", "empty", "html", "json", "redirect", "text"}
_CHANGES = {"with_added_header", "with_cookie", "with_header", "with_status"}


class Binding:
    """What ``c.env["MAILS"]`` is: a dict that a variable holds has no method of these names."""


class Store:
    """What it is where ``wrangler.toml`` binds a KV namespace or a bucket: a variable has a `get`, too."""


class Scope:
    """A function that stands in no other, with those inside of it.

    *stores* are the names of the KV namespaces and the buckets.
    """

    def __init__(
        self, function: ast.AST, module: Module, roles: Roles, stores: Collection[str] = ()
    ) -> None:
        self.module, self.roles = module, roles
        self._stores = stores
        self.nodes = [function]
        self.parents: dict[ast.AST, ast.AST] = {}
        for node in self.nodes:
            children = list(ast.iter_child_nodes(node))
            self.nodes += children  # which are iterated over, too
            self.parents.update(dict.fromkeys(children, node))
        times = Counter(name for node in self.nodes for name in bound(node))
        for node in self.nodes:
            if isinstance(node, ast.ClassDef):  # its names are attributes as well
                times.update(name for each in own(node) for name in bound(each))
        self._names = ChainMap(dict.fromkeys(times), module.names)
        bound_here = {name for node in own(function) for name in bound(node)}
        single = {
            name
            for name, count in times.items()  # what an inner function has may be another's elsewhere
            if count == 1 and (name in bound_here or name not in module.names)
        }
        self.assigned: dict[str, ast.expr] = {
            target(node): node.value  # type: ignore[attr-defined]  # it has a target, and so a value
            for node in self.nodes
            if target(node) in single
        }
        self.reads: dict[str, list[ast.AST]] = {}
        """Where each name is read."""
        for node in self.nodes:
            if isinstance(node, ast.Name) and is_read(node):
                self.reads.setdefault(node.id, []).append(node)
        self._kinds: dict[ast.AST, Any] = {}
        self._given = {
            name: kind
            for node in self.nodes
            if isinstance(node, FUNCTIONS)
            for name, kind in self._arguments(node, roles)
            if name in single
        }

    def _arguments(
        self, function: ast.FunctionDef | ast.AsyncFunctionDef, roles: Roles
    ) -> Iterator[tuple[str, Any]]:
        role = roles.get(begin(function))
        handed = [] if role is None else [Context, Next if role.name == "layer" else None]
        arguments = [*function.args.posonlyargs, *function.args.args]
        for argument in [*arguments, *function.args.kwonlyargs]:
            yield argument.arg, self._class(argument.annotation)
        for argument, kind in zip(arguments, handed, strict=False):
            if argument.annotation is None and (kind is Next or argument.arg == "c"):
                yield argument.arg, kind

    def value(self, node: ast.AST | None) -> Any:
        """Return what *node* stands for in the module, or None."""
        return value_of(node, self._names)

    def kind(self, node: ast.AST) -> Any:
        """Return the class of what *node* comes to, or None where that is not certain."""
        if node not in self._kinds:  # each call in a chain asks for all before it
            self._kinds[node] = self._kind(node)
        return self._kinds[node]

    def _kind(self, node: ast.AST) -> Any:
        if isinstance(node, ast.Name):
            value = self.assigned.get(node.id)
            if value is None:
                return self._given.get(node.id)
            return self.kind(value) if _place(value) < _place(node) else None
        if isinstance(node, ast.Await):
            is_next = isinstance(node.value, ast.Call) and self.kind(node.value.func) is Next
            return Response if is_next else None
        if isinstance(node, ast.Attribute):
            kind = self.kind(node.value)
            is_request = kind is Context and node.attr == "request"
            return Request if is_request else _binding(kind, node.attr)
        if isinstance(node, ast.Subscript) and (name := self.binding(node)):
            return Store if name in self._stores else Binding
        return self._made(node) if isinstance(node, ast.Call) else None

    def _made(self, call: ast.Call) -> Any:
        if self.value(call.func) is Response:
            return Response
        if not isinstance(call.func, ast.Attribute):
            return None
        base, name = call.func.value, call.func.attr
        kind = self.kind(base)
        makes = _MAKES if self.value(base) is Response else ()
        if name in makes or (kind is Response and name in _CHANGES):
            return Response
        if any(kind is each for each in _DEPLOYED):
            if name == "database":
                return Database
            if name == "bindings" and call.args:
                return self._class(call.args[0])
        return None

    def _class(self, node: ast.AST | None) -> Any:
        value = self.value(node)
        return value if is_a(value, type) or value is Next else None

    def binding(self, node: ast.AST) -> str:
        """Return what the binding *node* is called, ``?`` where that is not known; or "" for no binding."""
        if isinstance(node, ast.Attribute):
            kind = self.kind(node.value)
            return node.attr if is_a(kind, type) and issubclass(kind, Bindings) else ""
        env = node.value if isinstance(node, ast.Subscript) else None
        if not (isinstance(env, ast.Attribute) and env.attr == "env"):
            return ""
        kind = self.kind(env.value)
        place: Any = node.slice  # type: ignore[attr-defined]  # a Subscript, as its env says
        name: Any = place.value if isinstance(place, ast.Constant) else self.value(place)
        is_env = any(kind is each for each in _DEPLOYED)  # classes may compare as they like
        return (name if is_a(name, str) else "?") if is_env else ""

    def makes_coroutine(self, node: ast.AST) -> bool:
        """Return whether *node* is the call of an async function."""
        if not isinstance(node, ast.Call):
            return False
        called = self.value(node.func)
        if is_a(called, Guard) and called.signatures:
            called = called.signatures[0].function  # which a guard that is called runs
        if self.kind(node.func) is Next or is_async(called):
            return True
        if not isinstance(node.func, ast.Attribute):
            return False
        kind, name = self.kind(node.func.value), node.func.attr
        if not is_a(kind, type):
            return False
        is_ours = kind.__module__.startswith("framework.")
        promised = _PROMISES.get(kind.__qualname__, set()) if is_ours else set()
        return name in promised or is_async(getattr_static(kind, name, None))

    def is_tried(self, node: ast.AST | None) -> bool:
        """Return whether an error that *node* raises may be caught in the function."""
        while node is not None and not isinstance(node, _CATCHES):
            node = self.parents.get(node)
        return node is not None

    def is_run_of_select(self, call: ast.Call) -> bool:
        """Return whether *call* asks `Database.run` for a SELECT, written there or in a name."""
        if not (isinstance(call.func, ast.Attribute) and call.func.attr == "run" and call.args):
            return False
        sql = call.args[0]
        known = self.assigned.get(sql.id, sql) if isinstance(sql, ast.Name) else sql
        value: Any = known.value if isinstance(known, ast.Constant) else self.value(known)
        is_select = is_a(value, str) and value.lstrip()[:7].upper() == "SELECT "
        return is_select and self.kind(call.func.value) is Database


def scopes_of(modules: Iterable[Module], app: Any, stores: Collection[str] = ()) -> list[Scope]:
    """Return the functions in *modules*, those of *app*, but for what nests deeper than can be followed.

    All checks look at the same: to make one takes as long as to look at it.
    """
    all_roles = roles_of(app)
    scopes = []
    for module in modules:
        for function in functions(module.tree):
            with suppress(RecursionError):
                scopes.append(Scope(function, module, all_roles.get(module.file, {}), stores))
    return scopes


def _binding(kind: Any, name: str) -> Any:
    """Return the type of what the bindings *kind* have as *name*, or None."""
    if is_a(kind, type) and issubclass(kind, Bindings):
        with suppress(Exception):  # whatever its annotations raise; who reads a binding is told
            return next((field.type for field in fields(kind) if field.name == name), None)
    return None


def _place(node: ast.expr) -> tuple[int, int]:
    return node.lineno, node.col_offset
