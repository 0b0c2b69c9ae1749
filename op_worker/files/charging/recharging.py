"""Charging files anew, in the background, after a quota was set or removed or a directory was moved.

One commit changes the charges of a page of files, without limits, so a quota may stand above its limit
afterwards. A walk that is interrupted begins anew; files that are charged as they should be cost a read.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from attrs import define, evolve, field
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import (
    Batch,
    Delete,
    Engine,
    Key,
    Lease,
    PersistenceError,
    PreconditionFailed,
    Put,
    Resolved,
    Scope,
    Step,
)
from cluster_worker.persistence.leases import take
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import TaskOwner
from onedata.errors import Errno, Posix, ServiceUnavailable
from onedata.ids import SpaceId, copies_uuid, nameless_uuid, space_root_uuid
from op_worker.files.committing.known_quotas import KnownQuotas
from op_worker.files.finding.lookup import Lookup
from op_worker.files.stored.batches import unmoved
from op_worker.files.stored.charges import charge_steps, charged
from op_worker.files.stored.documents import BASE, LOCATION
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.recharge_jobs import JOBS, Job, begin, is_needed, keys_of

PAGE = 200
LEASE_S = 30.0
_MOST_TRIES = 50
_REPORT_EVERY = 2000
"""Progress is written down at least every so many files."""


@define(eq=False)
class _Walk:
    """A job that is being done. ``open`` are directories, each with the name it was read up to."""

    space_id: SpaceId
    top: str
    job: Job
    revision: int
    open: list[tuple[Key, bytes | None]]
    reported: int = 0


def _beginnings(space_id: SpaceId, top: str) -> list[tuple[Key, bytes | None]]:
    """Return where a walk begins: no entry of the root leads to the directories that are not listed."""
    unlisted = (nameless_uuid(space_id), copies_uuid(space_id))
    tops = (top, *unlisted) if top == space_root_uuid(space_id) else (top,)
    return [(Key(one), None) for one in tops]


class _Overtaken(Exception):
    """Somebody ordered the same walk anew, or does it; this one ends."""


@define(eq=False)
class Recharging:
    """Does the jobs of each space, one node at a time in each."""

    _engine: Engine
    _lookup: Lookup
    _quotas: KnownQuotas
    _tasks: TaskOwner
    _clock: IReactorTime
    _wall_clock: WallClock
    _node_name: str
    _busy: set[SpaceId] = field(factory=set)
    _again: set[SpaceId] = field(factory=set)
    _log = Logger()

    async def for_move(self, space_id: SpaceId, source: Chain, target: Chain) -> list[Step]:
        """Return the steps that a move of the directory ``source`` into ``target`` needs besides its own.

        Call ``run_soon`` after the commit.
        """
        quotas = await self._quotas.of(space_id)
        if not is_needed(quotas, keys_of(source.above), keys_of(target)):
            return [quotas.unchanged()]
        return await self.order(space_id, source.file.key)

    @staticmethod
    def is_ordered(steps: Sequence[Step]) -> bool:
        """Whether a walk is ordered among these steps."""
        return any(isinstance(step, Put) and step.key == JOBS for step in steps)

    async def order(self, space_id: SpaceId, top: str) -> list[Step]:
        """Return the steps that order a walk below ``top``; call ``run_soon`` after their commit."""
        quotas = await self._quotas.of(space_id)
        jobs = await self._engine.get(Scope(space_id), JOBS, [top])
        return begin(quotas, jobs, top, self._wall_clock())

    async def jobs(self, space_id: SpaceId) -> dict[str, Job]:
        """Return the jobs of a space by the uuid of the directory at their top."""
        found = await self._engine.get_all(Scope(space_id), JOBS)
        return {top: Job.decode(document.data) for top, document in found.items()}

    def run_soon(self, space_id: SpaceId) -> None:
        """Do the jobs of a space that there are, unless that is going on already."""
        if space_id in self._busy:
            self._again.add(space_id)
            return
        self._busy.add(space_id)
        self._tasks.spawn("charging files anew", self._run_or_log(space_id))

    async def run(self, space_id: SpaceId) -> None:
        """Do every job of a space, unless another node does. Raises: PersistenceUnavailable."""
        while await self._engine.get_all(Scope(space_id), JOBS):
            lease = await self._lease(space_id)
            if lease is None:
                return
            try:
                await self._do_all(space_id)
            finally:
                await self._engine.release(lease)

    async def _do_all(self, space_id: SpaceId) -> None:
        jobs = await self._engine.get_all(Scope(space_id), JOBS)
        await self._quotas.read(space_id)  # not older than the jobs
        for top, document in jobs.items():
            job = evolve(Job.decode(document.data), visited=0, changed=0)
            walk = _Walk(space_id, top, job, document.revision, _beginnings(space_id, top))
            try:
                await self._walk(walk)
                await self._end(walk)
            except _Overtaken:
                return

    async def _run_or_log(self, space_id: SpaceId) -> None:
        try:
            while True:
                self._again.discard(space_id)
                await self.run(space_id)
                if space_id not in self._again:
                    return
        except (PersistenceError, ServiceUnavailable) as error:
            self._log.warn("charging anew in {space} goes on later: {error}", space=space_id, error=error)
        finally:
            self._busy.discard(space_id)

    async def _lease(self, space_id: SpaceId) -> Lease | None:
        return await take(self._engine, f"recharge:{space_id}", self._node_name, LEASE_S)

    async def _walk(self, walk: _Walk) -> None:
        renewed_s = self._clock.seconds()
        while walk.open:
            if self._clock.seconds() - renewed_s > LEASE_S / 3:
                if await self._lease(walk.space_id) is None:
                    raise _Overtaken
                renewed_s = self._clock.seconds()
            await self._page(walk)

    async def _page(self, walk: _Walk) -> None:
        """Charge the next files of the directory that was opened last; open the directories among them."""
        directory, after = walk.open.pop()
        size = PAGE
        for _ in range(_MOST_TRIES):
            chain = await self._directory(walk.space_id, directory)
            if chain is None:
                return
            scope = Scope(walk.space_id)
            entries = await self._engine.page(scope, directory, after, size, BASE)
            try:
                await self._charge(walk, chain, entries)
            except PreconditionFailed as refusal:
                self._look_anew(walk, refusal)
                size = max(1, size // 2)
                continue
            if len(entries) == size:
                walk.open.append((directory, entries[-1].entry.name))
            nodes = map(Node.found, entries)
            walk.open.extend((node.key, None) for node in nodes if node.exists and node.is_directory)
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

    async def _charge(self, walk: _Walk, directory: Chain, entries: Sequence[Resolved]) -> None:
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
        if steps or job.visited - walk.reported >= _REPORT_EVERY:
            counted = charge_steps(changes, None)
            report = Put(JOBS, walk.top, job.encode(), expect=walk.revision)
            all_steps = [quotas.unchanged(), *unmoved(directory), *steps, *counted, report]
            await self._engine.commit(Scope(walk.space_id), Batch(all_steps))
            walk.revision, walk.reported = walk.revision + 1, job.visited
        walk.job = job

    async def _end(self, walk: _Walk) -> None:
        """Strike the job off; with the last one the quotas of the space are settled."""
        scope = Scope(walk.space_id)
        for _ in range(_MOST_TRIES):
            quotas = await self._quotas.of(walk.space_id)
            others = set(await self._engine.get_all(scope, JOBS)) - {walk.top}
            steps = [
                Delete(JOBS, walk.top, expect=walk.revision),
                quotas.next_epoch(is_settled=not others),
            ]
            try:
                await self._engine.commit(scope, Batch(steps))
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
