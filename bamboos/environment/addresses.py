"""Addresses for the nodes of an environment: one of its own for each."""

from __future__ import annotations

import os
import socket
import zlib
from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field

HIGH_HTTPS_PORT = 8443
"""Where HTTPS is served when the user may not open port 443."""

HIGH_HTTP_PORT = 8080
"""Where plain HTTP is served when the user may not open port 80."""

LAST_HOST = 254
"""The last number of an address in a network of 254."""


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
    """Gives each host name an address in one network of 254 and remembers it.

    Args:
        port: where HTTPS is served.
        find_network: returns the first three numbers of a free network; asked once, when there is none yet.
        given: host name → address, kept between runs of the same environment.
    """

    port: int
    find_network: Callable[[], str]
    given: MutableMapping[str, str] = field(default_factory=dict)

    @property
    def plain_port(self) -> int:
        """Where the health page of a bare node is served, over plain HTTP."""
        return 80 if self.port == 443 else HIGH_HTTP_PORT

    @property
    def network(self) -> str:
        """The first three numbers of every address."""
        for address in self.given.values():
            return address.rpartition(".")[0]
        return self.find_network()

    def of(self, host: str) -> str:
        """The address of ``host``; the same one at every call.

        Raises: OSError when there is no network, or no address in it.
        """
        if host not in self.given:
            last = 1 + max((int(address.rpartition(".")[2]) for address in self.given.values()), default=1)
            if last > LAST_HOST:
                raise OSError(f"{self.network}.0/24 has no address left for {host}")
            self.given[host] = f"{self.network}.{last}"
        return self.given[host]


def free_loopback_network(seed: str, port: int) -> str:
    """The first numbers of a 127.x.y.0/24 in which nobody listens on ``port``; the search begins by ``seed``.

    Raises: OSError when there is none.
    """
    start = zlib.crc32(seed.encode())
    for step in range(4096):
        number = (start + step * 251) % (100 * 250)
        network = f"127.{100 + number // 250}.{1 + number % 250}"
        if _is_free(f"{network}.2", port) and _is_free(f"{network}.3", port):
            return network
    raise OSError("no free loopback network found")


def _is_free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
    return True
