"""Walking what becomes canonical JSON: depth first, as one caller may read it, a page at a time."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from attrs import define, field, frozen

from onedata.errors import Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, FileType, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import is_reserved

_PAGE = 500
_TO_READ = Operation.READ_OBJECT | Operation.READ_METADATA | Operation.READ_ATTRIBUTES
_TO_LIST = Operation.LIST_CONTAINER | Operation.TRAVERSE | Operation.READ_METADATA | Operation.READ_ATTRIBUTES
_CLOSED = frozenset({Errno.EACCES, Errno.EPERM})


@frozen
class Entered:
    """A directory begins, with so many children that the caller may read."""

    stat: FileStat
    count: int


@frozen
class Met:
    """A regular file."""

    stat: FileStat


@frozen
class Queued:
    """A queue."""

    stat: FileStat


@frozen
class Left:
    """The directory that was entered last, and not left yet, ends."""


Step = Entered | Met | Queued | Left


@define(eq=False)
class _Open:
    chain: Chain
    after: bytes | None = None
    waiting: list[Chain] = field(factory=list)


@frozen(eq=False)
class CanonicalWalk:
    """One walk of one caller. Symbolic links, snapshots, and what he may not read are left out."""

    _context: FilesContext
    _caller: Caller

    async def steps(self, top: Target) -> AsyncGenerator[Step, None]:
        """Yield a file, or a directory with all in it.

        Raises: Posix(ENOENT, ENOTDIR); Posix(EACCES, EPERM) when the top may not be read; Posix(EBUSY) when
        it is, or has in it, a snapshot that is not complete.
        """
        visit, chain = await self._context.chain(self._caller, top)
        await self._require(visit, chain)
        if not _is_container(chain):
            yield _leaf(visit, chain)
            return
        yield await self._entered(visit, chain)
        opened = [_Open(chain)]
        while opened:
            child = await self._next(visit, opened[-1])
            if child is None:
                opened.pop()
                yield Left()
            elif _is_container(child):
                yield await self._entered(visit, child)
                opened.append(_Open(child))
            else:
                yield _leaf(visit, child)

    async def children(self, directory: Target) -> AsyncGenerator[FileStat, None]:
        """Yield what ``steps`` would show right in a directory, in order of names. Raises: as ``steps``."""
        visit, chain = await self._context.chain(self._caller, directory)
        await self._require(visit, chain)
        opened = _Open(chain)
        while (child := await self._next(visit, opened)) is not None:
            yield visit.stat(child)

    async def _entered(self, visit: Visit, chain: Chain) -> Entered:
        """Count what is in a directory, which is told before it is shown."""
        count, after = 0, None
        while True:
            after, found = await self._page(visit, chain, after)
            count += len(found)
            if after is None:
                return Entered(visit.stat(chain), count)

    async def _next(self, visit: Visit, directory: _Open) -> Chain | None:
        while not directory.waiting:
            if directory.after == _END:
                return None
            after, found = await self._page(visit, directory.chain, directory.after)
            directory.after = _END if after is None else after
            directory.waiting = found[::-1]
        return directory.waiting.pop()

    async def _page(
        self, visit: Visit, directory: Chain, after: bytes | None
    ) -> tuple[bytes | None, list[Chain]]:
        """Return what may be read of a page, and where the next one begins after; ``None`` at the end."""
        key = directory.file.key
        found = await self._context.engine.page(visit.scope, key, after, _PAGE, BASE)
        children = [directory.child(node) for node in map(Node.found, found) if _is_shown(directory, node)]
        readable = [child for child in children if await self._may_read(visit, child)]
        return (found[-1].entry.name if len(found) == _PAGE else None), readable

    async def _may_read(self, visit: Visit, chain: Chain) -> bool:
        try:
            await self._require(visit, chain)
        except Posix as error:
            if error.errno in _CLOSED:
                return False
            raise
        return True

    async def _require(self, visit: Visit, chain: Chain) -> None:
        await visit.require(chain, _needed(chain))
        await self._context.lookup.require_complete(chain)


_END = b"\xff"
"""Greater than every name: what follows the last page."""


def _needed(chain: Chain) -> Operation:
    needed = _TO_LIST if _is_container(chain) else _TO_READ
    return needed | Operation.READ_ACL if chain.file.meta.acl is not None else needed


def _is_container(chain: Chain) -> bool:
    return chain.file.is_directory and not chain.file.meta.is_queue


def _leaf(visit: Visit, chain: Chain) -> Met | Queued:
    stat = visit.stat(chain)
    return Queued(stat) if stat.is_queue else Met(stat)


def _is_shown(directory: Chain, node: Node) -> bool:
    if not node.exists or node.type is FileType.SYMLNK or node.holds_snapshots:
        return False
    return not (directory.is_root and is_reserved(node.name))
