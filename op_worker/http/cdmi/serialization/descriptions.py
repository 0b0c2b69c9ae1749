"""From the members of a serialised resource to the file that is to be made. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime

from attrs import evolve, frozen

from onedata.errors import BadData
from onedata.ids import FileGuid, InvalidFileId, SpaceId
from op_worker.files.content.restoring import Description, Kept
from op_worker.files.model import FileType, Json, MetadataChange
from op_worker.files.queues.values import ValueType
from op_worker.http.cdmi.bodies.members import NAMED, Encoding
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.addresses import RESERVED_PREFIX
from op_worker.http.cdmi.requests.domain_names import MEMBER, domain_of, domains_named
from op_worker.http.cdmi.requests.negotiation import Kind, is_storable_mimetype
from op_worker.http.cdmi.serialization.reading import KEY, Begun

_KINDS = {kind.value: kind for kind in (Kind.OBJECT, Kind.CONTAINER, Kind.QUEUE)}
_QUEUE_VALUES = re.compile(r"([0-9]{1,15})-([0-9]{1,15})")
_OF_VALUES = frozenset({Encoding.UTF8.value, Encoding.BASE64.value})
_OF_CONTAINERS = frozenset({"childrenrange", "children", "exports", "snapshots"})


@frozen(kw_only=True)
class Described:
    """A serialised resource; ``encoding`` is how its value travels, ``types`` those of a queue's values."""

    kind: Kind
    file: Description
    encoding: Encoding
    types: Sequence[ValueType] = ()
    domain: str | None
    has_value: bool
    has_children: bool


def described(begun: Begun) -> Described:
    """Return what a serialised resource says that it is.

    Raises:
        BadData: of ``deserialize`` for what is no resource, or has what its kind cannot have; as
            ``metadata.update``.
    """
    members = begun.members
    kind = _KINDS.get(_text(members, "objectType") or "")
    if kind is None:
        raise BadData(KEY, "an objectType that cannot be made")
    if begun.has_value if kind is Kind.CONTAINER else begun.has_children:
        raise BadData(KEY, "objects and queues have values, containers have children")
    name = (_text(members, "objectName") or "").removesuffix("/")
    if kind is Kind.CONTAINER and name.startswith(RESERVED_PREFIX):
        raise BadData(KEY, "names of containers cannot start with cdmi_")
    sent = members.get("metadata")
    if not isinstance(sent, Mapping | None):
        raise BadData(KEY, "metadata is an object")
    change = MetadataChange() if sent is None else metadata.update(sent, ())
    encoding = _encoding(members) if kind is Kind.OBJECT else Encoding.UTF8
    if kind is Kind.OBJECT:
        change = _with_properties(members, change, encoding)
    types = _types(members) if kind is Kind.QUEUE else ()
    file = Description(
        name=name,
        type=FileType.REG if kind is Kind.OBJECT else FileType.DIR,
        guid=_guid(members),
        metadata=change,
        kept=_kept(sent if sent else {}),
        numbers=_numbers(members, len(types)) if kind is Kind.QUEUE else None,
    )
    return Described(
        kind=kind,
        file=file,
        encoding=encoding,
        types=types,
        domain=_text(members, "domainURI"),
        has_value=begun.has_value,
        has_children=begun.has_children,
    )


def check_domain(resource: Described, space_id: SpaceId) -> None:
    """Raise BadData(``domainURI``) for a resource of another domain than that of a space."""
    if resource.domain is not None and domain_of(space_id) not in domains_named(resource.domain, ""):
        raise BadData(MEMBER, "the resource belongs to another domain")


def with_given(resource: Described, given: Mapping[str, Json] | None) -> Described:
    """Return a resource with the metadata that a request gives instead of its own."""
    if given is None:
        return resource
    change, own = metadata.update(given, ()), resource.file.metadata
    change = evolve(change, set_xattrs=own.set_xattrs)
    return evolve(resource, file=evolve(resource.file, metadata=change))


def _with_properties(
    members: Mapping[str, Json], change: MetadataChange, encoding: Encoding
) -> MetadataChange:
    mimetype = _text(members, "mimetype")
    if mimetype is not None and not is_storable_mimetype(mimetype):
        raise BadData("mimetype", "a mimetype is type/subtype in printable ASCII")
    is_usual = mimetype in (None, metadata.DEFAULT_MIMETYPE) and encoding is Encoding.BASE64
    is_partial = members.get("completionStatus") == metadata.PROCESSING
    change = metadata.with_properties(
        change,
        mimetype=None if is_usual or mimetype is None else mimetype.lower(),
        encoding=None if is_usual else encoding,
        completion=metadata.PROCESSING if is_partial else None,
    )
    others = {name: value for name, value in members.items() if name not in NAMED | _OF_CONTAINERS}
    return metadata.with_others(change, others, {})


def _types(members: Mapping[str, Json]) -> list[ValueType]:
    """Return the mimetypes and encodings of the values of a queue."""
    mimetypes, encodings = _texts(members, "mimetype"), _texts(members, "valuetransferencoding")
    if len(mimetypes) != len(encodings):
        raise BadData(KEY, "there is a mimetype and an encoding for each value")
    if not all(map(is_storable_mimetype, mimetypes)) or not set(encodings) <= _OF_VALUES:
        raise BadData(KEY, "a mimetype or an encoding that no value can have")
    return [
        ValueType(mimetype.lower(), encoding) for mimetype, encoding in zip(mimetypes, encodings, strict=True)
    ]


def _numbers(members: Mapping[str, Json], count: int) -> range:
    """Return the numbers of the values of a queue, which begin where they did."""
    found = _QUEUE_VALUES.fullmatch(_text(members, "queueValues") or "")
    first = 0 if found is None else int(found[1])
    if found is not None and int(found[2]) - first + 1 != count:
        raise BadData(KEY, "queueValues has another number of values")
    return range(first, first + count)


def _texts(members: Mapping[str, Json], name: str) -> list[str]:
    value = members.get(name, [])
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise BadData(KEY, f"{name} of a queue is an array of text")
    return [str(one) for one in value]


def _encoding(members: Mapping[str, Json]) -> Encoding:
    text = _text(members, "valuetransferencoding")
    try:
        return Encoding.UTF8 if text is None else Encoding(text)
    except ValueError:
        raise BadData(KEY, "an unknown valuetransferencoding") from None


def _guid(members: Mapping[str, Json]) -> FileGuid | None:
    try:
        return FileGuid.from_object_id(_text(members, "objectID") or "")
    except InvalidFileId:
        return None


def _kept(items: Mapping[str, Json]) -> Kept | None:
    """Return the system metadata that may be restored, when all of it is there."""
    times = [_time_s(items.get(name)) for name in ("cdmi_ctime", "cdmi_atime", "cdmi_mtime")]
    owner = items.get("cdmi_owner")
    created_s, atime_s, mtime_s = times
    if created_s is None or atime_s is None or mtime_s is None or not isinstance(owner, str):
        return None
    return Kept(owner=owner, created_s=created_s, atime_s=atime_s, mtime_s=mtime_s)


def _time_s(value: Json) -> float | None:
    if not isinstance(value, str):
        return None
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    return moment.timestamp() if moment.tzinfo is not None else None


def _text(members: Mapping[str, Json], name: str) -> str | None:
    value = members.get(name)
    if value is not None and not isinstance(value, str):
        raise BadData(KEY, f"{name} is text")
    return value
