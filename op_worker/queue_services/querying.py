"""Query queues: a walk over everything that the creator may read, whose matches become values.

How far the walk is, is committed with the values it found, so after a crash it goes on there: nothing is lost
and nothing comes twice. An object that is moved while the walk goes on may be met twice or not at all.
"""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Batch, PreconditionFailed, Scope
from cluster_worker.tenure.tenure import Fence
from onedata.errors import Errno, Forbidden, NotFound, Posix, SpaceNotSupportedBy
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.finding.visit import Visit
from op_worker.files.listing.tree_walk import TreeWalk
from op_worker.files.model import FileType
from op_worker.files.queues.filling import Overtaken
from op_worker.files.service import FileService
from op_worker.files.stored.nodes import Chain
from op_worker.glob import EVERYTHING
from op_worker.queue_services.gathering import Gathering, Representation
from op_worker.queue_services.judging import encoded, judge
from op_worker.queue_services.outbox import JSON_VALUE
from op_worker.queue_services.records import PROGRESS_FIELDS, Entry, Phase, Progress, progress_key
from op_worker.queue_services.uris import is_reference

PAGE = 100
"""How many objects are read at once; a commit has hardly more values."""
IN_MEMORY = 16
"""How many representations are in memory; with metadata they may take megabytes each."""
PAGE_B = 1 << 20
"""A commit has no more values when these have so many bytes."""
LOOKED_AT = 1000
"""How far the walk is, is written down at least after so many objects."""


class Stopped(Exception):
    """This walk ends here: its queue changed, or another node does it."""


@frozen(eq=False)
class _Page:
    """What is told of a part of a space; ``at`` is the last object looked at, ``None`` at the end."""

    values: Sequence[bytes]
    at: Chain | None


