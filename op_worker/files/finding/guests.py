"""Guests: callers without a name, who see what is in one share and nothing else, and change nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hmac import compare_digest

from attrs import define, evolve, field, frozen

from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    Errno,
    Forbidden,
    NotFound,
    Posix,
    ShareExpired,
    SharePasswordRequired,
    Unauthorized,
)
from onedata.ids import FileGuid, ProviderId, ShareId, SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.finding.access import Access
from op_worker.files.finding.attributes import stat_of
from op_worker.files.finding.lookup import Lookup
from op_worker.files.finding.visit import Visit
from op_worker.files.model import FileStat, Json
from op_worker.files.operations import NEEDS_WRITE_DATA, Operation
from op_worker.files.rights.permissions import READ_DATA_PRIVILEGE, Subject
from op_worker.files.rules.rules import NO_RULES
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.share_records import RECORD, Share, may_live_in, share_key

UNKNOWN = "unknown"
UNKNOWN_DISPLAY_ID = 2147483646
_REFUSED = NEEDS_WRITE_DATA | Operation.READ_ACL
_GUEST = Subject(None, frozenset({READ_DATA_PRIVILEGE}), is_member=False)
_NOBODY = UserId("")


@define(eq=False)
class GuestVisit(Visit):
    """A guest inside a share. What lies outside is answered as if it did not exist."""

    share: Share = field(kw_only=True)

    async def require_new(self, directory: Chain, name: str, needed: Operation) -> None:
        """Raise Posix(EPERM): guests add nothing."""
        raise _unchangeable()

    async def require_or_own(self, chain: Chain, needed: Operation) -> None:
        """Raise Posix(EPERM): guests own nothing."""
        raise _unchangeable()

    def require_alone(self, chain: Chain, needed: Operation) -> None:
        """Ask for one file alone. Raises: Posix(EPERM) for whatever changes it; Posix(EACCES)."""
        if needed & _REFUSED:
            raise _unchangeable()
        super().require_alone(chain, needed)

    def may(self, chain: Chain, needed: Operation) -> bool:
        """Whether ``require_alone`` would return."""
        return not needed & _REFUSED and super().may(chain, needed)

    def require_privilege(self, privilege: str) -> None:
        """Raise Unauthorized: guests have no privileges."""
        raise Unauthorized()

    def lineage(self, chain: Chain) -> Sequence[Node]:
        """Return the file and its ancestors from the top of the share on. Raises: Posix(ENOENT) outside."""
        for at, node in enumerate(chain.nodes):
            if node.name_key == self.share.top:
                return chain.nodes[at:]
        raise Posix(Errno.ENOENT)

    def stat(self, chain: Chain, custom: Mapping[str, Json] | None = None) -> FileStat:
        """Return what a guest may know of a file: not whose it is, nor where it stands in the space."""
        stat = stat_of(chain, self.space, self.user_id, custom)
        above = [node.name for node in self.lineage(chain)[:-1]]
        return masked(stat, self.share, (*above, stat.name))

    def stat_children(self, directory: Chain, nodes: Sequence[Node]) -> list[FileStat]:
        return [self.stat(directory.child(node)) for node in nodes]

    def _first_passed(self, chain: Chain) -> int:
        """The shared file itself; directories above do not count. Raises: Posix(ENOENT) outside."""
        return max(1, len(chain.nodes) - len(self.lineage(chain)))


def _unchangeable() -> Posix:
    return Posix(Errno.EPERM, "what is seen through a share cannot be changed")


def masked(stat: FileStat, share: Share, path: tuple[str, ...]) -> FileStat:
    """Return what is shown of a file through a share; ``path`` begins with the shared file's name."""
    is_top = len(path) == 1
    parent = None if is_top or stat.parent is None else through(stat.parent, share)
    return evolve(
        stat,
        guid=through(stat.guid, share),
        parent=parent,
        path=path,
        space_name="",
        mode=stat.mode & 0o007,
        owner=UserId(UNKNOWN),
        provider_id=ProviderId(UNKNOWN),
        shares=(share.share_id,) if is_top else (),
        acl=None if stat.acl is None else (),
        protection=0,
        rules=NO_RULES,
        local_b=stat.size_b,
        display_uid=UNKNOWN_DISPLAY_ID,
        display_gid=UNKNOWN_DISPLAY_ID,
    )


def through(guid: FileGuid, share: Share) -> FileGuid:
    """Return the id by which guests know a file."""
    return evolve(guid, share_id=share.share_id)


@frozen(eq=False)
class Guests:
    """The gate of every share."""

    engine: Engine
    access: Access
    lookup: Lookup
    wall_clock: WallClock

    async def enter(self, caller: Caller, guid: FileGuid) -> GuestVisit:
        """Let a guest into the share that a file's id names.

        Raises: Forbidden to users (doors turn them into guests); SpaceNotSupportedBy; NotFound without the
        share; ShareExpired; Unauthorized(SharePasswordRequired) unless the guest knew the password.
        """
        if not caller.is_guest or guid.share_id is None:
            raise Forbidden()
        support = self.access.storages.for_space(guid.space_id)
        space = await self.access.zone.space(guid.space_id)
        if support is None or space is None:
            raise self.access.not_supported(guid.space_id)
        share = await self.find(guid.space_id, guid.share_id)
        if share is None:
            raise NotFound()
        if share.is_over(self.wall_clock()):
            raise ShareExpired()
        if share.password_hash and not compare_digest(share.password_hash, caller.share_proof):
            raise Unauthorized(SharePasswordRequired())
        return GuestVisit(caller, _NOBODY, space, support, _GUEST, self.lookup, share=share)

    async def find(self, space_id: SpaceId, share_id: ShareId) -> Share | None:
        """Return a share of a space, also one that is over; ``None`` when there is none."""
        if not may_live_in(share_id, space_id):
            return None
        found = (await self.engine.get(Scope(space_id), share_key(share_id), [RECORD])).get(RECORD)
        return None if found is None else Share.decode(space_id, share_id, found.data)
