"""Registering files of an imported storage by hand: a path on the storage becomes a file of the space."""

from __future__ import annotations

import errno
from collections.abc import Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Key, Put, Step
from onedata.errors import (
    BadValueFilePath,
    Errno,
    MissingRequiredValue,
    NotALocalStorageSupportingSpace,
    Posix,
    RequiresImportedStorage,
    StatOperationNotSupported,
)
from onedata.ids import FileGuid, FileUuid, SpaceId, StorageId
from op_worker.auth.caller import Caller
from op_worker.files.charging.rooms import wanted
from op_worker.files.committing.places import is_named
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType
from op_worker.files.stored import batches
from op_worker.files.stored.blocks import whole
from op_worker.files.stored.charges import take_in
from op_worker.files.stored.documents import LOCATION, META, TIMES, EntryValue, Location, Times
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import check_length, check_new_name, check_path
from op_worker.files.translation import translated
from op_worker.importing.owners import Owners
from op_worker.importing.seen import SEEN, Seen
from op_worker.mapping.contract import UnmappedOwnerError
from op_worker.storage.helper import StorageError, StoragePath, StorageStat
from op_worker.storage.supports import Storage

PRIVILEGE = "space_register_files"
_PARENT_MODE = 0o775
_MODE = 0o664


@frozen(kw_only=True)
class Wish:
    """A file to be registered. Times in seconds since the epoch; ``None`` is what the storage says.

    ``destination`` are the names below the root of the space. Without ``detects`` the storage is not asked.
    """

    space_id: SpaceId
    storage_id: StorageId
    storage_file_id: str
    destination: Sequence[str]
    size_b: int | None = None
    mode: int | None = None
    atime_s: int | None = None
    mtime_s: int | None = None
    ctime_s: int | None = None
    uid: int | None = None
    gid: int | None = None
    detects: bool = True


