"""A caller inside a space: each use of a file is decided by ``permissions`` and by what the token allows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import define, evolve, field

from cluster_worker.persistence.engine import Scope
from onedata.errors import Errno, Forbidden, Posix, Unauthorized
from onedata.ids import FileGuid, InvalidFileId, SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.auth.limits import Reach, named_object_ids, reach, visible_names
from op_worker.files.finding.attributes import stat_of, stats_of_children
from op_worker.files.finding.lookup import Lookup, space_owner_id
from op_worker.files.model import FileStat, FileType, Json
from op_worker.files.operations import ON_DIRECTORIES
from op_worker.files.rights.immutability import CHANGES
from op_worker.files.rights.permissions import (
    PROTECTED_ELSEWHERE,
    FileFacts,
    Operation,
    Subject,
    Verdict,
    decide,
)
from op_worker.files.rights.protection import Protection
from op_worker.files.stored.nodes import Chain, Node
from op_worker.storage.supports import Support
from op_worker.zone.records import SpaceInfo

NO_PRIVILEGES: frozenset[str] = frozenset()
_ON_STORAGE = (
    Operation.WRITE_OBJECT
    | Operation.ADD_OBJECT
    | Operation.ADD_SUBCONTAINER
    | Operation.DELETE
    | Operation.DELETE_CHILD
)
"""What changes contents or names, which a read-only storage has for good."""
_PASSING = Operation.TRAVERSE | Operation.LIST_CONTAINER | Operation.READ_ATTRIBUTES
"""What a confined token may do on the way to the files that it is for."""


@define(eq=False)
class Visit:
    """A caller inside a space that he belongs to and that we support."""

    caller: Caller
    user_id: UserId
    space: SpaceInfo
    support: Support
    subject: Subject
    _lookup: Lookup = field(repr=False)
    _id_paths: Mapping[str, str] | None = None

    @property
    def space_id(self) -> SpaceId:
        return self.space.space_id

    @property
    def scope(self) -> Scope:
        return Scope(self.space.space_id)

    async def require(self, chain: Chain, needed: Operation) -> None:
        """Return when the caller may do ``needed`` with a file. Raises: Posix(EACCES, EPERM)."""
        if self.caller.is_limited:
            await self._require_reach(chain, needed)
        self.require_passage(chain)
        self.require_alone(chain, needed)
        self._accept(await self.refusal_elsewhere(chain, needed), chain)

    async def refusal_elsewhere(self, chain: Chain, needed: Operation) -> Verdict | None:
        """Return what directories above other names of a file have against ``needed``."""
        if not needed & CHANGES or chain.file.is_directory or chain.file.meta.links < 2:
            return None
        for other in await self._lookup.other_names(chain):
            if needed & Operation.WRITE_OBJECT and other.protection & Protection.DATA:
                return PROTECTED_ELSEWHERE
            facts = self.facts(other)
            for keeping in facts.keepings:
                fact = keeping.fact(int(needed) & CHANGES, facts.now_ms, is_directory=False)
                if fact is not None:
                    return Verdict(Errno.EPERM, fact)
        return None

    def require_unkept(self, chain: Chain, wanted: Operation) -> None:
        """Return unless a hold or a retention period stands against ``wanted``. Raises: Posix(EPERM)."""
        facts = self.facts(chain)
        for keeping in facts.keepings:
            fact = keeping.fact(int(wanted), facts.now_ms, is_directory=facts.is_directory)
            self._accept(None if fact is None else Verdict(Errno.EPERM, fact), chain)

    def facts(self, chain: Chain) -> FileFacts:
        """Return what permissions are decided by, now."""
        return chain.facts(self._lookup.now_ms)

    async def require_or_own(self, chain: Chain, needed: Operation) -> None:
        """Return when the caller owns a file, or may do ``needed`` with it.

        Token, privileges and protection flags bind owners too. Raises: Posix(EACCES, EPERM).
        """
        if self.caller.is_limited:
            await self._require_reach(chain, needed)
        self.require_passage(chain)
        facts = self.facts(chain)
        if facts.owner == self.user_id:
            facts = evolve(facts, mode=0o777, acl=None)
        self._accept(decide(self.subject, facts, needed), chain)
        self._accept(await self.refusal_elsewhere(chain, needed), chain)

    def require_unprotected(self, chain: Chain, needed: Operation) -> None:
        """Return when nothing but its owner, mode and ACL could forbid ``needed`` with a file.

        It is asked of files that another one's rights decide over. Raises: Posix(EACCES, EPERM).
        """
        facts = evolve(self.facts(chain), mode=0o777, acl=None, parent_mode=0)
        self._accept(decide(self.subject, facts, needed), chain)

    async def require_new(self, directory: Chain, name: str, needed: Operation) -> None:
        """Return when the caller may add ``name``: ``needed`` is asked of the directory."""
        if self.caller.is_limited:
            paths = await self._object_paths()
            path = f"{directory.canonical_path}/{name}"
            if reach(self.caller.limits, path, paths) is not Reach.ALLOWED:
                raise Posix(Errno.EACCES, "the token is confined to other files")
        self.require_passage(directory)
        self.require_alone(directory, needed)

    def require_passage(self, chain: Chain) -> None:
        """Return when every directory above may be passed; the root of a space always may."""
        self._pass(chain, len(chain.nodes) - 1)

    def require_passage_into(self, directory: Chain) -> None:
        """Return when a directory and every one above may be passed."""
        self._pass(directory, len(directory.nodes))

    def _pass(self, chain: Chain, count: int) -> None:
        """Ask for the first ``count`` of the chain from the top, so nothing is told of what is below."""
        if self.subject.is_space_owner:
            return
        for at in range(self._first_passed(chain), count):
            meta = chain.nodes[at].meta
            if meta.type is not FileType.DIR:
                return
            now_ms = 0 if meta.acl is None else self._lookup.now_ms()
            facts = FileFacts(meta.owner, meta.mode, is_directory=True, acl=meta.acl, now_ms=now_ms)
            verdict = decide(self.subject, facts, Operation.TRAVERSE)
            if verdict.errno is not None:
                self._accept(verdict, Chain(chain.space_id, chain.nodes[: at + 1]))

    def _first_passed(self, chain: Chain) -> int:
        """Return from where on directories are asked; the root of a space may always be passed."""
        return 1

    def require_alone(self, chain: Chain, needed: Operation) -> None:
        """Ask for one file alone, whose ancestors may be passed.

        Raises: Posix(EACCES, EPERM) with the deciding fact as its reason; Posix(EROFS).
        """
        if needed:
            self._accept(decide(self.subject, self.facts(chain), needed), chain)
        if needed & _ON_STORAGE and self.support.storage.record.is_readonly and not self._is_for_the_space:
            raise Posix(Errno.EROFS, "the storage of this space is read-only")

    @property
    def _is_for_the_space(self) -> bool:
        """Whether the space itself acts: it takes over what others did to its storage."""
        return self.user_id == space_owner_id(self.space_id)

    def may(self, chain: Chain, needed: Operation) -> bool:
        """Whether ``require_alone`` would return."""
        return decide(self.subject, self.facts(chain), needed).allowed

    def may_read_acl(self, stat: FileStat) -> bool:
        """Whether the caller, who got to a file, may see its list."""
        now_ms = 0 if stat.acl is None else self._lookup.now_ms()
        facts = FileFacts(stat.owner, stat.mode, stat.is_directory, acl=stat.acl, now_ms=now_ms)
        return decide(self.subject, facts, Operation.READ_ACL).allowed

    def _accept(self, verdict: Verdict | None, chain: Chain) -> None:
        """Raise what a refusal of a file that the caller got to means; guests are not told why."""
        if verdict is None or verdict.errno is None:
            return
        reason = verdict.of(chain.path).text if self.subject.is_member else None
        raise Posix(verdict.errno, reason=reason)

    def lineage(self, chain: Chain) -> Sequence[Node]:
        """Return the file and those of its ancestors that the caller may know of, the highest first."""
        return chain.nodes

    def stat(self, chain: Chain, custom: Mapping[str, Json] | None = None) -> FileStat:
        """Return what the caller is shown of a file, with its custom metadata where they were read."""
        return stat_of(chain, self.space, self.user_id, custom)

    def stat_children(self, directory: Chain, nodes: Sequence[Node]) -> list[FileStat]:
        """Return what the caller is shown of entries of a directory."""
        return stats_of_children(nodes, directory, self.space)

    def has_privilege(self, privilege: str) -> bool:
        """Whether the caller has a privilege in the space, with a token that is not limited."""
        held = self.space.user_privileges.get(self.user_id, NO_PRIVILEGES)
        return not self.caller.is_limited and (privilege in held or self.user_id in self.space.owners)

    def require_privilege(self, privilege: str) -> None:
        """Return when the caller has a privilege in the space. Raises: Forbidden; Unauthorized."""
        if self.caller.is_limited:
            raise Unauthorized()
        if not self.has_privilege(privilege):
            raise Forbidden(f"privilege {privilege} is missing")

    async def visible_names(self, chain: Chain) -> frozenset[str] | None:
        """Return the names that a listing of this directory may show; ``None`` is all."""
        if not self.caller.is_limited:
            return None
        paths = await self._object_paths()
        return visible_names(self.caller.limits, chain.canonical_path, paths)

    async def is_hidden(self, chain: Chain) -> bool:
        """Whether the token hides this file altogether."""
        if not self.caller.is_limited:
            return False
        paths = await self._object_paths()
        return reach(self.caller.limits, chain.canonical_path, paths) is Reach.DENIED

    async def within_reach(self, chain: Chain) -> Operation | None:
        """Return the operations that the place of a file lets the token ask for; ``None``: not even any."""
        if not self.caller.is_limited:
            return ON_DIRECTORIES
        found = reach(self.caller.limits, chain.canonical_path, await self._object_paths())
        if found is Reach.ALLOWED:
            return ON_DIRECTORIES
        return _PASSING if found is Reach.ANCESTOR and chain.file.is_directory else None

    async def _require_reach(self, chain: Chain, needed: Operation) -> None:
        allowed = await self.within_reach(chain)
        if allowed is None or needed & ~allowed:
            raise Posix(Errno.EACCES, "the token is confined to other files")

    async def _object_paths(self) -> Mapping[str, str]:
        if self._id_paths is None:
            self._id_paths = await object_paths(self._lookup, self.caller, self.space_id)
        return self._id_paths


async def object_paths(lookup: Lookup, caller: Caller, space_id: SpaceId | None) -> dict[str, str]:
    """Return the canonical paths of the object ids in a token; of one space, or at least the spaces.

    An id of another space is given as that space's path, which is enough to tell spaces apart.
    """
    paths: dict[str, str] = {}
    for object_id in named_object_ids(caller.limits):
        try:
            guid = FileGuid.from_object_id(object_id)
        except InvalidFileId:
            continue
        if guid.space_id != space_id:
            paths[object_id] = f"/{guid.space_id}"
            continue
        try:
            paths[object_id] = (await lookup.by_id(guid.space_id, guid.uuid)).canonical_path
        except Posix:
            continue
    return paths
