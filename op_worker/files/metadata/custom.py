"""Custom metadata as a value: extended attributes, JSON and RDF, and how a change applies. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from cluster_worker.persistence.engine import ABSENT, Delete, Document, Key, Put, Step
from onedata.errors import Errno, Posix
from op_worker.files.acl import Acl
from op_worker.files.metadata.json_bounds import check_json
from op_worker.files.metadata.rule_changes import needed_for_rules
from op_worker.files.model import REMOVED, UNSET, Json, MetadataChange, Unset
from op_worker.files.operations import NOTHING, Operation
from op_worker.files.rights.acl_forms import parse_cdmi_acl
from op_worker.files.stored.documents import (
    JSON,
    META,
    RDF,
    TIMES,
    XATTRS,
    decode_json,
    decode_rdf,
    encode_json,
    encode_rdf,
)
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Node
from op_worker.placement.policy import PLACEMENT_XATTR, required_by

FIELDS = (XATTRS, JSON, RDF)
MAX_DOCUMENT_B = 1 << 20
"""The most bytes that a file's attributes together, its JSON or its RDF may take."""
MAX_XATTR_NAME_B = 255
MAX_XATTRS = 1000
"""The most extended attributes of a file, internal ones not counted: those are few and named by doors."""
ACL_XATTR = "cdmi_acl"
JSON_XATTR = "onedata_json"
RDF_XATTR = "onedata_rdf"
_NO_XATTRS = (JSON_XATTR, RDF_XATTR, ACL_XATTR)
"""Names that stand for something kept apart."""
RESERVED_PREFIXES = ("onedata_", "cdmi_")
SETTABLE = frozenset(
    {
        *("cdmi_mimetype", "cdmi_valuetransferencoding", "cdmi_completion_status", "cdmi_other_members"),
        PLACEMENT_XATTR,
    }
)
"""Reserved names that may be set like any other."""


def is_reserved(name: str) -> bool:
    """Whether a name is internal: not shown unless asked for, not the user's to choose."""
    return name.startswith(RESERVED_PREFIXES)


def xattrs_of(documents: Mapping[str, Document]) -> dict[str, Json]:
    """Return the stored extended attributes."""
    found = documents.get(XATTRS)
    value = {} if found is None else decode_json(found.data)
    return value if isinstance(value, dict) else {}


def shown_xattrs(documents: Mapping[str, Document], *, internal: bool) -> dict[str, Json]:
    """Return the extended attributes that a reader sees; ``internal`` adds JSON and RDF as such."""
    stored = xattrs_of(documents)
    if not internal:
        return {name: value for name, value in stored.items() if not is_reserved(name)}
    if JSON in documents:
        stored[JSON_XATTR] = decode_json(documents[JSON].data)
    if RDF in documents:
        stored[RDF_XATTR] = decode_rdf(documents[RDF].data).decode("utf-8", "replace")
    return stored


def normalised(change: MetadataChange) -> MetadataChange:
    """Return the change with attributes that stand for JSON, RDF and the ACL turned into these.

    Raises: Posix(EPERM) for reserved names; BadData(``acl``); Posix(EINVAL, ENAMETOOLONG, E2BIG);
        InvalidQosExpression of ``onedata_placement``.
    """
    for name in (*change.set_xattrs, *(change.replace_user_xattrs or ())):
        _check_name(name)
    for name in change.replace_user_xattrs or ():
        _refuse(name, is_reserved(name))
    plain = {name: value for name, value in change.set_xattrs.items() if name not in _NO_XATTRS}
    for name in plain:
        _check_settable(name)
    if PLACEMENT_XATTR in plain:
        required_by(plain[PLACEMENT_XATTR])
    removed = tuple(name for name in change.remove_xattrs if name not in _NO_XATTRS)
    for name in removed:
        _refuse(name, is_reserved(name) and name != PLACEMENT_XATTR)
    return evolve(_with_documents(change), set_xattrs=plain, remove_xattrs=removed)


def _with_documents(change: MetadataChange) -> MetadataChange:
    """Take attributes that stand for JSON, RDF and the ACL for what they stand for."""
    given, removed = change.set_xattrs, change.remove_xattrs
    if JSON_XATTR in given or JSON_XATTR in removed:
        change = evolve(change, json=given.get(JSON_XATTR, REMOVED))
    if RDF_XATTR in given or RDF_XATTR in removed:
        change = evolve(change, rdf=_rdf_text(given[RDF_XATTR]) if RDF_XATTR in given else REMOVED)
    if ACL_XATTR in given or ACL_XATTR in removed:
        change = evolve(change, acl=parse_cdmi_acl(given[ACL_XATTR]) if ACL_XATTR in given else REMOVED)
    return change


def changed_xattrs(stored: Mapping[str, Json], change: MetadataChange) -> dict[str, Json]:
    """Return the attributes after a normalised change."""
    result = dict(stored)
    if change.replace_user_xattrs is not None:
        result = {name: value for name, value in result.items() if is_reserved(name)}
        result.update(change.replace_user_xattrs)
    for name in change.remove_xattrs:
        result.pop(name, None)
    result.update(change.set_xattrs)
    return result


