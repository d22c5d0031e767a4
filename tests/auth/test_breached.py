"""A password from a breach is not chosen; the service that knows them learns next to nothing."""

import hashlib
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler

import pytest

from framework import ConfigurationError, fetching
from framework.auth import PasswordError
from framework.auth.breached import not_breached
from framework.fetching import FetchFailed
from framework.local.fetching import fetch_in_thread
from framework.testing import json_of
from tests.auth.recovering import Recovering
from tests.auth.world import PASSWORD, World
from tests.other_server import Asked, Elsewhere, serve_elsewhere

KNOWN = "password1"
PADDING = "unlikely to be known"
STRANGE = {"/range/EMPTY": b"", "/range/JUNK": b"\xff\xfe:::\n:\n\n<html>:1"}


def sha1(password: str) -> str:
    return hashlib.sha1(password.encode()).hexdigest().upper()


def answer(asked: Asked, handler: BaseHTTPRequestHandler) -> None:
    """Answer as the service does, CRLF between the lines; from ``/503/`` on, with that status."""
    prefix, known, padding = asked.target[-5:], sha1(KNOWN), sha1(PADDING)
    lines = [f"{'0' * 34}A:7", f"{'0' * 34}B:0"]
    lines += [f"{known[5:]}:2401761"] if known.startswith(prefix) else []
    lines += [f"{padding[5:]}:0"] if padding.startswith(prefix) else []
    body = "\r\n".join(lines).encode()
    for start, strange in STRANGE.items():
        body = strange if asked.target.startswith(start) else body
    body = body.lower() if "/lower/" in asked.target else body
    handler.send_response(503 if "/503/" in asked.target else 200)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Elsewhere]:
    """The service, real and on loopback."""
    monkeypatch.setattr(fetching, "_provided", fetch_in_thread)
    with serve_elsewhere(answer) as elsewhere:
        yield elsewhere


@pytest.mark.parametrize(
    ("password", "is_known"),
    [
        (KNOWN, True),
        ("ｐassword1", True),  # noqa: RUF001  # the same after NFKC, which is what is hashed
        ("Password1", False),
        ("password1 ", False),
        (PADDING, False),
        ("pässwörd ☾", False),
    ],
)
async def test_what_is_known_is_refused(service: Elsewhere, password: str, is_known: bool) -> None:
    check = not_breached(range_url=f"{service.url}/range/")

    if is_known:
        with pytest.raises(PasswordError, match="known from a breach"):
            await check(password)
    else:
        await check(password)


async def test_a_mirror_may_write_small_letters(service: Elsewhere) -> None:
    with pytest.raises(PasswordError, match="known from a breach"):
        await not_breached(range_url=f"{service.url}/lower/")(KNOWN)


async def test_the_service_is_told_five_digits(service: Elsewhere) -> None:
    with pytest.raises(PasswordError):
        await not_breached(range_url=f"{service.url}/range/")(KNOWN)

    [asked] = service.asked
    assert (asked.method, asked.target, asked.body) == ("GET", f"/range/{sha1(KNOWN)[:5]}", b"")
    assert asked.headers["add-padding"] == "true"
    assert sha1(KNOWN)[5:] not in repr(asked)


@pytest.mark.parametrize("password", ["", "short", "x" * 1025, "\ud800" * 8])
async def test_what_can_be_no_password_is_asked_nobody(service: Elsewhere, password: str) -> None:
    with pytest.raises(PasswordError):
        await not_breached(range_url=f"{service.url}/range/")(password)

    assert service.asked == []


DOWN: dict[str, Callable[[Elsewhere], str]] = {
    "status": lambda service: f"{service.url}/503/",
    "nobody there": lambda _: "http://127.0.0.1:1/",
}


@pytest.mark.parametrize("range_url", DOWN.values(), ids=DOWN.keys())
async def test_an_outage_lets_pass_and_is_logged(
    service: Elsewhere, caplog: pytest.LogCaptureFixture, range_url: Callable[[Elsewhere], str]
) -> None:
    await not_breached(range_url=range_url(service))(KNOWN)

    assert "a password was not checked against known breaches: 127.0.0.1" in caplog.text
    assert sha1(KNOWN)[:5] not in caplog.text


@pytest.mark.parametrize("range_url", DOWN.values(), ids=DOWN.keys())
async def test_where_it_is_strict_an_outage_is_503(
    service: Elsewhere, range_url: Callable[[Elsewhere], str]
) -> None:
    with pytest.raises(FetchFailed):
        await not_breached(range_url=range_url(service), strict=True)(KNOWN)


@pytest.mark.parametrize("start", STRANGE)
async def test_a_strange_answer_names_no_password(service: Elsewhere, start: str) -> None:
    await not_breached(range_url=service.url + start)(KNOWN)


@pytest.mark.parametrize("url", ["", "api.example.com", "ftp://a/", "https://"])
def test_what_is_no_url_is_refused(url: str) -> None:
    with pytest.raises(ConfigurationError, match="range_url"):
        not_breached(range_url=url)


# --- Where it is asked ---------------------------------------------------------------------------


async def test_whoever_chooses_a_password_is_asked_before_any_hash() -> None:
    asked: list[str] = []

    async def check(password: str) -> None:
        asked.append(password)
        if password == KNOWN:
            raise PasswordError("Choose another.")

    world = World(check_password=check)
    refused = await world.browser().post("/sign-up", json={"password": KNOWN})
    browser = await world.signed_up()
    await world.signed_in()
    hashes = world.hasher.hashes
    kept = await browser.put("/password", json={"new": KNOWN})
    changed = await browser.put("/password", json={"new": "battery staple"})
    world.close()

    assert (refused.status, json_of(refused)["code"]) == (422, "unusable-password")
    assert (kept.status, changed.status) == (422, 204)
    assert asked == [KNOWN, PASSWORD, KNOWN, "battery staple"]
    assert (hashes, world.hasher.hashes) == (1, 2)


async def test_an_outage_of_the_list_counts_as_no_guess() -> None:
    is_down = False

    async def check(_: str) -> None:
        if is_down:
            raise FetchFailed("api.example.com did not answer")

    world = World(check_password=check)
    browser = await world.signed_up()
    is_down = True

    changes = [await browser.put("/password", json={"new": "battery staple"}) for _ in range(12)]

    assert {answer.status for answer in changes} == {503}
    assert (await browser.post("/sign-in", json={})).status == 200
    world.close()


async def test_a_link_asks_too_and_stays_good() -> None:
    async def check(password: str) -> None:
        if password == KNOWN:
            raise PasswordError("Choose another.")

    recovering = Recovering(check_password=check)
    await recovering.verified()
    token = await recovering.mailed()

    assert (await recovering.reset(token, KNOWN)).status == 422
    assert (await recovering.reset(token)).status == 204
    recovering.close()
