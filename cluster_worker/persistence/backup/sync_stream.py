"""What a server sends to a replica that begins from nothing, without I/O: bytes in, bytes of the dump out."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.persistence.backup.errors import DumpBroken
from cluster_worker.persistence.resp import encode_command

_MARK_B = 40
_MAX_LINE_B = 4096


@frozen
class Command:
    """One command before the dump; what is not ``needed`` may be refused by an older server."""

    words: Sequence[bytes]
    needed: bool = True


ASK_FOR_DUMP = (
    Command((b"REPLCONF", b"capa", b"eof"), needed=False),
    Command((b"REPLCONF", b"rdb-only", b"1"), needed=False),
    Command((b"PSYNC", b"?", b"-1")),
)
"""Asks for the data as they are now, and for nothing that happens later."""


class SyncStream:
    """Asks one command after the other, then reads the dump, which ends by its length or by a mark.

    Args:
        commands: what is asked; the last one is answered by the dump, and none before the last is answered.

    Attributes:
        is_done: whether the dump is complete.
        history: the server's replication id and offset at the moment of the dump; empty for an old server.
    """

    def __init__(self, commands: Sequence[Command]) -> None:
        self._expected = list(commands)
        self._request = encode_command(commands[0].words)
        self._buffer = bytearray()
        self._left_b: int | None = None
        self._mark: bytes | None = None
        self.is_done = False
        self.history = ""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes of the dump that ``data`` brings. Raises: DumpBroken."""
        self._buffer += data
        while self._left_b is None and self._mark is None:
            line = self._line()
            if line is None:
                return b""
            self._take(line)
        return self._until_mark() if self._mark is not None else self._until_length()

    def take_request(self) -> bytes:
        """Return what is to be sent now: after the start and after each ``feed``, perhaps nothing."""
        request, self._request = self._request, b""
        return request

    def _line(self) -> bytes | None:
        end = self._buffer.find(b"\n")
        if end < 0:
            if len(self._buffer) > _MAX_LINE_B:
                raise DumpBroken("a line without an end")
            return None
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    def _take(self, line: bytes) -> None:
        if not line:
            return  # the server is alive and not ready yet
        if len(self._expected) > 1:
            command = self._expected.pop(0)
            if line.startswith(b"-") and command.needed:
                raise DumpBroken(line[1:].decode("utf-8", "replace"))
            self._request = encode_command(self._expected[0].words)
        elif line.startswith(b"+FULLRESYNC "):
            self.history = line.decode("ascii", "replace").partition(" ")[2]
        elif line.startswith(b"$EOF:") and len(line) == 5 + _MARK_B:
            self._mark = line[5:]
        elif line.startswith(b"$") and line[1:].isdigit():
            self._left_b = int(line[1:])
        else:
            raise DumpBroken(line.lstrip(b"-").decode("utf-8", "replace"))

    def _until_length(self) -> bytes:
        assert self._left_b is not None
        piece = bytes(self._buffer[: self._left_b])
        self._buffer.clear()
        self._left_b -= len(piece)
        self.is_done = self._left_b == 0
        return piece

    def _until_mark(self) -> bytes:
        assert self._mark is not None
        end = self._buffer.find(self._mark)
        self.is_done = end >= 0
        if not self.is_done:
            end = max(0, len(self._buffer) - _MARK_B)  # a part of the mark may be there
        piece = bytes(self._buffer[:end])
        del self._buffer[:end]
        return piece
