"""Taking apart what scripts answer, as pure functions: flat lists to documents and entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cluster_worker.persistence.engine import Document, Resolved
from cluster_worker.persistence.layout import decode_document, decode_entry, key_of


def split_rows(flat: Sequence[Any], width: int) -> Iterator[Sequence[Any]]:
    """Cut a flat list into rows of ``width`` items."""
    return (flat[at : at + width] for at in range(0, len(flat), width))


def cut_further(flat: list[Any], start: int, fields: Sequence[str]) -> dict[str, Document]:
    """Cut the documents of further fields off the end of an answer, where they begin if they came."""
    cut = flat[start:] if fields else []
    if not cut:
        return {}
    del flat[start:]
    return name_documents(fields, cut)


def name_documents(fields: Sequence[str], stored: Sequence[bytes | None]) -> dict[str, Document]:
    """Pair fields with what is stored in them; a missing one is ``None`` or ``False``."""
    return {name: decode_document(data) for name, data in zip(fields, stored, strict=True) if data}


def read_resolved(fields: Sequence[str], row: Sequence[Any]) -> Resolved:
    """Read the row of one entry: its member, then what is stored in each field."""
    entry = decode_entry(row[0])
    return Resolved(entry, key_of(entry.value), name_documents(fields, row[1:]))
