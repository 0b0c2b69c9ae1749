"""Copies of files and trees: content, modes, access control lists, links and custom metadata."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from typing import Protocol

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Document
from onedata.errors import Errno, Posix
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.content.reading import MAX_READ_B, Reading
from op_worker.files.content.replacing import Replacing
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import FIELDS, following, is_reserved, xattrs_of
from op_worker.files.metadata.metadata import Metadata
from op_worker.files.metadata.metadata_checks import checked
from op_worker.files.model import (
    REMOVED,
    ContentReader,
    CreateOptions,
    Existing,
    FileStat,
    FileType,
    MetadataChange,
    Target,
)
from op_worker.files.rights.permissions import Operation
from op_worker.files.rules.retention import NO_CHANGE
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.documents import BASE, JSON, RDF, decode_json, decode_rdf
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.tree.creation import Creation
from op_worker.files.tree.moving import place_of

_PAGE = 500
_NO_CHANGE = MetadataChange()


class ReaderStream:
    """The content of an open file as a body."""

    def __init__(self, reader: ContentReader) -> None:
        self._reader = reader
        self._offset_b = 0

    async def read(self) -> bytes:
        data = await self._reader.read(self._offset_b, MAX_READ_B)
        self._offset_b += len(data)
        return data


class CopiesQueues(Protocol):
    """Copies queues."""

    async def copy(
        self,
        visit: Visit,
        source: Chain,
        at: Target,
        options: CreateOptions,
        custom: MetadataChange,
        *,
        is_apart: bool,
    ) -> FileStat:
        """Copy a queue that may be read with its values; nothing is left of a copy that fails.

        With ``is_apart`` the bytes of its values lie apart from names.

        Raises: as ``FileService.copy``.
        """


@frozen(eq=False)
class Copying:
    """Copies files, each one appearing whole."""

    _context: FilesContext
    _reading: Reading
    _creation: Creation
    _replacing: Replacing
    _metadata: Metadata
    _queues: CopiesQueues

    async def copy(
        self,
        caller: Caller,
        source: Target,
        target: Target,
        metadata: MetadataChange | None,
        condition: ContentCondition = NO_CONDITION,
    ) -> tuple[FileStat, bool]:
        """Copy a file or a tree. See ``FileService.copy``."""
        change = await checked(self._context.blocking, metadata or MetadataChange())
        visit, chain = await self._context.chain(caller, source)
        await self._require_readable(visit, chain)
        target_visit, found = await self._context.find(caller, target)
        place = place_of(target_visit, found)
        if any(node.key == chain.file.key for node in place.directory.nodes):
            raise Posix(Errno.EINVAL, "a directory cannot be copied into itself")
        replaced = place.replaced
        condition.require(None if replaced is None else target_visit.stat(replaced))
        if replaced is not None:
            _require_replaceable(chain.file, replaced.file)
        at = Target(place.directory.guid, (place.name,), target.uuid)
        change, kept = parted(change) if chain.file.is_directory else (change, _NO_CHANGE)
        stat = await self._copy_one(visit, chain, at, change, condition)
        if chain.file.is_directory and not chain.file.meta.is_queue:
            await self._copy_below(caller, visit, chain, stat.guid)
        await self.keep(caller, stat, kept)
        return stat, replaced is not None

    async def keep(self, caller: Caller, copy: FileStat, kept: MetadataChange) -> None:
        """Set the retention and the holds of a copy that is whole; see ``parted``."""
        if not kept.is_empty:
            await self._metadata.change(caller, Target(copy.guid), kept)

    async def copy_aside(
        self, caller: Caller, source: Target, at: Target, change: MetadataChange
    ) -> FileStat:
        """Copy a directory with all it holds to a place that nobody sees; bytes lie apart from names.

        Raises: as ``copy``; Posix(ENOTDIR). What was copied so far stays.
        """
        visit, chain = await self._context.chain(caller, source)
        await self._require_readable(visit, chain)
        if not chain.file.is_directory:
            raise Posix(Errno.ENOTDIR)
        stat = await self._copy_one(visit, chain, at, change)
        await self._copy_below(caller, visit, chain, stat.guid, is_apart=True)
        return stat

    async def _copy_below(
        self, caller: Caller, visit: Visit, top: Chain, copy: FileGuid, *, is_apart: bool = False
    ) -> None:
        """Copy what is in a directory, level by level; what cannot be read ends it."""
        waiting = [(top, copy)]
        while waiting:
            directory, into = waiting.pop()
            async for child in self._children(visit, directory):
                await self._require_readable(visit, child)
                at = Target(into, (child.file.name,))
                stat = await self._copy_one(visit, child, at, is_apart=is_apart)
                if child.file.is_directory and not child.file.meta.is_queue:
                    waiting.append((child, stat.guid))

    async def _children(self, visit: Visit, directory: Chain) -> AsyncIterator[Chain]:
        after: bytes | None = None
        while found := await self._context.engine.page(visit.scope, directory.file.key, after, _PAGE, BASE):
            for item in found:
                after = item.entry.name
                node = Node.found(item)
                child = directory.child(node)
                if node.exists and not node.holds_snapshots and not await visit.is_hidden(child):
                    yield child

    async def _require_readable(self, visit: Visit, chain: Chain) -> None:
        needed = Operation.READ_OBJECT | Operation.READ_METADATA
        if chain.file.is_directory:
            needed |= Operation.TRAVERSE
        if chain.file.meta.acl is not None:
            needed |= Operation.READ_ACL
        await visit.require(chain, needed)
        await self._context.lookup.require_complete(chain)

    async def _copy_one(
        self,
        visit: Visit,
        chain: Chain,
        at: Target,
        change: MetadataChange = _NO_CHANGE,
        condition: ContentCondition = NO_CONDITION,
        *,
        is_apart: bool = False,
    ) -> FileStat:
        meta = chain.file.meta
        custom = following(await self._custom_of(visit, chain), change)
        options = CreateOptions(mode=meta.mode, symlink_target=meta.symlink_target, copied_acl=meta.acl)
        if meta.is_queue:
            return await self._queues.copy(visit, chain, at, options, custom, is_apart=is_apart)
        if meta.type is FileType.REG:
            return await self._copy_content(visit, chain, at, options, custom, condition, is_apart=is_apart)
        if meta.type is FileType.SYMLNK:
            options = evolve(options, existing=Existing.UPDATE)
        stat = await self._creation.create(visit.caller, at, meta.type, options)
        if not custom.is_empty:
            await self._metadata.change(visit.caller, Target(stat.guid), custom)
        return stat

    async def _copy_content(
        self,
        visit: Visit,
        chain: Chain,
        at: Target,
        options: CreateOptions,
        custom: MetadataChange,
        condition: ContentCondition,
        *,
        is_apart: bool,
    ) -> FileStat:
        reader = await self._reading.open_chain(visit, chain)
        try:
            options = evolve(options, existing=Existing.UPDATE)
            stat, _ = await self._replacing.replace(
                visit.caller,
                at,
                ReaderStream(reader),
                reader.stat.size_b,
                options,
                custom,
                condition=condition,
                is_apart=is_apart,
            )
        finally:
            await reader.close()
        return stat

    async def _custom_of(self, visit: Visit, chain: Chain) -> MetadataChange:
        """Return the change that gives another file this one's custom metadata, and no other."""
        if not chain.file.meta.has_metadata and chain.file.type is not FileType.REG:
            return MetadataChange(wishes=chain.file.meta.wishes)
        found = await self._context.engine.get(visit.scope, chain.file.key, FIELDS)
        custom = custom_of(found, is_file=chain.file.type is FileType.REG)
        return evolve(custom, wishes=chain.file.meta.wishes)


