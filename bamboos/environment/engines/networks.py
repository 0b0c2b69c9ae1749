"""Networks of containers: which part of the private addresses an environment takes."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Network
from pathlib import Path

ROUTES = Path("/proc/net/route")
PRIVATE = IPv4Network("172.16.0.0/12")


def candidates(seed: str, taken: Iterable[IPv4Network]) -> Iterator[IPv4Network]:
    """Private networks of 254 hosts that overlap none of ``taken``; ``seed`` says which comes first."""
    routes = [network for network in taken if network.prefixlen > 0]
    count = 2 ** (24 - PRIVATE.prefixlen)
    start = zlib.crc32(seed.encode())
    for step in range(count):
        base = int(PRIVATE.network_address) + ((start + step) % count) * 256
        network = IPv4Network((base, 24))
        if not any(network.overlaps(route) for route in routes):
            yield network


def routed_networks(text: str) -> Iterator[IPv4Network]:
    """The destinations in the text of ``/proc/net/route``."""
    for line in text.splitlines()[1:]:
        words = line.split()
        address, mask = (int.from_bytes(bytes.fromhex(words[index])[::-1], "big") for index in (1, 7))
        yield IPv4Network((address, mask.bit_count()))


def networks_in_use() -> list[IPv4Network]:
    """The networks that this machine can reach already."""
    return list(routed_networks(ROUTES.read_text())) if ROUTES.exists() else []
