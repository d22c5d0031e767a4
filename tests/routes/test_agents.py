"""What browsers are called in the list of sessions."""

import pytest

from routes.agents import browser_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("inside", "after", "name"),
    [
        ("X11; Linux x86_64", "Firefox/140.0", "Firefox on Linux"),
        (
            "Windows NT 10.0; Win64; x64",
            f"{WEBKIT} Chrome/140.0 Safari/537.36",
            "Chrome on Windows",
        ),
        ("Windows NT 10.0", f"{WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Linux; Android 10; K", f"{WEBKIT} Chrome/140.0 Mobile Safari/1", "Chrome on Android"),
        ("Macintosh; Intel Mac OS X 10_15_7", f"{WEBKIT} Safari/605.1", "Safari on macOS"),
        ("iPhone; CPU like Mac OS X", f"{WEBKIT} CriOS/140.0 Safari/604.1", "Chrome on iPhone"),
        ("Haiku", f"{WEBKIT} Chrome/140.0", "Chrome"),
    ],
)
def test_a_browser_is_named(inside: str, after: str, name: str) -> None:
    assert browser_name(f"Mozilla/5.0 ({inside}) {after}") == name


@pytest.mark.parametrize(
    "agent",
    ["curl/8.0", "Mozilla/5.0 (compatible; Something/1.0)", "Crawler on Linux, not Firefox/1"],
)
def test_anything_else_is_called_what_it_calls_itself(agent: str) -> None:
    assert browser_name(agent) == agent


@pytest.mark.parametrize("agent", ["", None])
def test_what_says_nothing_is_unknown(agent: str | None) -> None:
    assert browser_name(agent) == "An unknown browser"
