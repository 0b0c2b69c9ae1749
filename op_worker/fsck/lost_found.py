"""The directory of a space that takes what was lost, and the steps that put something there."""

from __future__ import annotations

from attrs import evolve, frozen

from cluster_worker.persistence.engine import (
    Add,
    Batch,
    Check,
    Engine,
    Key,
    Link,
    Put,
    Scope,
    Step,
)
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.randomness import RandomBytes
from onedata.ids import SpaceId, new_id, space_root_uuid
from op_worker.files.finding.lookup import space_owner_id
from op_worker.files.model import FileType
from op_worker.files.stored import batches
from op_worker.files.stored.charges import charge_steps, charged, used_counter
from op_worker.files.stored.documents import BASE, META, PARENT, EntryValue, Location, encode_parent
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.quotas import QUOTAS, SpaceQuotas

NAME = "lost+found"
_DIRECTORY_MODE = 0o700
_FILE_MODE = 0o600


@frozen(eq=False)
class LostFound:
    """The directory ``lost+found`` of a space. It belongs to the space; only its owners look into it."""

    _engine: Engine
    _space_id: SpaceId
    _wall_clock: WallClock
    _random_bytes: RandomBytes

    async def find(self) -> Chain | None:
        """Return the directory, which is made when it is missing; ``None`` when a file has its name.

        Raises: PreconditionFailed when others change the root of the space now.
        """
        scope, root = Scope(self._space_id), Key(space_root_uuid(self._space_id))
        for _ in range(2):
            found = await self._engine.resolve(scope, root, [NAME.encode()], BASE)
            nodes = [Node.found(item) for item in found]
            if not nodes[0].exists:
                return None
            if len(nodes) == 2:
                return Chain(self._space_id, nodes) if nodes[1].exists and nodes[1].is_directory else None
            await self._make(Chain(self._space_id, nodes))
        return None

    async def _make(self, root: Chain) -> None:
        key, now_s = Key(new_id(self._random_bytes)), self._wall_clock()
        meta = self._meta(root, NAME, FileType.DIR, _DIRECTORY_MODE, now_s)
        documents = batches.first_documents(meta, root.file.key, None, now_s)
        value = EntryValue(key, FileType.DIR).encode()
        steps = batches.create(root, key, NAME.encode(), value, documents, now_s)
        await self._engine.commit(Scope(self._space_id), Batch(steps, announce=[key, root.file.key]))

    def _meta(self, directory: Chain, name: str, type_: FileType, mode: int, now_s: float) -> Meta:
        owner, provider_id = space_owner_id(self._space_id), directory.nodes[0].meta.provider_id
        return Meta(name, type_, mode, owner, provider_id, int(now_s))

    async def new_file(self, directory: Chain, key: Key, name: str, location: Location) -> list[Step]:
        """Return the steps that make a file of bytes; what lies on the storage is never refused for room."""
        quotas = SpaceQuotas.decode(await self._engine.get_all(Scope(self._space_id), QUOTAS))
        now_s = self._wall_clock()
        meta = self._meta(directory, name, FileType.REG, _FILE_MODE, now_s)
        charges = quotas.wanted(meta.owner, [node.key for node in directory.nodes])
        location = evolve(location, charges=charges)
        documents = batches.first_documents(meta, directory.file.key, location, now_s)
        value = EntryValue(key, FileType.REG).encode()
        return [
            *batches.create(directory, key, name.encode(), value, documents, now_s),
            quotas.unchanged(),
            *([Add(used_counter(location.storage_id), location.held_b)] if location.held_b else []),
            *charge_steps(charged(None, location), None),
        ]

    def adopt(self, directory: Chain, node: Node, listed: int) -> list[Step]:
        """Return the steps that give a file, or a directory with all it holds, a name by its id."""
        name, now_s = str(node.key), self._wall_clock()
        meta = evolve(node.meta, name=name, links=1 + listed)
        value = EntryValue(node.key, node.type).encode()
        return [
            *batches.steady(directory),
            Link(directory.file.key, name.encode(), value),
            Put(node.key, META, meta.encode(), node.revision(META)),
            Put(node.key, PARENT, encode_parent(directory.file.key), node.revision(PARENT)),
            batches.touch(directory.file, now_s),
            Check(directory.file.key, META, directory.file.revision(META)),
        ]
