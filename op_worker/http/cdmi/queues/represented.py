"""Representations as queries and notifications see them: the members that a GET returns. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from op_worker.files.model import FileStat, Json
from op_worker.http.cdmi.capabilities import tree as capabilities
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import (
    child_name,
    container_members,
    object_members,
    queue_members,
)
from op_worker.http.cdmi.requests.domain_ids import domain_object_id
from op_worker.http.cdmi.requests.domain_names import domain_of
from op_worker.http.cdmi.requests.queries import Query

_ALL = Query()


class WholeRepresentation:
    """See ``op_worker.queue_services.gathering.Representation``."""

    def members(self, stat: FileStat, xattrs: Mapping[str, Json]) -> dict[str, Json]:
        """Return every member but for those of values and children."""
        if stat.is_queue:
            members = queue_members(stat, xattrs, None, _ALL)
            members.pop("queueValues")  # known to whoever reads the queue itself
            return members
        if stat.is_directory:
            return container_members(stat, xattrs, _ALL)
        return object_members(stat, xattrs, _ALL)

    def child(self, stat: FileStat) -> str:
        """Return how a container lists a child."""
        return child_name(stat)

    def ids_along(self, stat: FileStat) -> Mapping[str, Sequence[str]]:
        """Return the object IDs on the paths of ``domainURI`` and of ``capabilitiesURI``."""
        own = capabilities.CONTAINER if stat.is_directory else capabilities.DATA_OBJECT
        own = capabilities.QUEUE if stat.is_queue else own
        domain = domain_of(stat.guid.space_id)
        return {
            "domainURI": [domain_object_id(domain[:depth]) for depth in range(len(domain) + 1)],
            "capabilitiesURI": (capabilities.ROOT.object_id, own.object_id),
        }

    def time(self, time_s: float) -> str:
        """Return seconds since the epoch as CDMI writes times."""
        return metadata.timestamp(time_s)
