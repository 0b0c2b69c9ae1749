"""The capability objects: what this server can do, and nothing else. Pure.

The tables come first, one name to a line, in order. Every name is exercised by a test that carries the mark
``capability("kind/name")``; ``tests/unit/cdmi/test_cdmi_capability_marks.py`` compares both.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.errors import BadData
from onedata.ids import encode_object_id
from op_worker.files.model import Json
from op_worker.files.rules.offer import HASHES, Offer
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import CAPABILITIES_OF, range_text, wanted
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query

MAX_CHILDREN = 1000
"""How many children one request may return."""

_SYSTEM_METADATA = (
    "cdmi_acl",
    "cdmi_atime",
    "cdmi_ctime",
    "cdmi_mtime",
    "cdmi_size",
)
"""In every kind but domains."""

_KEEPING = (
    "cdmi_data_autodelete",
    "cdmi_data_holds",
    "cdmi_data_retention",
)
_WISHES: Mapping[str, Json] = {
    "cdmi_data_redundancy": "1",
    "cdmi_immediate_redundancy": "1",
}
"""Both in every kind but domains."""
_HASHES: Mapping[str, Json] = {
    "cdmi_value_hash": list(HASHES),
}
"""In containers and data objects only."""

_PLACEMENT = "cdmi_geographic_placement"
_NOTHING_SAID = Offer()

_SYSTEM_WIDE = (
    "cdmi_copy_dataobject_by_ID",
    "cdmi_copy_dataobject_from_queue",
    "cdmi_copy_queue_by_ID",
    "cdmi_create_reference_by_ID",
    "cdmi_create_value_range_by_ID",
    "cdmi_dataobjects",
    "cdmi_deserialize_dataobject_by_ID",
    "cdmi_deserialize_queue_by_ID",
    "cdmi_domains",
    "cdmi_multipart_mime",
    "cdmi_notification",
    "cdmi_object_access_by_ID",
    "cdmi_object_copy_from_local",
    "cdmi_object_move_from_ID",
    "cdmi_object_move_from_local",
    "cdmi_object_move_to_ID",
    "cdmi_post_dataobject_by_ID",
    "cdmi_post_queue_by_ID",
    "cdmi_query",
    "cdmi_query_contains",
    "cdmi_query_regex",
    "cdmi_query_tags",
    "cdmi_query_value",
    "cdmi_queues",
    "cdmi_references",
    "cdmi_security_access_control",
    "cdmi_security_data_integrity",
    "cdmi_security_immutability",
    "cdmi_serialization_json",
    "cdmi_serialize_container_to_ID",
    "cdmi_serialize_dataobject_to_ID",
    "cdmi_serialize_queue_to_ID",
    "cdmi_snapshots",
    "onedata_export_http",
)

_CONTAINER = (
    "cdmi_copy_container",
    "cdmi_copy_dataobject",
    "cdmi_copy_queue",
    "cdmi_create_container",
    "cdmi_create_dataobject",
    "cdmi_create_queue",
    "cdmi_create_reference",
    "cdmi_create_value_range",
    "cdmi_delete_container",
    "cdmi_deserialize_container",
    "cdmi_deserialize_dataobject",
    "cdmi_deserialize_queue",
    "cdmi_list_children",
    "cdmi_list_children_range",
    "cdmi_modify_deserialize_container",
    "cdmi_modify_metadata",
    "cdmi_move_container",
    "cdmi_move_dataobject",
    "cdmi_move_queue",
    "cdmi_post_dataobject",
    "cdmi_post_queue",
    "cdmi_read_metadata",
    "cdmi_serialize_container",
    "cdmi_serialize_dataobject",
    "cdmi_serialize_queue",
    "cdmi_snapshot",
    "onedata_export_container_http",
)

_DATA_OBJECT = (
    "cdmi_delete_dataobject",
    "cdmi_modify_deserialize_dataobject",
    "cdmi_modify_metadata",
    "cdmi_modify_value",
    "cdmi_modify_value_range",
    "cdmi_read_metadata",
    "cdmi_read_value",
    "cdmi_read_value_range",
)

_QUEUE = (
    "cdmi_copy_queue",
    "cdmi_delete_queue",
    "cdmi_modify_deserialize_queue",
    "cdmi_modify_metadata",
    "cdmi_modify_value",
    "cdmi_move_queue",
    "cdmi_read_metadata",
    "cdmi_read_value",
    "cdmi_reference_queue",
)

_DOMAIN = (
    "cdmi_domain_members",
    "cdmi_domain_summary",
    "cdmi_list_children",
    "cdmi_list_children_range",
    "cdmi_read_metadata",
)

_VALUES: Mapping[str, Mapping[str, Json]] = {
    "system": {
        "cdmi_metadata_maxitems": str(metadata.MAX_ITEMS),
        "cdmi_metadata_maxsize": str(metadata.MAX_ITEM_B),
        "cdmi_metadata_maxtotalsize": str(metadata.MAX_TOTAL_B),
    },
    "container": {
        **_WISHES,
        **_HASHES,
        "cdmi_capabilities_allowed": [CAPABILITIES_OF[Kind.CONTAINER]],
    },
    "dataobject": {
        **_WISHES,
        **_HASHES,
        "cdmi_capabilities_allowed": [CAPABILITIES_OF[Kind.OBJECT]],
    },
    "queue": {
        **_WISHES,
    },
}
"""Numbers and lists; everything else is ``"true"``."""


@frozen
class Capability:
    """A capability object. ``names`` is its path below ``cdmi_capabilities``."""

    names: tuple[str, ...]
    object_id: str
    abilities: Mapping[str, Json]
    children: tuple[str, ...] = ()

    @property
    def uri(self) -> str:
        """Where it is, as answers name it."""
        return "/".join(("cdmi_capabilities", *self.names, ""))


def _kind(name: str, number: int, flags: tuple[str, ...], common: tuple[str, ...] = ()) -> Capability:
    values = _VALUES.get(name, {})
    abilities = {**dict.fromkeys((*flags, *common), "true"), **values} if flags else {}
    return Capability((name,), _fixed_id(number), dict(sorted(abilities.items())))


def _fixed_id(number: int) -> str:
    return encode_object_id(b"%032d" % number)


CONTAINER = _kind("container", 2, _CONTAINER, (*_SYSTEM_METADATA, *_KEEPING))
DATA_OBJECT = _kind("dataobject", 3, _DATA_OBJECT, (*_SYSTEM_METADATA, *_KEEPING))
QUEUE = _kind("queue", 4, _QUEUE, (*_SYSTEM_METADATA, *_KEEPING))
DOMAIN = _kind("domain", 5, _DOMAIN)
_SERVED = tuple(each for each in (CONTAINER, DATA_OBJECT, DOMAIN, QUEUE) if each.abilities)

ROOT = Capability(
    (),
    _fixed_id(1),
    dict(sorted({**dict.fromkeys((*_SYSTEM_WIDE, *_SYSTEM_METADATA), "true"), **_VALUES["system"]}.items())),
    tuple(f"{capability.names[0]}/" for capability in _SERVED),
)

_ALL = (ROOT, *_SERVED)
_BY_NAMES = {capability.names: capability for capability in _ALL}
_BY_ID = {capability.object_id: capability for capability in _ALL}


def advertised(offer: Offer = _NOTHING_SAID) -> frozenset[str]:
    """Return everything that is advertised, as ``kind/name``; ``system`` is the kind of the root."""
    return frozenset(
        f"{capability.names[0] if capability.names else 'system'}/{name}"
        for capability in _ALL
        for name in _abilities(capability, offer)
    )


def capability_at(names: tuple[str, ...]) -> Capability | None:
    """Return the capability object at a path below ``cdmi_capabilities``."""
    return _BY_NAMES.get(names)


def capability_with_id(object_id: str) -> Capability | None:
    """Return the capability object with an object id, in upper or lower case."""
    return _BY_ID.get(object_id.upper())


def members(
    capability: Capability, query: Query, root_container_id: str | None = None, offer: Offer = _NOTHING_SAID
) -> dict[str, Json]:
    """Return the representation's members that ``query`` wants.

    Args:
        root_container_id: of the caller, the parent of the root capability; ``None`` when nobody is known.

    Raises:
        BadData: a slice of the children that does not exist (key ``childrenrange``).
    """
    found: dict[str, Json] = {"objectType": Kind.CAPABILITY.value, "objectID": capability.object_id}
    found["objectName"] = "/".join((*(capability.names or ("cdmi_capabilities",)), ""))
    found["parentURI"] = "cdmi_capabilities/" if capability.names else "/"
    parent_id = ROOT.object_id if capability.names else root_container_id
    if parent_id is not None:
        found["parentID"] = parent_id
    found["capabilities"] = dict(_abilities(capability, offer))
    children, first = capability.children, 0
    if query.children is not None:
        if query.children.last >= len(children):
            raise BadData("childrenrange", "the range ends beyond the children")
        first = query.children.first
        children = children[first : query.children.last + 1]
    found["childrenrange"] = range_text(first, len(children))
    found["children"] = list(children)
    return wanted(found, query)


def _abilities(capability: Capability, offer: Offer) -> Mapping[str, Json]:
    """Return what is advertised; where files lie can be demanded only when the operator says where."""
    if not offer.countries or "cdmi_data_redundancy" not in capability.abilities:
        return capability.abilities
    return {**capability.abilities, _PLACEMENT: "true"}
