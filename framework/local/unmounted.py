"""Finds routers that nothing mounts, whose routes are 404. Says nothing where code that did not run may."""

import ast
from collections.abc import Iterator, Sequence
from typing import Any

from framework.application import App
from framework.local.program import Module, assigned, bound, is_a, is_read, own
from framework.router import Router

__all__ = ["find_unmounted"]


def find_unmounted(modules: Sequence[Module]) -> list[str]:
    """Return a sentence, with its place, for each router in *modules* whose routes are not mounted."""
    used = {name for module in modules for name in _used(module)}
    return [
        f"{place}: {name} is mounted nowhere, so its routes are 404: app.mount({name})"
        for place, name, value in assigned(modules)
        if name not in used and _is_unmounted(value)
    ]


def _is_unmounted(value: Any) -> bool:
    is_router = is_a(value, Router) and not is_a(value, App)
    return is_router and bool(value._collected()) and not value._parents


def _used(module: Module) -> Iterator[str]:
    """Yield each name in *module*, or in something there, that is used but to reach what is in it.

    A name that only functions there have, as a local variable, stands for no router of a module.
    """
    imported = [node for node in module.nodes if isinstance(node, ast.alias)]
    names = {name for node in (*own(module.tree), *imported) for name in bound(node)}
    bases = {id(node.value) for node in module.nodes if isinstance(node, ast.Attribute)}
    for node in module.nodes:
        if is_read(node) and id(node) not in bases:
            if not isinstance(node, ast.Name) or not names.isdisjoint((node.id, "*")):
                yield from filter(None, (getattr(node, each, None) for each in ("id", "attr")))
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value
