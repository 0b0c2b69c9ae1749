"""Which key a host has to show. Pure."""

from __future__ import annotations

from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Sequence
from hashlib import sha256

from attrs import frozen

from op_worker.storage.types import BadStorageError

_PREFIX = "SHA256:"
_OF_RSA = (b"rsa-sha2-512", b"rsa-sha2-256", b"ssh-rsa")


@frozen
class HostKey:
    """The key that a host must show: its fingerprint, and how to ask for it.

    ``algorithms`` are those to agree on, so that a host with several keys shows this one; none when only the
    fingerprint is known.
    """

    fingerprint: str
    algorithms: Sequence[bytes] = ()

    @classmethod
    def parse(cls, text: str) -> HostKey:
        """Read ``SHA256:…``, or a line such as ``ssh-ed25519 AAAA…``. Raises: BadStorageError."""
        words = text.split()
        if len(words) == 1 and words[0].startswith(_PREFIX):
            return cls(words[0].rstrip("="))
        try:
            blob = b64decode(words[1], validate=True)
        except (IndexError, NotBase64) as error:
            raise BadStorageError(
                "hostKey must be SHA256:… or a public key as ssh-keyscan prints it"
            ) from error
        kind = words[0].encode()
        return cls(fingerprint(blob), _OF_RSA if kind == b"ssh-rsa" else (kind,))


def fingerprint(blob: bytes) -> str:
    """Return the fingerprint of a public key, as ``ssh-keygen -l`` prints it."""
    return _PREFIX + b64encode(sha256(blob).digest()).decode().rstrip("=")
