"""Small blocking HTTPS client that trusts the environment's own authority only."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class RestFailed(Exception):
    """A daemon refused a request; the text carries method, path, status and body."""

    def __init__(self, method: str, path: str, status: int, body: bytes) -> None:
        super().__init__(f"{method} {path} answered {status}: {body[:500].decode(errors='replace')}")
        self.status = status
        self.body = body


@dataclass(frozen=True)
class Answer:
    """What came back: ``headers`` have lower-case names."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        """The body as JSON, ``None`` when it is empty."""
        return json.loads(self.body) if self.body else None


@dataclass
class Rest:
    """Requests to one daemon at ``address:port``; the certificate must name that address.

    Without a ``ca_cert`` it is plain HTTP.
    """

    address: str
    port: int
    ca_cert: Path | None
    headers: Mapping[str, str] = field(default_factory=dict)
    timeout_s: float = 30.0

    def __post_init__(self) -> None:
        self._tls = ssl.create_default_context(cafile=str(self.ca_cert)) if self.ca_cert else None

    def as_user(self, name: str, password: str) -> Rest:
        """The same daemon with HTTP Basic credentials."""
        secret = base64.b64encode(f"{name}:{password}".encode()).decode()
        return Rest(self.address, self.port, self.ca_cert, {"Authorization": f"Basic {secret}"})

    def _connection(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self.address, self.port, timeout=self.timeout_s)
        return http.client.HTTPSConnection(self.address, self.port, timeout=self.timeout_s, context=self._tls)

    def request(
        self, method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send a request; ``body`` is sent as JSON, bytes as they are. Returns any status below 400.

        Raises: RestFailed for other statuses, OSError when the daemon cannot be reached.
        """
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        sent = {**self.headers, **(headers or {})}
        if body is not None and not isinstance(body, bytes):
            sent.setdefault("Content-Type", "application/json")
        link = self._connection()
        try:
            link.request(method, path, body=data or None, headers=sent)
            reply = link.getresponse()
            answer = Answer(
                reply.status, {name.lower(): value for name, value in reply.getheaders()}, reply.read()
            )
        except http.client.HTTPException as error:
            raise OSError(f"{method} {path}: {error!r}") from error
        finally:
            link.close()
        if answer.status >= 400:
            raise RestFailed(method, path, answer.status, answer.body)
        return answer
