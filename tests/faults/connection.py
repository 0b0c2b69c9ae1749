"""One client's keep-alive connection to one node, which tells what is known when no answer comes."""

from __future__ import annotations

import http.client
import socket
import ssl
from collections.abc import Mapping
from pathlib import Path

from attrs import define, field, frozen

CONNECT_TIMEOUT_S = 1.0
ANSWER_TIMEOUT_S = 3.0
"""The longest silence while a request is sent or its answer awaited."""


class Unreachable(Exception):
    """The node took no connection: the request was not sent and has no effect."""


class NoAnswer(Exception):
    """The request was sent, at least in part, and nobody knows whether it has, or will have, an effect."""


@frozen
class Reply:
    """What came back."""

    status: int
    body: bytes = field(repr=lambda body: repr(body[:200]))


def trusting(ca_cert: Path) -> ssl.SSLContext:
    """Return TLS settings that trust one authority."""
    return ssl.create_default_context(cafile=str(ca_cert))


@define(eq=False)
class Connection:
    """Requests to ``host``, one at a time; connects when needed."""

    host: str
    tls: ssl.SSLContext
    headers: Mapping[str, str] = field(repr=False)
    port: int = 443
    _link: http.client.HTTPSConnection | None = None

    def ask(
        self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None
    ) -> Reply:
        """Send a request and return its answer, whatever the status. Raises: Unreachable, NoAnswer."""
        link = self._link or self._connected()
        self._link = None
        try:
            link.request(method, path, body=body, headers={**self.headers, **(headers or {})})
            answer = link.getresponse()
            reply = Reply(answer.status, answer.read())
        except (OSError, http.client.HTTPException) as error:
            link.close()
            raise NoAnswer(f"{self.host}: {error!r}") from error
        if answer.will_close:
            link.close()
        else:
            self._link = link
        return reply

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._link is not None:
            self._link.close()
            self._link = None

    def _connected(self) -> http.client.HTTPSConnection:
        link = http.client.HTTPSConnection(self.host, self.port, timeout=CONNECT_TIMEOUT_S, context=self.tls)
        try:
            link.connect()
        except OSError as error:
            link.close()
            raise Unreachable(f"{self.host}: {error!r}") from error
        link.sock.settimeout(ANSWER_TIMEOUT_S)
        link.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link
