"""Making, changing, listing and ending shares: a record in the space and its id at the shared file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from attrs import evolve, frozen

from cluster_worker.persistence.engine import (
    ABSENT,
    Check,
    Delete,
    Link,
    Put,
    Step,
    Unlink,
)
from onedata.errors import (
    Errno,
    Forbidden,
    LimitReached,
    NotFound,
    Posix,
    TokenCaveatUnverified,
    Unauthorized,
)
from onedata.ids import FileGuid, ShareId, SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext, scope_of
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileType, Page, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.stored.documents import META
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.share_records import (
    DUE,
    MOST_OF_A_FILE,
    RECORD,
    SHARES,
    Share,
    due_steps,
    new_share_id,
)
from op_worker.files.translation import translated

PRIVILEGE = "space_manage_shares"
_PAGE = 50


@frozen(kw_only=True)
class Terms:
    """What the maker of a share chooses. ``expires_s`` in seconds since the epoch, ``None`` for never."""

    name: str
    description: str = ""
    expires_s: int | None = None
    password_hash: str = ""


@frozen(eq=False)
class Sharing:
    """Keeps the shares of spaces. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def add(self, caller: Caller, root: FileGuid, terms: Terms) -> Share:
        """Share a file or a directory, also the root of a space.

        Raises: Posix(EPERM) without ``space_manage_shares`` and for what is itself seen through a share;
        Posix(EINVAL) for a symbolic link; LimitReached; Posix(ENOENT, EACCES); Unauthorized for a limited
        token.
        """
        context, space_id = self._context, root.space_id
        share_id = new_share_id(context.random_bytes, space_id)

        async def attempt() -> Share:
            visit, chain = await self._sharable(caller, root)
            share = new_share(share_id, visit, chain, terms, context.wall_clock())
            steps: list[Step] = [
                Put(share.key, RECORD, share.encode(), expect=ABSENT),
                Link(SHARES, share_id.encode(), share.key.encode()),
                listed_at(chain.file, (*chain.file.meta.shares, share_id)),
                *due_steps(None, share),
            ]

            async def happened() -> bool:
                return await context.guests.find(space_id, share_id) is not None

            await context.transactions.commit(space_id, steps, [chain.file.key], happened)
            return share

        return await context.transactions.retrying(space_id, attempt)

    @translated
    async def get(self, caller: Caller, share_id: ShareId) -> Share:
        """Return a share to a member of its space. Raises: NotFound; Forbidden; Unauthorized."""
        return (await self._visited(caller, share_id))[1]

    @translated
    async def find(self, share_id: ShareId) -> Share | None:
        """Return a share to anybody, also one that is over; ``None`` when this provider knows none."""
        for space_id in self.space_ids():
            found = await self._context.guests.find(space_id, share_id)
            if found is not None:
                return found
        return None

    @translated
    async def leads_somewhere(self, share: Share) -> bool:
        """Whether the shared file still exists."""
        try:
            await self._context.lookup.by_id(share.space_id, share.root)
        except Posix:
            return False
        return True

    @translated
    async def page(self, caller: Caller, space_id: SpaceId, limit: int, token: str | None) -> Page[Share]:
        """Return a page of a space's shares in order of their ids, to a member of the space."""
        refuse_limited(caller)
        await self._context.access.enter(caller, space_id)
        shares = await self._after(space_id, (token or "").encode("utf-8", "replace") or None, limit + 1)
        is_last = len(shares) <= limit
        return Page(shares[:limit], None if is_last else shares[limit - 1].share_id, is_last)

    @translated
    async def change(self, caller: Caller, share_id: ShareId, **terms: Any) -> Share:
        """Change those ``Terms`` that are named. Raises: NotFound; Posix(EPERM); Forbidden.

        A share that had ended and gets a new end begins again.
        """
        if "expires_s" in terms:
            terms["ended_s"] = None
        share = await self._managed(caller, share_id)
        return await self._edit(share, lambda present: evolve(present, **terms))

    @translated
    async def remove(self, caller: Caller, share_id: ShareId) -> None:
        """End a share and forget it. Raises: NotFound; Posix(EPERM); Forbidden."""
        share = await self._managed(caller, share_id)
        await self._forget(share)

    def space_ids(self) -> list[SpaceId]:
        """Return the spaces that have a storage here."""
        return [support.space_id for support in self._context.storages.supported()]

    @translated
    async def sweep(self, space_id: SpaceId) -> None:
        """End the shares of a space that expired, forget those that ended long ago."""
        after, now_s = b"", self._context.wall_clock()
        engine, scope = self._context.engine, scope_of(space_id)
        while found := await engine.page(scope, DUE, after or None, _PAGE, [RECORD]):
            for item in found:
                after = item.entry.name
                share_id = after.decode().rpartition(" ")[2]
                share = Share.decode(space_id, share_id, item.documents[RECORD].data)
                if share.due_s is None or share.due_s > now_s:
                    return
                await self._sweep_one(share, now_s)

    async def _sweep_one(self, share: Share, now_s: float) -> None:
        try:
            if share.is_stale(now_s):
                await self._forget(share)
            elif share.ended_s is None and share.is_expired(now_s):
                await self._edit(share, lambda one: _ended(one, now_s))
        except NotFound:
            return  # its owner or another node was faster

    async def _sharable(self, caller: Caller, root: FileGuid) -> tuple[Visit, Chain]:
        refuse_limited(caller)
        if root.share_id is not None:
            await self._context.access.enter(caller, root.space_id)
            raise Posix(Errno.EPERM, "what is seen through a share cannot be shared again")
        visit, chain = await self._context.chain(caller, Target(root))
        require_manager(visit)
        await visit.require(chain, Operation.READ_ATTRIBUTES)
        meta = chain.file.meta
        if meta.type is FileType.SYMLNK:
            raise Posix(Errno.EINVAL, "a symbolic link cannot be shared")
        if len(meta.shares) >= MOST_OF_A_FILE:
            raise LimitReached(MOST_OF_A_FILE, "shares of one file")
        return visit, chain

    async def _visited(self, caller: Caller, share_id: ShareId) -> tuple[Visit, Share]:
        refuse_limited(caller)
        share = await self.find(share_id)
        if share is None:
            raise NotFound()
        return await self._context.access.enter(caller, share.space_id), share

    async def _managed(self, caller: Caller, share_id: ShareId) -> Share:
        visit, share = await self._visited(caller, share_id)
        require_manager(visit)
        return share

    async def _edit(self, share: Share, edit: Callable[[Share], Share]) -> Share:
        async def attempt() -> Share:
            present, revision = await self._present(share)
            wanted = edit(present)
            put = Put(share.key, RECORD, wanted.encode(), expect=revision)
            steps: list[Step] = [put, *due_steps(present, wanted)]
            await self._context.transactions.commit(share.space_id, steps)
            return wanted

        return await self._context.transactions.retrying(share.space_id, attempt)

    async def _forget(self, share: Share) -> None:
        context, space_id = self._context, share.space_id

        async def attempt() -> None:
            present, revision = await self._present(share)
            steps: list[Step] = [
                Delete(share.key, RECORD, expect=revision),
                Unlink(SHARES, share.share_id.encode(), share.key.encode()),
                await self._unlisted_at_root(share),
                *due_steps(present, None),
            ]

            async def happened() -> bool:
                return await context.guests.find(space_id, share.share_id) is None

            await context.transactions.commit(space_id, steps, [share.file_key], happened)

        await context.transactions.retrying(space_id, attempt)

    async def _unlisted_at_root(self, share: Share) -> Step:
        """Return the step that takes the id away from the file, or demands that it stays removed."""
        root = share.file_key
        found = await self._context.engine.get(scope_of(share.space_id), root, [META])
        if META not in found:
            return Check(root, META, ABSENT)
        node = Node(root, "", found)
        return listed_at(node, [one for one in node.meta.shares if one != share.share_id])

    async def _present(self, share: Share) -> tuple[Share, int]:
        found = await self._context.engine.get(scope_of(share.space_id), share.key, [RECORD])
        if RECORD not in found:
            raise NotFound()
        document = found[RECORD]
        return Share.decode(share.space_id, share.share_id, document.data), document.revision

    async def _after(self, space_id: SpaceId, after: bytes | None, limit: int) -> list[Share]:
        found = await self._context.engine.page(scope_of(space_id), SHARES, after, limit, [RECORD])
        return [
            Share.decode(space_id, item.entry.name.decode(), item.documents[RECORD].data)
            for item in found
            if RECORD in item.documents
        ]


