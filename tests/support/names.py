"""Names of an environment's containers, resolved by its own name server for this process."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from twisted.names import dns

QUERY_LIMIT_S = 5.0


def addresses_of(server: str, name: str) -> list[str]:
    """Ask the name server at the address ``server``; empty when it knows no such name."""
    query = dns.Message(id=1, recDes=1)
    query.addQuery(name.encode(), dns.A)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(QUERY_LIMIT_S)
        link.sendto(query.toStr(), (server, dns.PORT))
        answer = dns.Message()
        answer.fromStr(link.recv(4096))
    payloads: list[Any] = [record.payload for record in answer.answers]
    return [payload.dottedQuad() for payload in payloads if isinstance(payload, dns.Record_A)]


@contextmanager
def resolved_by(server: str, suffix: str = ".test") -> Iterator[None]:
    """Within this, names that end in ``suffix`` are those the server knows; others resolve as ever."""
    system = socket.getaddrinfo

    def getaddrinfo(host: Any, port: Any, *more: Any, **options: Any) -> Any:
        if not isinstance(host, str) or not host.endswith(suffix):
            return system(host, port, *more, **options)
        found = [system(address, port, *more, **options) for address in addresses_of(server, host)]
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, f"{host} is unknown to {server}")
        return [entry for entries in found for entry in entries]

    with mock.patch.object(socket, "getaddrinfo", getaddrinfo):
        yield
