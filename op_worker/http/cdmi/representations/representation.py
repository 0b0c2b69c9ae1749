"""The JSON representation of CDMI resources: which members, in which order. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping

from op_worker.files.model import FileStat, FileType, Json
from op_worker.http.cdmi.representations import metadata as items
from op_worker.http.cdmi.requests.addresses import OBJECT_IDS, path_text
from op_worker.http.cdmi.requests.domain_names import domain_of, domain_uri
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.references import is_reference

CAPABILITIES_OF = {
    Kind.OBJECT: "cdmi_capabilities/dataobject/",
    Kind.CONTAINER: "cdmi_capabilities/container/",
    Kind.DOMAIN: "cdmi_capabilities/domain/",
    Kind.QUEUE: "cdmi_capabilities/queue/",
}


_KINDS = {FileType.REG: Kind.OBJECT, FileType.DIR: Kind.CONTAINER}


def kind_of(stat: FileStat) -> Kind | None:
    """Return which CDMI resource a file is; ``None`` for a symbolic link, which is none."""
    return Kind.QUEUE if stat.is_queue else _KINDS.get(stat.type)


def reference_of(stat: FileStat) -> str | None:
    """Return the URI that a reference leads to; ``None`` for everything else, other symbolic links too."""
    text = stat.symlink_target
    return text if text is not None and is_reference(text) else None


def logical_path(stat: FileStat) -> tuple[str, ...]:
    """Return the names from the CDMI root to a file; ``()`` is the root."""
    return () if stat.parent is None else (stat.space_name, *stat.path)


def shown_path(stat: FileStat) -> tuple[str, ...]:
    """Return the names from the CDMI root by which clients reach a file: its path, or its id without one."""
    return (OBJECT_IDS, stat.guid.object_id()) if stat.is_nameless else logical_path(stat)


def object_members(stat: FileStat, xattrs: Mapping[str, Json], query: Query) -> dict[str, Json]:
    """Return the members of a data object that ``query`` wants, without those of its value."""
    members = _common(stat, Kind.OBJECT)
    members["completionStatus"] = items.completion_of(xattrs)
    members["mimetype"] = items.mimetype_of(xattrs)
    members["metadata"] = items.shown_items(stat, xattrs, query.metadata)
    members.update(items.others_of(xattrs))
    return wanted(members, query)


def container_members(stat: FileStat, xattrs: Mapping[str, Json], query: Query) -> dict[str, Json]:
    """Return the members of a container that ``query`` wants, without those of its children."""
    members = _common(stat, Kind.CONTAINER)
    members["completionStatus"] = items.COMPLETE
    members["metadata"] = items.shown_items(stat, xattrs, query.metadata)
    return wanted(members, query)


def queue_members(
    stat: FileStat, xattrs: Mapping[str, Json], numbers: tuple[int, int] | None, query: Query
) -> dict[str, Json]:
    """Return the members of a queue that ``query`` wants, without those of its values.

    Args:
        numbers: the lowest and the highest one of its values; ``None`` when it is empty.
    """
    members = _common(stat, Kind.QUEUE)
    members["completionStatus"] = items.COMPLETE
    members["metadata"] = items.shown_items(stat, xattrs, query.metadata)
    members["queueValues"] = "" if numbers is None else f"{numbers[0]}-{numbers[1]}"
    return wanted(members, query)


def wanted(members: Mapping[str, Json], query: Query) -> dict[str, Json]:
    """Return the members that ``query`` asks for, in their order."""
    return {name: value for name, value in members.items() if query.wants(name)}


def child_name(stat: FileStat) -> str:
    """Return how a child is listed: containers end with a slash, references with a question mark."""
    if kind_of(stat) is Kind.CONTAINER:
        return stat.name + "/"
    return stat.name if reference_of(stat) is None else stat.name + "?"


def range_text(first: int, count: int) -> str:
    """Return ``first-last``, or "" when there is nothing."""
    return f"{first}-{first + count - 1}" if count > 0 else ""


def render(members: Mapping[str, Json]) -> bytes:
    """Return members as JSON in UTF-8, in their order."""
    return json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _common(stat: FileStat, kind: Kind) -> dict[str, Json]:
    members: dict[str, Json] = {"objectType": kind.value, "objectID": stat.guid.object_id()}
    members.update(_place(stat, kind))
    members["domainURI"] = domain_uri(domain_of(stat.guid.space_id))
    members["capabilitiesURI"] = CAPABILITIES_OF[kind]
    return members


def _place(stat: FileStat, kind: Kind) -> dict[str, Json]:
    path = logical_path(stat)
    if stat.is_nameless:
        return {}
    if stat.parent is None:
        return {"objectName": "/", "parentURI": ""}
    return {
        "objectName": path[-1] + ("/" if kind is Kind.CONTAINER else ""),
        "parentURI": path_text(path[:-1]) + "/",
        "parentID": stat.parent.object_id(),
    }
