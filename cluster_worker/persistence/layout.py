"""How values lie in Redis, as pure functions: key prefixes, documents, entries, batches.

A document is ``revision data``, where a revision below 128 takes one byte and a greater one seven, as
most documents of a million files are written once or twice. (Stores of earlier versions have six bytes, of
which the first is 0; they are read as well.) A directory entry is the member
``name NUL value`` of a sorted set whose scores are all 0, so that members lie in name order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache

import msgpack

from cluster_worker.persistence.engine import (
    ABSENT,
    Add,
    Batch,
    Check,
    Delete,
    Document,
    Entry,
    Key,
    Link,
    Put,
    RequireEmpty,
    Scope,
    Step,
    Unlink,
)

COUNTER_LIMIT = 2**53 - 1
"""Counters stay within this magnitude, where the scripts' numbers are exact."""

_NUL = b"\0"
_LONG, _LONG_B = 0x80, 7
_EARLIER_B = 6
_DELTA_LIMIT = 2**54

pack: Callable[[object], bytes] = msgpack.Packer(
    use_bin_type=False, unicode_errors="surrogateescape", autoreset=True
).pack
"""Pack the arguments of a script; text and bytes both arrive as Lua strings."""


@lru_cache(maxsize=4096)
def scope_prefix(scope: Scope) -> bytes:
    """Return ``{scope}:``, the beginning of every key of the scope; ValueError for a bad scope."""
    if not scope or "{" in scope or "}" in scope:
        raise ValueError(f"a scope is a text without braces, not {scope!r}")
    return b"{%b}:" % scope.encode()


def key_bytes(key: str) -> bytes:
    """Return a key as Redis sees it."""
    return key.encode("utf-8", "surrogateescape")


def key_text(data: bytes) -> Key:
    """Undo ``key_bytes``."""
    return Key(data.decode("utf-8", "surrogateescape"))


def key_of(value: bytes) -> Key:
    """Return the key that an entry's value names: what stands before its first ``/``."""
    return Key(value.partition(b"/")[0].decode("utf-8", "surrogateescape"))


def decode_document(stored: bytes) -> Document:
    """Split a stored document into revision and data."""
    first = stored[0]
    if 0 < first < _LONG:
        return Document(first, stored[1:])
    if first == 0:
        return Document(int.from_bytes(stored[:_EARLIER_B], "big"), stored[_EARLIER_B:])
    return Document(decode_revision(stored[:_LONG_B]), stored[_LONG_B:])


def decode_entry(member: bytes) -> Entry:
    """Split a member of a directory's sorted set."""
    name, _, value = member.partition(_NUL)
    return Entry(name, value)


def after_name(name: bytes | None) -> bytes:
    """Return the lower bound of the members whose names are greater than ``name``."""
    return b"-" if name is None else b"[%b\x01" % name


def before_name(name: bytes | None) -> bytes:
    """Return the upper bound of the members whose names are less than ``name``."""
    return b"+" if name is None else b"(%b\0" % name


def exactly_name(name: bytes) -> tuple[bytes, bytes]:
    """Return the bounds of the members whose name is ``name``."""
    return b"[%b\0" % name, b"(%b\x01" % name


def reject_malformed(batch: Batch) -> None:
    """Raise ValueError when a batch can mean nothing, whatever is stored."""
    linked: set[tuple[Key, bytes]] = set()
    for step in batch.steps:
        if isinstance(step, Link):
            if (step.directory, step.name) in linked:
                raise ValueError(f"a batch links {step.name!r} twice")
            linked.add((step.directory, step.name))
            _reject_nul(step.name, step.value)
        elif isinstance(step, Unlink):
            _reject_nul(step.name, step.value)
        elif isinstance(step, Delete) and step.field is None and step.expect is not None:
            raise ValueError("a revision belongs to a field, so expect needs one")


def _reject_nul(name: bytes, value: bytes) -> None:
    if _NUL in name or _NUL in value:
        raise ValueError("names and values of entries hold no NUL")


def encode_batch(batch: Batch, leaves_mark: bool = False) -> bytes:
    """Return what the commit script takes. The batch must not be malformed.

    Args:
        leaves_mark: whether something is written in any case, for replicas to confirm.
    """
    steps = [_ENCODERS[type(step)](step) for step in batch.steps]
    announce = batch.announce
    announced = tuple(dict.fromkeys(announce)) if len(announce) > 1 else announce
    return pack((steps, announced, True) if leaves_mark else (steps, announced))


def decode_found(step: Step, found: bytes | int | None) -> int | bytes | None:
    """Return what the script found in the way of ``step``, in the engine's terms."""
    if isinstance(step, Put | Delete | Check):
        return decode_revision(found) if isinstance(found, bytes) else ABSENT
    if isinstance(step, RequireEmpty | Add):
        return int(found or 0)
    return found


def encode_revision(revision: int) -> bytes:
    """Return what stands before a document's data; empty for ``ABSENT``."""
    if revision < _LONG:
        return bytes((revision,)) if revision else b""
    return (_LONG << 48 | revision).to_bytes(_LONG_B, "big")


def decode_revision(stored: bytes) -> int:
    """Undo ``encode_revision``."""
    return (
        int.from_bytes(stored, "big") & ~(_LONG << 48) if len(stored) > 1 else int.from_bytes(stored, "big")
    )


def _expected(revision: int | None) -> bytes | None:
    """``None``: do not look; empty: there must be none; otherwise the revision as it is stored."""
    return None if revision is None else encode_revision(revision)


def _put(step: Put) -> Sequence[object]:
    if step.expect is None:
        return (1, step.key, step.field, step.data)
    return (2, step.key, step.field, encode_revision(step.expect + 1) + step.data, _expected(step.expect))


def _delete(step: Delete) -> Sequence[object]:
    if step.field is None:
        return (4, step.key)
    return (3, step.key, step.field, _expected(step.expect))


def _check(step: Check) -> Sequence[object]:
    return (5, step.key, step.field, _expected(step.expect))


def _link(step: Link) -> Sequence[object]:
    return (6, step.directory, step.name, step.value, step.replaces)


def _unlink(step: Unlink) -> Sequence[object]:
    return (7, step.directory, step.name, step.value)


def _require_empty(step: RequireEmpty) -> Sequence[object]:
    return (8, step.directory)


def _add(step: Add) -> Sequence[object]:
    limit = COUNTER_LIMIT if step.limit is None or step.delta <= 0 else min(step.limit, COUNTER_LIMIT)
    delta = max(-_DELTA_LIMIT, min(step.delta, _DELTA_LIMIT))
    return (9, step.counter, delta, max(limit, -COUNTER_LIMIT - 1))


_ENCODERS: dict[type, Callable[..., Sequence[object]]] = {
    Put: _put,
    Delete: _delete,
    Check: _check,
    Link: _link,
    Unlink: _unlink,
    RequireEmpty: _require_empty,
    Add: _add,
}


def holds_data(key: bytes) -> bool:
    """Whether a key of the store holds what was committed, and no lease or mark of a reader."""
    return not key.startswith(b"lease:") and not (key.startswith(b"{") and key.endswith(b"}:w"))
