"""CDMI metadata: what is shown, what an update changes, which limits hold. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from attrs import evolve

from onedata.errors import BadData, Errno, Posix
from op_worker.files.acl import Acl
from op_worker.files.model import (
    REMOVED,
    UNSET,
    CreateOptions,
    FileStat,
    Json,
    MetadataChange,
    Removed,
    Unset,
)
from op_worker.files.rights.acl_forms import parse_cdmi_acl
from op_worker.http.cdmi.bodies.members import NAMED, Encoding
from op_worker.http.cdmi.requests.addresses import RESERVED_PREFIX
from op_worker.http.cdmi.requests.negotiation import MediaType, is_storable_mimetype

MIMETYPE = "cdmi_mimetype"
ENCODING = "cdmi_valuetransferencoding"
COMPLETION = "cdmi_completion_status"
OTHERS = "cdmi_other_members"
PROCESSING = "Processing"
COMPLETE = "Complete"
DEFAULT_MIMETYPE = "application/octet-stream"
"""The mimetype of objects for which none was ever set; it is not stored."""

ACL = "cdmi_acl"
JSON_ITEM = "onedata_json"
RDF_ITEM = "onedata_rdf"
_SYSTEM_PREFIX = "onedata_"

MAX_ITEMS = 1000
MAX_NAME_B = 255
MAX_ITEM_B = 65536
MAX_TOTAL_B = 1000000

_EARLIEST_S, _LATEST_S = -62135596800, 253402300799  # years 1 and 9999


def timestamp(time_s: float) -> str:
    """Return seconds since the epoch as ISO 8601 in UTC with microseconds."""
    bounded_s = min(max(time_s, _EARLIEST_S), _LATEST_S)
    moment = datetime.fromtimestamp(bounded_s, UTC)
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def system_items(stat: FileStat) -> dict[str, Json]:
    """Return the storage system metadata of a file."""
    return {
        "cdmi_size": str(stat.size_b),
        "cdmi_ctime": timestamp(stat.created_s),
        "cdmi_atime": timestamp(stat.atime_s),
        "cdmi_mtime": timestamp(stat.mtime_s),
        "cdmi_owner": stat.owner,
    }


def shown_items(stat: FileStat, xattrs: Mapping[str, Json], prefixes: tuple[str, ...]) -> dict[str, Json]:
    """Return the ``metadata`` member: user items, then system items; with prefixes those that start so."""
    items = {**user_items(xattrs), **system_items(stat)}
    if ACL in xattrs:
        items[ACL] = xattrs[ACL]
    if not prefixes:
        return items
    return {name: value for name, value in items.items() if name.startswith(prefixes)}


def user_items(xattrs: Mapping[str, Json]) -> dict[str, Json]:
    """Return what belongs to the user: everything without the standard's prefix."""
    return {name: value for name, value in xattrs.items() if not name.startswith(RESERVED_PREFIX)}


def update(sent: Mapping[str, Json] | None, names: Iterable[str]) -> MetadataChange:
    """Return what a request changes by the rules of clause 16.6.

    Args:
        sent: the ``metadata`` member; ``None`` when there was none.
        names: the items named in the URI; without any, ``sent`` replaces all user items.

    An access control list stays unless it is sent, or named and not sent.

    Raises:
        Posix: EPERM for a name that belongs to the system; E2BIG for an ACL of too many entries.
        BadData: RDF that is no text, an item or all of them beyond the limits (key ``metadata``); an ACL that
            is none (key ``acl``).
    """
    wanted = tuple(names)
    items = {} if sent is None else sent
    if wanted:
        named = _named(items, [name for name in wanted if not name.startswith(RESERVED_PREFIX)])
        return evolve(named, acl=_acl(items, when_missing=REMOVED)) if ACL in wanted else named
    if sent is None:
        return MetadataChange()
    kept = user_items(items)
    check_limits(kept)
    return MetadataChange(
        replace_user_xattrs=_plain(kept),
        json=kept.get(JSON_ITEM, REMOVED),
        rdf=_rdf(kept) if RDF_ITEM in kept else REMOVED,
        acl=_acl(items, when_missing=UNSET),
    )


def at_creation(change: MetadataChange) -> tuple[CreateOptions, MetadataChange]:
    """Return how to create a file that gets this change, and what is left to change then."""
    acl = change.acl if isinstance(change.acl, tuple) else None
    return CreateOptions(acl=acl), evolve(change, acl=UNSET)


def _acl(items: Mapping[str, Json], when_missing: Unset | Removed) -> Acl | Unset | Removed:
    return parse_cdmi_acl(items[ACL]) if ACL in items else when_missing


def _named(items: Mapping[str, Json], names: list[str]) -> MetadataChange:
    sent = {name: items[name] for name in names if name in items}
    check_limits(sent)
    removed = [name for name in names if name not in items]
    _plain(dict.fromkeys(removed))
    return MetadataChange(
        set_xattrs=_plain(sent),
        remove_xattrs=tuple(name for name in removed if name not in (JSON_ITEM, RDF_ITEM)),
        json=sent[JSON_ITEM] if JSON_ITEM in sent else (REMOVED if JSON_ITEM in removed else UNSET),
        rdf=_rdf(sent) if RDF_ITEM in sent else (REMOVED if RDF_ITEM in removed else UNSET),
    )


