"""The directories that a walk of a space begins at, and what holds of entries in each kind. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_worker.persistence.engine import Key
from onedata.ids import SpaceId, copies_uuid, nameless_uuid, space_root_uuid, trash_uuid
from op_worker.files.stored.detached import DETACHED
from op_worker.files.stored.nodes import Node
from op_worker.files.stored.paths import COPIES, NAMELESS, storage_path, trash_path
from op_worker.files.stored.recycled import bin_key
from op_worker.fsck.tally import Folder
from op_worker.storage.helper import StoragePath

NAMED, TRASH, BIN, PURGING, OUT_OF_SIGHT = "named", "trash", "bin", "purging", "detached"
PURGING_PREFIX = "purging_"


def roots(space_id: SpaceId) -> list[Folder]:
    """Return where every file of a space is found from."""
    return [
        Folder(space_root_uuid(space_id), space_id, NAMED),
        Folder(nameless_uuid(space_id), storage_path(space_id, (NAMELESS,)), NAMED),
        Folder(copies_uuid(space_id), storage_path(space_id, (COPIES,)), NAMED),
        Folder(trash_uuid(space_id), "", TRASH),
        Folder(bin_key(space_id), "", BIN),
        Folder(DETACHED, "", OUT_OF_SIGHT),
    ]


def waiting_list(tree: Key) -> Folder:
    """Return the list of directories of a removed tree that are still to be purged."""
    return Folder(f"{PURGING_PREFIX}{tree}", "", PURGING)


def place_of(space_id: SpaceId, directory: str) -> str:
    """Return which kind of directory this is."""
    for root in roots(space_id):
        if root.key == directory:
            return root.place
    return PURGING if directory.startswith(PURGING_PREFIX) else NAMED


def expected_parent(space_id: SpaceId, directory: str) -> Key | None:
    """Return the directory that files in it have to tell; ``None`` when they tell none."""
    place = place_of(space_id, directory)
    if place == OUT_OF_SIGHT:
        return None
    return Key(trash_uuid(space_id) if place in (TRASH, PURGING) else directory)


def named_path(space_id: SpaceId, upwards: Sequence[Node]) -> StoragePath | None:
    """Return where bytes lie by the names that a file and all directories above tell; ``None`` for nowhere.

    Args:
        upwards: the file first, then its directories, up to the root of the space or the bin.
    """
    top = upwards[-1]
    names = [node.meta.name for node in reversed(upwards) if node.exists]
    if top.key == Key(space_root_uuid(space_id)):
        return storage_path(space_id, names[1:])
    if top.key == bin_key(space_id) and len(upwards) > 1:
        return StoragePath("/".join([trash_path(space_id, upwards[-2].key), *names[1:]]))
    return None
