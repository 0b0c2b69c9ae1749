"""User metadata of CDMI (clause 16.2): attributes, JSON and RDF of the file, and their limits. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from onedata.errors import BadData, Errno, Posix
from op_worker.files.model import REMOVED, UNSET, Json, MetadataChange
from op_worker.http.cdmi.requests.addresses import RESERVED_PREFIX

JSON_ITEM = "onedata_json"
RDF_ITEM = "onedata_rdf"
_SYSTEM_PREFIX = "onedata_"

MAX_ITEMS = 1000
MAX_NAME_B = 255
MAX_ITEM_B = 65536
MAX_TOTAL_B = 1000000


def user_items(xattrs: Mapping[str, Json]) -> dict[str, Json]:
    """Return what belongs to the user: everything without the standard's prefix."""
    return {name: value for name, value in xattrs.items() if not name.startswith(RESERVED_PREFIX)}


def replaced(kept: Mapping[str, Json]) -> MetadataChange:
    """Return the change that makes these all the user items there are. Raises: as ``named``."""
    check_limits(kept)
    return MetadataChange(
        replace_user_xattrs=_plain(kept),
        json=kept.get(JSON_ITEM, REMOVED),
        rdf=_rdf(kept) if RDF_ITEM in kept else REMOVED,
    )


def named(items: Mapping[str, Json], names: Sequence[str]) -> MetadataChange:
    """Return the change that sets those of ``names`` that are sent, and removes the others.

    Raises: Posix(EPERM) for a name that belongs to the system; BadData(``metadata``).
    """
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