def following(first: MetadataChange, second: MetadataChange) -> MetadataChange:
    """Return the change that does what a normalised one does, then another."""
    replaced, given = first.replace_user_xattrs, dict(first.set_xattrs)
    if second.replace_user_xattrs is not None:
        replaced = second.replace_user_xattrs
        given = {name: value for name, value in given.items() if is_reserved(name)}
    elif replaced is not None:
        replaced = {name: value for name, value in replaced.items() if name not in second.remove_xattrs}
    for name in second.remove_xattrs:
        given.pop(name, None)
    return MetadataChange(
        set_xattrs={**given, **second.set_xattrs},
        remove_xattrs=(*first.remove_xattrs, *second.remove_xattrs),
        replace_user_xattrs=replaced,
        json=first.json if second.json is UNSET else second.json,
        rdf=first.rdf if second.rdf is UNSET else second.rdf,
        acl=first.acl if second.acl is UNSET else second.acl,
        immutability=first.immutability.followed_by(second.immutability),
        wishes={**first.wishes, **second.wishes},
    )


@frozen
class CustomSteps:
    """The steps of a change, and whether the file has custom metadata afterwards."""

    steps: list[Step]
    has_metadata: bool


def custom_steps(key: Key, documents: Mapping[str, Document], change: MetadataChange) -> CustomSteps:
    """Return what a normalised change writes, given the present documents.

    Raises: Posix(E2BIG); as ``check_json``.
    """
    stored = xattrs_of(documents)
    xattrs = changed_xattrs(stored, change)
    if _chosen(xattrs) > max(MAX_XATTRS, _chosen(stored)):
        raise Posix(Errno.E2BIG, f"a file may have up to {MAX_XATTRS} extended attributes")
    wanted: dict[str, bytes | None] = {}
    if xattrs != stored:
        wanted[XATTRS] = encode_json(xattrs) if xattrs else None
    if change.json is not UNSET:
        if change.json is not REMOVED:
            check_json(change.json)
        wanted[JSON] = None if change.json is REMOVED else encode_json(change.json)
    if change.rdf is not UNSET:
        wanted[RDF] = None if change.rdf is REMOVED else encode_rdf(change.rdf)
    steps: list[Step] = []
    left = {field for field in FIELDS if field in documents}
    for field, data in wanted.items():
        found = documents.get(field)
        revision = ABSENT if found is None else found.revision
        if data is not None:
            if len(data) > MAX_DOCUMENT_B:
                raise Posix(Errno.E2BIG, "custom metadata may take up to 1 MiB")
            steps.append(Put(key, field, data, expect=revision))
            left.add(field)
        elif found is not None:
            steps.append(Delete(key, field, expect=revision))
            left.discard(field)
    return CustomSteps(steps, has_metadata=bool(left))


def with_meta(
    node: Node, ruled: Meta, custom: CustomSteps, acl: Acl | Unset | None, now_s: float
) -> list[Step]:
    """Return the steps of a change of an existing file: its flag, its ACL and its change time included.

    ``ruled`` is what the file is as far as its rules change.
    """
    meta = evolve(ruled, has_metadata=custom.has_metadata)
    if acl is not UNSET:
        meta = evolve(meta, acl=acl)
    if not custom.steps and meta == node.meta:
        return []
    steps = [*custom.steps, Put(node.key, TIMES, node.times.changed(now_s).encode())]
    if meta != node.meta:
        steps.append(Put(node.key, META, meta.encode(), expect=node.revision(META)))
    return steps


def needed_for(change: MetadataChange) -> Operation:
    """Return what a change needs on the file."""
    needed = Operation.WRITE_METADATA if change.changes_custom else NOTHING
    needed |= needed_for_rules(change)
    return needed if change.acl is UNSET else needed | Operation.WRITE_ACL


def _chosen(xattrs: Mapping[str, Json]) -> int:
    """Return how many attributes users chose."""
    return sum(not is_reserved(name) for name in xattrs)


def _check_name(name: str) -> None:
    try:
        size_b = len(name.encode())
    except UnicodeEncodeError:
        raise Posix(Errno.EINVAL, "the attribute name is no valid Unicode text") from None
    if not name or "\0" in name:
        raise Posix(Errno.EINVAL, "not an attribute name")
    if size_b > MAX_XATTR_NAME_B:
        raise Posix(Errno.ENAMETOOLONG, "an attribute name may have up to 255 bytes")


def _check_settable(name: str) -> None:
    _refuse(name, is_reserved(name) and name not in SETTABLE)


def _refuse(name: str, is_refused: bool) -> None:
    if is_refused:
        raise Posix(Errno.EPERM, f"the name {name} is reserved")


def _rdf_text(value: Json) -> bytes:
    if not isinstance(value, str):
        raise Posix(Errno.EINVAL, "RDF is text")
    return value.encode("utf-8", "surrogatepass")
