"""Guards that look at the client's address. Knows nothing of who is signed in."""

from collections.abc import Callable, Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from framework.context import Context
from framework.errors import ConfigurationError, Forbidden
from framework.guards import Guard, guard

__all__ = ["UNKNOWN", "client_network", "ip_allow", "ip_deny"]

UNKNOWN = "unknown"
"""What `client_network` calls every client whose address is not known."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED_PREFIX = 96
"""Bits before the IPv4 address in an IPv6 one that holds it (RFC 4291, 2.5.5.2)."""

_IPV6_PREFIX = 64
"""Leading bits that all IPv6 addresses of one client share: it is given a whole network (RFC 6177)."""


def ip_allow(*networks: str, name: str = "ip_allow") -> Guard:
    """Return a guard that admits only addresses inside of *networks*, such as ``10.0.0.0/8``.

    Otherwise answers 403, also if the address is unknown. Raises `ConfigurationError` for an
    invalid network.
    """
    return _guard_addresses(name, networks, lambda inside: inside)


def ip_deny(*networks: str, name: str = "ip_deny") -> Guard:
    """Return a guard that refuses addresses inside of *networks*, and unknown ones; see `ip_allow`."""
    return _guard_addresses(name, networks, lambda inside: not inside)


def _guard_addresses(name: str, networks: Iterable[str], passes: Callable[[bool], bool]) -> Guard:
    parsed = [_network(text) for text in networks]
    if not parsed:
        raise ConfigurationError(f"{name}() needs at least one network")

    async def address(c: Context) -> None:
        client = _address(c.request.address)
        if client is None or not passes(any(client in network for network in parsed)):
            raise Forbidden("Not from this address.")

    return guard(address, name=name)


def client_network(c: Context) -> str:
    """Return what to count one client by: its IPv4 address, or the /64 of its IPv6 address.

    All clients whose address is unknown share the one name `UNKNOWN`.
    """
    client = _address(c.request.address)
    if client is None:
        return UNKNOWN
    if client.version == 4:
        return str(client)
    return str(ip_network((int(client), _IPV6_PREFIX), strict=False))


def _address(text: str | None) -> Address | None:
    """Return *text* as an address, as IPv4 where it is IPv4 inside of IPv6; None for anything else."""
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if address.version == 6:
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address


def _network(text: str) -> Network:
    """Return *text* as a network, as IPv4 where it is IPv4 inside of IPv6: addresses are read so."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise ConfigurationError(f"{text!r} is not a network: {error}") from None
    if network.version == 6 and network.prefixlen >= _MAPPED_PREFIX:
        mapped = network.network_address.ipv4_mapped
        if mapped is not None:
            return ip_network((int(mapped), network.prefixlen - _MAPPED_PREFIX))
    return network
