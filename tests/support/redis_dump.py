"""Everything that is stored of a space in a Redis, as plain dictionaries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from attrs import frozen
from valkey import Valkey

from cluster_worker.persistence.engine import Document, Key
from cluster_worker.persistence.layout import decode_document, decode_entry, key_text


@frozen
class Dump:
    """Documents and entries by their keys, counters by their names."""

    documents: dict[Key, dict[str, Document]]
    directories: dict[Key, dict[bytes, bytes]]
    counters: dict[str, int]


def dump(socket: Path, space_id: str) -> Dump:
    """Read a space whole through a unix socket; nobody should be writing."""
    with Valkey(unix_socket_path=str(socket)) as store:
        return dump_of(store, space_id)


def dump_of(store: Any, space_id: str) -> Dump:
    """Read a space whole from an open store; nobody should be writing."""
    prefix = f"{{{space_id}}}:".encode()
    documents: dict[Key, dict[str, Document]] = {}
    directories: dict[Key, dict[bytes, bytes]] = {}
    for name in store.scan_iter(match=prefix + b"*", count=1000):
        kind, _, key = name[len(prefix) :].partition(b":")
        if kind == b"f":
            stored = store.hgetall(name)
            documents[key_text(key)] = {field.decode(): decode_document(it) for field, it in stored.items()}
        elif kind == b"d":
            entries = map(decode_entry, store.zrange(name, 0, -1))
            directories[key_text(key)] = {entry.name: entry.value for entry in entries}
    counters = {field.decode(): int(value) for field, value in store.hgetall(prefix + b"u").items()}
    return Dump(documents, directories, counters)
