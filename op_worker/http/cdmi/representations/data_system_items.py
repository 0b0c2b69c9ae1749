"""Data system metadata of CDMI (clauses 16.4 and 17): what may be set, how it is shown. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Any

from onedata.errors import BadData, BadValueNotAllowed
from op_worker.files.model import FileStat, FileType, Json
from op_worker.files.rules.moments import parse_period, period_text
from op_worker.files.rules.offer import (
    HASHES,
    IMMEDIATE,
    PLACEMENT,
    REDUNDANCY,
    VALUE_HASH,
    Offer,
    check_placement,
)
from op_worker.files.rules.retention import ImmutabilityChange, Period
from op_worker.files.rules.rules import Rules, Wish

RETENTION_ID = "cdmi_retention_id"
PERIOD = "cdmi_retention_period"
AUTODELETE = "cdmi_retention_autodelete"
HOLD = "cdmi_hold_id"
HASH = "cdmi_hash"
"""The storage system item that a wish for a hash gives."""
IMMUTABILITY = (RETENTION_ID, PERIOD, AUTODELETE, HOLD)
_PROVIDED = "_provided"

MAX_HOLDS = 100
MAX_TEXT_B = 255
MAX_COPIES = 1000
_TRUTH: Mapping[Any, str] = {"true": "true", "false": "false", True: "true", False: "false"}

NOT_OFFERED = frozenset(
    {
        "cdmi_assignedsize",
        "cdmi_infrastructure_redundancy",
        "cdmi_data_dispersion",
        "cdmi_RPO",
        "cdmi_RTO",
        "cdmi_encryption",
        "cdmi_sanitization_method",
        "cdmi_latency",
        "cdmi_throughput",
        "cdmi_authentication_methods",
        "cdmi_versioning",
        "cdmi_versions_count",
        "cdmi_versions_age",
        "cdmi_versions_size",
    }
)
"""Items of the standard that promise what is not done here; they are refused instead of being dropped."""


def immutability_change(items: Mapping[str, Json], removed: Collection[str]) -> ImmutabilityChange:
    """Return what sent items, and names that were to be removed, change of retention and holds.

    Raises: BadData of the item.
    """
    changes: dict[str, Any] = {}
    for name, part, parse, nothing in _PARTS:
        if name in items:
            changes[part] = parse(items[name])
        elif name in removed:
            changes[part] = nothing
    return ImmutabilityChange(**changes)


def wish_changes(items: Mapping[str, Json], removed: Collection[str]) -> dict[str, Wish | None]:
    """Return what sent items, and names that were to be removed, change of wishes.

    Raises: BadData, BadValueNotAllowed of the item.
    """
    changes: dict[str, Wish | None] = {}
    for name, parse in _WISHES.items():
        if name in items:
            changes[name] = parse(items[name])
        elif name in removed:
            changes[name] = None
    return changes


def refuse_not_offered(names: Collection[str]) -> None:
    """Raise BadData of the first item that the standard has and that is not offered."""
    for name in sorted(NOT_OFFERED.intersection(names)):
        raise BadData(name, "this is not offered here, as the capabilities say")


def data_system_items(stat: FileStat, offer: Offer) -> dict[str, Json]:
    """Return the data system metadata of a file, inherited ones too, each with what is provided.

    A file that nothing was ever wished for has none.
    """
    rules = stat.rules
    if rules.is_empty:
        return {}
    items: dict[str, Json] = {}
    provided = offer.provided(rules.wishes)
    for name, wish in rules.wishes.items():
        items[name] = _json(wish)
        if name in provided:
            items[name + _PROVIDED] = _json(provided[name])
    items.update(_retention_items(rules))
    if rules.holds:
        items[HOLD] = items[HOLD + _PROVIDED] = list(rules.holds)
    if is_hashed(stat) and stat.checksum_sha256 is not None:
        items[HASH] = hash_text(bytes.fromhex(stat.checksum_sha256))
    return items


def is_data_system_item(name: str) -> bool:
    """Whether ``data_system_items`` may give an item of this name."""
    return name == HASH or name.removesuffix(_PROVIDED) in _SETTABLE


def is_hashed(stat: FileStat) -> bool:
    """Whether the hash of an object's value is shown when it is known."""
    return stat.type is FileType.REG and VALUE_HASH in stat.rules.wishes


