"""Guards that look at the client's address. Knows nothing of who is signed in."""

from collections.abc import Iterable
from ipaddress import IPv4Network, IPv6Network, ip_network

from framework.client_network import UNKNOWN, client_network, read_address
from framework.context import Context
from framework.errors import ConfigurationError, Forbidden
from framework.guards import Guard, guard

__all__ = ["UNKNOWN", "client_network", "ip_allow", "ip_deny"]

Network = IPv4Network | IPv6Network

_MAPPED_PREFIX = 96
"""Bits before the IPv4 address in an IPv6 one that holds it (RFC 4291, 2.5.5.2)."""


def ip_allow(*networks: str, name: str = "ip_allow") -> Guard:
    """Return a guard that admits only addresses inside of *networks*, such as ``10.0.0.0/8``.

    Otherwise answers 403, also if the address is unknown. Raises `ConfigurationError` if none are
    given, and for what is not a network.
    """
    return _guard_addresses(name, networks, inside=True)


def ip_deny(*networks: str, name: str = "ip_deny") -> Guard:
    """Return a guard that refuses addresses inside of *networks*, and unknown ones; see `ip_allow`."""
    return _guard_addresses(name, networks, inside=False)


def _guard_addresses(name: str, networks: Iterable[str], *, inside: bool) -> Guard:
    """Return a guard that admits addresses *inside* of *networks*, or outside of all of them."""
    parsed = [_network(text) for text in networks]
    if not parsed:
        raise ConfigurationError("no networks given: name at least one")

    async def address(c: Context) -> None:
        client = read_address(c.request.address)
        if client is None or any(client in network for network in parsed) is not inside:
            raise Forbidden("Not from this address.")

    return guard(address, name=name)


def _network(text: str) -> Network:
    """Return *text* as a network, as IPv4 where it is IPv4 inside of IPv6: addresses are read so."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is not a network: {error}") from None
    if isinstance(network, IPv6Network) and network.prefixlen >= _MAPPED_PREFIX:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ip_network((int(mapped), network.prefixlen - _MAPPED_PREFIX))
    return network
