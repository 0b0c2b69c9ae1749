"""Names and paths: what is a legal name, where a file lies on its storage. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from onedata.errors import Errno, Posix
from onedata.ids import SpaceId
from op_worker.storage.helper import StoragePath

MAX_NAME_B = 255
MAX_PATH_B = 4096
RESERVED_PREFIX = ".__onedata__"
"""Names that start with it belong to the system when they stand at the root of a space."""
STAGING = RESERVED_PREFIX + "staging"
TRASH = RESERVED_PREFIX + "trash"
INODES = RESERVED_PREFIX + "inodes"
NAMELESS = RESERVED_PREFIX + "nameless"
COPIES = RESERVED_PREFIX + "copies"
MOVED = RESERVED_PREFIX + "moved"
GROWING = "~"
"""Names of staging files that grow over many requests begin so; no name of a node does."""
URI_PREFIXES = ("http://", "https://")
"""A symbolic link whose text begins so is a reference to the web, which leads to no file."""
ABSOLUTE_LINK_PREFIX = "<__onedata_space_id:"


def check_name(name: str) -> bytes:
    """Return a legal file name as it is stored.

    Raises: Posix(ENAMETOOLONG) beyond 255 bytes; Posix(EINVAL) for anything else that is no name.
    """
    try:
        raw = name.encode()
    except UnicodeEncodeError:
        raise Posix(Errno.EINVAL, "the name is no valid Unicode text") from None
    if len(raw) > MAX_NAME_B:
        raise Posix(Errno.ENAMETOOLONG, "a name may have up to 255 bytes")
    if not raw or raw in (b".", b"..") or b"/" in raw or b"\0" in raw:
        raise Posix(Errno.EINVAL, "not a file name")
    return raw


def check_new_name(name: str, *, at_root: bool) -> bytes:
    """Return a name that a user may give; raises Posix(EPERM) for reserved ones, as ``check_name``."""
    raw = check_name(name)
    if at_root and is_reserved(name):
        raise Posix(Errno.EPERM, f"names that start with {RESERVED_PREFIX} are reserved")
    return raw


def is_reserved(name: str) -> bool:
    """Whether a name belongs to the system when it stands at the root of a space."""
    return name.startswith(RESERVED_PREFIX)


def check_path(names: Sequence[str]) -> tuple[bytes, ...]:
    """Return the stored form of a path to look up; ``.`` and empty components are skipped.

    Raises: Posix(ENAMETOOLONG) beyond 4096 bytes in all; as ``check_name``.
    """
    raw = tuple(check_name(name) for name in names if name not in ("", "."))
    check_length(raw)
    return raw


def check_length(raw: Sequence[bytes]) -> None:
    """Raise Posix(ENAMETOOLONG) when names below a space root are too long together."""
    if sum(map(len, raw)) + len(raw) > MAX_PATH_B:
        raise Posix(Errno.ENAMETOOLONG, "a path may have up to 4096 bytes")


def storage_path(space_id: SpaceId, names: Sequence[str]) -> StoragePath:
    """Return where a file with these names below the space root lies on its storage."""
    return StoragePath("/".join((space_id, *names)))


def staging_path(space_id: SpaceId, name: str) -> StoragePath:
    """Return where bytes wait for the commit that they belong to."""
    return StoragePath(f"{space_id}/{STAGING}/{name}")


def trash_path(space_id: SpaceId, uuid: str) -> StoragePath:
    """Return where a removed directory waits for its purge."""
    return StoragePath(f"{space_id}/{TRASH}/{uuid}")


def inode_path(space_id: SpaceId, uuid: str) -> StoragePath:
    """Return where the bytes of a file lie that has, or once had, several names."""
    return StoragePath(f"{space_id}/{INODES}/{uuid}")


def flat_path(space_id: SpaceId, uuid: str, generation: str = "") -> StoragePath:
    """Return where a content lies for good on a storage whose paths do not follow names.

    The first content of a file lies under the file's id alone; ``generation`` tells later ones apart.
    """
    folders = "/".join(uuid[:3]) if len(uuid) > 3 else "other"
    return StoragePath(f"{space_id}/{folders}/{uuid}{'.' if generation else ''}{generation}")


def moved_path(space_id: SpaceId, uuid: str, generation: str) -> StoragePath:
    """Return where a content lies that came from another storage, among files that lie under their names.

    A flat path would lead through directories of users, who may rename and remove them.
    """
    return StoragePath(f"{space_id}/{MOVED}/{uuid}.{generation}")


def ancestor_paths(path: StoragePath) -> list[StoragePath]:
    """Return the paths of the directories above, below the space's own, the nearest last."""
    parts = path.split("/")
    return [StoragePath("/".join(parts[:end])) for end in range(2, len(parts))]


def is_below(path: str, directory: str) -> bool:
    """Whether ``path`` lies inside ``directory`` (and is not the directory itself)."""
    return path.startswith(directory + "/")


def link_parts(space_id: SpaceId, directory: Sequence[str], target: str) -> tuple[Sequence[str], list[str]]:
    """Return the names that a symbolic link in ``directory`` starts from, and the parts of its way on.

    ``..`` is among the parts: where it leads depends on links before it.

    Raises: Posix(ENOENT) when the target lies outside the space, or is a URI.
    """
    prefix = f"{ABSOLUTE_LINK_PREFIX}{space_id}>"
    if target.startswith(prefix):
        directory, target = (), target[len(prefix) :]
    elif target.startswith(("/", ABSOLUTE_LINK_PREFIX, *URI_PREFIXES)):
        raise Posix(Errno.ENOENT, "the link leads out of its space")
    return directory, [part for part in target.split("/") if part not in ("", ".")]


def split_space_name(text: str) -> tuple[str, str | None]:
    """Split ``Name@Id``; the id is ``None`` when there is none."""
    name, at, space_id = text.rpartition("@")
    return (name, space_id) if at and space_id else (text, None)
