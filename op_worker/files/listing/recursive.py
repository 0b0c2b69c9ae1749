"""Everything below a directory in order of relative paths, a page at a time."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.listing.listed_xattrs import with_xattrs
from op_worker.files.listing.tokens import Position, listing_id
from op_worker.files.listing.tree_walk import Step, TreeWalk
from op_worker.files.model import FileStat, RecursivePage, Shown, Target
from op_worker.files.rights.permissions import NOTHING, Operation
from op_worker.files.stored.nodes import Chain
from op_worker.glob import EVERYTHING, Glob

MOST_LOOKED_AT = 10_000
"""A page ends after so many entries, shown or not, so that it costs the same wherever it begins."""
_MOST_AT_ONCE = 500


@frozen
class Asked:
    """What a listing is to show: paths below the directory that begin so and match, directories or not."""

    prefix: str
    glob: str | None
    include_directories: bool
    shown: Shown


@frozen(eq=False)
class RecursiveListing:
    """Lists trees; a page can begin after any path."""

    _context: FilesContext

    async def page(
        self,
        caller: Caller,
        target: Target,
        limit: int,
        token: str | None,
        start_after: str | None,
        asked: Asked,
    ) -> RecursivePage:
        """Return a page. See ``FileService.list_recursive``."""
        glob = EVERYTHING if asked.glob is None else Glob.parse(asked.glob)
        visit, chain = await self._context.chain(caller, target)
        await visit.require(chain, NOTHING)
        listing = listing_id(chain.guid.object_id(), asked.prefix, asked.glob)
        start = Position(listing, start_after or "") if token is None else Position.of_token(token, listing)
        if not chain.file.is_directory:
            stats = await self._shown(visit, [chain], asked)
            return RecursivePage([(".", stat) for stat in stats], [], None)
        await visit.require(chain, Operation.LIST_CONTAINER)
        walk = TreeWalk(self._context.engine, visit, chain, glob, asked.prefix, min(limit + 1, _MOST_AT_ONCE))
        steps, last = await _taken(walk, start, limit, asked)
        return await self._page(visit, steps, last, listing, asked)

    async def _page(
        self, visit: Visit, steps: Sequence[Step], last: Step | None, listing: str, asked: Asked
    ) -> RecursivePage:
        """Return a page that is continued after ``last``; ``None`` is the end of the listing."""
        matches = [step for step in steps if step.is_match]
        stats = await self._shown(visit, [step.chain for step in matches], asked)
        if len(stats) < len(matches):
            last = matches[len(stats) - 1]
            steps = steps[: steps.index(last)]
        return RecursivePage(
            [(step.path, stat) for step, stat in zip(matches, stats, strict=False)],
            [step.path for step in steps if step.is_closed],
            None if last is None else Position(listing, last.path, last.is_closed).token(),
        )

    async def _shown(self, visit: Visit, chains: Sequence[Chain], asked: Asked) -> list[FileStat]:
        listed = [(chain, visit.stat(chain)) for chain in chains]
        return await with_xattrs(self._context.engine, visit, listed, asked.shown.xattrs)


async def _taken(
    walk: TreeWalk, start: Position, limit: int, asked: Asked
) -> tuple[Sequence[Step], Step | None]:
    """Return what goes on a page, and the step it stopped at when more may follow."""
    steps: list[Step] = []
    looked_at = 0
    after = tuple(start.start_after.split("/")) if start.start_after else ()
    async for step in walk.steps(after, is_passed=start.is_passed):
        is_shown = step.is_match and (asked.include_directories or not step.chain.file.is_directory)
        if is_shown or step.is_closed:
            if len(steps) == limit:
                return steps, steps[-1]
            steps.append(step)
        looked_at += 1
        if looked_at == MOST_LOOKED_AT:
            return steps, step
    return steps, None
