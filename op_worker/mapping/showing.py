"""As whose a file is shown: the uid and gid that users see beside it."""

from __future__ import annotations

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from onedata.ids import SpaceId, UserId
from op_worker.mapping.entries import SpaceIds
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.mapping.resolution import PosixIds, display_ids
from op_worker.mapping.service import UserMapping
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages

_REMEMBERED_S = 10.0


@frozen(eq=False)
class ShownOwners:
    """Answers for owners of files, by the feed of the storage of their space.

    An external feed is asked about spaces, at most every ten seconds, and not about owners: what it told of
    them before is shown, and computed numbers until it did.
    """

    _storages: Storages
    _mapping: UserMapping
    _clock: IReactorTime
    _defaults: dict[tuple[str, SpaceId], tuple[float, int, SpaceIds | None]] = field(factory=dict, init=False)

    async def of(self, owner_id: UserId, space_id: SpaceId) -> PosixIds | None:
        """Return what a file of an owner in a space is shown with; ``None`` stands for computed numbers.

        Raises: PersistenceUnavailable.
        """
        support = self._storages.for_space(space_id)
        if support is None:
            return None
        record = support.storage.record
        if FeedSettings.of(record).feed is Feed.AUTO:
            return None
        user = await self._mapping.kept_user(record, owner_id)
        return display_ids(owner_id, space_id, user, await self._of_space(record, space_id))

    async def _of_space(self, record: StorageRecord, space_id: SpaceId) -> SpaceIds | None:
        place, now_s, changes = (record.storage_id, space_id), self._clock.seconds(), self._mapping.changes
        known = self._defaults.get(place)
        if known is not None and now_s - known[0] < _REMEMBERED_S and known[1] == changes:
            return known[2]
        found = await self._mapping.display_defaults(record, space_id)
        self._defaults[place] = (now_s, changes, found)
        return found
