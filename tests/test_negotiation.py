"""What a client likes best of what there is: types by their weight, languages by what they are a kind of."""

import random
from collections.abc import Sequence

import pytest

from framework import Context
from framework.negotiation import best_language, best_media_type
from framework.request import Request

CHROME = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8"
JSON_OR_HTML = ["application/json", "text/html"]


def asking(name: str, value: str | None) -> Context:
    return Context(Request.build("GET", "/", [] if value is None else [(name, value)]), {})


@pytest.mark.parametrize(
    ("accept", "best"),
    [
        (None, "application/json"),
        ("", "application/json"),
        (",", "application/json"),
        (";q=1", "application/json"),
        ("*/*", "application/json"),
        ("text/html", "text/html"),
        (CHROME, "text/html"),
        ("TEXT/HTML ; Q=0.5", "text/html"),
        ("text/*", "text/html"),
        ("text/html, application/json", "text/html"),
        ("application/json, text/html", "application/json"),
        ("text/html;q=0.9, application/json", "application/json"),
        ("text/html;q=0.9, application/json;q=0.90", "text/html"),
        ("text/html;q=0, */*", "application/json"),
        ("application/json;q=0, */*", "text/html"),
        ("application/json;q=0.1, */*", "text/html"),
        ("*/*, application/json;q=0.1", "text/html"),
        ("text/*;q=0.2, text/html;q=0.9, application/json;q=0.5", "text/html"),
        ("text/html;level=1;q=0.3, application/json;q=0.2", "text/html"),
        ("text/html;q=2, application/json;q=0.2", "application/json"),
        ("text/html;q=, application/json;q=0.2", "application/json"),
        ("text/html;q=nan, application/json;q=0.001", "application/json"),
        ("text/html;q=1e-9, application/json;q=0.001", "application/json"),
        ("text/html, text/html;q=0", "text/html"),
        ("image/png", None),
        ("image/*, */*;q=0", None),
        ("html", None),
        ("x," * 29 + "text/html", "text/html"),
        ("x," * 30 + "text/html", None),
        ("," * 100_000, "application/json"),
        ("é/\x00, text/html", "text/html"),
    ],
)
def test_the_best_media_type(accept: str | None, best: str | None) -> None:
    assert best_media_type(asking("accept", accept), JSON_OR_HTML) == best


def test_of_no_types_none_is_the_best() -> None:
    assert best_media_type(asking("accept", "*/*"), []) is None
    assert best_media_type(asking("accept", None), []) is None


@pytest.mark.parametrize(
    ("accept", "offered", "best"),
    [
        (None, ["en", "de"], "en"),
        (None, [], None),
        ("", ["en", "de"], "en"),
        ("*", ["en", "de"], "en"),
        ("*", [], None),
        ("de", ["en", "de"], "de"),
        ("DE-ch", ["en", "de"], "de"),
        ("de-CH-1996", ["en", "de-CH", "de"], "de-CH"),
        ("zh-Hant-TW", ["zh-Hans", "zh-Hant"], "zh-Hant"),
        ("zh-Hant", ["zh-Hans"], None),
        ("pt", ["en", "pt-BR", "pt-PT"], "pt-BR"),
        ("p", ["pt-BR"], None),
        ("fr;q=0.9, de;q=0.8", ["en", "de"], "de"),
        ("de;q=0.1, en;q=0.8", ["en", "de"], "en"),
        ("de, en", ["en", "de"], "de"),
        ("fr", ["en", "de"], None),
        ("fr, *;q=0.1", ["en", "de"], "en"),
        ("fr, *;q=0.1, en;q=0", ["en", "de"], "de"),
        ("en-GB, en;q=0.5, de;q=0.7", ["en", "de"], "en"),
        ("en;q=0", ["en"], None),
        ("en;q=0, *", ["EN", "de"], "de"),
        ("*, en;q=0.5", ["en", "de"], "de"),
        ("en;q=0.5, *", ["en"], "en"),
        ("-", ["en"], None),
        ("en-", ["en"], "en"),
        ("nb-NO,no;q=0.9,nn;q=0.8,en-US;q=0.7,en;q=0.6", ["sv", "en-US", "nb"], "nb"),
    ],
)
def test_the_best_language(accept: str | None, offered: Sequence[str], best: str | None) -> None:
    assert best_language(asking("accept-language", accept), offered) == best


@pytest.mark.parametrize(("length", "best"), [(255, "en"), (256, "de")])
def test_what_is_longer_than_any_range_is_not_looked_at(length: int, best: str) -> None:
    tag = "en" + "-abc" * 63 + "-"

    assert best_language(asking("accept-language", f"{tag:x<{length}}"), ["de", "en"]) == best


def test_whatever_comes_the_best_is_one_of_what_is_there() -> None:
    draw = random.Random(1)
    pieces = [
        "en",
        "de-CH",
        "*",
        "*/*",
        "text/html",
        "text/*",
        ";",
        ",",
        "q=",
        "0.5",
        "1",
        "-",
        "/",
        " ",
    ]
    for _ in range(3000):
        header = "".join(draw.choices(pieces, k=draw.randrange(12)))
        offered = draw.sample(["en", "de", "de-CH"], draw.randrange(4))
        types = draw.sample(["text/html", "text/plain", "application/json"], draw.randrange(4))

        assert best_language(asking("accept-language", header), offered) in [*offered, None]
        assert best_media_type(asking("accept", header), types) in [*types, None]
