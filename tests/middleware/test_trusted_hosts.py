"""A host is served where it is listed, and only then."""

import pytest

from framework import App, ConfigurationError, public
from framework.middleware.trusted_hosts import trusted_hosts
from framework.testing import json_of

EXACT = ("example.com",)
WILD = ("*.example.com",)
LOCAL = ("localhost:8787",)
PORT = ("example.com:8443", "*.example.org:8443", "[::1]")


@pytest.mark.parametrize(
    ("trusted", "host", "passes"),
    [
        (EXACT, "example.com", True),
        (EXACT, "EXAMPLE.com", True),
        (EXACT, "example.com:8787", True),
        (EXACT, "www.example.com", False),
        (EXACT, "example.com.", False),
        (EXACT, "example.com.evil.com", False),
        (EXACT, "evil-example.com", False),
        (EXACT, "example.com@evil.com", False),
        (EXACT, "evil.com#example.com", False),
        (EXACT, "example.com:evil", False),
        (EXACT, "example.com:80:80", False),
        (EXACT, "example.com:", False),
        (EXACT, "", False),
        (WILD, "www.example.com", True),
        (WILD, "www.example.com:8787", True),
        (WILD, "example.com", False),
        (WILD, "a.b.example.com", False),
        (WILD, ".example.com", False),
        (WILD, "www.example.org", False),
        (WILD, "*.example.com", False),
        (PORT, "example.com:8443", True),
        (PORT, "example.com", False),
        (PORT, "example.com:443", False),
        (PORT, "www.example.org:8443", True),
        (PORT, "www.example.org", False),
        (PORT, "[::1]", True),
        (PORT, "[::1]:8787", True),
        (PORT, "[::2]", False),
        (LOCAL, "localhost:8787", True),
        (LOCAL, "localhost", False),
        (LOCAL, "localhost:8788", False),
    ],
)
async def test_which_host_is_served(trusted: tuple[str, ...], host: str, passes: bool) -> None:
    app = App()
    app.use(trusted_hosts(*trusted))

    @app.get("/", guard=public)
    async def index() -> str:
        return "here"

    response = await app.request("GET", f"http://{host}/")

    if passes:
        assert response.status == 200
    else:
        assert response.status == 400
        assert json_of(response)["code"] == "untrusted-host"
        assert not host or host.encode() not in bytes(response.body)  # type: ignore[arg-type]  # no stream


@pytest.mark.parametrize(
    "entry",
    [
        "",
        "*",
        "*.",
        "*example.com",
        "www.*.com",
        "*.*.com",
        "Example.com",
        "https://example.com",
        "example.com/",
        "example.com.",
        "a b",
        "a..b",
        "-a",
        "example.com:port",
        "é.example",
        "*.[::1]",
    ],
)
def test_what_is_no_host_is_refused(entry: str) -> None:
    with pytest.raises(ConfigurationError, match="not a host"):
        trusted_hosts("example.com", entry)


def test_no_host_at_all_is_refused() -> None:
    with pytest.raises(ConfigurationError, match="every request"):
        trusted_hosts()
