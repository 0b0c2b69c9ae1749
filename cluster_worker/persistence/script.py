"""A Lua script, and the commands that teach it to a server and run it there."""

from __future__ import annotations

from hashlib import sha1

from attrs import field, frozen

from cluster_worker.persistence.resp import encode_command


def _source_bytes(text: str) -> bytes:
    return text.strip().encode()


@frozen
class Script:
    """A script and the beginning of every command that runs it, ready to send."""

    source: bytes = field(converter=_source_bytes)
    digest: str = field(init=False)
    _head: bytes = field(init=False, repr=False)

    def __attrs_post_init__(self) -> None:
        digest = sha1(self.source, usedforsecurity=False).hexdigest()
        object.__setattr__(self, "digest", digest)
        object.__setattr__(
            self, "_head", b"*5\r\n$7\r\nEVALSHA\r\n$40\r\n%b\r\n$1\r\n1\r\n" % digest.encode()
        )

    def request(self, key: bytes, argument: bytes) -> bytes:
        """Return the command that runs the script with its one key and its one argument."""
        return b"%b$%d\r\n%b\r\n$%d\r\n%b\r\n" % (self._head, len(key), key, len(argument), argument)

    @property
    def load(self) -> bytes:
        """The command that makes a server know the script."""
        return encode_command((b"SCRIPT", b"LOAD", self.source))
