"""File attributes as REST shows them: names in both styles, default sets, values. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

from attrs import frozen

from onedata.errors import BadValueNotAllowed
from op_worker.files.model import FileStat, FileType, Json
from op_worker.files.rights import protection
from op_worker.files.rights.acl_forms import rest_acl

Getter = Callable[[FileStat], Json]
XATTR = "xattr."
ACL = "acl"


@frozen
class Attribute:
    """An attribute: its name, its deprecated name if it has one, and its value."""

    key: str
    old_key: str | None
    get: Getter


def _path(stat: FileStat) -> str:
    names = (stat.space_name, *stat.path) if stat.space_name else stat.path
    return "/" + "/".join(names)


def _size(stat: FileStat) -> int | None:
    if stat.type is FileType.SYMLNK:
        return len((stat.symlink_target or "").encode())
    return stat.below_b if stat.type is FileType.DIR else stat.size_b


def _fully_replicated(stat: FileStat) -> bool | None:
    return stat.local_b >= stat.size_b if stat.type is FileType.REG else None


def _replication_rate(stat: FileStat) -> float | None:
    if stat.type is not FileType.REG:
        return None
    return min(1.0, stat.local_b / stat.size_b) if stat.size_b else 1.0


def _permissions(stat: FileStat) -> str:
    mode = stat.mode & (0o007 if stat.guid.share_id else 0o777)
    return f"{mode:03o}"


def _parent(stat: FileStat) -> str | None:
    return stat.parent.object_id() if stat.parent is not None else None


ATTRIBUTES: Sequence[Attribute] = (
    Attribute("fileId", "file_id", lambda stat: stat.guid.object_id()),
    Attribute("index", "index", lambda stat: stat.name),
    Attribute("type", "type", lambda stat: stat.type.value),
    Attribute("activePermissionsType", None, lambda stat: "posix" if stat.acl is None else "acl"),
    Attribute("posixPermissions", "mode", _permissions),
    Attribute(ACL, None, lambda stat: rest_acl(stat.acl or ())),
    Attribute("name", "name", lambda stat: stat.name),
    Attribute("conflictingName", None, lambda _: None),
    Attribute("path", "path", _path),
    Attribute("parentFileId", "parent_id", _parent),
    Attribute("displayUid", "storage_user_id", lambda stat: stat.display_uid),
    Attribute("displayGid", "storage_group_id", lambda stat: stat.display_gid),
    Attribute("creationTime", None, lambda stat: int(stat.created_s)),
    Attribute("atime", "atime", lambda stat: int(stat.atime_s)),
    Attribute("mtime", "mtime", lambda stat: int(stat.mtime_s)),
    Attribute("ctime", "ctime", lambda stat: int(stat.ctime_s)),
    Attribute("size", "size", _size),
    Attribute("isFullyReplicatedLocally", None, _fully_replicated),
    Attribute("localReplicationRate", None, _replication_rate),
    Attribute("originProviderId", "provider_id", lambda stat: stat.provider_id),
    Attribute("directShareIds", "shares", lambda stat: list(stat.shares)),
    Attribute("ownerUserId", "owner_id", lambda stat: stat.owner),
    Attribute("hardlinkCount", "hardlinks_count", lambda stat: stat.hardlinks),
    Attribute("symlinkValue", None, lambda stat: stat.symlink_target),
    Attribute("hasCustomMetadata", None, lambda stat: stat.has_metadata),
    Attribute("effProtectionFlags", None, lambda stat: protection.names_of(stat.protection)),
    Attribute("effDatasetProtectionFlags", None, lambda _: []),
    Attribute("effDatasetInheritancePath", None, lambda _: "none"),
    Attribute("effQosInheritancePath", None, lambda _: "none"),
    Attribute("aggregateQosStatus", None, lambda _: None),
    Attribute("archiveRecallRootFileId", None, lambda _: None),
)

_BY_KEY = {attribute.key: attribute for attribute in ATTRIBUTES}
_BY_OLD_KEY = {attribute.old_key: attribute for attribute in ATTRIBUTES if attribute.old_key}
ALLOWED = (*_BY_KEY, f"{XATTR}*")
ALLOWED_OLD = tuple(_BY_OLD_KEY)

FILE_DEFAULTS = (
    *("fileId", "parentFileId", "name", "posixPermissions", "atime", "mtime", "ctime", "type", "size"),
    *("directShareIds", "index", "displayUid", "displayGid", "ownerUserId", "originProviderId"),
    "hardlinkCount",
)
CHILD_DEFAULTS = ("fileId", "name")
RECURSIVE_DEFAULTS = ("fileId", "path")


@frozen
class Selection:
    """What a reply shows of each file: pairs of key and value, and extended attributes by key."""

    shown: tuple[tuple[str, Getter], ...]
    xattrs: tuple[str, ...] = ()

    def render(self, stat: FileStat, xattrs: Mapping[str, Json]) -> dict[str, Any]:
        """Return the attributes of one file, of whose extended attributes ``xattrs`` are known."""
        shown: dict[str, Any] = {key: get(stat) for key, get in self.shown}
        for key in self.xattrs:
            shown[key] = xattrs.get(key.removeprefix(XATTR))
        return shown

    def shows(self, key: str) -> bool:
        """Whether ``key`` is among the names shown."""
        return any(key == shown for shown, _ in self.shown)


def select(given: Mapping[str, Any], defaults: tuple[str, ...]) -> Selection:
    """Return what the parameters ``attributes`` and ``attribute`` (deprecated) ask for.

    With neither, ``defaults`` are shown under both their names.

    Raises:
        BadValueNotAllowed: an unknown attribute.
    """
    if (wanted := given.get("attributes")) is not None:
        return _selection(tuple(wanted))
    if (wanted := given.get("attribute")) is not None:
        return _old_selection(tuple(wanted))
    return _default_selection(defaults)


@lru_cache(maxsize=256)
def _selection(wanted: tuple[str, ...]) -> Selection:
    shown: list[tuple[str, Getter]] = []
    xattrs: list[str] = []
    for key in wanted:
        if key in _BY_KEY:
            shown.append((key, _BY_KEY[key].get))
        elif key.startswith(XATTR) and len(key) > len(XATTR):
            xattrs.append(key)
        else:
            raise BadValueNotAllowed("attributes", list(ALLOWED))
    return Selection(tuple(shown), tuple(xattrs))


@lru_cache(maxsize=256)
def _old_selection(wanted: tuple[str, ...]) -> Selection:
    unknown = [key for key in wanted if key not in _BY_OLD_KEY]
    if unknown:
        raise BadValueNotAllowed("attribute", list(ALLOWED_OLD))
    return Selection(tuple((key, _BY_OLD_KEY[key].get) for key in wanted))


@lru_cache(maxsize=8)
def _default_selection(defaults: tuple[str, ...]) -> Selection:
    shown: dict[str, Getter] = {}
    for key in defaults:
        attribute = _BY_KEY[key]
        shown[key] = attribute.get
        shown[attribute.old_key or key] = attribute.get
    return Selection(tuple(shown.items()))
