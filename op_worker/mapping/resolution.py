"""Who somebody is on a storage, given what the feed says. Pure.

Each function names what it needs to know as its arguments, so whoever calls it asks feeds for no more.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.ids import SpaceId, UserId
from op_worker.mapping.entries import SpaceIds, StorageUser
from op_worker.mapping.numbers import automatic_id, space_owner_of


@frozen
class PosixIds:
    """A uid and a gid on a storage."""

    uid: int
    gid: int

    def credentials(self) -> Mapping[str, str]:
        """Return them as a storage helper takes them."""
        return {"uid": str(self.uid), "gid": str(self.gid)}


def automatic_ids(space_id: SpaceId) -> PosixIds:
    """Return what a space is where nobody says anything else."""
    return PosixIds(automatic_id(space_owner_of(space_id)), automatic_id(space_id))


def space_ids(told: SpaceIds | None, mount_point: PosixIds | None, space_id: SpaceId) -> PosixIds:
    """Return the default uid and gid of a space on a storage with owners.

    What the feed does not tell is that of the mount point; where that is not known, it is computed.
    """
    fallback = mount_point or automatic_ids(space_id)
    if told is None:
        return fallback
    uid = fallback.uid if told.uid is None else told.uid
    return PosixIds(uid, fallback.gid if told.gid is None else told.gid)


def posix_ids(user: StorageUser | None, space: PosixIds) -> PosixIds | None:
    """Return who a user is in a space on a storage with owners; ``None`` when the feed does not know him."""
    if user is None or user.uid is None:
        return None
    return PosixIds(user.uid, space.gid)


def automatic_user(user_id: UserId) -> StorageUser:
    """Return what the automatic feed says of a user of a storage with owners."""
    return StorageUser(credentials={"uid": str(automatic_id(user_id))})


def display_ids(
    user_id: UserId, space_id: SpaceId, user: StorageUser | None, display: SpaceIds | None
) -> PosixIds:
    """Return what a file of a user in a space is shown to belong to.

    Shown is his display uid, else his uid on the storage, and the gid that the space is shown with. The space
    itself has the uid that it is shown with. Whatever nothing is known of is computed from the id.
    """
    told = display or SpaceIds()
    gid = automatic_id(space_id) if told.gid is None else told.gid
    if user_id == space_owner_of(space_id):
        uid = told.uid
    else:
        uid = None if user is None else user.display_uid if user.display_uid is not None else user.uid
    return PosixIds(automatic_id(user_id) if uid is None else uid, gid)
