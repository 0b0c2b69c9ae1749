"""What a caller is shown of a file, made from its documents. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from onedata.ids import FileGuid, FileUuid, ProviderId, UserId, space_root_guid, user_root_guid
from op_worker.files.model import FileStat, FileType, Json
from op_worker.files.rules.rules import Rules
from op_worker.files.stored.documents import META, TIMES, Location
from op_worker.files.stored.nodes import Chain, Node
from op_worker.mapping.numbers import automatic_id
from op_worker.zone.records import SpaceInfo

_USER_ROOT_MODE = 0o755


def stat_of(
    chain: Chain, space: SpaceInfo, user_id: UserId, custom: Mapping[str, Json] | None = None
) -> FileStat:
    """Return what is known of a file."""
    protection, rules = chain.protection, chain.rules
    if chain.is_root:
        return _stat(chain.file, space, user_root_guid(user_id), space.name, (), protection, rules, custom)
    parent = FileGuid(FileUuid(chain.parent.key), chain.space_id)
    return _stat(chain.file, space, parent, chain.file.name, chain.names, protection, rules, custom)


def stats_of_children(nodes: Iterable[Node], directory: Chain, space: SpaceInfo) -> list[FileStat]:
    """Return what is known of entries of ``directory``."""
    guid, names, flags, rules = directory.guid, directory.names, directory.protection, directory.rules
    return [
        _stat(
            *(node, space, guid, node.name, (*names, node.name)),
            flags | node.protection,
            node.rules_below(rules),
        )
        for node in nodes
    ]


def stat_of_user_root(user_id: UserId, provider_id: str) -> FileStat:
    """Return the virtual directory that lists a user's spaces."""
    return FileStat(
        guid=user_root_guid(user_id),
        parent=None,
        name="/",
        path=(),
        space_name="",
        type=FileType.DIR,
        mode=_USER_ROOT_MODE,
        owner=user_id,
        provider_id=ProviderId(provider_id),
        created_s=0,
        atime_s=0,
        mtime_s=0,
        ctime_s=0,
        display_uid=automatic_id(user_id),
        display_gid=automatic_id(user_id),
    )


def stat_of_space(space: SpaceInfo, shown_name: str, user_id: UserId) -> FileStat:
    """Return a space as an entry of the user root, without a look at its documents."""
    return FileStat(
        guid=space_root_guid(space.space_id),
        parent=user_root_guid(user_id),
        name=shown_name,
        path=(),
        space_name=space.name,
        type=FileType.DIR,
        mode=0o775,
        owner=UserId(f"space_owner_{space.space_id}"),
        provider_id=ProviderId(""),
        created_s=0,
        atime_s=0,
        mtime_s=0,
        ctime_s=0,
        display_uid=automatic_id(f"space_owner_{space.space_id}"),
        display_gid=automatic_id(space.space_id),
    )


def _stat(
    node: Node,
    space: SpaceInfo,
    parent: FileGuid,
    name: str,
    path: tuple[str, ...],
    protection: int,
    rules: Rules,
    custom: Mapping[str, Json] | None = None,
) -> FileStat:
    meta, times, location = node.meta, node.times, node.location or _NOWHERE
    link = meta.symlink_target
    return FileStat(
        guid=FileGuid(FileUuid(node.name_key), space.space_id),
        parent=parent,
        name=name,
        path=path,
        space_name=space.name,
        type=meta.type,
        mode=meta.mode,
        owner=UserId(meta.owner),
        provider_id=ProviderId(meta.provider_id),
        created_s=meta.created_s,
        atime_s=times.atime_ms / 1000,
        mtime_s=times.mtime_ms / 1000,
        ctime_s=times.ctime_ms / 1000,
        size_b=location.size_b if link is None else len(link.encode()),
        hardlinks=meta.links,
        symlink_target=link,
        content_version=location.version,
        content_generation=location.generation,
        checksum_sha256=location.sha256.hex() or None,
        has_metadata=meta.has_metadata,
        local_b=location.held_b,
        display_uid=automatic_id(meta.owner),
        display_gid=automatic_id(space.space_id),
        shares=meta.shares,
        acl=meta.acl,
        protection=protection,
        rules=rules,
        revisions=(node.revision(META), node.revision(TIMES)),
        is_queue=meta.is_queue,
        custom=custom,
    )


_NOWHERE = Location("")
