"""All shares of one file at once: told, and replaced in one commit."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Delete, Link, Put, Step, Unlink
from onedata.errors import Errno, LimitReached, Posix
from onedata.ids import FileGuid, ShareId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext, scope_of
from op_worker.files.finding.visit import Visit
from op_worker.files.granting.sharing import (
    Terms,
    listed_at,
    new_share,
    refuse_limited,
    require_manager,
)
from op_worker.files.model import FileStat, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.share_records import (
    MOST_OF_A_FILE,
    RECORD,
    SHARES,
    Share,
    due_steps,
    new_share_id,
    share_key,
)
from op_worker.files.translation import translated


@frozen(kw_only=True)
class WantedShare:
    """A share that a file is to have: the one with this id, or of this name, or else a new one.

    ``description`` is ``None`` when it is to stay, or to be empty.
    """

    name: str
    share_id: ShareId | None = None
    description: str | None = None


@frozen
class _Stored:
    share: Share
    revision: int


@frozen(eq=False)
class ShareSets:
    """Tells and replaces the shares of files. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def of(self, caller: Caller, stat: FileStat) -> list[Share]:
        """Return the shares of a file that are not over, in order of their names, to a member of the space.

        Tokens that are confined to some files, or to reading, are told none.
        """
        if caller.is_limited or not stat.shares:
            return []
        await self._context.access.enter(caller, stat.guid.space_id)
        guests, now_s = self._context.guests, self._context.wall_clock()
        found = [await guests.find(stat.guid.space_id, ShareId(share_id)) for share_id in stat.shares]
        open_ = [share for share in found if share is not None and not share.is_over(now_s)]
        return sorted(open_, key=lambda share: (share.name, share.share_id))

    @translated
    async def require(self, caller: Caller, target: Target) -> None:
        """Return when the caller may replace shares of what is at a target, or will be made there.

        Raises: Posix(EPERM) without ``space_manage_shares``; Forbidden; Unauthorized for a limited token.
        """
        refuse_limited(caller)
        require_manager(await self._context.access.enter(caller, target.base.space_id))

    @translated
    async def replace(self, caller: Caller, root: FileGuid, wanted: Sequence[WantedShare]) -> None:
        """Let a file have these shares and no other ones. Ends and passwords of those that stay are kept.

        Raises: as ``require``; Posix(EINVAL) for an id of no share of the file; LimitReached;
        Posix(ENOENT, EACCES).
        """
        if len(wanted) > MOST_OF_A_FILE:
            raise LimitReached(MOST_OF_A_FILE, "shares of one file")
        space_id = root.space_id
        ids = [new_share_id(self._context.random_bytes, space_id) for _ in wanted]

        async def attempt() -> None:
            await self.require(caller, Target(root))
            visit, chain = await self._context.chain(caller, Target(root))
            await visit.require(chain, Operation.READ_ATTRIBUTES)
            present = await self._present(chain)
            steps, kept = self._steps(visit, chain, present, list(zip(wanted, ids, strict=True)))
            if steps:
                steps.append(listed_at(chain.file, kept))
                await self._context.transactions.commit(space_id, steps, [chain.file.key])

        await self._context.transactions.retrying(space_id, attempt)

    async def _present(self, chain: Chain) -> dict[str, _Stored]:
        ids = chain.file.meta.shares
        keys = [share_key(share_id) for share_id in ids]
        found = await self._context.engine.get_many(scope_of(chain.space_id), keys, [RECORD]) if ids else []
        return {
            share_id: _Stored(Share.decode(chain.space_id, share_id, one[RECORD].data), one[RECORD].revision)
            for share_id, one in zip(ids, found, strict=True)
            if RECORD in one
        }

    def _steps(
        self,
        visit: Visit,
        chain: Chain,
        present: dict[str, _Stored],
        wanted: Sequence[tuple[WantedShare, ShareId]],
    ) -> tuple[list[Step], list[str]]:
        """Return what is to be done, and the ids of the shares that there are then."""
        left, kept = dict(present), list[str]()
        steps: list[Step] = []
        for wish, new_id in sorted(wanted, key=lambda each: each[0].share_id is None):
            stored = _taken(left, wish)
            if stored is None:
                terms = Terms(name=wish.name, description=wish.description or "")
                share = new_share(new_id, visit, chain, terms, self._context.wall_clock())
                steps.append(Put(share.key, RECORD, share.encode(), expect=ABSENT))
                steps.append(Link(SHARES, new_id.encode(), share.key.encode()))
                kept.append(new_id)
                continue
            share = stored.share
            text = share.description if wish.description is None else wish.description
            changed = evolve(share, name=wish.name, description=text)
            if changed != share:
                steps.append(Put(share.key, RECORD, changed.encode(), expect=stored.revision))
            kept.append(share.share_id)
        for stored in left.values():
            key = stored.share.key
            steps.append(Delete(key, RECORD, expect=stored.revision))
            steps.append(Unlink(SHARES, stored.share.share_id.encode(), key.encode()))
            steps.extend(due_steps(stored.share, None))
        return steps, kept


def _taken(left: dict[str, _Stored], wish: WantedShare) -> _Stored | None:
    """Take the share that a wish means out of those that are left; ``None`` when it means a new one."""
    if wish.share_id is not None:
        if wish.share_id not in left:
            raise Posix(Errno.EINVAL, "no share of this container has that id")
        return left.pop(wish.share_id)
    named = [share_id for share_id, stored in left.items() if stored.share.name == wish.name]
    return left.pop(named[0]) if named else None
