"""Pages of a directory in name order, and of the virtual directory of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from attrs import frozen

from onedata.errors import Errno, Posix
from onedata.ids import UserId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext, is_user_root_of
from op_worker.files.finding.attributes import stat_of_space
from op_worker.files.finding.visit import Visit
from op_worker.files.listing.listed_xattrs import with_xattrs
from op_worker.files.listing.named_children import named_children
from op_worker.files.listing.tokens import name_of_token, page_token
from op_worker.files.model import NAMES, FileStat, Page, Shown, Target
from op_worker.files.rights.permissions import NOTHING, Operation
from op_worker.files.stored.documents import SHOWN
from op_worker.files.stored.nodes import Chain, Node
from op_worker.zone.records import SpaceInfo

T = TypeVar("T")
Named = tuple[bytes, T]


@frozen
class Place:
    """Where a page begins: ``offset`` entries from the first one whose name is not less than ``name``."""

    name: bytes | None = None
    offset: int = 0


@frozen
class Start:
    """Where a caller wants a page to begin: after ``token``, or ``offset`` entries from ``index``."""

    token: str | None = None
    index: str | None = None
    offset: int = 0
    inclusive: bool = True

    def place(self, directory: str) -> Place:
        """Return the place in a directory, by its uuid. Raises: Posix(EINVAL)."""
        if self.token is not None:
            return Place(_after(name_of_token(self.token, directory)))
        if self.index is None:
            if self.offset < 0:
                raise Posix(Errno.EINVAL, "a negative offset needs an index")
            return Place(None, self.offset)
        raw = self.index.encode("utf-8", "replace")
        return Place(raw if self.inclusive else _after(raw), self.offset)


@frozen(eq=False)
class Listing:
    """Lists directories."""

    _context: FilesContext

    async def page(
        self, caller: Caller, target: Target, limit: int, start: Start, shown: Shown
    ) -> Page[FileStat]:
        """Return a page of children. See ``FileService.list_children``."""
        if not target.names and is_user_root_of(target.base, caller):
            return await self._page_of_spaces(caller, target.base.uuid, limit, start)
        visit, chain = await self._listable(caller, target, shown)
        if not chain.file.is_directory:
            start.place(chain.file.key)
            listed = [(chain, visit.stat(chain))]
            stats = await with_xattrs(self._context.engine, visit, listed, shown.xattrs)
            return Page(stats, None, is_last=True)
        return await self._page_of(visit, chain, limit, start.place(chain.file.key), shown)

    async def count(self, caller: Caller, target: Target) -> int:
        """Return how many children there are. See ``FileService.count_children``."""
        if not target.names and is_user_root_of(target.base, caller):
            return len(await self._spaces(caller))
        visit, chain = await self._directory(caller, target)
        names = await visit.visible_names(chain)
        if names is not None:
            return len(await named_children(self._context.engine, visit, chain, names))
        return await self._context.engine.count(visit.scope, chain.file.key)

    async def slice(self, caller: Caller, target: Target, first: int, last: int) -> list[FileStat]:
        """Return children by position. See ``FileService.children_slice``."""
        if first < 0 or last < first:
            return []
        limit = last - first + 1
        if not target.names and is_user_root_of(target.base, caller):
            page = await self._page_of_spaces(caller, target.base.uuid, limit, Start(offset=first))
            return list(page.items)
        visit, chain = await self._directory(caller, target)
        return list((await self._page_of(visit, chain, limit, Place(None, first), NAMES)).items)

    async def _listable(self, caller: Caller, target: Target, shown: Shown) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        needed = NOTHING
        if chain.file.is_directory:
            needed = Operation.LIST_CONTAINER
            if shown.attributes or shown.xattrs:
                needed |= Operation.TRAVERSE
        await visit.require(chain, needed)
        return visit, chain

    async def _directory(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._listable(caller, target, NAMES)
        if not chain.file.is_directory:
            raise Posix(Errno.ENOTDIR)
        return visit, chain

    async def _page_of(
        self, visit: Visit, chain: Chain, limit: int, place: Place, shown: Shown
    ) -> Page[FileStat]:
        nodes, is_last = await self._nodes(visit, chain, limit, place)
        if not nodes:
            return Page([], None, is_last=True)
        there = [node for _, node in nodes if node.exists]
        stats = visit.stat_children(chain, there)
        if shown.xattrs:
            listed = [(chain.child(node), stat) for node, stat in zip(there, stats, strict=True)]
            stats = await with_xattrs(self._context.engine, visit, listed, shown.xattrs)
        last = nodes[-1][0]
        if len(stats) < len(there):
            last, is_last = there[len(stats) - 1].name.encode(), False
        return Page(stats, None if is_last else page_token(chain.file.key, last), is_last)

    async def _nodes(
        self, visit: Visit, chain: Chain, limit: int, place: Place
    ) -> tuple[Sequence[Named[Node]], bool]:
        """Return entries from a place, and whether they are the last."""
        names = await visit.visible_names(chain)
        if names is not None:
            nodes = await named_children(self._context.engine, visit, chain, names)
            return page_of([(node.name.encode(), node) for node in nodes], limit, place)
        found = await self._context.engine.page_from(
            visit.scope, chain.file.key, place.name, place.offset, limit + 1, SHOWN
        )
        nodes = [Node.found(item) for item in found[:limit]]
        return [(node.name.encode(), node) for node in nodes], len(found) <= limit

    async def _spaces(self, caller: Caller) -> list[Named[FileStat]]:
        spaces = await self._context.access.spaces_of(caller)
        user_id = caller.user_id or UserId("")
        named = [
            (name.encode("utf-8", "replace"), stat_of_space(space, name, user_id))
            for space, name in zip(spaces, shown_names(spaces), strict=True)
        ]
        return sorted(named, key=lambda item: item[0])

    async def _page_of_spaces(
        self, caller: Caller, directory: str, limit: int, start: Start
    ) -> Page[FileStat]:
        chosen, is_last = page_of(await self._spaces(caller), limit, start.place(directory))
        token = None if is_last else page_token(directory, chosen[-1][0])
        return Page([stat for _, stat in chosen], token, is_last)


def shown_names(spaces: Sequence[SpaceInfo]) -> list[str]:
    """Return what each space is called in the directory of spaces: its name, with its id if ambiguous."""
    names = [space.name for space in spaces]
    return [
        f"{space.name}@{space.space_id}" if names.count(space.name) > 1 else space.name for space in spaces
    ]


def page_of(items: Sequence[Named[T]], limit: int, place: Place) -> tuple[Sequence[Named[T]], bool]:
    """Return the items of a short list, in name order already, from a place; and whether the end is there."""
    least = place.name
    at = 0 if least is None else sum(name < least for name, _ in items)
    first = max(0, at + place.offset)
    chosen = items[first : first + limit]
    return chosen, not chosen or first + limit >= len(items)


def _after(name: bytes) -> bytes:
    """Return the least name that is greater; names hold no NUL."""
    return name + b"\x01"
