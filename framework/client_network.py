"""Says by what to count one client: its address. Knows no limits."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from framework.context import Context

__all__ = ["UNKNOWN", "client_network", "read_address"]

UNKNOWN = "unknown"
"""What `client_network` calls every client whose address is not known."""

_IPV6_PREFIX = 64
"""Leading bits that all IPv6 addresses of one client share: it is given a whole network (RFC 6177)."""


def client_network(c: Context) -> str:
    """Return what to count one client by: its IPv4 address, or the /64 of its IPv6 address.

    All clients whose address is unknown share the one name `UNKNOWN`.
    """
    client = read_address(c.request.address)
    if client is None:
        return UNKNOWN
    if client.version == 4:
        return str(client)
    return str(ip_network((int(client), _IPV6_PREFIX), strict=False))


def read_address(text: str | None) -> IPv4Address | IPv6Address | None:
    """Return *text* as an address, as IPv4 where it is IPv4 inside of IPv6; None for anything else."""
    try:
        address = ip_address(text or "")
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        if address.scope_id is not None:
            return None
        return address.ipv4_mapped or address
    return address
