"""Everything below a directory in order of relative paths, a page at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Sequence

from attrs import define, field, frozen

from onedata.errors import Posix
from op_worker.auth.caller import Caller
from op_worker.files.access import Visit
from op_worker.files.attributes import stat_of
from op_worker.files.context import FilesContext
from op_worker.files.documents import BASE
from op_worker.files.model import FileStat, RecursivePage, Target
from op_worker.files.nodes import Chain, Node
from op_worker.files.permissions import NOTHING, Operation
from op_worker.files.tokens import Position

_PAGE = 500
_READABLE = Operation.LIST_CONTAINER | Operation.TRAVERSE


@define(eq=False)
class Level:
    """A directory on the way down: what was listed of it already."""

    chain: Chain
    names: tuple[str, ...]
    after: bytes | None = None
    prefix: bytes = b""
    waiting: deque[Node] = field(factory=deque)


@frozen(eq=False)
class Step:
    """One thing met on the walk; ``stat`` is ``None`` for a directory that may not be listed."""

    path: str
    stat: FileStat | None


@frozen(eq=False)
class RecursiveListing:
    """Walks trees in order; a walk can begin anywhere."""

    _context: FilesContext

    async def page(
        self,
        caller: Caller,
        target: Target,
        limit: int,
        token: str | None,
        start_after: str | None,
        prefix: str | None,
        *,
        include_directories: bool,
    ) -> RecursivePage:
        """Return a page. See ``FileService.list_recursive``."""
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        node_id = chain.guid.object_id()
        start = Position(node_id, start_after or "")
        if token is not None:
            start = Position.of_token(token, node_id)
        if not chain.file.is_directory:
            return RecursivePage([(".", stat_of(chain, visit.space, visit.user_id))], [], None)
        await visit.require(chain, Operation.LIST_CONTAINER)
        steps: list[Step] = []
        async for step in self._walk(visit, chain, start, prefix or ""):
            if step.stat is not None and step.stat.is_directory and not include_directories:
                continue
            if len(steps) == limit:
                return _page(steps, _after(node_id, steps[-1]).token())
            steps.append(step)
        return _page(steps, None)

    async def _walk(self, visit: Visit, top: Chain, start: Position, prefix: str) -> AsyncIterator[Step]:
        levels = await self._levels(visit, top, start, prefix)
        while levels:
            level = levels[-1]
            node = await self._next(visit, level)
            if node is None:
                levels.pop()
                continue
            chain = level.chain.child(node)
            if not node.exists or await visit.is_hidden(chain):
                continue
            names = (*level.names, node.name)
            yield Step("/".join(names), stat_of(chain, visit.space, visit.user_id))
            if not node.is_directory:
                continue
            if await self._is_readable(visit, chain):
                levels.append(Level(chain, names))
            else:
                yield Step("/".join(names), None)

    async def _levels(self, visit: Visit, top: Chain, start: Position, prefix: str) -> list[Level]:
        """Return the directories that are open where the walk begins, the deepest last."""
        *fixed, name_prefix = prefix.split("/")
        base = await self._descend(visit, top, fixed)
        if base is None:
            return []
        levels = [Level(base, tuple(fixed), prefix=name_prefix.encode("utf-8", "replace"))]
        names = tuple(start.start_after.split("/")) if start.start_after else ()
        if names[: len(fixed)] < tuple(fixed) and names[: len(fixed)] != tuple(fixed)[: len(names)]:
            return levels
        if names[: len(fixed)] != tuple(fixed)[: len(names)]:
            return []
        for name in names[len(fixed) :]:
            level = levels[-1]
            level.after = name.encode("utf-8", "replace")
            inner = await self._descend(visit, level.chain, [name])
            is_last = len(level.names) + 1 == len(names)
            if inner is None or (is_last and start.is_passed):
                break
            levels.append(Level(inner, (*level.names, name)))
        return levels

    async def _descend(self, visit: Visit, chain: Chain, names: Sequence[str]) -> Chain | None:
        """Return a directory below another; ``None`` when there is none or it may not be listed."""
        for name in names:
            raw = name.encode("utf-8", "replace")
            found = await self._context.engine.resolve(visit.scope, chain.file.key, [raw], BASE)
            if len(found) < 2:
                return None
            node = Node.found(found[1])
            if not node.exists or not node.is_directory:
                return None
            chain = chain.child(node)
            if not await self._is_readable(visit, chain):
                return None
        return chain

    async def _next(self, visit: Visit, level: Level) -> Node | None:
        """Return the next entry of a directory that its prefix admits; ``None`` at the end."""
        if not level.waiting:
            level.waiting.extend(await self._fetch(visit, level))
        if not level.waiting:
            return None
        node = level.waiting.popleft()
        level.after = node.name.encode()
        return node

    async def _fetch(self, visit: Visit, level: Level) -> list[Node]:
        engine, key, after = self._context.engine, level.chain.file.key, level.after
        if level.prefix and (after is None or after < level.prefix):
            before = await engine.page_back(visit.scope, key, level.prefix, 1)
            after = before[0].name if before else None
        found = await engine.page(visit.scope, key, after, _PAGE, BASE)
        return [Node.found(item) for item in found if item.entry.name.startswith(level.prefix)]

    async def _is_readable(self, visit: Visit, chain: Chain) -> bool:
        try:
            if not visit.caller.is_limited:
                visit.require_alone(chain, _READABLE)
            else:
                await visit.require(chain, _READABLE)
        except Posix:
            return False
        return True


def _after(node_id: str, step: Step) -> Position:
    return Position(node_id, step.path, is_passed=step.stat is None)


def _page(steps: Sequence[Step], token: str | None) -> RecursivePage:
    return RecursivePage(
        [(step.path, step.stat) for step in steps if step.stat is not None],
        [step.path for step in steps if step.stat is None],
        token,
    )
