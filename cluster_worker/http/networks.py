"""From which networks a page may be asked for. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from attrs import Attribute, frozen


@frozen
class Networks:
    """Networks of either family."""

    members: tuple[IPv4Network | IPv6Network, ...]

    @classmethod
    def parse(cls, texts: Iterable[str]) -> Networks:
        """Read ``10.0.0.0/8``, ``2001:db8::/32``, or single addresses. Raises: ValueError."""
        return cls(tuple(ip_network(text) for text in texts))

    def hold(self, address: str | None) -> bool:
        """Whether an address is in one of them. An IPv4 address may be written as a mapped IPv6 one."""
        if address is None:
            return False
        try:
            found: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
        except ValueError:
            return False
        if isinstance(found, IPv6Address) and found.ipv4_mapped is not None:
            found = found.ipv4_mapped
        return any(found in network for network in self.members)


def are_networks(_: object, attribute: Attribute[tuple[str, ...]], texts: tuple[str, ...]) -> None:
    """Validate an option that lists networks. Raises: ValueError."""
    try:
        Networks.parse(texts)
    except ValueError as error:
        raise ValueError(f"{attribute.name}: {error}") from None