def parted(change: MetadataChange) -> tuple[MetadataChange, MetadataChange]:
    """Return a change without retention and holds, and these alone.

    Nothing can be put into a directory or a queue that is kept, so they come after what is copied into it.
    """
    return evolve(change, immutability=NO_CHANGE), MetadataChange(immutability=change.immutability)


def custom_of(documents: Mapping[str, Document], *, is_file: bool) -> MetadataChange:
    """Return the change that gives another file these custom metadata, and no other to a regular file."""
    xattrs = xattrs_of(documents)
    user = {name: value for name, value in xattrs.items() if not is_reserved(name)}
    return MetadataChange(
        replace_user_xattrs=user if user or is_file else None,
        set_xattrs={name: value for name, value in xattrs.items() if is_reserved(name)},
        json=decode_json(documents[JSON].data) if JSON in documents else REMOVED,
        rdf=decode_rdf(documents[RDF].data) if RDF in documents else REMOVED,
    )


def _require_replaceable(source: Node, replaced: Node) -> None:
    if source.key == replaced.key:
        raise Posix(Errno.EINVAL, "a file cannot be copied onto itself")
    if source.is_directory:
        raise Posix(Errno.EEXIST)
    if replaced.is_directory:
        raise Posix(Errno.EISDIR)
    if source.type is not replaced.type:
        raise Posix(Errno.EEXIST)
