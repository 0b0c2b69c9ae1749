"""What the answers of an SFTP server mean for a storage. Pure."""

from __future__ import annotations

import errno

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.sftp.packets import Reader, Status

_NUMBERS = {
    Status.NO_SUCH_FILE: errno.ENOENT,
    Status.PERMISSION_DENIED: errno.EACCES,
    Status.BAD_MESSAGE: errno.EINVAL,
    Status.OP_UNSUPPORTED: errno.ENOTSUP,
}
_PASSING = frozenset({Status.NO_CONNECTION, Status.CONNECTION_LOST})


class Refused(Exception):
    """A server refused a request: ``code`` is the little that SFTP says of it, ``words`` are the server's."""

    def __init__(self, code: int, words: str) -> None:
        super().__init__(f"status {code}: {words}")
        self.code, self.words = code, words


def refusal(body: bytes) -> Refused | None:
    """Read a STATUS; ``None`` when it tells of success."""
    reader = Reader(body)
    code = reader.number()
    words = reader.text().decode("utf-8", "replace") if reader.has_more else ""
    return None if code == Status.OK else Refused(code, words)


def failure(refused: Refused, path: str) -> StorageError:
    """Return the error of a storage for a refusal of which nothing more is known."""
    words = f"the server says {refused.words or refused.code}"
    known = Status(refused.code) if refused.code in set(Status) else Status.FAILURE
    if known in _PASSING:
        return StorageUnavailable(errno.EIO, path, words)
    return StorageError(_NUMBERS.get(known, errno.EIO), path, words)