@frozen(eq=False)
class Querying:
    """Walks for query queues, one page at a time."""

    _files: FileService
    _representation: Representation

    async def run(self, scope: Scope, entry: Entry, fence: Fence) -> None:
        """Walk on until the query is answered.

        Raises: Stopped; PersistenceError, ServiceUnavailable, Posix and Forbidden when it cannot go on now.
        """
        progress = await self.progress(scope, entry)
        while progress.phase is not Phase.CURRENT:
            progress = await self._step(scope, entry, progress, fence)

    async def progress(self, scope: Scope, entry: Entry) -> Progress:
        """Return how far a query is."""
        found = await self._files.context.engine.get(scope, progress_key(entry.queue), PROGRESS_FIELDS)
        return Progress.of(entry, found)

    async def note(self, scope: Scope, entry: Entry, phase: Phase, detail: str, fence: Fence) -> None:
        """Write down why a query does not go on; what anybody else wrote meanwhile stays."""
        progress = await self.progress(scope, entry)
        wanted = evolve(progress, phase=phase, detail=detail)
        if wanted != progress and progress.phase is not Phase.CURRENT:
            try:
                await self._commit(scope, entry, wanted, fence)
            except Stopped:
                return

    async def _step(self, scope: Scope, entry: Entry, progress: Progress, fence: Fence) -> Progress:
        """Do and commit the next piece of work; return how far it is then. Raises: as ``run``."""
        await self._files.context.lookup.by_id(SpaceId(scope), entry.queue)
        if progress.spaces is None:
            found = evolve(progress, spaces=await self._spaces(scope, entry))
            return await self._commit(scope, entry, found, fence)
        if not progress.spaces:
            return await self._commit(scope, entry, progress.next_space(), fence)
        visit = await self._visit(entry, SpaceId(progress.spaces[0]))
        page = _Page((), None) if visit is None else await self._page(visit, entry, progress)
        if page.at is None:
            after = progress.next_space()
        else:
            is_passed = page.at.file.meta.is_queue
            after = evolve(
                progress, path=page.at.names, is_passed=is_passed, phase=Phase.PROCESSING, detail=""
            )
        return await self._commit(scope, entry, after, fence, page.values)

    async def _commit(
        self, scope: Scope, entry: Entry, after: Progress, fence: Fence, values: Sequence[bytes] = ()
    ) -> Progress:
        steps = [fence.check, entry.unchanged(), after.put(entry.queue)]
        try:
            if values:
                filling = self._files.queues.filling
                owner = Caller(UserId(entry.creator))
                await filling.add(owner, SpaceId(scope), entry.queue, values, JSON_VALUE, steps)
            else:
                await self._files.context.engine.commit(scope, Batch(steps))
        except (Overtaken, PreconditionFailed):
            raise Stopped from None
        return evolve(after, revision=after.revision + 1)

    async def _spaces(self, scope: Scope, entry: Entry) -> tuple[str, ...]:
        """Return the spaces of the creator that are supported here.

        Raises: Forbidden when he is not in the space of the queue any more.
        """
        access, caller = self._files.context.access, Caller(UserId(entry.creator))
        await access.enter(caller, SpaceId(scope))
        return tuple(one for one in sorted(await access.space_ids_of(caller)) if access.is_supported(one))

    async def _visit(self, entry: Entry, space_id: SpaceId) -> Visit | None:
        """Enter a space; ``None`` when the creator left it, or it is not supported any more."""
        try:
            return await self._files.context.access.enter(Caller(UserId(entry.creator)), space_id)
        except (Forbidden, NotFound, SpaceNotSupportedBy):
            return None

    async def _page(self, visit: Visit, entry: Entry, progress: Progress) -> _Page:
        gathering = Gathering(self._files, self._representation, visit, entry.definition)
        values: list[bytes] = []
        size_b, looked_at = 0, 0
        at: Chain | None = None
        chains = await self._next(gathering, progress.path, is_passed=progress.is_passed)
        while chains:
            for first in range(0, len(chains), IN_MEMORY):
                part = chains[first : first + IN_MEMORY]
                at, looked_at = part[-1], looked_at + len(part)
                found = await self._results(gathering, entry, part)
                values += found
                size_b += sum(map(len, found))
                if size_b > PAGE_B or looked_at >= LOOKED_AT or len(values) >= PAGE:
                    return _Page(values, at)
            assert at is not None
            chains = await self._next(gathering, at.names, is_passed=at.file.meta.is_queue)
        return _Page(values, None)

    async def _results(self, gathering: Gathering, entry: Entry, chains: Sequence[Chain]) -> list[bytes]:
        """Return the results among some objects."""
        shown = [chain for chain in chains if await self._is_wanted(gathering, chain)]
        candidates = await gathering.found(shown)
        judged = await self._files.context.blocking.run(judge, entry.definition, candidates)
        return [encoded(result) for result in judged if result is not None]

    async def _is_wanted(self, gathering: Gathering, chain: Chain) -> bool:
        file = chain.file
        if file.type is FileType.SYMLNK and not is_reference(file.meta.symlink_target or ""):
            return False
        return await gathering.is_shown(chain)

    async def _next(
        self, gathering: Gathering, path: tuple[str, ...] | None, *, is_passed: bool
    ) -> list[Chain]:
        """Return up to ``PAGE`` objects after a path; the last one may be a queue, whose values are none."""
        context, visit = self._files.context, gathering.visit
        root = (await context.lookup.walk(visit.space_id, ())).chain
        if path is None:
            return [root]
        chains: list[Chain] = []
        if not await gathering.is_open(root):
            return chains
        async for step in TreeWalk(context.engine, visit, root, EVERYTHING, "", PAGE + 1).steps(
            path, is_passed=is_passed
        ):
            if not step.is_closed:
                chains.append(step.chain)
            if len(chains) == PAGE or step.chain.file.meta.is_queue:
                break
        return chains


def why_not(error: Exception) -> tuple[Phase, str]:
    """Return the phase of a query that an error keeps from going on, and what its status says."""
    if isinstance(error, Forbidden | NotFound):
        return Phase.HALTED, ""
    if isinstance(error, Posix) and error.errno in (Errno.ENOSPC, Errno.EDQUOT):
        return Phase.ERROR, "no space is left for results"
    if isinstance(error, Posix) and error.errno is Errno.EPERM:
        return Phase.ERROR, "the queue is under a hold or in a retention period"
    return Phase.ERROR, "something it needs is not available now"
