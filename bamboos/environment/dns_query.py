"""One question to a name server, as bytes: enough to know that it is there."""

from __future__ import annotations

import socket
import struct

DNS_PORT = 53
_RECURSION_DESIRED = 0x0100
_TYPE_A, _CLASS_IN = 1, 1


def question(name: str, number: int) -> bytes:
    """A message that asks for the addresses of ``name``."""
    labels = b"".join(bytes([len(label)]) + label.encode() for label in name.split("."))
    header = struct.pack("!6H", number, _RECURSION_DESIRED, 1, 0, 0, 0)
    return header + labels + struct.pack("!BHH", 0, _TYPE_A, _CLASS_IN)


def has_answer(message: bytes, number: int) -> bool:
    """Whether ``message`` answers the question of that number without an error."""
    if len(message) < 12:
        return False
    found, flags, _, answers = struct.unpack("!4H", message[:8])
    return bool(found == number and flags & 0xF == 0 and answers > 0)


def resolves(server: str, name: str, limit_s: float = 1.0) -> bool:
    """Whether the name server at the address ``server`` knows ``name``."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.settimeout(limit_s)
        try:
            link.connect((server, DNS_PORT))
            link.send(question(name, 7))
            return has_answer(link.recv(4096), 7)
        except OSError:
            return False