def check_limits(items: Mapping[str, Json]) -> None:
    """Raise BadData(``metadata``) when user items are more or larger than the capabilities promise."""
    if len(items) > MAX_ITEMS:
        raise BadData("metadata", f"at most {MAX_ITEMS} items")
    sizes = [len(name.encode()) + len(json.dumps(value).encode()) for name, value in items.items()]
    if any(size > MAX_ITEM_B for size in sizes):
        raise BadData("metadata", f"an item may have up to {MAX_ITEM_B} bytes")
    if sum(sizes) > MAX_TOTAL_B:
        raise BadData("metadata", f"all items together may have up to {MAX_TOTAL_B} bytes")
    if any(not 0 < len(name.encode()) <= MAX_NAME_B or "\0" in name for name in items):
        raise BadData("metadata", f"the name of an item has 1 to {MAX_NAME_B} bytes, none of them NUL")


def after(xattrs: Mapping[str, Json], change: MetadataChange) -> dict[str, Json]:
    """Return the user items that a change of named items leaves, for checking the limits."""
    items = {name: value for name, value in user_items(xattrs).items() if name not in change.remove_xattrs}
    items.update(user_items(change.set_xattrs))
    return items


def with_properties(
    change: MetadataChange,
    *,
    mimetype: str | None = None,
    encoding: Encoding | None = None,
    completion: str | None = None,
) -> MetadataChange:
    """Add an object's properties to a change; ``None`` leaves a property as it is."""
    given = {MIMETYPE: mimetype, ENCODING: encoding and encoding.value, COMPLETION: completion}
    properties = {name: value for name, value in given.items() if value is not None}
    return evolve(change, set_xattrs={**change.set_xattrs, **properties}) if properties else change


def with_others(
    change: MetadataChange, sent: Mapping[str, Json], xattrs: Mapping[str, Json]
) -> MetadataChange:
    """Add members that no clause names to a change; those that were stored and not sent again stay.

    Raises:
        BadData: they are too long together (key ``body``).
    """
    if not sent:
        return change
    others = {**others_of(xattrs), **sent}
    if len(json.dumps(others, separators=(",", ":"))) > MAX_ITEM_B:
        raise BadData("body", f"members without a meaning may have up to {MAX_ITEM_B} bytes together")
    return evolve(change, set_xattrs={**change.set_xattrs, OTHERS: others})


def others_of(xattrs: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the stored members that no clause of the standard names."""
    stored = xattrs.get(OTHERS)
    if not isinstance(stored, Mapping):
        return {}
    return {name: value for name, value in stored.items() if name not in NAMED}


def written(*, is_partial: bool, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a write does to the completion of an object with these attributes.

    Completeness is stored only to end a partial series.
    """
    if is_partial:
        return with_properties(MetadataChange(), completion=PROCESSING)
    if completion_of(xattrs) != COMPLETE:
        return with_properties(MetadataChange(), completion=COMPLETE)
    return MetadataChange()


def retyped(sent: MediaType | None, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a plain ``Content-Type`` does to an object with these attributes.

    What equals the default is stored only to replace something else.
    """
    if sent is None:
        return MetadataChange()
    mimetype = sent.mimetype if is_storable_mimetype(sent.mimetype) else DEFAULT_MIMETYPE
    encoding = Encoding.UTF8 if sent.says_utf8 else Encoding.BASE64
    stored = encoding_of(xattrs) or Encoding.BASE64
    return with_properties(
        MetadataChange(),
        mimetype=mimetype if mimetype != mimetype_of(xattrs) else None,
        encoding=encoding if encoding is not stored else None,
    )


def merged(*changes: MetadataChange) -> MetadataChange:
    """Return the first change with the attributes that the further ones set."""
    first, *others = changes
    for other in others:
        first = evolve(first, set_xattrs={**first.set_xattrs, **other.set_xattrs})
    return first


def mimetype_of(xattrs: Mapping[str, Json]) -> str:
    """Return the object's mimetype."""
    stored = xattrs.get(MIMETYPE)
    return stored if isinstance(stored, str) else DEFAULT_MIMETYPE


def encoding_of(xattrs: Mapping[str, Json]) -> Encoding | None:
    """Return the stored transfer encoding; ``None`` when none was ever set."""
    stored = xattrs.get(ENCODING)
    known = {encoding.value: encoding for encoding in Encoding}
    return known.get(stored) if isinstance(stored, str) else None


def completion_of(xattrs: Mapping[str, Json]) -> str:
    """Return ``Complete``, or ``Processing`` while a partial series is open."""
    stored = xattrs.get(COMPLETION)
    return stored if isinstance(stored, str) else COMPLETE


def _plain(items: Mapping[str, Json]) -> dict[str, Json]:
    plain = {name: value for name, value in items.items() if name not in (JSON_ITEM, RDF_ITEM)}
    if any(name.startswith(_SYSTEM_PREFIX) for name in plain):
        raise Posix(Errno.EPERM, f"names that start with {_SYSTEM_PREFIX} belong to the system")
    return plain


def _rdf(items: Mapping[str, Json]) -> bytes:
    text = items[RDF_ITEM]
    if not isinstance(text, str):
        raise BadData("metadata", "RDF is text")
    return text.encode("utf-8")
