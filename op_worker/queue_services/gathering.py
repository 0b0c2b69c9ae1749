"""What a user may see of objects, as scopes and results want it: representations like those that CDMI reads.

An object counts when listings lead its reader to it and he may read it whole: value or children, metadata and
attributes. Of its access control list he sees as much as always.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Protocol

from attrs import define, field

from cluster_worker.persistence.engine import Document
from onedata.errors import OnedataError, Posix
from onedata.ids import FileGuid, FileUuid
from op_worker.auth.caller import Caller
from op_worker.files.finding.visit import Visit
from op_worker.files.metadata.custom import FIELDS, shown_xattrs
from op_worker.files.model import FileStat, FileType, Follow, Json, Target
from op_worker.files.rights.permissions import Operation
from op_worker.files.service import FileService
from op_worker.files.stored.nodes import Chain
from op_worker.queue_services.definitions import Definition
from op_worker.queue_services.scope import Candidate
from op_worker.queue_services.uris import forms_of

MAX_VALUE_B = 64 * 1024
"""Larger values match nothing and are not among results."""
MAX_CHILDREN = 1000
"""Containers with more have no ``children`` here."""
_OPEN = Operation.LIST_CONTAINER | Operation.TRAVERSE
_READ = Operation.READ_OBJECT | Operation.READ_METADATA | Operation.READ_ATTRIBUTES
_METADATA_AT_ONCE_B = 4 << 20


class Representation(Protocol):
    """What the CDMI door shows of objects."""

    def members(self, stat: FileStat, xattrs: Mapping[str, Json]) -> dict[str, Json]:
        """Return every member of a representation, but for those of values and children."""

    def child(self, stat: FileStat) -> str:
        """Return how a container lists a child."""

    def ids_along(self, stat: FileStat) -> Mapping[str, Sequence[str]]:
        """Return the object IDs on the path of ``domainURI`` and of ``capabilitiesURI``."""

    def time(self, time_s: float) -> str:
        """Return seconds since the epoch as CDMI writes times."""


@define(eq=False)
class Gathering:
    """What one user sees in one space, for one look round: what directories let him pass is remembered."""

    _files: FileService
    _representation: Representation
    visit: Visit
    _definition: Definition
    _open: dict[str, bool] = field(factory=dict)

    @property
    def _caller(self) -> Caller:
        return self.visit.caller

    async def is_shown(self, chain: Chain) -> bool:
        """Whether the user comes to an object by listings, and may read it whole."""
        for depth in range(1, len(chain.nodes)):
            if not await self.is_open(Chain(chain.space_id, chain.nodes[:depth])):
                return False
        return await self._may(chain, _READ)

    async def found(self, chains: Sequence[Chain]) -> list[Candidate]:
        """Return the objects as the user sees them; he may see each of them."""
        rich = [chain for chain in chains if chain.file.meta.has_metadata]
        custom: dict[str, Mapping[str, Document]] = {}
        while len(custom) < len(rich):
            keys = [chain.file.key for chain in rich[len(custom) :]]
            engine = self._files.context.engine
            read = await engine.get_many(self.visit.scope, keys, FIELDS, _METADATA_AT_ONCE_B)
            custom.update(zip(keys, read, strict=False))
        return [await self._candidate(chain, custom.get(chain.file.key, {})) for chain in chains]

    async def remembered(self, chain: Chain, custom: Mapping[str, Document]) -> Candidate:
        """Return an object that is not there any more, as far as its documents tell."""
        stat = self.visit.stat(chain)
        return Candidate(await self._members(stat, custom), self._uris(chain, stat))

    async def _candidate(self, chain: Chain, custom: Mapping[str, Document]) -> Candidate:
        stat = self.visit.stat(chain)
        members = await self._members(stat, custom)
        if stat.is_directory and not stat.is_queue and self._wants("children", "childrenrange"):
            members.update(await self._children(stat))
        if stat.type is FileType.REG and self._wants("value", "valuerange", "valuetransferencoding"):
            members.update(await self._value(stat, members))
        return Candidate(members, self._uris(chain, stat))

    async def _members(self, stat: FileStat, custom: Mapping[str, Document]) -> dict[str, Json]:
        xattrs = shown_xattrs(custom, internal=True)
        xattrs.update(await self._files.acls.shown_as_xattr(self._caller, stat))
        return self._representation.members(stat, xattrs)

    def _wants(self, *names: str) -> bool:
        definition = self._definition
        return definition.results.is_everything or not definition.asks_for.isdisjoint(names)

    async def _children(self, stat: FileStat) -> dict[str, Json]:
        target = Target(stat.guid)
        count = await self._files.count_children(self._caller, target)
        if count > MAX_CHILDREN:
            return {"childrenrange": f"0-{count - 1}"}
        if not count:
            return {"childrenrange": "", "children": []}
        found = await self._files.children_slice(self._caller, target, 0, count - 1)
        names: list[Json] = [self._representation.child(one) for one in found]
        return {"childrenrange": f"0-{count - 1}", "children": names}

    async def _value(self, stat: FileStat, members: Mapping[str, Json]) -> dict[str, Json]:
        if stat.size_b > MAX_VALUE_B or members.get("completionStatus") != "Complete":
            return {}
        try:
            reader = await self._files.open_content(self._caller, Target(stat.guid), Follow.NO)
        except OnedataError:
            return {}  # it was removed meanwhile, or its storage is away
        try:
            size_b = min(reader.stat.size_b, MAX_VALUE_B)
            value = await reader.read(0, size_b) if size_b else b""
        except OnedataError:
            return {}
        finally:
            await reader.close()
        return {
            "valuetransferencoding": "base64",
            "valuerange": f"0-{len(value) - 1}" if value else "",
            "value": base64.b64encode(value).decode("ascii"),
        }

    def _uris(self, chain: Chain, stat: FileStat) -> dict[str, tuple[str, ...]]:
        """Return how else the URIs among an object's members can be written, as far as the scope asks."""
        asked = self._definition.scope.members
        along = dict(self._representation.ids_along(stat))
        space_id = chain.space_id
        along["parentURI"] = [
            FileGuid(FileUuid(node.key), space_id).object_id() if node.key else ""
            for node in chain.nodes[:-1]
        ]
        members = self._representation.members(stat, {})
        return {
            name: forms_of(str(members[name]), ids)
            for name, ids in along.items()
            if name in asked and name in members
        }

    async def is_open(self, directory: Chain) -> bool:
        """Whether the user may list and pass a directory."""
        key = directory.file.key
        if key not in self._open:
            self._open[key] = await self._may(directory, _OPEN)
        return self._open[key]

    async def _may(self, chain: Chain, needed: Operation) -> bool:
        try:
            await self.visit.require(chain, needed)
        except Posix:
            return False
        return True
