"""Finds guards whose `reads=` writes: that is done before the guards on their left have said who may.

Knows no SQL but how a statement begins.
"""

import re
from collections.abc import Iterator, Sequence
from types import CodeType
from typing import Any

from framework.application import App
from framework.local.program import Module, is_a

__all__ = ["find_writing_reads"]

_WRITES = re.compile(r"\s*(?:INSERT|UPDATE|DELETE|REPLACE)\s")
"""In capitals: a docstring may begin with "Update"."""


def find_writing_reads(modules: Sequence[Module], app: Any) -> list[str]:
    """Return a sentence, with its place, for each guard of *app* in *modules* that writes in what it reads.

    Not for one that is always asked first.
    """
    places = {module.file: module.place for module in modules}
    found = set()
    for route in app.routes if is_a(app, App) else ():
        for way in route.guard.alternatives():
            later = [(each, reads) for each in way[1:] for reads in each.signatures[1:]]
            for guard, reads in later:
                code = reads.function.__code__
                texts = _texts(code, reads.function.__globals__)
                if code.co_filename in places and any(map(_WRITES.match, texts)):
                    found.add(
                        f"{places[code.co_filename]}:{code.co_firstlineno}: the guard {guard} writes in"
                        " reads=, which is done before the guards that come first have said who may"
                        " pass: ask the database in its function"
                    )
    return sorted(found)


def _texts(code: CodeType, names: dict[str, Any]) -> Iterator[str]:
    """Yield the texts that *code* holds, and those that the *names* it uses stand for."""
    for value in (*code.co_consts, *map(names.get, code.co_names)):
        if is_a(value, CodeType):
            yield from _texts(value, names)
        elif is_a(value, str):
            yield value
