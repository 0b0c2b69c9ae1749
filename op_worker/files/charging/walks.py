"""Walks that charge files anew: every job of a space, a page of files in a commit.

One commit changes the charges of a page without limits, so a quota may stand above its limit afterwards.
Where a walk has got to is kept, so that whoever does it next goes on there; what is charged as it should be
costs a read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence

from attrs import define, evolve, frozen

from cluster_worker.persistence.engine import (
    Batch,
    Delete,
    Engine,
    Key,
    PreconditionFailed,
    Put,
    Resolved,
    Scope,
    Step,
)
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import SpaceId, copies_uuid, nameless_uuid, space_root_uuid
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.finding.lookup import Lookup
from op_worker.files.stored.batches import unmoved
from op_worker.files.stored.charges import charge_steps, charged
from op_worker.files.stored.documents import BASE, LOCATION
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.recharge_jobs import JOBS, POSITIONS, Job, Open, Position, keys_of

PAGE = 200
NOTE_EVERY = 2000
"""Where a walk has got to is written down at least every so many files."""
MOST_OPEN = 1000
"""Where more directories are open, it is not: whoever goes on does so at the place noted before."""
_MOST_TRIES = 50

Commit = Callable[[Batch], Awaitable[object]]
"""Commits to the space of a walk, as long as the walk is ours."""
Check = Callable[[], None]
"""Raises what ends a walk that is not ours any more."""


@define(eq=False)
class _Walk:
    """A job that is being done. ``noted``: how many files had been visited at the position that is kept."""

    space_id: SpaceId
    top: str
    job: Job
    revision: int
    open: Sequence[Open]
    commit: Commit
    noted: int = 0


def _beginnings(space_id: SpaceId, top: str) -> Sequence[Open]:
    """Return where a walk begins: no entry of the root leads to the directories that are not listed."""
    unlisted = (nameless_uuid(space_id), copies_uuid(space_id))
    tops = (top, *unlisted) if top == space_root_uuid(space_id) else (top,)
    return [(Key(one), None) for one in tops]


class _Overtaken(Exception):
    """Somebody ordered the same walk anew, or does it; this one ends."""


@frozen(eq=False)
class ChargingWalks:
    """Does the jobs of a space; whoever calls sees to it that one node does."""

    _engine: Engine
    _lookup: Lookup
    _quotas: KnownQuotas

    async def do_all(self, space_id: SpaceId, commit: Commit, check: Check) -> None:
        """Do every job that there is, and those that come meanwhile.

        ``check`` is called before each page.

        Raises: what ``commit`` and ``check`` raise; ServiceUnavailable; PersistenceUnavailable.
        """
        scope = Scope(space_id)
        while jobs := await self._engine.get_all(scope, JOBS):
            check()
            await self._quotas.read(space_id)  # not older than the jobs
            positions = await self._engine.get(scope, POSITIONS, list(jobs))
            for top, document in jobs.items():
                walk = _Walk(
                    *(space_id, top, Job.decode(document.data), document.revision),
                    *(_beginnings(space_id, top), commit),
                )
                if top in positions:
                    position = Position.decode(positions[top].data)
                    walk.open, walk.noted = position.open, position.visited
                walk.job = evolve(walk.job, visited=walk.noted, changed=walk.job.changed if walk.noted else 0)
                try:
                    while walk.open:
                        check()
                        await self._page(walk)
                    await self._end(walk)
                except _Overtaken:
                    break

    async def _page(self, walk: _Walk) -> None:
        """Charge the next files of the directory that was opened last; open the directories among them."""
        directory, after = walk.open[-1]
        size = PAGE
        for _ in range(_MOST_TRIES):
            chain = await self._directory(walk.space_id, directory)
            if chain is None:
                walk.open = walk.open[:-1]
                return
            entries = await self._engine.page(Scope(walk.space_id), directory, after, size, BASE)
            rest = [*walk.open[:-1], *_opened_by(directory, entries, is_full=len(entries) == size)]
            try:
                await self._charge(walk, chain, entries, rest)
            except PreconditionFailed as refusal:
                self._look_anew(walk, refusal)
                size = max(1, size // 2)
                continue
            walk.open = rest
            return
        raise ServiceUnavailable()

    async def _directory(self, space_id: SpaceId, key: Key) -> Chain | None:
        """Return a directory; ``None`` when it was removed, and what is in it stays as it was charged."""
        try:
            chain = await self._lookup.by_id(space_id, key)
        except Posix as error:
            if error.errno is Errno.ENOENT:
                return None
            raise
        return chain if chain.file.is_directory else None

    async def _charge(
        self, walk: _Walk, directory: Chain, entries: Sequence[Resolved], rest: Sequence[Open]
    ) -> None:
        """Charge entries of a directory; ``rest`` is what is open after them."""
        quotas = await self._quotas.of(walk.space_id)
        above, changes = keys_of(directory), Counter[str]()
        steps: list[Step] = []
        for node in {item.key: Node.found(item) for item in entries}.values():  # a file may have two names
            old = node.location
            if old is None or not node.exists:
                continue
            new = evolve(old, charges=quotas.wanted(node.meta.owner, above))
            if new.charges != old.charges:
                steps.append(Put(node.key, LOCATION, new.encode(), expect=node.revision(LOCATION)))
                changes.update(charged(old, new))
        job = evolve(walk.job, visited=walk.job.visited + len(entries), changed=walk.job.changed + len(steps))
        is_due = job.visited - walk.noted >= NOTE_EVERY
        if steps or is_due:
            counted = charge_steps(changes, None)
            report: list[Step] = [Put(JOBS, walk.top, job.encode(), expect=walk.revision)]
            if is_due and len(rest) <= MOST_OPEN:
                report.append(Put(POSITIONS, walk.top, Position(job.visited, rest).encode()))
            await walk.commit(Batch([quotas.unchanged(), *unmoved(directory), *steps, *counted, *report]))
            walk.revision += 1
            walk.noted = job.visited if is_due else walk.noted
        walk.job = job

    async def _end(self, walk: _Walk) -> None:
        """Strike the job off; with the last one the quotas of the space are settled."""
        scope = Scope(walk.space_id)
        for _ in range(_MOST_TRIES):
            quotas = await self._quotas.of(walk.space_id)
            others = set(await self._engine.get_all(scope, JOBS)) - {walk.top}
            steps = [
                Delete(JOBS, walk.top, expect=walk.revision),
                Delete(POSITIONS, walk.top),
                quotas.next_epoch(is_settled=not others),
            ]
            try:
                await walk.commit(Batch(steps))
            except PreconditionFailed as refusal:
                self._look_anew(walk, refusal)
                continue
            self._quotas.forget(walk.space_id)
            return
        raise ServiceUnavailable()

    def _look_anew(self, walk: _Walk, refusal: PreconditionFailed) -> None:
        if isinstance(refusal.step, Put | Delete) and refusal.step.key == JOBS:
            raise _Overtaken
        self._quotas.forget(walk.space_id)


def _opened_by(directory: Key, entries: Sequence[Resolved], *, is_full: bool) -> list[Open]:
    """Return what is open instead of a directory of which a page was read: its rest, directories in it."""
    nodes = map(Node.found, entries)
    rest: list[Open] = [(directory, entries[-1].entry.name)] if is_full else []
    return rest + [(node.key, None) for node in nodes if node.exists and node.is_directory]
