"""JSON bodies of CDMI requests: parsed, checked and turned into values. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Mapping
from enum import StrEnum
from typing import NoReturn

from attrs import field, frozen

from onedata.errors import BadData, BadValueNotAllowed, BadValueString, MalformedData, NotSupported
from op_worker.files.model import Json
from op_worker.http.cdmi.requests.negotiation import is_storable_mimetype

_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")
_EXCLUSIVE = ("value", "copy", "move", "reference", "serialize", "deserialize", "deserializevalue")
_REFUSED_OF_CONTAINERS = ("serialize",)
NAMED = frozenset(
    {
        *_EXCLUSIVE,
        "objectType",
        "objectID",
        "objectName",
        "parentURI",
        "parentID",
        "domainURI",
        "capabilitiesURI",
        "completionStatus",
        "percentComplete",
        "mimetype",
        "metadata",
        "valuerange",
        "valuetransferencoding",
    }
)
"""The members of a data object that the standard names."""
MAX_DEPTH = 64
"""How deep arrays and objects may be nested in a body."""


class Encoding(StrEnum):
    """How a value travels in JSON."""

    UTF8 = "utf-8"
    BASE64 = "base64"
    JSON = "json"


@frozen
class ObjectBody:
    """The body of a write of a data object without its value; ``None``: the member was not sent.

    ``others`` are the members that no clause of the standard names.
    """

    has_value: bool = False
    encoding: Encoding | None = None
    mimetype: str | None = None
    metadata: Mapping[str, Json] | None = None
    copy: str | None = None
    move: str | None = None
    reference: str | None = None
    domain_uri: str | None = None
    capabilities_uri: str | None = None
    serialize: str | None = None
    deserialize: str | None = None
    deserializevalue: str | None = None
    others: Mapping[str, Json] = field(factory=dict)


@frozen
class ContainerBody:
    """The body of a PUT of a container; ``None`` means that the member was not sent."""

    metadata: Mapping[str, Json] | None = None
    copy: str | None = None
    move: str | None = None
    reference: str | None = None
    domain_uri: str | None = None
    capabilities_uri: str | None = None
    exports: Mapping[str, Json] | None = None
    snapshot: str | None = None
    deserialize: str | None = None
    deserializevalue: str | None = None


def parse_json_object(raw: bytes) -> dict[str, Json]:
    """Parse a request body; an empty one is an empty object.

    Raises:
        MalformedData: not UTF-8 JSON, not an object, nested deeper than ``MAX_DEPTH``, or holding what
            cannot be sent back (NaN, infinite numbers, half a surrogate pair).
    """
    if not raw.strip():
        return {}
    try:
        document = json.loads(raw.decode("utf-8-sig"), parse_constant=_refuse, parse_float=_finite)
        if _SURROGATE.search(raw):
            json.dumps(document, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):  # UnicodeError is a ValueError
        raise MalformedData from None
    if not isinstance(document, dict) or _is_deeper_than(document, MAX_DEPTH):
        raise MalformedData
    return document


def parse_object_body(members: Mapping[str, Json], *, has_value: bool) -> ObjectBody:
    """Check the members of a data object's body, of which the value is read apart from them.

    What a representation has anyway is ignored: clients send back what they read.

    Raises:
        MalformedData: more than one source of the value.
        NotSupported: a member whose capability is not advertised.
        BadValueString, BadValueNotAllowed, BadData: a member of the wrong type or value.
    """
    _check_members({*members, "value"} if has_value else members, ())
    return ObjectBody(
        has_value=has_value,
        encoding=_encoding(members),
        mimetype=_mimetype(members),
        metadata=_metadata(members),
        copy=_string(members, "copy"),
        move=_string(members, "move"),
        reference=_string(members, "reference"),
        domain_uri=_string(members, "domainURI"),
        capabilities_uri=_string(members, "capabilitiesURI"),
        serialize=_string(members, "serialize"),
        deserialize=_string(members, "deserialize"),
        deserializevalue=_string(members, "deserializevalue"),
        others={name: value for name, value in members.items() if name not in NAMED},
    )


def parse_container_body(document: Mapping[str, Json]) -> ContainerBody:
    """Check the members of a container's body; raises as ``parse_object_body`` does."""
    _check_members(document, _REFUSED_OF_CONTAINERS)
    if "snapshot" in document and any(name in document for name in _EXCLUSIVE):
        raise MalformedData
    exports = document.get("exports")
    if "exports" in document and (
        not isinstance(exports, Mapping) or any(name in document for name in _EXCLUSIVE)
    ):
        raise BadData("exports", "an object, and not beside a member that tells where to take all from")
    return ContainerBody(
        metadata=_metadata(document),
        copy=_string(document, "copy"),
        move=_string(document, "move"),
        reference=_string(document, "reference"),
        domain_uri=_string(document, "domainURI"),
        capabilities_uri=_string(document, "capabilitiesURI"),
        exports=exports if isinstance(exports, Mapping) else None,
        snapshot=_string(document, "snapshot"),
        deserialize=_string(document, "deserialize"),
        deserializevalue=_string(document, "deserializevalue"),
    )


def _check_members(document: Collection[str], refused: tuple[str, ...]) -> None:
    if sum(name in document for name in _EXCLUSIVE) > 1:
        raise MalformedData
    if any(name in document for name in refused):
        raise NotSupported
    if "reference" in document and len(document) > 1:
        raise BadData("reference", "a reference has no other members")


def _string(document: Mapping[str, Json], name: str) -> str | None:
    value = document.get(name)
    if name in document and not isinstance(value, str):
        raise BadValueString(name)
    return value if isinstance(value, str) else None


def _encoding(document: Mapping[str, Json]) -> Encoding | None:
    text = _string(document, "valuetransferencoding")
    if text is None:
        return None
    try:
        return Encoding(text)
    except ValueError:
        allowed = [encoding.value for encoding in Encoding]
        raise BadValueNotAllowed("valuetransferencoding", allowed) from None


def _mimetype(document: Mapping[str, Json]) -> str | None:
    text = _string(document, "mimetype")
    if text is None:
        return None
    if not is_storable_mimetype(text):
        raise BadData("mimetype", "a mimetype is type/subtype in printable ASCII")
    return text.lower()


def _metadata(document: Mapping[str, Json]) -> Mapping[str, Json] | None:
    metadata = document.get("metadata")
    if "metadata" in document and not isinstance(metadata, dict):
        raise BadData("metadata", "metadata is an object")
    return metadata if isinstance(metadata, dict) else None


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(text)
    return number


def _is_deeper_than(document: Json, depth: int) -> bool:
    level: list[Json] = [document]
    for _ in range(depth):
        level = [child for parent in level for child in _children(parent)]
        if not level:
            return False
    return True


def _children(value: Json) -> list[Json]:
    if isinstance(value, dict):
        return list(value.values())
    return list(value) if isinstance(value, list) else []