def new_share(share_id: ShareId, visit: Visit, chain: Chain, terms: Terms, now_s: float) -> Share:
    return Share(
        share_id=share_id,
        space_id=visit.space_id,
        root=chain.guid.uuid,
        type=chain.file.meta.type,
        name=terms.name,
        description=terms.description,
        creator=visit.user_id,
        created_s=int(now_s),
        expires_s=terms.expires_s,
        password_hash=terms.password_hash,
    )


def listed_at(file: Node, shares: Sequence[str]) -> Step:
    meta: Meta = evolve(file.meta, shares=tuple(shares))
    return Put(file.key, META, meta.encode(), expect=file.revision(META))


def _ended(share: Share, now_s: float) -> Share:
    return evolve(share, ended_s=int(now_s)) if share.is_expired(now_s) else share


def refuse_limited(caller: Caller) -> None:
    """Tokens confined to some files or to reading are for those files alone."""
    if caller.is_limited:
        data = (caveat for caveat in caller.caveats if caveat.name.startswith("data."))
        caveat = next(data, None)
        raise Unauthorized(None if caveat is None else TokenCaveatUnverified(caveat.to_json()))


def require_manager(visit: Visit) -> None:
    try:
        visit.require_privilege(PRIVILEGE)
    except Forbidden as refusal:
        raise Posix(Errno.EPERM, refusal.hint) from None
