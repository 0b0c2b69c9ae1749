"""The names on an SFTP server: looking, listing, making, renaming and removing them."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncGenerator, Sequence
from typing import Any, cast

from attrs import define
from twisted.internet.defer import Deferred, FirstError, gatherResults

from op_worker.storage.helper import Capacity, StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.paths import is_below, parent, parts, raw
from op_worker.storage.helpers.sftp.channel import SftpChannel
from op_worker.storage.helpers.sftp.connecting import TROUBLE, trouble
from op_worker.storage.helpers.sftp.failures import Refused, failure
from op_worker.storage.helpers.sftp.packets import Attributes, Kind, OpenFlag, Packet, Reader, Status, text
from op_worker.storage.helpers.sftp.sessions import Sessions

DIRECTORY_MODE = 0o775
FILE_MODE = 0o664
_MOST_TRIES = 8
_RENAME = b"posix-rename@openssh.com"
_STATVFS = b"statvfs@openssh.com"
_READ_ONLY = 1
Entries = Sequence[tuple[bytes, Attributes]]


@define(eq=False)
class Tree:
    """What is below ``root`` on a server; every method raises StorageErrors.

    Symbolic links are not followed: before a path is used, the server is asked where the directory above it
    really is. Somebody who can write to the server and is faster than that can lead us outside.
    """

    sessions: Sessions
    root: str
    _real_root: bytes = b""

    async def ask(self, path: StoragePath, kind: Kind, body: bytes) -> Packet:
        """Ask for what concerns a path, over any session. Raises: Refused; StorageUnavailable."""
        return await asked(await self.sessions.session(), path, kind, body)

    async def look(self, path: StoragePath) -> Attributes | None:
        """Return what is at a path, links not followed; ``None`` when there is nothing."""
        try:
            answer = await self.ask(path, Kind.LSTAT, text(self.raw(path)))
        except Refused as refused:
            if refused.code == Status.NO_SUCH_FILE:
                return None
            raise failure(refused, path) from refused
        return Reader(answer.body).attributes()

    async def find(self, path: StoragePath) -> Attributes:
        """Return what is at a path that leads through directories only. Raises: as ``missing`` says."""
        parts(path)
        looking: list[Deferred[Any]] = [
            Deferred.fromCoroutine(self.look(path)),
            Deferred.fromCoroutine(self.check_way(path)),
        ]
        try:
            found, _ = await gatherResults(looking, consumeErrors=True)
        except FirstError as error:
            error.subFailure.raiseException()
        if found is None:
            raise await self.missing(path)
        return cast(Attributes, found)

    async def missing(self, path: StoragePath) -> StorageError:
        """Return the error for a path where nothing is: ENOTDIR when a file is on the way."""
        above = path
        while above:
            above = parent(above)
            found = await self.look(above)
            if found is not None:
                return StorageError(errno.ENOENT if found.is_directory else errno.ENOTDIR, path)
        return StorageUnavailable(errno.EIO, path, "the root of the storage is missing")

    async def check_way(self, path: StoragePath) -> None:
        """Raise StorageError(ELOOP) when a link is above a path; what is missing there is no matter."""
        above = parent(path)
        if not self._real_root:
            self._real_root = await self._real(StoragePath("")) or b""
        found = await self._real(above)
        expected = self._real_root + (b"/" + raw(above) if above else b"")
        if (
            found is not None
            and self._real_root
            and found.replace(b"//", b"/") != expected.replace(b"//", b"/")
        ):
            raise StorageError(errno.ELOOP, path, "a symbolic link is on the way")

    async def open(self, session: SftpChannel, path: StoragePath, flags: int) -> bytes:
        """Return the handle of a file, which is made with its parents when ``flags`` say so."""
        body = text(self.raw(path)) + flags.to_bytes(4, "big") + Attributes(mode=FILE_MODE).encode()
        for _ in range(_MOST_TRIES):
            try:
                return Reader((await asked(session, path, Kind.OPEN, body)).body).text()
            except Refused as refused:
                if refused.code == Status.NO_SUCH_FILE and flags & OpenFlag.CREATE:
                    await self.make_parents(path)
                    continue
                raise await self._why(refused, path) from refused
        raise StorageError(errno.EBUSY, path, "directories vanish as fast as they are made")

    async def make_directory(self, path: StoragePath) -> None:
        """Make a directory and those above it; an existing one is fine."""
        await self.check_way(path)
        try:
            await self.ask(path, Kind.MKDIR, text(self.raw(path)) + Attributes(mode=DIRECTORY_MODE).encode())
        except Refused as refused:
            found = await self.look(path)
            if found is not None:
                if found.is_directory:
                    return
                raise StorageError(errno.ENOTDIR, path) from refused
            if refused.code != Status.NO_SUCH_FILE:
                raise failure(refused, path) from refused
            await self.make_parents(path)
            await self._make_one(path)

    async def make_parents(self, path: StoragePath) -> None:
        """Make the directories above a path. Raises: StorageError(ENOTDIR); StorageUnavailable."""
        above = parent(path)
        if above:
            await self.make_directory(above)
        elif await self.look(above) is None:
            raise await self.missing(path)

    async def remove(self, path: StoragePath) -> None:
        """Remove a file; a missing one is fine. Raises: StorageError(EISDIR, ENOTDIR)."""
        await self.check_way(path)
        try:
            await self.ask(path, Kind.REMOVE, text(self.raw(path)))
        except Refused as refused:
            found = await self.look(path)
            if found is not None:
                raise await self._why(refused, path) from refused
            await self._require_missing(path)

    async def remove_directory(self, path: StoragePath) -> None:
        """Remove an empty directory; a missing one is fine. Raises: StorageError(ENOTEMPTY, ENOTDIR)."""
        await self.check_way(path)
        try:
            await self.ask(path, Kind.RMDIR, text(self.raw(path)))
        except Refused as refused:
            found = await self.look(path)
            if found is None:
                await self._require_missing(path)
            elif not found.is_directory:
                raise StorageError(errno.ENOTDIR, path) from refused
            elif refused.code == Status.FAILURE:
                raise StorageError(errno.ENOTEMPTY, path) from refused
            else:
                raise failure(refused, path) from refused

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        """Move, replacing a file or an empty directory; see ``SupportsRename``."""
        if is_below(target, source):
            raise StorageError(errno.EINVAL, target, "a directory cannot be moved into itself")
        await self.check_way(source)
        await self.check_way(target)
        for _ in range(_MOST_TRIES):
            try:
                await self._rename(source, target)
                return
            except Refused as refused:
                found = await self.find(source)
                there = await self.look(target)
                if there is not None:
                    await self._make_way(found, there, target, refused)
                elif refused.code == Status.NO_SUCH_FILE:
                    await self.make_parents(target)
                else:
                    raise failure(refused, source) from refused
        raise StorageError(errno.EBUSY, target, "others change what is in the way all the time")

    async def entries(self, path: StoragePath) -> AsyncGenerator[Entries, None]:
        """Give what is in a directory in the batches of the server. Raises: StorageError(ENOENT, ENOTDIR)."""
        if path:
            found = await self.find(path)
            if not found.is_directory:
                raise StorageError(errno.ENOTDIR, path)
        session = await self.sessions.session()
        try:
            handle = Reader((await asked(session, path, Kind.OPENDIR, text(self.raw(path)))).body).text()
        except Refused as refused:
            raise failure(refused, path) from refused
        try:
            while True:
                answer = await asked(session, path, Kind.READDIR, text(handle))
                yield [each for each in Reader(answer.body).names() if each[0] not in (b".", b"..")]
        except Refused as refused:
            if refused.code != Status.EOF:
                raise failure(refused, path) from refused
        finally:
            await asked(session, path, Kind.CLOSE, text(handle))

    async def set_attributes(self, path: StoragePath, attributes: Attributes) -> None:
        """Change the attributes of a file or directory. Raises: StorageError(ENOENT, EACCES)."""
        await self.find(path)
        try:
            await self.ask(path, Kind.SETSTAT, text(self.raw(path)) + attributes.encode())
        except Refused as refused:
            raise failure(refused, path) from refused

    async def capacity(self) -> Capacity:
        """Return how full the file system is. Raises: StorageError(ENOTSUP)."""
        block_b, total, free, _ = await self._file_system()
        return Capacity(block_b * total, block_b * free)

    async def write_failure(self, refused: Refused, path: StoragePath) -> StorageError:
        """Return why a write failed: SFTP has one word for a full disk, a read-only one and all the rest."""
        if refused.code != Status.FAILURE:
            return failure(refused, path)
        try:
            _, _, free, flags = await self._file_system()
        except StorageError:
            return failure(refused, path)
        if flags & _READ_ONLY:
            return StorageError(errno.EROFS, path, "the file system is read only")
        return StorageError(errno.ENOSPC, path, "the disk is full") if not free else failure(refused, path)

    def raw(self, path: StoragePath) -> bytes:
        """Return a path as the server knows it."""
        root = raw(StoragePath(self.root))
        return os.path.join(root, raw(path)) if path else root

    async def _file_system(self) -> tuple[int, int, int, int]:
        try:
            path = StoragePath("")
            answer = await self.ask(path, Kind.EXTENDED, text(_STATVFS) + text(self.raw(path)))
        except Refused as refused:
            raise failure(refused, "") from refused
        reader = Reader(answer.body)
        _, block_b, total, _, available, *_ = [reader.long() for _ in range(9)]
        return block_b, total, available, reader.long()

    async def _rename(self, source: StoragePath, target: StoragePath) -> None:
        session = await self.sessions.session()
        names = text(self.raw(source)) + text(self.raw(target))
        if _RENAME in session.extensions:
            await asked(session, source, Kind.EXTENDED, text(_RENAME) + names)
        else:
            await asked(session, source, Kind.RENAME, names)

    async def _make_way(
        self, found: Attributes, there: Attributes, target: StoragePath, refused: Refused
    ) -> None:
        if there.is_directory and not found.is_directory:
            raise StorageError(errno.EISDIR, target) from refused
        if found.is_directory and not there.is_directory:
            raise StorageError(errno.ENOTDIR, target) from refused
        if there.is_directory:
            await self.remove_directory(target)
        else:
            await self.remove(target)  # a server that cannot replace

    async def _make_one(self, path: StoragePath) -> None:
        try:
            await self.ask(path, Kind.MKDIR, text(self.raw(path)) + Attributes(mode=DIRECTORY_MODE).encode())
        except Refused as refused:
            found = await self.look(path)
            if found is None or not found.is_directory:
                raise failure(refused, path) from refused

    async def _real(self, path: StoragePath) -> bytes | None:
        try:
            answer = await self.ask(path, Kind.REALPATH, text(self.raw(path)))
        except Refused:
            return None
        names = Reader(answer.body).names()
        return names[0][0] if names else None

    async def _why(self, refused: Refused, path: StoragePath) -> StorageError:
        found = await self.look(path)
        if found is not None and found.is_directory:
            return StorageError(errno.EISDIR, path)
        if found is None and refused.code == Status.NO_SUCH_FILE:
            return await self.missing(path)
        return await self.write_failure(refused, path)

    async def _require_missing(self, path: StoragePath) -> None:
        error = await self.missing(path)
        if error.errno != errno.ENOENT:
            raise error


async def asked(session: SftpChannel, path: StoragePath, kind: Kind, body: bytes) -> Packet:
    """Ask over one session. Raises: Refused; StorageUnavailable."""
    try:
        return await session.ask(kind, body)
    except TROUBLE as error:
        raise trouble(error, path) from error
