"""One keep-alive HTTP/1.1 connection over TLS, with as little work for each request as a client can do."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import Mapping

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_CHUNKED = re.compile(rb"\r\ntransfer-encoding: *chunked", re.IGNORECASE)
_CLOSES = re.compile(rb"\r\nconnection: *close", re.IGNORECASE)
_END = b"\r\n\r\n"
_WITHOUT_BODY = (204, 304)


class Gone(Exception):
    """The server closed the connection before it answered."""


class Connection(asyncio.Protocol):
    """Sends one request at a time; connects again when the server closed."""

    def __init__(self, host: str, port: int, headers: Mapping[str, str], timeout_s: float = 60.0) -> None:
        self._host, self._port, self._timeout_s = host, port, timeout_s
        shared = {"Host": f"{host}:{port}", **headers}
        self._shared = "".join(f"{name}: {value}\r\n" for name, value in shared.items())
        self._tls = ssl.create_default_context()
        self._tls.check_hostname, self._tls.verify_mode = False, ssl.CERT_NONE
        self._transport: asyncio.Transport | None = None
        self._waiter: asyncio.Future[None] | None = None
        self._received = bytearray()

    async def ask(
        self, method: str, path: str, headers: Mapping[str, str], body: bytes | None
    ) -> tuple[int, bytes]:
        """Return status and body of the answer. Raises: Gone; OSError; TimeoutError."""
        if self._transport is None or self._transport.is_closing():
            await self._connect()
        assert self._transport is not None
        more = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        length = "" if body is None else f"Content-Length: {len(body)}\r\n"
        head = f"{method} {path} HTTP/1.1\r\n{self._shared}{more}{length}\r\n".encode()
        self._transport.write(head + (body or b""))
        async with asyncio.timeout(self._timeout_s):
            return await self._answer()

    def close(self) -> None:
        """Close, dropping what was not sent."""
        if self._transport is not None:
            self._transport.abort()

    async def _answer(self) -> tuple[int, bytes]:
        head = await self._until(_END)
        status = int(head[9:12])
        if status < 200:
            return await self._answer()
        if _CHUNKED.search(head):
            body = await self._chunks()
        else:
            length = _LENGTH.search(head)
            body = await self._exactly(int(length[1]) if length and status not in _WITHOUT_BODY else 0)
        if _CLOSES.search(head):
            self.close()
            self._transport = None
        return status, body

    async def _chunks(self) -> bytes:
        pieces = []
        while size_b := int((await self._until(b"\r\n")).split(b";")[0], 16):
            pieces.append((await self._exactly(size_b + 2))[:-2])
        await self._until(b"\r\n")
        return b"".join(pieces)

    async def _until(self, mark: bytes) -> bytes:
        while (end := self._received.find(mark)) < 0:
            await self._more()
        return self._take(end + len(mark))

    async def _exactly(self, size_b: int) -> bytes:
        while len(self._received) < size_b:
            await self._more()
        return self._take(size_b)

    def _take(self, size_b: int) -> bytes:
        data = bytes(self._received[:size_b])
        del self._received[:size_b]
        return data

    async def _more(self) -> None:
        if self._transport is None:
            raise Gone
        self._waiter = asyncio.get_running_loop().create_future()
        await self._waiter

    async def _connect(self) -> None:
        self._received.clear()
        loop = asyncio.get_running_loop()
        self._transport, _ = await loop.create_connection(lambda: self, self._host, self._port, ssl=self._tls)

    def data_received(self, data: bytes) -> None:
        self._received += data
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._wake()

    def _wake(self) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(None)
