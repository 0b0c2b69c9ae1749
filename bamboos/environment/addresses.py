"""Loopback addresses for the nodes of an environment: one of its own for each."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Iterator, MutableMapping
from dataclasses import dataclass, field

HIGH_HTTPS_PORT = 8443
"""Where HTTPS is served when the user may not open port 443."""


def https_port() -> int:
    """443 for those who may open it, a high port otherwise."""
    return 443 if _may_open_low_ports() else HIGH_HTTPS_PORT


def _may_open_low_ports() -> bool:
    if os.geteuid() == 0:
        return True
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", 443))
        except PermissionError:
            return False
        except OSError:
            return True
    return True


def with_port(address: str, port: int) -> str:
    """``address``, with the port only where it is not HTTPS's own."""
    return address if port == 443 else f"{address}:{port}"


@dataclass
class Addresses:
    """Gives each host name an address in one 127.x.y.0/24 and remembers it.

    Args:
        seed: chooses where the search for a free /24 begins.
        given: host name → address, kept between runs of the same environment.
    """

    seed: str
    port: int
    given: MutableMapping[str, str] = field(default_factory=dict)

    def of(self, host: str) -> str:
        """The address of ``host``; the same one at every call."""
        if host not in self.given:
            network = self._network()
            self.given[host] = f"{network}.{2 + len(self.given)}"
        return self.given[host]

    def _network(self) -> str:
        for address in self.given.values():
            return address.rpartition(".")[0]
        for network in self._candidates():
            if _is_free(f"{network}.2", self.port) and _is_free(f"{network}.3", self.port):
                return network
        raise OSError("no free loopback network found")

    def _candidates(self) -> Iterator[str]:
        start = zlib.crc32(self.seed.encode())
        for step in range(4096):
            number = (start + step * 251) % (100 * 250)
            yield f"127.{100 + number // 250}.{1 + number % 250}"


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
