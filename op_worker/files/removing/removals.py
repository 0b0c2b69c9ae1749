"""How far the removal of a tree is: stored beside the tree, so that progress survives every restart."""

from __future__ import annotations

from typing import Any

import msgpack
from attrs import define, evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Delete, Document, Key, Put, Scope, Step
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.context import FilesContext
from op_worker.files.finding.visit import Visit
from op_worker.files.stored.packing import UnknownSchemaError
from op_worker.files.translation import translated

REMOVALS = Key("removals")
"""Its fields are the keys of the trees that are being removed."""
_SCHEMA = 1


@frozen
class Removing:
    """A tree that was removed and whose content is being purged.

    ``path`` is the one it had below the space root. ``files`` and ``directories`` count what was purged so
    far, ``given_back_b`` the bytes that were given back. ``since_s`` in seconds since the epoch.
    """

    path: str
    removed_by: str
    since_s: int
    files: int = 0
    directories: int = 0
    given_back_b: int = 0
    rest: tuple[Any, ...] = ()

    def encode(self) -> bytes:
        counts = (self.files, self.directories, self.given_back_b)
        packed: bytes = msgpack.packb(
            [_SCHEMA, self.path, self.removed_by, self.since_s, *counts, *self.rest]
        )
        return packed

    @classmethod
    def decode(cls, data: bytes) -> Removing:
        schema, path, removed_by, since_s, files, directories, given_back_b, *rest = msgpack.unpackb(data)
        if schema != _SCHEMA:
            raise UnknownSchemaError(f"removal of version {schema}")
        return cls(path, removed_by, since_s, files, directories, given_back_b, tuple(rest))

    def begin(self, tree: Key) -> Step:
        """Return the step that records that ``tree`` was removed."""
        return Put(REMOVALS, tree, self.encode(), expect=ABSENT)


@define
class Progress:
    """What one purge knows of the record of its tree; trees removed by older versions have none."""

    tree: Key
    _revision: int
    _present: Removing | None

    @classmethod
    def of(cls, tree: Key, document: Document | None) -> Progress:
        """Begin where the stored record is."""
        if document is None:
            return cls(tree, ABSENT, None)
        return cls(tree, document.revision, Removing.decode(document.data))

    def counted(self, files: int, directories: int, given_back_b: int) -> list[Step]:
        """Return the step that adds to the counts; the next one presumes that it was committed."""
        present = self._present
        if present is None:
            return []
        self._present = evolve(
            present,
            files=present.files + files,
            directories=present.directories + directories,
            given_back_b=present.given_back_b + given_back_b,
        )
        step = Put(REMOVALS, self.tree, self._present.encode(), expect=self._revision)
        self._revision += 1
        return [step]

    def ended(self) -> list[Step]:
        """Return the step that drops the record."""
        return [] if self._present is None else [Delete(REMOVALS, self.tree, expect=self._revision)]


@frozen(eq=False)
class Removals:
    """Shows what is being removed. Raises what ``FileService`` raises."""

    _context: FilesContext

    @translated
    async def of(self, caller: Caller, space_id: SpaceId) -> list[Removing]:
        """Return the trees of a space that are being purged, the oldest first.

        Owners of the space see all of them, members those that they removed. A token that is confined to
        some files sees none.

        Raises: Forbidden to strangers; SpaceNotSupportedBy.
        """
        visit = await self._context.access.enter(caller, space_id)
        found = await self._context.engine.get_all(Scope(space_id), REMOVALS)
        removals = [Removing.decode(document.data) for document in found.values()]
        shown = [one for one in removals if may_handle(visit, UserId(one.removed_by))]
        return sorted(shown, key=lambda one: (one.since_s, one.path))


def may_handle(visit: Visit, *concerned: UserId) -> bool:
    """Whether a caller may see and handle what was removed by, or belonged to, one of ``concerned``."""
    if visit.caller.limits.paths or visit.caller.limits.object_ids:
        return False
    return visit.subject.is_space_owner or visit.user_id in concerned
