"""Finds texts of a request that become HTML as they were sent, but for those that may have been checked."""

import ast
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from msgspec.structs import fields

from framework.application import App
from framework.local.misgiven import is_asked
from framework.local.program import FUNCTIONS, begin, bound, is_a, own, target
from framework.local.roles import Role, signatures_of
from framework.local.scope import Scope
from framework.parameters import marker_of
from framework.response import Response
from framework.text_types import is_struct

__all__ = ["find_unescaped"]

_Found = Iterator[tuple[int, str]]
"""Lines, and what is wrong there."""
_Texts = Mapping[Any, frozenset[str]]
"""What each handler is handed of a request, and may be any text."""

_TEXTS = (str, str | None)
_MAKES = (ast.Await, ast.BinOp, ast.Call, ast.JoinedStr)
_CHECKS = (ast.Compare, ast.Match, ast.Subscript)
_CHOICES = (ast.Assert, ast.If, ast.IfExp, ast.While)


def find_unescaped(scopes: Iterable[Scope], app: Any) -> list[str]:
    """Return a sentence, with its place, for each in *scopes*, those of *app*."""
    texts = _texts_of(app) if is_a(app, App) else {}
    found: set[tuple[str, int, str]] = set()
    for scope in scopes:
        with suppress(RecursionError):  # it nests deeper than can be followed, or in a circle
            found |= {(scope.module.place, *each) for each in _in_function(scope, texts)}
    return [f"{place}:{line}: {why}" for place, line, why in sorted(found)]


def _in_function(scope: Scope, texts: _Texts) -> _Found:
    yield from _unescaped_by_jinja(scope)
    for node in scope.nodes:
        if isinstance(node, FUNCTIONS) and (role := scope.roles.get(begin(node))):
            yield from _sent_back(node, role, scope, texts)


def _texts_of(app: App) -> _Texts:
    texts: dict[Any, frozenset[str]] = {}
    for route in app.routes:
        signature = route.declaration.signature
        ours, theirs = signatures_of(route)  # which may refuse what they are handed as well
        others = {name for each in (*ours[1:], *theirs) for name in each.annotations}
        found = frozenset(_texts(signature.annotations, route.path + "/")) - others
        texts[signature.function] = found & texts.get(signature.function, found)
    return texts


def _sent_back(function: ast.AST, role: Role, scope: Scope, texts: _Texts) -> _Found:
    sent = texts.get(role.function)
    if not sent:
        return
    times = Counter(name for node in ast.walk(function) for name in bound(node))
    for node in own(function):
        for part in _html_of(node, scope):
            text = "" if isinstance(part, ast.Call) else ast.unparse(part)
            root = text.partition(".")[0]
            if text not in sent or times[root] > 1:
                continue
            if not any(_may_check(each, scope) for each in scope.reads[root]):
                why = f"{text} becomes HTML as it was sent: write escape({text}), of html"
                yield part.lineno, why


def _texts(annotations: Mapping[str, Any], path: str) -> Iterator[str]:
    """Yield each text that a handler is handed of a request, as it writes them: those that may be any."""
    for name, annotation in annotations.items():
        source, kind = marker_of(annotation)
        if kind in _TEXTS and (source or f":{name}/" in path or f":{name}?/" in path):
            yield name
        elif source == "form" and is_struct(kind) and not hasattr(kind, "__post_init__"):
            yield from (f"{name}.{field.name}" for field in fields(kind) if field.type in _TEXTS)


def _may_check(read: ast.AST, scope: Scope) -> bool:
    """Return whether the name that is *read* may be looked at there, and be refused."""
    node, above = read, scope.parents.get(read)
    is_call = False
    while above is not None and not isinstance(above, FUNCTIONS):
        is_call = is_call or isinstance(node, ast.Call)
        is_test = isinstance(above, _CHOICES) and node is above.test
        if isinstance(above, _CHECKS) or (is_call and (is_test or isinstance(above, ast.Expr))):
            return True
        found = [] if isinstance(node, ast.Await) else scope.reads.get(target(above), [])
        if is_call and any(_decides(each, scope) for each in found):  # as what fullmatch gives
            return True
        node, above = above, scope.parents.get(above)
    return False


def _decides(read: ast.AST, scope: Scope) -> bool:
    return isinstance(scope.parents.get(read), ast.Compare) or is_asked(read, scope)


def _unescaped_by_jinja(scope: Scope) -> _Found:
    """Yield each template that is rendered without escaping what is put in."""
    for node in scope.nodes:
        for part in _html_of(node, scope):
            if isinstance(part, ast.Call) and isinstance(part.func, ast.Attribute):
                base = part.func.value  # of render
                if isinstance(base, ast.Call) and isinstance(base.func, ast.Attribute):
                    base = base.func.value  # of get_template
                value = scope.value(base)
                if type(value).__module__.partition(".")[0] == "jinja2":
                    environment = vars(value).get("environment", value)
                    if vars(environment).get("autoescape") is False:
                        why = "escapes nothing: write Environment(autoescape=True)"
                        yield part.lineno, f"{ast.unparse(base)} of Jinja {why}"


def _html_of(node: ast.AST, scope: Scope) -> Iterator[ast.expr]:
    """Yield what becomes HTML where *node* calls `Response.html`."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
        is_html = node.func.attr == "html" and scope.value(node.func.value) is Response
        yield from _parts(node.args[0], scope) if is_html else ()


def _parts(node: ast.expr, scope: Scope) -> Iterator[ast.expr]:
    """Yield the names and the calls whose values are parts of the text *node*."""
    if isinstance(node, ast.JoinedStr):
        for each in node.values:
            yield from _parts(each, scope)
    elif isinstance(node, (ast.Await, ast.FormattedValue)):
        yield from _parts(node.value, scope)
    elif isinstance(node, ast.BinOp):
        yield from _parts(node.left, scope)
        yield from _parts(node.right, scope)
    elif isinstance(node, ast.Name) and isinstance(made := scope.assigned.get(node.id), _MAKES):
        yield from _parts(made, scope)
    elif isinstance(node, (ast.Name, ast.Attribute, ast.Call)):
        yield node
