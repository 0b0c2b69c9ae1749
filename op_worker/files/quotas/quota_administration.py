"""Usage of spaces and their optional quotas: members see them, who has ``space_update`` sets them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import Delete, Key, Put, Step
from onedata.errors import BadValueIdNotFound, Errno, MissingAtLeastOneValue, NotFound, Posix
from onedata.ids import SpaceId, UserId, space_root_uuid
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.access import is_member
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.charges import files_counter, size_counter, used_counter
from op_worker.files.stored.documents import META
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.quotas import QUOTAS, Quota, directory_of, of_directory, of_user, user_of
from op_worker.files.stored.recharge_jobs import Job
from op_worker.files.translation import translated

Attempt = Callable[[], Awaitable[bool]]
VIEW, UPDATE = "space_view_privileges", "space_update"


@frozen
class Usage:
    """What a quota bounds and what is charged to it; exactly one of ``user`` and ``directory`` is set."""

    quota: Quota
    used_b: int
    used_files: int
    user: UserId | None = None
    directory: str | None = None


@frozen
class SpaceUsage:
    """What a space takes on its storages, quotas the caller may see, and walks that charge files anew.

    ``storages`` has used and granted bytes of each storage.
    """

    storages: Mapping[str, tuple[int, int]]
    quotas: Sequence[Usage]
    recharges: Mapping[str, Job]


@frozen(eq=False)
class QuotaAdministration:
    """Reads and changes the quotas of spaces. Raises what ``FileService`` raises.

    A new quota takes hold at once for what is written from then on; what was there before is charged in
    the background, and may stand above the limit, which then refuses growth until it is below.
    """

    _context: FilesContext

    @translated
    async def usage(self, caller: Caller, space_id: SpaceId) -> SpaceUsage:
        """Return what is used. Quotas of others are left out without ``space_view_privileges``."""
        visit = await self._context.access.enter(caller, space_id)
        known = await self._context.rooms.quotas.read(space_id)
        counters = await self._context.engine.counters(visit.scope)
        sees_all = visit.has_privilege(VIEW)
        shown = [
            _usage(name, quota, counters)
            for name, quota in sorted(known.quotas.items())
            if sees_all or user_of(name) in (None, visit.user_id)
        ]
        sizes_b = visit.support.sizes_b.items()
        storages = {one: (counters.get(used_counter(one), 0), size_b) for one, size_b in sizes_b}
        return SpaceUsage(storages, shown, await self._context.recharging.jobs(space_id))

    @translated
    async def user_quota(self, caller: Caller, space_id: SpaceId, user_id: UserId) -> Usage:
        """Return a user's quota: one's own, or with ``space_view_privileges`` anybody's.

        Raises: NotFound when there is none; Forbidden.
        """
        visit = await self._context.access.enter(caller, space_id)
        if user_id != visit.user_id:
            visit.require_privilege(VIEW)
        return await self._one(visit, of_user(user_id))

    @translated
    async def set_user_quota(self, caller: Caller, space_id: SpaceId, user_id: UserId, quota: Quota) -> None:
        """Bound the files that a member of the space owns in it.

        Raises: Forbidden without ``space_update``; BadValueIdNotFound for strangers;
            MissingAtLeastOneValue without a limit.
        """
        _require_limit(quota)

        async def attempt() -> bool:
            visit = await self._entered(caller, space_id)
            if not is_member(visit.space, user_id):
                raise BadValueIdNotFound("userId")
            return await self._set(visit, of_user(user_id), space_root_uuid(space_id), quota, [], [])

        await self._changed(space_id, attempt)

    @translated
    async def remove_user_quota(self, caller: Caller, space_id: SpaceId, user_id: UserId) -> None:
        """Lift a user's quota; fine when there is none. Raises: Forbidden without ``space_update``."""

        async def attempt() -> bool:
            visit = await self._entered(caller, space_id)
            return await self._remove(visit, of_user(user_id), space_root_uuid(space_id), [], [])

        await self._changed(space_id, attempt)

    @translated
    async def directory_quota(self, caller: Caller, target: Target) -> Usage:
        """Return a directory's quota. Raises: NotFound when there is none; Posix(ENOTDIR, EACCES...)."""
        visit, chain = await self._directory(caller, target)
        await visit.require(chain, Operation.READ_ATTRIBUTES)
        return await self._one(visit, of_directory(chain.file.key))

    @translated
    async def set_directory_quota(self, caller: Caller, target: Target, quota: Quota) -> None:
        """Bound everything below a directory.

        Raises: Forbidden without ``space_update``; Posix(ENOTDIR); MissingAtLeastOneValue without a limit.
        """
        _require_limit(quota)

        async def attempt() -> bool:
            visit, chain = await self._directory(caller, target)
            visit.require_privilege(UPDATE)
            key = chain.file.key
            return await self._set(visit, of_directory(key), key, quota, _flag(chain, has_quota=True), [key])

        await self._changed(target.base.space_id, attempt)

    @translated
    async def remove_directory_quota(self, caller: Caller, target: Target) -> None:
        """Lift a directory's quota; fine when there is none. Raises: Forbidden without ``space_update``."""

        async def attempt() -> bool:
            visit, chain = await self._directory(caller, target)
            visit.require_privilege(UPDATE)
            key = chain.file.key
            return await self._remove(visit, of_directory(key), key, _flag(chain, has_quota=False), [key])

        await self._changed(target.base.space_id, attempt)

    async def _entered(self, caller: Caller, space_id: SpaceId) -> Visit:
        visit = await self._context.access.enter(caller, space_id)
        visit.require_privilege(UPDATE)
        return visit

    async def _directory(self, caller: Caller, target: Target) -> tuple[Visit, Chain]:
        visit, chain = await self._context.chain(caller, target)
        if not chain.file.is_directory:
            raise Posix(Errno.ENOTDIR)
        return visit, chain

    async def _one(self, visit: Visit, name: str) -> Usage:
        known = await self._context.rooms.quotas.read(visit.space_id)
        if name not in known.quotas:
            raise NotFound()
        return _usage(name, known.quotas[name], await self._context.engine.counters(visit.scope))

    async def _set(
        self, visit: Visit, name: str, top: str, quota: Quota, steps: list[Step], announce: list[Key]
    ) -> bool:
        """Commit a quota; tell whether a walk below ``top`` was ordered, as for a new one."""
        known = await self._context.rooms.quotas.of(visit.space_id)
        put = Put(QUOTAS, name, quota.encode())
        if name in known.quotas:
            again = [put, known.next_epoch(is_settled=known.is_settled)]
            await self._context.transactions.commit(visit.space_id, again)
            return False
        order = await self._context.recharging.order(visit.space_id, top)
        await self._context.transactions.commit(visit.space_id, [put, *steps, *order], announce)
        return True

    async def _remove(
        self, visit: Visit, name: str, top: str, steps: list[Step], announce: list[Key]
    ) -> bool:
        known = await self._context.rooms.quotas.read(visit.space_id)
        if name not in known.quotas:
            return False
        order = await self._context.recharging.order(visit.space_id, top)
        gone = [Delete(QUOTAS, name), *steps, *order]
        await self._context.transactions.commit(visit.space_id, gone, announce)
        return True

    async def _changed(self, space_id: SpaceId, attempt: Attempt) -> None:
        if await self._context.transactions.retrying(space_id, attempt):
            self._context.recharging.run_soon(space_id)
        self._context.rooms.quotas.forget(space_id)


def _usage(name: str, quota: Quota, counters: Mapping[str, int]) -> Usage:
    user_id = user_of(name)
    return Usage(
        quota,
        counters.get(size_counter(name), 0),
        counters.get(files_counter(name), 0),
        None if user_id is None else UserId(user_id),
        directory_of(name),
    )


def _flag(chain: Chain, *, has_quota: bool) -> list[Step]:
    file = chain.file
    meta = evolve(file.meta, has_quota=has_quota)
    return [Put(file.key, META, meta.encode(), expect=file.revision(META))]


def _require_limit(quota: Quota) -> None:
    if quota.size_b is None and quota.files is None:
        raise MissingAtLeastOneValue(["size", "files"])
