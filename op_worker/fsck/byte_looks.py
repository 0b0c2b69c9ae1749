"""Another look at bytes: those of a file, and those on the storage that no file has; and the repairs."""

from __future__ import annotations

import errno
import hashlib

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Add, Check, Engine, Key, Put, Scope, Step
from cluster_worker.runtime.randomness import RandomBytes
from onedata.ids import SpaceId, nameless_uuid, new_id, space_root_uuid
from op_worker.files.committing.journal import Journal
from op_worker.files.finding.lookup import MOST_ANCESTORS
from op_worker.files.model import FileType
from op_worker.files.stored import blocks
from op_worker.files.stored.charges import charge_steps, charged, used_counter
from op_worker.files.stored.documents import (
    BASE,
    LOCATION,
    META,
    PARENT,
    TIMES,
    UNSETTLED,
    Location,
)
from op_worker.files.stored.intents import (
    INTENTS,
    Intent,
    IntentKind,
    require_settled,
)
from op_worker.files.stored.landings import LANDINGS
from op_worker.files.stored.lives import LIVES, is_of_a_life, life_of
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.stored.paths import (
    INODES,
    MAX_NAME_B,
    NAMELESS,
    ancestor_paths,
)
from op_worker.fsck.findings import Finding
from op_worker.fsck.lost_found import LostFound
from op_worker.fsck.mend import Mend
from op_worker.fsck.pace import Pace
from op_worker.fsck.places import named_path
from op_worker.fsck.rules import readable
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.supports import Storage

_PIECE_B = 1 << 20


