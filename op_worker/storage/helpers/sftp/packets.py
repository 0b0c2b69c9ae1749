"""Packets of SFTP, version 3 (draft-ietf-secsh-filexfer-02), as bytes. Pure.

A packet is its length (4 bytes, big endian), its kind (1 byte), the number of the request (4 bytes) and its
body; INIT and VERSION have the version of the protocol for the number.
"""

from __future__ import annotations

import stat
import struct
from collections.abc import Mapping, Sequence
from enum import IntEnum

from attrs import frozen

VERSION = 3
MOST_PACKET_B = 512 * 1024


class Kind(IntEnum):
    """The kinds of packets that we send and get."""

    INIT = 1
    VERSION = 2
    OPEN = 3
    CLOSE = 4
    READ = 5
    WRITE = 6
    LSTAT = 7
    FSTAT = 8
    SETSTAT = 9
    FSETSTAT = 10
    OPENDIR = 11
    READDIR = 12
    REMOVE = 13
    MKDIR = 14
    RMDIR = 15
    REALPATH = 16
    STAT = 17
    RENAME = 18
    STATUS = 101
    HANDLE = 102
    DATA = 103
    NAME = 104
    ATTRS = 105
    EXTENDED = 200
    EXTENDED_REPLY = 201


class Status(IntEnum):
    """The codes of STATUS."""

    OK = 0
    EOF = 1
    NO_SUCH_FILE = 2
    PERMISSION_DENIED = 3
    FAILURE = 4
    BAD_MESSAGE = 5
    NO_CONNECTION = 6
    CONNECTION_LOST = 7
    OP_UNSUPPORTED = 8


class OpenFlag(IntEnum):
    """The flags of OPEN."""

    READ = 0x01
    WRITE = 0x02
    CREATE = 0x08
    TRUNCATE = 0x10


class BadPacketError(Exception):
    """The other side does not speak SFTP; the connection is of no use any more."""


@frozen
class Packet:
    """A packet; ``number`` is of the request that it is or answers."""

    kind: int
    number: int
    body: bytes


@frozen
class Attributes:
    """What a server tells of a file; ``None`` is what it does not tell. Times are seconds since the epoch."""

    size_b: int | None = None
    uid: int | None = None
    gid: int | None = None
    mode: int | None = None
    atime_s: int | None = None
    mtime_s: int | None = None

    @property
    def is_directory(self) -> bool:
        return self.mode is not None and stat.S_ISDIR(self.mode)

    @property
    def is_file(self) -> bool:
        return self.mode is None or stat.S_ISREG(self.mode)

    def encode(self) -> bytes:
        """Return their bytes: a word of flags, then the size, the owners and the mode, as far as known."""
        flags, body = 0, b""
        if self.size_b is not None:
            flags, body = flags | 1, body + struct.pack("!Q", self.size_b)
        if self.uid is not None and self.gid is not None:
            flags, body = flags | 2, body + struct.pack("!II", self.uid, self.gid)
        if self.mode is not None:
            flags, body = flags | 4, body + struct.pack("!I", self.mode)
        return struct.pack("!I", flags) + body


class Reader:
    """Takes the fields of a body off its front. Everything raises BadPacketError when there is too little."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    @property
    def has_more(self) -> bool:
        return self._at < len(self._body)

    def number(self) -> int:
        """Return an unsigned number of 4 bytes."""
        return int(self._unpack("!I"))

    def long(self) -> int:
        """Return an unsigned number of 8 bytes."""
        return int(self._unpack("!Q"))

    def text(self) -> bytes:
        """Return bytes that come after their length."""
        size_b = self.number()
        found = self._body[self._at : self._at + size_b]
        if len(found) < size_b:
            raise BadPacketError("a packet ends too early")
        self._at += size_b
        return found

    def attributes(self) -> Attributes:
        """Return attributes; those of extensions are passed over."""
        flags = self.number()
        size_b = self.long() if flags & 1 else None
        uid, gid = (self.number(), self.number()) if flags & 2 else (None, None)
        mode = self.number() if flags & 4 else None
        atime_s, mtime_s = (self.number(), self.number()) if flags & 8 else (None, None)
        if flags & 0x80000000:
            for _ in range(2 * self.number()):
                self.text()
        return Attributes(size_b, uid, gid, mode, atime_s, mtime_s)

    def names(self) -> Sequence[tuple[bytes, Attributes]]:
        """Return the names of a NAME with their attributes."""
        return [(self.text(), self._skipping_text().attributes()) for _ in range(self.number())]

    def _skipping_text(self) -> Reader:
        self.text()
        return self

    def _unpack(self, layout: str) -> int:
        try:
            (value,) = struct.unpack_from(layout, self._body, self._at)
        except struct.error as error:
            raise BadPacketError("a packet ends too early") from error
        self._at += struct.calcsize(layout)
        return int(value)


class Framing:
    """Cuts what comes into packets."""

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Packet]:
        """Return the packets completed by ``data``. Raises: BadPacketError on a length that none has."""
        self._buffer += data
        packets: list[Packet] = []
        at = 0
        while len(self._buffer) - at >= 4:
            (length_b,) = struct.unpack_from("!I", self._buffer, at)
            if not 5 <= length_b <= MOST_PACKET_B:
                raise BadPacketError(f"a packet of {length_b} bytes")
            if len(self._buffer) - at - 4 < length_b:
                break
            kind, number = struct.unpack_from("!BI", self._buffer, at + 4)
            packets.append(Packet(kind, number, bytes(self._buffer[at + 9 : at + 4 + length_b])))
            at += 4 + length_b
        del self._buffer[:at]
        return packets


def text(data: bytes) -> bytes:
    """Return bytes with their length before them."""
    return struct.pack("!I", len(data)) + data


def encoded(packet: Packet) -> bytes:
    """Return a packet as it is sent."""
    return struct.pack("!IBI", len(packet.body) + 5, packet.kind, packet.number) + packet.body


def extensions(body: bytes) -> Mapping[bytes, bytes]:
    """Return the extensions that a VERSION offers, with their versions."""
    reader = Reader(body)
    found: dict[bytes, bytes] = {}
    while reader.has_more:
        name = reader.text()
        found[name] = reader.text()
    return found
