"""Pages of a directory in name order, and of the virtual directory of spaces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from attrs import frozen

from onedata.errors import Errno, Posix
from onedata.ids import UserId
from op_worker.auth.caller import Caller
from op_worker.files.access import Visit
from op_worker.files.attributes import stat_of, stat_of_child, stat_of_space
from op_worker.files.context import FilesContext, is_user_root_of
from op_worker.files.documents import BASE
from op_worker.files.model import FileStat, Page, Target
from op_worker.files.nodes import Chain, Node
from op_worker.files.permissions import NOTHING, Operation
from op_worker.files.tokens import name_of_token, page_token
from op_worker.zone.records import SpaceInfo

T = TypeVar("T")
SKIP = 1000


@frozen
class Start:
    """Where a page begins: after ``after``, or ``offset`` entries from the place of ``index``."""

    token: str | None = None
    index: str | None = None
    offset: int = 0
    inclusive: bool = True

    @property
    def boundary(self) -> bytes | None:
        """The least name that the page may begin with, before the offset; ``None`` is the beginning."""
        if self.index is None:
            return None
        raw = self.index.encode("utf-8", "replace")
        return raw if self.inclusive else raw + b"\x01"


@frozen(eq=False)
class Listing:
    """Lists directories."""

    _context: FilesContext

    async def page(self, caller: Caller, target: Target, limit: int, start: Start) -> Page[FileStat]:
        """Return a page of children. See ``FileService.list_children``."""
        if start.token is None and start.index is None and start.offset < 0:
            raise Posix(Errno.EINVAL, "a negative offset needs an index")
        if not target.names and is_user_root_of(target.base, caller):
            return self._page_of_spaces(await self._spaces(caller), limit, start)
        visit, chain = await self._listable(caller, target)
        if not chain.file.is_directory:
            return Page([stat_of(chain, visit.space, visit.user_id)], None, is_last=True)
        names = await visit.visible_names(chain)
        if names is not None:
            nodes = await self._named(visit, chain, names)
            page = page_of([(node.name.encode(), node) for node in nodes], limit, start)
            return Page(self._stats(visit, chain, page.items), page.next_token, page.is_last)
        after = await self._after(visit, chain, start)
        found = await self._context.engine.page(visit.scope, chain.file.key, after, limit + 1, BASE)
        nodes = [Node.found(item) for item in found[:limit]]
        is_last = len(found) <= limit
        token = None if is_last else page_token(found[limit - 1].entry.name)
        return Page(self._stats(visit, chain, nodes), token, is_last)

    async def count(self, caller: Caller, target: Target) -> int:
        """Return how many children there are. See ``FileService.count_children``."""
        if not target.names and is_user_root_of(target.base, caller):
            return len(await self._spaces(caller))
        visit, chain = await self._directory(caller, target)
        names = await visit.visible_names(chain)
        if names is not None:
            return len(await self._named(visit, chain, names))
        return await self._context.engine.count(visit.scope, chain.file.key)

    async def slice(self, caller: Caller, target: Target, first: int, last: int) -> list[FileStat]:
        """Return children by position. See ``FileService.children_slice``."""
        if first < 0 or last < first:
            return []
        limit = last - first + 1
        start = Start(offset=first)
        if target.names or not is_user_root_of(target.base, caller):
            await self._directory(caller, target)
        return list((await self.page(caller, target, limit, start)).items)

    async def _listable(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        needed = Operation.LIST_CONTAINER if chain.file.is_directory else NOTHING
        await visit.require(chain, needed)
        return visit, chain

    async def _directory(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._listable(caller, target)
        if not chain.file.is_directory:
            raise Posix(Errno.ENOTDIR)
        return visit, chain

    async def _after(self, visit: Visit, chain: Chain, start: Start) -> bytes | None:
        """Return the name that the page begins after."""
        if start.token is not None:
            return name_of_token(start.token)
        boundary, engine, key = start.boundary, self._context.engine, chain.file.key
        after: bytes | None = None
        if boundary is not None:
            back = max(0, -start.offset) + 1
            before = await engine.page_back(visit.scope, key, boundary, back)
            after = before[-1].name if len(before) == back else None
        left = max(0, start.offset)
        while left > 0:
            skipped = await engine.page(visit.scope, key, after, min(left, SKIP), ())
            if not skipped:
                break
            after, left = skipped[-1].entry.name, left - len(skipped)
        return after

    async def _named(self, visit: Visit, chain: Chain, names: frozenset[str]) -> list[Node]:
        """Return the children with these names that exist, in name order."""
        found = []
        for raw in sorted(name.encode("utf-8", "surrogatepass") for name in names):
            walked = await self._context.engine.resolve(visit.scope, chain.file.key, [raw], BASE)
            if len(walked) > 1:
                found.append(Node.found(walked[1]))
        return [node for node in found if node.exists]

    def _stats(self, visit: Visit, chain: Chain, nodes: Sequence[Node]) -> list[FileStat]:
        names = chain.names
        return [stat_of_child(node, chain, names, visit.space) for node in nodes if node.exists]

    async def _spaces(self, caller: Caller) -> list[tuple[bytes, FileStat]]:
        spaces = await self._context.access.spaces_of(caller)
        user_id = caller.user_id or UserId("")
        named = [
            (name.encode("utf-8", "replace"), stat_of_space(space, name, user_id))
            for space, name in zip(spaces, shown_names(spaces), strict=True)
        ]
        return sorted(named, key=lambda item: item[0])

    def _page_of_spaces(
        self, spaces: Sequence[tuple[bytes, FileStat]], limit: int, start: Start
    ) -> Page[FileStat]:
        return page_of(spaces, limit, start)


def shown_names(spaces: Sequence[SpaceInfo]) -> list[str]:
    """Return what each space is called in the directory of spaces: its name, with its id if ambiguous."""
    names = [space.name for space in spaces]
    return [
        f"{space.name}@{space.space_id}" if names.count(space.name) > 1 else space.name for space in spaces
    ]


def page_of(items: Sequence[tuple[bytes, T]], limit: int, start: Start) -> Page[T]:
    """Return a page of a short list that is in name order already."""
    if start.token is not None:
        after = name_of_token(start.token)
        first = sum(name <= after for name, _ in items)
    else:
        boundary = start.boundary
        at = 0 if boundary is None else sum(name < boundary for name, _ in items)
        first = max(0, at + start.offset)
    chosen = items[first : first + limit]
    is_last = first + limit >= len(items)
    token = None if is_last or not chosen else page_token(chosen[-1][0])
    return Page([item for _, item in chosen], token, is_last)