@frozen(eq=False)
class ByteLooks:
    """Looks at bytes on the storage of a space. Methods may raise PersistenceError and StorageError."""

    _engine: Engine
    _journal: Journal
    _storage: Storage
    _space_id: SpaceId
    _lost_found: LostFound
    _random_bytes: RandomBytes
    _pace: Pace

    # -- bytes of a file ---------------------------------------------------------------------------

    async def of_file(self, finding: Finding) -> Mend | None:
        """Whether bytes of a file are missing, now and while nothing happens to it."""
        key = Key(finding.key)
        before = await self._where(key)
        if before is None:
            return None
        path, guards, node, location = before
        size_b = await self._size(path)
        held = blocks.upper(location.blocks)
        again = await self._where(key)
        if (
            again is None
            or again[:2] != (path, guards)
            or (size_b is not None and size_b >= held)
            or not held
        ):
            return None
        kept = blocks.cut(location.blocks, size_b or 0)
        return self._written_off(node, location, evolve(location, blocks=kept), guards)

    async def digest(self, finding: Finding) -> Mend | None:
        """Whether content is not as it was written, though it is the same version all the while."""
        before = await self._where(Key(finding.key))
        if before is None or not before[3].sha256:
            return None
        path, guards, node, location = before
        try:
            found = await self._digest(path, location.size_b)
        except StorageError as error:
            if error.errno == errno.ENOENT:
                return None
            raise
        again = await self._where(Key(finding.key))
        if found == location.sha256 or again is None or again[:2] != (path, guards):
            return None
        return self._written_off(node, location, location, guards)

    def _written_off(self, node: Node, old: Location, new: Location, guards: tuple[Step, ...]) -> Mend:
        new = evolve(new, version=old.version + 1, sha256=b"")
        lost_b = old.held_b - new.held_b
        steps: list[Step] = [
            *guards,
            Put(node.key, LOCATION, new.encode(), node.revision(LOCATION)),
            *([Add(used_counter(old.storage_id), -lost_b)] if lost_b else []),
            *charge_steps({name: by for name, by in charged(old, new).items() if by}, None),
        ]
        return Mend(steps=steps, announce=[node.key])

    async def _digest(self, path: StoragePath, size_b: int) -> bytes:
        digest, at = hashlib.sha256(), 0
        file = await self._storage.helper.open_read(path)
        try:
            while at < size_b and (piece := await file.read(at, min(_PIECE_B, size_b - at))):
                digest.update(piece)
                at += len(piece)
                await self._pace.wait(len(piece))
        finally:
            await file.close()
        return digest.digest()

    async def _where(self, key: Key) -> tuple[StoragePath, tuple[Step, ...], Node, Location] | None:
        """Return where the bytes of a file lie, and what has to hold for that; ``None`` while they move."""
        scope = Scope(self._space_id)
        way = await self._engine.ancestors(scope, key, PARENT, BASE, MOST_ANCESTORS)
        nodes = [Node(each, "", documents) for each, documents in way]
        file = nodes[0]
        location = file.location if file.exists else None
        if location is None or location.staged or location.parts:
            return None  # what lies at several places is on its way to one
        if location.storage_id != self._storage.storage_id:
            return None
        guards: list[Step] = [Check(key, LOCATION, file.revision(LOCATION))]
        if location.is_apart:
            path = location.apart_path(self._space_id, key)
        else:
            above = named_path(self._space_id, nodes)
            if above is None:
                return None
            path = above
            guards += [Check(node.key, PARENT, node.revision(PARENT)) for node in nodes[:-1]]
            guards += [Check(node.key, META, node.revision(META)) for node in nodes[:-1]]
        busy = await self._engine.get(scope, INTENTS, [*ancestor_paths(path), path])
        return None if busy else (path, (*guards, *require_settled(path)), file, location)

    async def _size(self, path: StoragePath) -> int | None:
        """Return the size of a file of the storage; ``None`` when there is none."""
        try:
            stat = await self._storage.helper.stat(path)
        except StorageError as error:
            if error.errno in (errno.ENOENT, errno.ENOTDIR):
                return None
            raise
        return None if stat.is_directory else stat.size_b

    # -- bytes of no file --------------------------------------------------------------------------

    async def unknown(self, finding: Finding, *, is_repaired: bool, is_deleted: bool) -> Mend | None:
        """Whether a file of the storage belongs to none of the namespace.

        What lies under ids, not names, is told only: no file is made of it, nothing is removed.

        Storage and namespace cannot be read in one moment: each is looked at twice, in turn, and nothing may
        have changed between, or a file that was placed or removed meanwhile would be taken for nobody's.
        """
        path = StoragePath(finding.place)
        if await self._is_flat_content(path):
            return None
        if not self._storage.keeps_names:
            return Mend()
        guards = await self._guards_of_nobody(path)
        size_b = None if guards is None else await self._size(path)
        if guards is None or size_b is None:
            return None
        if await self._guards_of_nobody(path) != guards or await self._size(path) != size_b:
            return None
        if not is_repaired:
            return Mend()
        if is_deleted:
            intent = self._journal.new(IntentKind.REMOVE, self._storage, new_id(self._random_bytes), path)
            return Mend(steps=[*guards, *intent.put()], settles=path)
        return await self._adopted(path, size_b, guards)

    async def _is_flat_content(self, path: StoragePath) -> bool:
        """Whether a path without names is some file's, or on its way to it, or has nothing any more."""
        scope = Scope(self._space_id)
        place = f"{self._storage.storage_id}/{path}"
        if await self._engine.get(scope, LANDINGS, [place]) or await self._engine.get(scope, INTENTS, [path]):
            return True
        key = Key(path.rpartition("/")[2].partition(".")[0])
        found = await self._engine.get(scope, key, [LOCATION])
        location = Location.decode(found[LOCATION].data) if LOCATION in found else Location("")
        is_there = path in (location.at, *(part.at for part in location.parts))
        is_upload = bool(await self._engine.get_all(scope, Key(f"upload_{key}")))
        return is_there or is_upload or await self._size(path) is None

    async def _adopted(self, path: StoragePath, size_b: int, guards: list[Step]) -> Mend:
        """Return the commit that makes a file of bytes, and lets them be moved to where it lies."""
        directory = await self._lost_found.find()
        if directory is None:
            return Mend()
        key = Key(new_id(self._random_bytes))
        name = f"{key[:8]} {path.split('/', 1)[1].replace('/', ' ')}"
        name = name.encode()[:MAX_NAME_B].decode("utf-8", "ignore")
        target = StoragePath(f"{directory.storage_path}/{name}")
        location = Location(
            self._storage.storage_id,
            size_b,
            blocks.whole(size_b),
            version=1,
            generation=self._random_bytes(8),
            staged=UNSETTLED,
        )
        intent = self._journal.new(IntentKind.MOVE, self._storage, key, target, path)
        steps = [*guards, *await self._lost_found.new_file(directory, key, name, location), *intent.put()]
        return Mend(steps=steps, announce=[key, directory.file.key], settles=target)

    async def _guards_of_nobody(self, path: StoragePath) -> list[Step] | None:
        """Return what has to hold so that bytes stay nobody's; ``None`` when they are somebody's."""
        scope = Scope(self._space_id)
        busy = await self._engine.get(scope, INTENTS, [*ancestor_paths(path), path])
        if busy:
            return None
        settled: list[Step] = [Check(INTENTS, above, ABSENT) for above in ancestor_paths(path)]
        names = path.split("/")[1:]
        if names[0] == INODES:
            documents = await self._engine.get(scope, Key(names[1]), [LOCATION])
            free = len(names) > 2 or LOCATION not in documents
            return [*settled, Check(Key(names[1]), LOCATION, ABSENT)] if free else None
        root = space_root_uuid(self._space_id)
        if names[0] == NAMELESS:
            root, names = nameless_uuid(self._space_id), names[1:]
        try:
            raw = [name.encode() for name in names]
        except UnicodeEncodeError:
            return settled
        found = await self._engine.resolve(scope, Key(root), raw, BASE)
        nodes = [Node.found(item) for item in found]
        if any(readable(node.key, node.documents) is not None for node in nodes):
            return None
        if len(found) > len(names) and nodes[-1].exists and nodes[-1].type is FileType.REG:
            location = nodes[-1].location
            if location is None or not location.is_apart:
                return None
        last = nodes[-1] if len(found) <= len(names) else nodes[-2]
        chain = Chain(self._space_id, nodes[: nodes.index(last) + 1])
        unmoved = [Check(node.key, PARENT, node.revision(PARENT)) for node in chain.nodes[1:]]
        return [*settled, *unmoved, Check(last.key, TIMES, last.revision(TIMES))]

    async def left_staging(self, finding: Finding) -> Mend | None:
        """Whether a staging file is of a life that was struck off, or of an upload that is gone."""
        name = finding.place.rpartition("/")[2]
        scope = Scope(self._space_id)
        pending = await self._engine.get_all(scope, INTENTS)
        if finding.place in {Intent.decode(document.data).source for document in pending.values()}:
            return None
        if is_of_a_life(name):
            used: object = await self._engine.get(scope, LIVES, [life_of(name)])
        else:
            used = await self._engine.get_all(scope, Key(f"upload_{name[1:]}"))
        if used or await self._size(StoragePath(finding.place)) is None:
            return None
        return Mend(removes=StoragePath(finding.place))
