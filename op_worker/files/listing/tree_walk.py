"""A walk over everything below a directory, in order of paths; it can begin after any path.

The order is that of the components of paths, by bytes: a directory's content comes right after it, so
``a/x`` is before ``a.b``. A walk holds one level for each open directory, and reads a directory in pieces.
"""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence

from attrs import define, field, frozen

from cluster_worker.persistence.engine import Engine
from onedata.errors import Posix
from op_worker.files.finding.visit import Visit
from op_worker.files.listing.named_children import named_children
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import BASE
from op_worker.files.stored.nodes import Chain, Node
from op_worker.glob import Glob, Places, Span

_READABLE = Operation.LIST_CONTAINER | Operation.TRAVERSE


@frozen(eq=False)
class Step:
    """A file or directory met on a walk. ``is_match``: what is looked for; ``is_closed``: a directory in
    which more may be, but which may not be listed.
    """

    names: tuple[str, ...]
    chain: Chain
    is_match: bool
    is_closed: bool = False

    @property
    def path(self) -> str:
        return "/".join(self.names)


@define(eq=False)
class _Level:
    """An open directory: its path, what of it is wanted, and what was read already."""

    chain: Chain
    names: tuple[str, ...]
    places: Places
    span: Span
    after: bytes | None = None
    waiting: deque[Node] = field(factory=deque)
    is_read: bool = False

    @property
    def start(self) -> bytes:
        """The least name to be read next."""
        least = self.span.prefix.encode("utf-8", "replace")
        return least if self.after is None else max(least, self.after + b"\x01")

    def leads_into(self, node: Node) -> bool:
        """Whether an entry is a directory that the walk may go into."""
        return node.exists and node.is_directory and self.span.admits(node.name)

    def admit(self, nodes: Sequence[Node]) -> None:
        """Take what was read; the span is left for good at the first name outside."""
        for node in nodes:
            if not self.span.admits(node.name):
                self.is_read = True
                return
            if node.exists:
                self.waiting.append(node)


@define(eq=False)
class TreeWalk:
    """One walk of one caller.

    Args:
        prefix: of the paths that are wanted.
        most: how many entries are worth reading at once.
    """

    _engine: Engine
    _visit: Visit
    _top: Chain
    _glob: Glob
    _prefix: str
    _most: int

    async def steps(self, after: tuple[str, ...], *, is_passed: bool) -> AsyncIterator[Step]:
        """Yield everything after a path (``()``: from the beginning) that lies where something can match.

        With ``is_passed`` what is below that path is left out.
        """
        levels, closed = await self._open(after, is_passed=is_passed)
        if closed is not None:
            yield closed
        while levels:
            level = levels[-1]
            node = await self._next(level)
            if node is None:
                levels.pop()
                continue
            names, chain = (*level.names, node.name), level.chain.child(node)
            places = self._glob.after(level.places, node.name)
            yield Step(names, chain, self._glob.is_match(places))
            inner = self._level(chain, names, places) if node.is_directory else None
            if inner is None:
                continue
            if await self._is_readable(chain):
                levels.append(inner)
            else:
                yield Step(names, chain, is_match=False, is_closed=True)

    async def _open(self, after: tuple[str, ...], *, is_passed: bool) -> tuple[list[_Level], Step | None]:
        """Return the directories that are open after a path, the deepest last, in one round trip.

        The step is the directory that the walk would go on in, when it may not be listed.
        """
        *fixed, prefix = self._prefix.split("/")
        base = tuple(fixed)
        rest = after[len(base) :] if after[: len(base)] == base else ()
        if not rest and after > base:
            return [], None  # all that begins with the prefix is before
        path = (*base, *rest)
        nodes = await self._resolved(path[:-1] if is_passed else path)
        levels: list[_Level] = []
        chain, places = self._top, self._glob.start
        for depth in range(len(path) + 1):
            level = self._level(chain, path[:depth], places, prefix if depth == len(base) else "")
            if level is None:
                break
            if depth and not await self._is_readable(chain):
                is_told = not is_passed and (depth == len(path) or depth <= len(base))
                return levels, await self._closed(level) if is_told else None
            if depth >= len(base):
                levels.append(level)
            if depth < len(path):
                level.after = path[depth].encode("utf-8", "replace")
            if depth >= len(nodes) or not level.leads_into(nodes[depth]):
                break
            chain, places = chain.child(nodes[depth]), self._glob.after(places, path[depth])
        return levels, None

    async def _closed(self, level: _Level) -> Step | None:
        if await self._visit.is_hidden(level.chain):
            return None
        return Step(level.names, level.chain, is_match=False, is_closed=True)

    async def _resolved(self, path: tuple[str, ...]) -> list[Node]:
        """Return what there is along a path below the top."""
        if not path:
            return []
        raw = [name.encode("utf-8", "replace") for name in path]
        found = await self._engine.resolve(self._visit.scope, self._top.file.key, raw, BASE)
        return [Node.found(item) for item in found[1:]]

    def _level(self, chain: Chain, names: tuple[str, ...], places: Places, prefix: str = "") -> _Level | None:
        """Return a directory to be read; ``None`` when nothing in it can match."""
        span = self._glob.span(places)
        span = None if span is None else span.within(prefix)
        return None if span is None else _Level(chain, names, places, span)

    async def _next(self, level: _Level) -> Node | None:
        """Return the next entry of a directory; ``None`` at the end of what is wanted of it."""
        while not level.waiting:
            if level.is_read:
                return None
            await self._read(level)
        node = level.waiting.popleft()
        level.after = node.name.encode()
        return node

    async def _read(self, level: _Level) -> None:
        shown = await self._visit.visible_names(level.chain)
        if shown is not None:
            nodes = await named_children(self._engine, self._visit, level.chain, shown)
            level.admit([node for node in nodes if node.name.encode() >= level.start])
            level.is_read = True
            return
        most = 1 if level.span.is_exact else self._most
        key = level.chain.file.key
        found = await self._engine.page_from(self._visit.scope, key, level.start, 0, most, BASE)
        level.admit([Node.found(item) for item in found])
        level.is_read |= len(found) < most or level.span.is_exact

    async def _is_readable(self, chain: Chain) -> bool:
        try:
            if not self._visit.caller.is_limited:
                self._visit.require_alone(chain, _READABLE)
            else:
                await self._visit.require(chain, _READABLE)
        except Posix:
            return False
        return True
