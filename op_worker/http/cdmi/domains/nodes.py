"""What lies below ``cdmi_domains``, as values, and its representation. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from attrs import field, frozen

from op_worker.domains.members import Member
from op_worker.domains.summaries import Summary, Usage
from op_worker.files.model import Json
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.representations.metadata import COMPLETE, timestamp
from op_worker.http.cdmi.representations.representation import CAPABILITIES_OF, range_text, wanted
from op_worker.http.cdmi.representations.values import encoder_for
from op_worker.http.cdmi.requests.domain_ids import domain_object_id
from op_worker.http.cdmi.requests.domain_names import domain_uri
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query, Span

MEMBERS, SUMMARY = "cdmi_domain_members", "cdmi_domain_summary"
MIMETYPE = "application/json"


@frozen(kw_only=True)
class Node:
    """A domain, a container in one, or a data object whose value is ``value``.

    Attributes:
        names: below ``cdmi_domains``; the first is the id of a space.
        children: the names of children as they are listed.
    """

    names: tuple[str, ...]
    kind: Kind
    metadata: Mapping[str, Json] = field(factory=dict)
    children: Sequence[str] = ()
    value: bytes = b""


def members_of(node: Node, query: Query, span: Span | None) -> dict[str, Json]:
    """Return the members of a node's representation that ``query`` wants.

    Args:
        span: which of the children are meant; ``None`` for none of none.
    """
    found = _common(node)
    if node.kind is not Kind.DOMAIN:
        found["completionStatus"] = COMPLETE
    if node.kind is Kind.OBJECT:
        found["mimetype"] = MIMETYPE
    found["metadata"] = _shown_items(node, query.metadata)
    if node.kind is Kind.OBJECT:
        found.update(_value_members(node.value, query.value))
    else:
        chosen = [] if span is None else list(node.children[span.first : span.last + 1])
        found["childrenrange"] = "" if span is None else range_text(span.first, span.length)
        found["children"] = chosen
    return wanted(found, query)


def member_value(member: Member) -> bytes:
    """Return the JSON of a member of a domain."""
    value: dict[str, Json] = {
        "cdmi_member_enabled": "true" if member.is_enabled else "false",
        "cdmi_member_type": "group" if member.is_group else "user",
        "cdmi_member_name": member.name,
        "cdmi_member_principal": member.principal,
    }
    if member.privileges is not None:
        value["cdmi_member_privileges"] = list(member.privileges)
    if not member.is_group:
        value["cdmi_member_groups"] = list(member.groups)
    return _json(value)


def summary_value(names: tuple[str, ...], summary: Summary) -> bytes:
    """Return the JSON of what was used in the domain at ``names``."""
    return _json(
        {
            "cdmi_domainURI": domain_uri(names),
            "cdmi_summary_start": timestamp(summary.start_s),
            "cdmi_summary_end": timestamp(summary.end_s),
            **_usage("object", "objects", summary.objects),
            **_usage("byte", "bytes", summary.bytes_b),
        }
    )


def _usage(one: str, many: str, usage: Usage) -> dict[str, Json]:
    return {
        f"cdmi_summary_{one}hours": _number(usage.hours),
        f"cdmi_summary_{many}min": str(usage.least),
        f"cdmi_summary_{many}max": str(usage.most),
        f"cdmi_summary_{many}average": _number(usage.average),
    }


def _number(value: float) -> str:
    return f"{value:.3f}".rstrip("0").rstrip(".")


def _json(value: Mapping[str, Json]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")


def _common(node: Node) -> dict[str, Json]:
    names = node.names
    slash = "" if node.kind is Kind.OBJECT else "/"
    found: dict[str, Json] = {"objectType": node.kind.value, "objectID": domain_object_id(names)}
    found["objectName"] = (names[-1] if names else "cdmi_domains") + slash
    found["parentURI"] = domain_uri(names[:-1]) if names else "/"
    if names:
        found["parentID"] = domain_object_id(names[:-1])
    found["domainURI"] = domain_uri(names[:1])
    found["capabilitiesURI"] = CAPABILITIES_OF[node.kind]
    return found


def _shown_items(node: Node, prefixes: tuple[str, ...]) -> dict[str, Json]:
    items = {**node.metadata}
    if node.kind is Kind.OBJECT:
        items["cdmi_size"] = str(len(node.value))
    return {name: value for name, value in items.items() if not prefixes or name.startswith(prefixes)}


def _value_members(value: bytes, asked: Span | None) -> dict[str, Json]:
    if asked is None:
        first, part, encoding = 0, value, Encoding.UTF8
        text = value.decode("utf-8")
    else:
        first, encoding = min(asked.first, len(value)), Encoding.BASE64
        part = value[first : asked.last + 1]
        text = encoder_for(encoding).encode(part, is_last=True).decode("ascii")
    return {
        "valuetransferencoding": encoding.value,
        "valuerange": range_text(first, len(part)),
        "value": text,
    }
