"""What the parts of the file service share, made once by it."""

from __future__ import annotations

import errno
from collections.abc import Sequence

from attrs import field, frozen

from cluster_worker.persistence.engine import Engine, Key, Scope
from cluster_worker.persistence.lives import Lives
from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.randomness import RandomBytes
from cluster_worker.tenure.works import Works
from onedata.errors import Errno, Forbidden, Posix
from onedata.ids import USER_ROOT_SPACE_ID, FileGuid, SpaceId, StorageId, is_unlisted, is_user_root, new_id
from op_worker.auth.caller import Caller
from op_worker.files.charging.recharging import Recharging
from op_worker.files.charging.rooms import Rooms
from op_worker.files.committing.choosing import Choosing
from op_worker.files.committing.journal import Journal
from op_worker.files.committing.places import Places
from op_worker.files.committing.transactions import Transactions
from op_worker.files.finding.access import Access
from op_worker.files.finding.changed_behind import ChangedBehind
from op_worker.files.finding.guests import Guests
from op_worker.files.finding.lookup import Found, Lookup, existing
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Follow, Target
from op_worker.files.rules.offer import Offer
from op_worker.files.settings import Settings
from op_worker.files.stored.nodes import Chain, Node
from op_worker.files.tallies import Tallies
from op_worker.mapping.contract import Acting
from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.registry import Storages
from op_worker.storage.supports import Storage


@frozen(eq=False)
class FilesContext:
    """The shared parts, and the two ways every operation begins: find a target, enter its space."""

    engine: Engine
    storages: Storages
    lookup: Lookup
    access: Access
    journal: Journal
    transactions: Transactions
    blocking: Blocking
    wall_clock: WallClock
    random_bytes: RandomBytes
    settings: Settings
    guests: Guests
    rooms: Rooms
    recharging: Recharging
    offer: Offer
    lives: Lives
    works: Works
    acting: Acting
    places: Places = field(init=False)
    changed_behind: ChangedBehind = field(factory=ChangedBehind, init=False)

    @places.default
    def _places(self) -> Places:
        return Places(self.engine, self.storages, self.journal, self.random_bytes)

    choosing: Choosing = field(init=False)

    @choosing.default
    def _choosing(self) -> Choosing:
        return Choosing(self.engine, self.storages, self.random_bytes)

    @property
    def tallies(self) -> Tallies:
        """What is counted of the bytes that pass."""
        return self.access.tallies

    async def find(
        self, caller: Caller, target: Target, follow: Follow = Follow.NO, also: Sequence[str] = ()
    ) -> tuple[Visit, Found]:
        """Enter the space of a target and walk as far as there are files.

        ``also`` are further documents to be read of the file that is meant.
        """
        base = target.base
        visit = await self._enter(caller, base)
        if is_unlisted(base) and target.uuid is None:
            raise Posix(Errno.ENOENT)  # only files that bring their ids are placed there
        found = await self.lookup.find(
            base.space_id, base.uuid, target.names, follow, visit.require_passage_into, also
        )
        return visit, found

    async def _enter(self, caller: Caller, base: FileGuid) -> Visit:
        if base.share_id is not None:
            return await self.guests.enter(caller, base)
        if base.space_id == USER_ROOT_SPACE_ID:
            raise Posix(Errno.EPERM, "the directory of spaces is virtual")
        return await self.access.enter(caller, base.space_id)

    async def chain(
        self, caller: Caller, target: Target, follow: Follow = Follow.NO, also: Sequence[str] = ()
    ) -> tuple[Visit, Chain]:
        """Enter the space of a target that must exist; ``also`` as in ``find``. Raises: Posix(ENOENT)."""
        visit, found = await self.find(caller, target, follow, also)
        if found.missing:
            visit.require_passage_into(found.chain)
        return visit, existing(found)

    async def again(self, chain: Chain) -> Chain:
        """Read a file and its ancestors anew. Raises: Posix(ENOENT)."""
        return await self.lookup.again(chain)

    def storage(self, storage_id: str) -> Storage:
        """Return a storage by the id that a location names. Raises: StorageUnavailable."""
        storage = self.storages.get(StorageId(storage_id))
        if storage is None:
            raise StorageUnavailable(errno.ENODEV, "", f"there is no storage {storage_id}")
        return storage

    async def storage_for(self, visit: Visit, storage: Storage) -> Storage:
        """Return a storage on which the caller acts as himself; guests act as its administrator.

        Raises: StorageError(EACCES) when the storage does not know him; PersistenceUnavailable.
        """
        if visit.caller.is_guest:
            return storage
        return await self.acting.storage_for(visit.user_id, visit.space_id, storage)

    def storage_of(self, visit: Visit, file: Node) -> Storage | None:
        """Return the storage that a file's bytes, or a directory, lie on; ``None`` when it is on none.

        Raises: StorageUnavailable.
        """
        location = file.location
        return visit.support.named if location is None else self.storage(location.storage_id)

    def new_key(self) -> Key:
        """Return the key of a new file."""
        return Key(new_id(self.random_bytes))

    def key_for(self, target: Target) -> Key:
        """Return the key of a new file at a target."""
        return self.new_key() if target.uuid is None else Key(target.uuid)

    def new_generation(self) -> bytes:
        """Return the name of one whole content."""
        return self.random_bytes(8)


def scope_of(space_id: SpaceId) -> Scope:
    """Return the scope that a space's documents live in."""
    return Scope(space_id)


def is_user_root_of(guid: FileGuid, caller: Caller) -> bool:
    """Whether this is the virtual directory of spaces; Forbidden when it is another user's."""
    if guid.space_id != USER_ROOT_SPACE_ID or not is_user_root(guid.uuid):
        return False
    if guid.uuid != f"userRoot_{caller.user_id}":
        raise Forbidden()
    return True
