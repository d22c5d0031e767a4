"""Reads tests/data/router_cases.toml: sets of routes, and what requests to each must get."""

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

FILE = Path(__file__).parent / "data" / "router_cases.toml"


class RouterCase(msgspec.Struct, frozen=True):
    """One request to one set of routes, and the route with parameters, or the status, it gets."""

    title: str
    routes: tuple[str, ...]
    prefixes: tuple[str, ...]
    method: str
    path: str
    route: str | None
    parameters: dict[str, str]
    status: int
    allow: str | None

    def __str__(self) -> str:
        return f"{self.title}: {self.method} {self.path}".encode("unicode_escape").decode()


def read_route(route: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the methods and paths of ``"GET,POST /a /b"``; a path may hold one space: ``/a b``."""
    methods, *words = route.split(" ")
    paths: list[str] = []
    for word in words:
        if word.startswith("/"):
            paths.append(word)
        else:
            paths[-1] += " " + word
    return tuple(methods.split(",")), tuple(paths)


def read_cases() -> Iterator[RouterCase]:
    """Return every case of the file."""
    for group in tomllib.loads(FILE.read_text("utf-8"))["group"]:
        for case in group["cases"]:
            yield _read_case(group, *case)


def _read_case(
    group: dict[str, Any], request: str, answer: str | int, more: Any = None
) -> RouterCase:
    method, _, path = request.partition(" ")
    is_route = isinstance(answer, str)
    return RouterCase(
        title=group["title"],
        routes=tuple(group["routes"]),
        prefixes=tuple(group.get("prefixes", ())),
        method=method,
        path=path,
        route=str(answer) if is_route else None,
        parameters=more if is_route else {},
        status=200 if is_route else int(answer),
        allow=None if is_route else more,
    )


CASES = list(read_cases())
