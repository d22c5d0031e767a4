"""Whatever text comes for whatever type: what msgspec makes of it, or a 4xx, and never a 500."""

import datetime
import random
from decimal import Decimal
from enum import Enum, IntEnum
from typing import Annotated, Any, Literal
from urllib.parse import quote
from uuid import UUID

import msgspec
import pytest

from framework import App, Cookie, Form, Header, Query, public
from framework.text_types import takes_several


class Color(Enum):
    RED = "red"


class Level(IntEnum):
    LOW = 1


SCALARS: list[Any] = [
    *(int, float, bool, str, bytes, Decimal, UUID, Color, Level),
    *(datetime.datetime, datetime.date, datetime.time, datetime.timedelta),
    *(Literal[1, 2], Literal["a", "null"]),
    Annotated[int, msgspec.Meta(ge=0, le=10)],
    Annotated[str, msgspec.Meta(min_length=2, pattern="^[a-z]+$")],
    Annotated[datetime.datetime, msgspec.Meta(tz=False)],
]
SEVERAL: list[Any] = [list, set, frozenset]
WORDS = """
    0 1 -1 01 +1 1.0 1e2 -0 10 9007199254740992 1e400 1e999999999999 NaN sNaN inf -Infinity 1_000 0x10
    true True null None a red ab \u00e9 \u0663 12345678-1234-5678-1234-567812345678 2026-01-02 2026-02-30
    2026-01-02T03:04:05 2026-01-02T03:04:05Z 0001-01-01T00:00:00+14:00 9999-12-31T23:59:59.9999999Z
    253402300800 253402300799.9999999 -62135596801 12:34:56 24:00:00 PT5M P1Y P999999999999D YWJj YWI = .
"""
TEXTS = WORDS.split()
MARKERS: dict[str, Any] = {"query": Query, "header": Header, "cookie": Cookie, "form": Form}


def make_type(chance: random.Random) -> Any:
    kind = chance.choice(SCALARS)
    if chance.random() < 0.2:
        kind = kind | None
    elif chance.random() < 0.4:
        kind = chance.choice(SEVERAL)[kind]
    return kind


def make_app(source: str, kind: Any, got: list[Any]) -> App:
    app = App()

    async def take(value: Any) -> None:
        got.append(value)

    take.__annotations__["value"] = MARKERS[source][kind]
    app.on("POST" if source == "form" else "GET", "/", guard=public)(take)
    return app


async def ask(app: App, source: str, texts: list[str]) -> int:
    fields = [f"value={quote(text)}" for text in texts]
    if source == "form":
        return (await app.request("POST", "/", form=[("value", text) for text in texts])).status
    if source == "query":
        return (await app.request("GET", "/?" + "&".join(fields))).status
    pairs = [("value", text) for text in texts]
    if source == "cookie":
        pairs = [("cookie", "; ".join([f"value={text}" for text in texts]))]
    return (await app.request("GET", "/", headers=pairs)).status


@pytest.mark.parametrize("source", MARKERS)
@pytest.mark.parametrize("seed", range(25))
async def test_a_text_is_what_msgspec_makes_of_it_or_refused(source: str, seed: int) -> None:
    chance = random.Random(f"{source} {seed}")
    kind, got = make_type(chance), list[Any]()
    several = takes_several(kind)
    app = make_app(source, kind, got)

    for _ in range(25):
        texts = chance.choices(TEXTS, k=chance.randint(1, 3) if several else 1)
        got.clear()
        status = await ask(app, source, texts)
        assert status in {204, 422}, (kind, texts)
        if status == 204:
            expected = msgspec.convert(texts if several else texts[0], kind, strict=False)
            assert repr(got) == repr([expected]), (kind, texts)
