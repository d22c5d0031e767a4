"""Finds an app whose `Auth` keeps what is over for good. Knows nothing of crons and of what is deleted."""

import ast
from collections.abc import Sequence

from framework.local.program import Module, assigned
from framework.local.unbound import is_auth

__all__ = ["find_unpurged"]


def find_unpurged(modules: Sequence[Module]) -> list[str]:
    """Return a sentence, with its place, for the first `Auth` where none of *modules* says ``purge``."""
    if any(_says_purge(node) for module in modules for node in module.nodes):
        return []
    return [
        f"{place}: nothing calls {name}.purge, so sessions, addresses and counts that are over stay in"
        " the database (docs/privacy.md, What is deleted when)"
        for place, name, value in assigned(modules)
        if is_auth(value)
    ][:1]


def _says_purge(node: ast.AST) -> bool:
    """Return whether *node* names ``purge``, of whatever: it may be called from there."""
    names = (getattr(node, each, None) for each in ("id", "attr", "name", "value"))
    return "purge" in names
