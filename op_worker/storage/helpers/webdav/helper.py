"""The ``webdav`` helper: files on a WebDAV server."""

from __future__ import annotations

import errno
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing

from attrs import evolve, frozen

from cluster_worker.runtime.locks import KeyedLocks
from op_worker.storage.helper import (
    Capacity,
    Opened,
    Scanned,
    StorageError,
    StorageFile,
    StorageHelper,
    StoragePath,
    StorageStat,
    StorageUnavailable,
)
from op_worker.storage.helpers.paths import parts
from op_worker.storage.helpers.web.connections import Connections
from op_worker.storage.helpers.web.credentials import (
    ARGUMENTS,
    CREDENTIALS,
    authorization,
    authorization_of,
)
from op_worker.storage.helpers.web.session import Session
from op_worker.storage.helpers.web.urls import Endpoint
from op_worker.storage.helpers.webdav.contents import Contents
from op_worker.storage.helpers.webdav.multistatus import Resource
from op_worker.storage.helpers.webdav.naming import Naming
from op_worker.storage.helpers.webdav.open_files import OpenFiles
from op_worker.storage.helpers.webdav.opening import Opening
from op_worker.storage.helpers.webdav.tree import Tree
from op_worker.storage.helpers.webdav.writing import Writing
from op_worker.storage.helpers.webdav.writing_inside import RangeWrites
from op_worker.storage.parameters import timeout_s
from op_worker.storage.types import HelperSurroundings, Kind, Parameter, Parameters, StorageType

ROOT = StoragePath("")
_BATCH = 1000


@frozen(kw_only=True)
class WebDavSettings:
    """How a server is treated. Modes are those that all files and directories are said to have."""

    range_writes: RangeWrites = RangeWrites.NONE
    most_upload_b: int = 0
    file_mode: int = 0o664
    directory_mode: int = 0o775
    authorization_template: str = "Authorization: Bearer {}"
    credentials: Mapping[str, str]


class WebDavHelper:
    """See ``StorageHelper`` and its powers; one user's view of a server."""

    def __init__(
        self, session: Session, settings: WebDavSettings, open_files: OpenFiles, locks: KeyedLocks
    ) -> None:
        self._session, self._settings = session, settings
        self._open_files, self._locks = open_files, locks
        self._tree = Tree(session)
        contents = Contents(self._tree, open_files, locks)
        writing = Writing(contents, settings.range_writes, settings.most_upload_b)
        self._opening, self._naming = Opening(writing), Naming(contents)

    async def open_read(self, path: StoragePath) -> StorageFile:
        return await self._opening.existing(path)

    async def open_update(self, path: StoragePath) -> StorageFile:
        return await self._opening.existing(path)

    async def open_write(self, path: StoragePath) -> StorageFile:
        return await self._opening.existing_or_new(path)

    async def open_with_first(self, path: StoragePath, size_b: int) -> Opened:
        return await self._opening.with_first(path, size_b)

    async def write_whole(self, path: StoragePath, data: bytes) -> None:
        await self._opening.whole(path, data)

    async def remove(self, path: StoragePath) -> None:
        parts(path)
        await self._naming.remove(path)

    async def rename(self, source: StoragePath, target: StoragePath) -> None:
        for path in (source, target):
            parts(path)
        await self._naming.rename(source, target)

    async def stat(self, path: StoragePath) -> StorageStat:
        parts(path)
        content = self._open_files.at(path)
        if content is not None and content.upload is not None:
            await self._naming.contents.sync(content)
        return self._stat_of(await self._tree.find(path))

    async def make_directory(self, path: StoragePath) -> None:
        parts(path)
        await self._tree.make_directory(path)

    async def remove_directory(self, path: StoragePath) -> None:
        parts(path)
        await self._naming.remove_directory(path)

    async def list_directory(self, path: StoragePath) -> Sequence[str]:
        if path:
            parts(path)
        return [_name(where) async for batch in self._tree.children(path) for where, _ in batch]

    async def scan(self, path: StoragePath) -> AsyncIterator[Sequence[Scanned]]:
        """See ``SupportsScanning``; the server's list is read as fast as it is used."""
        if path:
            parts(path)
        waiting: list[Scanned] = []
        async with aclosing(self._tree.children(path)) as children:
            async for batch in children:
                waiting += [Scanned(_name(where), self._stat_of(found)) for where, found in batch]
                while len(waiting) >= _BATCH:
                    full, waiting = waiting[:_BATCH], waiting[_BATCH:]
                    yield full
        if waiting:
            yield waiting

    async def capacity(self) -> Capacity:
        """See ``SupportsCapacity``. Raises: StorageError(ENOTSUP) when the server does not tell."""
        found = await self._tree.quota()
        if found is None or found.available_b is None:
            raise StorageError(errno.ENOTSUP, "", "the server does not tell how full it is")
        return Capacity((found.used_b or 0) + found.available_b, found.available_b)

    async def check(self) -> None:
        found = await self._tree.look(ROOT)
        if found is None or not found.is_directory:
            raise StorageUnavailable(errno.EIO, "", "the root of the storage is missing")

    def for_user(self, credentials: Mapping[str, str]) -> StorageHelper:
        """See ``SupportsUsers``. Raises: BadStorageError."""
        given = {**self._settings.credentials, **credentials}
        settings = evolve(self._settings, credentials=given)
        now_s = self._session.clock.seconds()
        asker = authorization(given, settings.authorization_template, now_s)
        return WebDavHelper(self._session.as_user(asker), settings, self._open_files, self._locks)

    async def close(self) -> None:
        """See ``SupportsClosing``; what lies aside goes too."""
        self._open_files.is_closing = True
        await self._naming.contents.let_go()

    def _stat_of(self, found: Resource) -> StorageStat:
        settings = self._settings
        mode = settings.directory_mode if found.is_directory else settings.file_mode
        size_b = 0 if found.is_directory else found.size_b
        return StorageStat(
            size_b,
            found.mtime_s,
            found.is_directory,
            mode=mode,
            tag="" if found.is_directory else found.version.tag,
        )


def _name(path: StoragePath) -> str:
    return path.rpartition("/")[2]


def _made(parameters: Parameters, surroundings: HelperSurroundings) -> WebDavHelper:
    reactor = surroundings.reactor
    session = Session(
        Endpoint.parse(parameters.text("endpoint")),
        Connections(
            reactor,
            parameters.integer("connectionPoolSize"),
            verifies=parameters.boolean("verifyServerCertificate"),
        ),
        reactor,
        timeout_s(parameters),
        authorization_of(parameters, reactor.seconds()),
    )
    settings = WebDavSettings(
        range_writes=RangeWrites(parameters.text("rangeWriteSupport")),
        most_upload_b=parameters.integer("maximumUploadSize"),
        file_mode=int(parameters.text("fileMode"), 8),
        directory_mode=int(parameters.text("dirMode"), 8),
        authorization_template=parameters.text("authorizationHeader"),
        credentials=parameters.credentials,
    )
    return WebDavHelper(session, settings, OpenFiles(surroundings.random_bytes(8).hex()), KeyedLocks())


WEBDAV = StorageType(
    name="webdav",
    arguments=[
        *ARGUMENTS,
        Parameter(name="rangeWriteSupport", default="none", choices=[each.value for each in RangeWrites]),
        Parameter(name="maximumUploadSize", kind=Kind.INTEGER, default="0"),
        Parameter(name="dirMode", kind=Kind.OCTAL, default="0775"),
    ],
    credentials=CREDENTIALS,
    make=_made,
)
