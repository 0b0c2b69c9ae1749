"""The capability objects: what this server can do, and nothing else. Pure."""

from __future__ import annotations

from attrs import frozen

from onedata.errors import BadData
from onedata.ids import encode_object_id
from op_worker.files.model import Json
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.representations.representation import range_text, wanted
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query

MAX_CHILDREN = 1000
"""How many children one request may return."""

_TRUE = "true"
_SYSTEM_METADATA = ("cdmi_acl", "cdmi_size", "cdmi_ctime", "cdmi_atime", "cdmi_mtime")
_SYSTEM_WIDE = (
    "cdmi_dataobjects",
    "cdmi_multipart_mime",
    "cdmi_security_access_control",
    "cdmi_object_access_by_ID",
    "cdmi_object_copy_from_local",
    "cdmi_object_move_from_local",
    "cdmi_references",
    "cdmi_object_move_from_ID",
    "cdmi_object_move_to_ID",
    "cdmi_post_dataobject_by_ID",
    "cdmi_copy_dataobject_by_ID",
    "cdmi_create_reference_by_ID",
    "cdmi_create_value_range_by_ID",
)
_CONTAINER = (
    "cdmi_list_children",
    "cdmi_list_children_range",
    "cdmi_read_metadata",
    "cdmi_modify_metadata",
    "cdmi_create_dataobject",
    "cdmi_create_container",
    "cdmi_create_value_range",
    "cdmi_delete_container",
    "cdmi_move_container",
    "cdmi_copy_container",
    "cdmi_move_dataobject",
    "cdmi_copy_dataobject",
    "cdmi_post_dataobject",
    "cdmi_create_reference",
)
_DATA_OBJECT = (
    "cdmi_read_value",
    "cdmi_read_value_range",
    "cdmi_read_metadata",
    "cdmi_modify_value",
    "cdmi_modify_value_range",
    "cdmi_modify_metadata",
    "cdmi_delete_dataobject",
)
_LIMITS = {
    "cdmi_metadata_maxitems": str(metadata.MAX_ITEMS),
    "cdmi_metadata_maxsize": str(metadata.MAX_ITEM_B),
    "cdmi_metadata_maxtotalsize": str(metadata.MAX_TOTAL_B),
}


@frozen
class Capability:
    """A capability object. ``names`` is its path below ``cdmi_capabilities``."""

    names: tuple[str, ...]
    object_id: str
    abilities: dict[str, str]
    children: tuple[str, ...] = ()


def _flags(*names: str) -> dict[str, str]:
    return dict.fromkeys(names, _TRUE)


def _fixed_id(number: int) -> str:
    return encode_object_id(b"%032d" % number)


ROOT = Capability(
    (),
    _fixed_id(1),
    {**_flags(*_SYSTEM_WIDE, *_SYSTEM_METADATA), **_LIMITS},
    ("container/", "dataobject/"),
)
CONTAINER = Capability(("container",), _fixed_id(2), _flags(*_CONTAINER, *_SYSTEM_METADATA))
DATA_OBJECT = Capability(("dataobject",), _fixed_id(3), _flags(*_DATA_OBJECT, *_SYSTEM_METADATA))

_ALL = (ROOT, CONTAINER, DATA_OBJECT)
_BY_NAMES = {capability.names: capability for capability in _ALL}
_BY_ID = {capability.object_id: capability for capability in _ALL}


def capability_at(names: tuple[str, ...]) -> Capability | None:
    """Return the capability object at a path below ``cdmi_capabilities``."""
    return _BY_NAMES.get(names)


def capability_with_id(object_id: str) -> Capability | None:
    """Return the capability object with an object id, in upper or lower case."""
    return _BY_ID.get(object_id.upper())


def members(capability: Capability, query: Query) -> dict[str, Json]:
    """Return the representation's members that ``query`` wants.

    Raises:
        BadData: a slice of the children that does not exist (key ``childrenrange``).
    """
    found: dict[str, Json] = {"objectType": Kind.CAPABILITY.value, "objectID": capability.object_id}
    found["objectName"] = "/".join((*(capability.names or ("cdmi_capabilities",)), ""))
    found["parentURI"] = "cdmi_capabilities/" if capability.names else "/"
    if capability.names:
        found["parentID"] = ROOT.object_id
    found["capabilities"] = capability.abilities
    children, first = capability.children, 0
    if query.children is not None:
        if query.children.last >= len(children):
            raise BadData("childrenrange", "the range ends beyond the children")
        first = query.children.first
        children = children[first : query.children.last + 1]
    found["childrenrange"] = range_text(first, len(children))
    found["children"] = list(children)
    return wanted(found, query)