def hash_text(sha256: bytes) -> str:
    """Return a hash in base16."""
    return sha256.hex().upper()


def _retention_items(rules: Rules) -> dict[str, Json]:
    """Return a file's own retention, or that of a directory above; the longest period is provided."""
    items: dict[str, Json] = {}
    retained = [kept for kept in rules.all_kept if kept.period is not None]
    periods = [kept.period for kept in retained if kept.period is not None]
    if periods:
        items[PERIOD] = period_text(periods[-1])
        items[PERIOD + _PROVIDED] = period_text(max(periods, key=lambda period: period.end_ms))
    labels = [kept.label for kept in rules.all_kept if kept.label]
    if labels:
        items[RETENTION_ID] = items[RETENTION_ID + _PROVIDED] = labels[-1]
    if rules.own is not None and rules.own.autodelete:
        items[AUTODELETE] = "true"
        items[AUTODELETE + _PROVIDED] = "false" if rules.own.due_ms is None else "true"
    return items


def _json(wish: Wish) -> Json:
    return wish if isinstance(wish, str) else list(wish)


def _copies(value: Json) -> str:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    if not (text.isascii() and text.isdigit() and len(text) <= 9 and 1 <= int(text) <= MAX_COPIES):
        raise BadData(REDUNDANCY, f"a number of copies from 1 to {MAX_COPIES}, as text")
    return str(int(text))


def _truth(name: str, value: Json) -> str:
    if not isinstance(value, str | bool) or value not in _TRUTH:
        raise BadData(name, '"true" or "false"')
    return _TRUTH[value]


def _placement(value: Json) -> Wish:
    codes = _texts(PLACEMENT, value)
    check_placement(codes)
    return codes


def _hash(value: Json) -> str:
    if value not in HASHES:
        raise BadValueNotAllowed(VALUE_HASH, list(HASHES))
    return str(value)


def _period(value: Json) -> Period | None:
    if value == "":
        return None
    try:
        return parse_period(value if isinstance(value, str) else "")
    except ValueError as error:
        raise BadData(PERIOD, str(error)) from None


def _label(value: Json) -> str:
    return _text(RETENTION_ID, value)


def _autodelete(value: Json) -> bool:
    return _truth(AUTODELETE, value) == "true"


def _holds(value: Json) -> list[str]:
    """Read an array of names, or an object with the names as keys, as the standard has both."""
    holds = _texts(HOLD, list(value) if isinstance(value, Mapping) else value)
    if "" in holds:
        raise BadData(HOLD, "a hold has a name")
    return holds


def _texts(name: str, value: Json) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_HOLDS:
        raise BadData(name, f"an array of up to {MAX_HOLDS} texts")
    return [_text(name, one) for one in value]


def _text(name: str, value: Json) -> str:
    if not isinstance(value, str) or len(value.encode("utf-8", "surrogatepass")) > MAX_TEXT_B:
        raise BadData(name, f"text of up to {MAX_TEXT_B} bytes")
    return value


_PARTS: tuple[tuple[str, str, Callable[[Json], Any], Any], ...] = (
    (PERIOD, "period", _period, None),
    (RETENTION_ID, "label", _label, None),
    (AUTODELETE, "autodelete", _autodelete, False),
    (HOLD, "holds", _holds, ()),
)
_WISHES: Mapping[str, Callable[[Json], Wish]] = {
    REDUNDANCY: _copies,
    IMMEDIATE: lambda value: _truth(IMMEDIATE, value),
    PLACEMENT: _placement,
    VALUE_HASH: _hash,
}
_SETTABLE = frozenset({*IMMUTABILITY, *_WISHES})
