"""Addresses are compared as numbers, whatever way they are written."""

from typing import Any

import pytest

from framework import App, ConfigurationError, Context
from framework.addresses import client_network, ip_allow, ip_deny
from framework.request import Headers, Request


async def ask(guard: Any, address: str | None) -> int:
    app = App()

    @app.get("/", guard=guard)
    async def answer(c: Context) -> str:
        return "in"

    async def read(limit: int) -> bytes:
        return b""

    headers = Headers([("x-forwarded-for", "10.0.0.1"), ("x-real-ip", "10.0.0.1")])
    request = Request("GET", "http", "localhost", "/", "", headers, read, address=address)
    return (await app.handle(request, {})).status


@pytest.mark.parametrize(
    ("address", "allowed"),
    [
        ("10.0.0.1", True),
        ("10.255.255.255", True),
        ("11.0.0.1", False),
        ("::ffff:10.0.0.1", True),
        ("::ffff:a00:1", True),
        ("0:0:0:0:0:ffff:0a00:0001", True),
        ("2001:db8::1", True),
        ("2001:0DB8:0000:0000:0000:0000:0000:0001", True),
        ("2001:db9::1", False),
        ("010.0.0.1", False),
        ("10.0.0.1, 11.0.0.1", False),
        ("10.0.0.256", False),
        ("10.1", False),
        ("fe80::1%eth0", False),
        (" 10.0.0.1", False),
        ("", False),
        (None, False),
    ],
)
async def test_only_addresses_inside_pass(address: str | None, allowed: bool) -> None:
    guard = ip_allow("10.0.0.0/8", "2001:db8::/32")

    assert await ask(guard, address) == (200 if allowed else 403)


@pytest.mark.parametrize(
    ("address", "status"),
    [("10.0.0.1", 403), ("::ffff:10.0.0.1", 403), ("11.0.0.1", 200), ("junk", 403), (None, 403)],
)
async def test_addresses_inside_are_refused_and_so_is_what_is_none(
    address: str | None, status: int
) -> None:
    assert await ask(ip_deny("10.0.0.0/8"), address) == status


@pytest.mark.parametrize("network", ["::ffff:10.0.0.0/104", "::ffff:a00:1/128"])
@pytest.mark.parametrize("address", ["10.0.0.1", "::ffff:10.0.0.1"])
async def test_a_network_of_ipv4_may_be_written_as_ipv6(network: str, address: str) -> None:
    assert await ask(ip_deny(network), address) == 403
    assert await ask(ip_allow(network), address) == 200
    assert await ask(ip_deny(network), "11.0.0.1") == 200


@pytest.mark.parametrize(
    ("network", "address", "is_inside"),
    [
        ("::ffff:0:0/96", "10.0.0.1", True),
        ("::ffff:0:0/96", "::1", False),
        ("2001:db8::1", "2001:db8::1", True),
        ("2001:db8::1", "2001:db8::2", False),
        ("fe80::/10", "fe80::1", True),
        ("fe80::/10", "fe80::1%eth0", False),  # of which link, another machine cannot say
    ],
)
async def test_a_network_is_of_any_size(network: str, address: str, is_inside: bool) -> None:
    assert await ask(ip_allow(network), address) == (200 if is_inside else 403)


def test_a_guard_of_addresses_is_listed_by_its_name() -> None:
    app = App()
    for path, guard in {
        "/allow": ip_allow("10.0.0.0/8"),
        "/deny": ip_deny("10.0.0.0/8"),
        "/office": ip_allow("10.0.0.0/8", name="office"),
    }.items():
        app.get(path, guard=guard)(lambda: "in")

    assert [*app.access().values()] == ["ip_allow", "ip_deny", "office"]


@pytest.mark.parametrize(
    ("networks", "said"),
    [
        ((), "no networks given: name at least one"),
        (("10.0.0.1/8",), "'10.0.0.1/8' is not a network"),
        (("everywhere",), "'everywhere' is not a network"),
        (("",), "'' is not a network"),
    ],
)
def test_what_is_no_network_is_refused_when_declared(networks: tuple[str, ...], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        ip_allow(*networks, name="office")


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("10.0.0.1", "10.0.0.1"),
        ("::ffff:10.0.0.1", "10.0.0.1"),
        ("2001:db8:0:1:aaaa::1", "2001:db8:0:1::/64"),
        ("2001:db8:0:1:bbbb::2", "2001:db8:0:1::/64"),
        ("9.9.9.9, 8.8.8.8", "unknown"),
        ("fe80::1%eth0", "unknown"),
        (None, "unknown"),
    ],
)
def test_one_client_is_counted_as_one(address: str | None, network: str) -> None:
    async def read(limit: int) -> bytes:
        return b""

    request = Request("GET", "http", "localhost", "/", "", Headers(), read, address=address)

    assert client_network(Context(request, {})) == network
