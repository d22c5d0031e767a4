"""What browsers are called in the list of sessions."""

import pytest

from routes.agents import browser_name

WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"),
        (f"Mozilla/5.0 (Windows NT 10.0; Win64; x64) {WEBKIT} Chrome/140.0 Safari/537.36", "Chrome on Windows"),
        (f"Mozilla/5.0 (Windows NT 10.0) {WEBKIT} Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        (f"Mozilla/5.0 (Linux; Android 10; K) {WEBKIT} Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"),
        (f"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) {WEBKIT} Version/18.0 Safari/605.1", "Safari on macOS"),
        (f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) {WEBKIT} CriOS/140.0 Safari/604.1", "Chrome on iPhone"),
        (f"Mozilla/5.0 (Haiku) {WEBKIT} Chrome/140.0", "Chrome"),
        ("Mozilla/5.0 (compatible; Something/1.0)", "Mozilla/5.0 (compatible; Something/1.0)"),
        ("curl/8.0 on Linux with Firefox/", "curl/8.0 on Linux with Firefox/"),
        ("", "An unknown browser"),
        (None, "An unknown browser"),
    ],
)  # fmt: skip
def test_a_browser_is_named_and_anything_else_stays_as_it_is(agent: str | None, name: str) -> None:
    assert browser_name(agent) == name
