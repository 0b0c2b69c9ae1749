"""Talks with the admin door of a provider.

There is no reactor in a terminal command; everything here waits.
"""

from __future__ import annotations

import base64
import json
import socket
import ssl
from collections.abc import Mapping
from http.client import HTTPException, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from attrs import field, frozen

USERNAME = "onepanel"
_BASE = "/api/v3/onepanel/provider"
_LONGEST_ANSWER_B = 64 * 1024 * 1024


class Refused(Exception):
    """The provider refused; the text is its sentence, ``status`` its HTTP status."""

    def __init__(self, status: int, error_id: str, text: str) -> None:
        super().__init__(text)
        self.status, self.error_id = status, error_id


class Unreachable(Exception):
    """No answer came, or none of a provider; the text says why."""


@frozen(kw_only=True)
class PanelClient:
    """Sends requests to one provider.

    Attributes:
        url: of the provider, such as ``https://provider.example``; its certificate is held against it.
        connect: host and port to connect to in the place of those of the URL.
    """

    url: str
    passphrase: str = field(repr=False)
    context: ssl.SSLContext = field(repr=False)
    connect: tuple[str, int] | None = None
    timeout_s: float = 120.0

    def ask(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the JSON object of the answer, an empty one for none. ``path`` is below ``/provider``.

        Raises: Refused; Unreachable.
        """
        try:
            status, content = self._exchange(method, path, body)
            answer = json.loads(content) if content else {}
        except (OSError, HTTPException, ValueError) as problem:
            raise Unreachable(f"{self.url}: {problem}") from problem
        if status >= 300:
            error = answer.get("error", {}) if isinstance(answer, dict) else {}
            text = str(error.get("description") or f"the provider answered {status}")
            raise Refused(status, str(error.get("id", "")), text)
        return answer if isinstance(answer, dict) else {}

    def _exchange(self, method: str, path: str, body: Mapping[str, Any] | None) -> tuple[int, bytes]:
        parts = urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or 443
        connection = _Connection(host, port, self.connect, self.context, self.timeout_s)
        basic = base64.b64encode(f"{USERNAME}:{self.passphrase}".encode()).decode()
        headers = {"Authorization": f"Basic {basic}"}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            data = None if body is None else json.dumps(body)
            connection.request(method, f"{_BASE}{path}", body=data, headers=headers)
            answer = connection.getresponse()
            return answer.status, answer.read(_LONGEST_ANSWER_B)
        finally:
            connection.close()


class _Connection(HTTPSConnection):
    """To an address that may be another than that of the certificate."""

    def __init__(
        self,
        host: str,
        port: int,
        connect: tuple[str, int] | None,
        context: ssl.SSLContext,
        timeout_s: float,
    ) -> None:
        super().__init__(host, port, timeout=timeout_s, context=context)
        self._name, self._tls = host, context
        self._address = connect or (host, port)

    def connect(self) -> None:
        plain = socket.create_connection(self._address, self.timeout)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self._name)