@frozen(eq=False)
class Registering:
    """Registers files."""

    _context: FilesContext
    _owners: Owners

    @translated
    async def register(self, caller: Caller, wish: Wish) -> FileGuid:
        """Make a file known, or change the one that was registered at its destination; return its id.

        Missing directories on the way are made, as the caller's.

        Raises: Forbidden without ``space_register_files``; NotALocalStorageSupportingSpace;
            RequiresImportedStorage; BadValueFilePath; MissingRequiredValue; StatOperationNotSupported;
            Posix(ENOENT) when the storage has no such file, Posix(EISDIR, EINVAL) when it is none;
            Posix(EEXIST) when another file has the destination.
        """
        visit = await self._context.access.enter(caller, wish.space_id)
        visit.require_privilege(PRIVILEGE)
        storage = self._storage(visit, wish)
        path = _storage_path(wish)
        stat = await self._stat(storage, path, wish)
        names = [raw.decode() for raw in check_path(wish.destination)]
        if not names:
            raise BadValueFilePath

        async def attempt() -> FileGuid:
            directory = await self._directory(visit, names[:-1])
            return await self._put(visit, directory, names[-1], storage, path, stat)

        return await self._context.transactions.retrying(wish.space_id, attempt)

    def _storage(self, visit: Visit, wish: Wish) -> Storage:
        for storage in visit.support.storages:
            if storage.storage_id == wish.storage_id:
                if not storage.record.is_imported:
                    raise RequiresImportedStorage(wish.storage_id)
                return storage
        provider_id = self._context.access.provider_id
        raise NotALocalStorageSupportingSpace(provider_id, wish.storage_id, wish.space_id)

    async def _stat(self, storage: Storage, path: StoragePath, wish: Wish) -> StorageStat:
        """Return what the file is to be, as wished and as the storage says."""
        if wish.detects:
            try:
                found = await storage.helper.stat(path)
            except StorageError as error:
                if error.errno in (errno.ENOTSUP, errno.ENOSYS):
                    raise StatOperationNotSupported(storage.storage_id) from error
                raise
            if found.is_directory:
                raise Posix(Errno.EISDIR, "only regular files are registered")
            if found.is_other:
                raise Posix(Errno.EINVAL, "only regular files are registered")
        else:
            if wish.size_b is None:
                raise MissingRequiredValue("size")
            now_s = self._context.wall_clock()
            found = StorageStat(wish.size_b, now_s, ctime_s=now_s, atime_s=now_s, mode=_MODE)
        given: dict[str, Any] = {
            "size_b": wish.size_b,
            "mode": wish.mode,
            "mtime_s": wish.mtime_s,
            "ctime_s": wish.ctime_s,
            "atime_s": wish.atime_s,
            "uid": wish.uid,
            "gid": wish.gid,
        }
        return evolve(found, **{name: value for name, value in given.items() if value is not None})

    async def _directory(self, visit: Visit, names: Sequence[str]) -> Chain:
        """Return the directory of the destination; those that are missing are made, one after another."""
        context = self._context
        while True:
            found = await context.lookup.walk(visit.space_id, check_path(names))
            if not found.chain.file.is_directory:
                raise Posix(Errno.ENOTDIR)
            if not found.missing:
                return found.chain
            directory, name, now_s = found.chain, found.missing[0].decode(), context.wall_clock()
            raw = check_new_name(name, at_root=directory.is_root)
            key = context.new_key()
            meta = self._meta(visit, name, FileType.DIR, _PARENT_MODE, visit.user_id)
            documents = batches.first_documents(meta, directory.file.key, None, now_s)
            value = EntryValue(key, FileType.DIR).encode()
            steps = batches.create(directory, key, raw, value, documents, now_s)
            await context.transactions.commit(visit.space_id, steps, [key, directory.file.key])

    def _meta(self, visit: Visit, name: str, type_: FileType, mode: int, owner: str) -> Meta:
        context = self._context
        return Meta(name, type_, mode, owner, context.access.provider_id, int(context.wall_clock()))

    async def _put(
        self,
        visit: Visit,
        directory: Chain,
        name: str,
        storage: Storage,
        path: StoragePath,
        stat: StorageStat,
    ) -> FileGuid:
        raw = check_new_name(name, at_root=directory.is_root)
        check_length([one.encode() for one in (*directory.names, name)])
        found = await self._context.lookup.walk(visit.space_id, check_path((*directory.names, name)))
        owner = await self._owner(visit, storage, stat)
        room = await self._context.rooms.of(visit)
        in_place = path == f"{directory.storage_path}/{name}" and is_named(visit.support, storage)
        location = Location(
            *(storage.storage_id, stat.size_b, whole(stat.size_b)),
            version=1,
            charges=wanted(room, owner, directory),
            is_apart=not in_place,
            at="" if in_place else path,
        )
        old = None if found.missing else found.chain.file
        if old is not None:
            return await self._change(visit, found.chain, location, stat, owner)
        key, now_s = self._context.new_key(), self._context.wall_clock()
        meta = self._meta(visit, name, FileType.REG, _mode(stat), owner)
        documents = batches.first_documents(meta, directory.file.key, location, now_s)
        documents[TIMES] = _times(stat, now_s).encode()
        documents[SEEN] = Seen.of(stat, location).encode()
        value = EntryValue(key, FileType.REG).encode()
        steps = [
            *batches.create(directory, key, raw, value, documents, now_s),
            *take_in([(None, location)], room),
        ]
        await self._context.transactions.commit(visit.space_id, steps, [key, directory.file.key])
        return FileGuid(FileUuid(key), visit.space_id)

    async def _change(
        self, visit: Visit, chain: Chain, location: Location, stat: StorageStat, owner: str
    ) -> FileGuid:
        """Take a file that was registered for what it is now. Raises: Posix(EISDIR, EEXIST)."""
        file, before = chain.file, chain.file.location
        if file.is_directory:
            raise Posix(Errno.EISDIR)
        if before is None or not _is_same_place(before, location):
            raise Posix(Errno.EEXIST, "another file has this path")
        now_s = self._context.wall_clock()
        after = evolve(
            location,
            version=before.version + 1,
            generation=before.generation,
            trims=before.trims + (location.size_b < before.size_b),
            charges=before.charges,
        )
        meta = evolve(file.meta, mode=_mode(stat), owner=owner)
        room = await self._context.rooms.of(visit)
        steps: list[Step] = [
            *batches.steady_file(chain),
            *_writes(file, {META: meta.encode(), TIMES: _times(stat, now_s).encode()}),
            *_writes(file, {LOCATION: after.encode(), SEEN: Seen.of(stat, after).encode()}),
            *take_in([(before, after)], room),
        ]
        await self._context.transactions.commit(visit.space_id, steps, [file.key])
        return chain.guid

    async def _owner(self, visit: Visit, storage: Storage, stat: StorageStat) -> str:
        """Return whose file it is: whom the storage's owner is mapped to, else the caller's."""
        if stat.uid is None:
            return visit.user_id
        try:
            return await self._owners.owner_of(storage.record, stat.uid) or visit.user_id
        except UnmappedOwnerError:
            return visit.user_id


def _storage_path(wish: Wish) -> StoragePath:
    names = [name for name in wish.storage_file_id.split("/") if name]
    if not names or any(name in (".", "..") or "\0" in name for name in names):
        raise BadValueFilePath
    return StoragePath("/".join((wish.space_id, *names)))


def _mode(stat: StorageStat) -> int:
    return _MODE if stat.mode is None else stat.mode & 0o1777


def _times(stat: StorageStat, now_s: float) -> Times:
    atime_s = stat.mtime_s if stat.atime_s is None else stat.atime_s
    ctime_s = now_s if stat.ctime_s is None else stat.ctime_s
    return Times(int(atime_s * 1000), int(stat.mtime_s * 1000), int(ctime_s * 1000))


def _is_same_place(one: Location, other: Location) -> bool:
    return (one.storage_id, one.is_apart, one.at) == (other.storage_id, other.is_apart, other.at)


def _writes(file: Node, documents: dict[str, bytes]) -> list[Step]:
    return [
        Put(Key(file.key), field, data, expect=None if field == SEEN else file.revision(field))
        for field, data in documents.items()
    ]
