"""What a change stream tells of a changed file, in both generations of the API, and its framing. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from attrs import field, frozen

from cluster_worker.persistence.engine import Document
from onedata.ids import FileUuid, is_space_root
from op_worker.changes.specification import Section, Specification, Wanted
from op_worker.changes.states import FileState, Seen
from op_worker.files.metadata.custom import JSON_XATTR, RDF_XATTR, is_reserved, xattrs_of
from op_worker.files.model import Json
from op_worker.files.stored.documents import JSON, RDF, decode_json, decode_rdf

KEYVALUE = "onedata_keyvalue"

View = Callable[[FileState], Mapping[str, Any] | None]
"""Makes the line of a change; ``None`` when the client does not want to hear of it."""


@frozen
class Selected:
    """Lines as a specification asks for."""

    specification: Specification
    _seen: Seen = field(factory=Seen)

    def __call__(self, state: FileState) -> Mapping[str, Any] | None:
        changed = self._seen.changed(state)
        if not changed & self.specification.triggers:
            return None
        line: dict[str, Any] = {"fileId": state.file_id, "filePath": state.path, "seq": state.seq}
        for section, wanted in self.specification.wanted.items():
            if wanted.always or section in changed:
                line[section.value] = _section(state, section, wanted, is_changed=section in changed)
        return line


def classic(state: FileState) -> Mapping[str, Any]:
    """Return a line of the older kind: a fixed set of what is known."""
    changes: dict[str, Any] = dict.fromkeys(
        ("atime", "ctime", "is_scope", "mode", "mtime", "scope", "size", "type", "uid", "version", "xattrs")
    )
    name = None
    if not state.is_deleted:
        meta, location = state.node.meta, state.node.location
        name = meta.name
        changes |= {
            **_times(state),
            "is_scope": is_space_root(FileUuid(state.key)),
            "mode": meta.mode,
            "scope": state.space_id,
            "size": None if location is None else location.size_b,
            "type": meta.type.value,
            "uid": meta.owner,
            "version": None if location is None else location.version,
            "xattrs": _user_xattrs(state.documents),
        }
    return {
        "changes": changes,
        "deleted": state.is_deleted,
        "file_id": state.file_id,
        "file_path": state.path,
        "name": name,
        "seq": state.seq,
    }


def json_line(line: Mapping[str, Any]) -> bytes:
    """Return a line of newline JSON; it ends with CRLF."""
    return _encode(line) + b"\r\n"


def event(line: Mapping[str, Any]) -> bytes:
    """Return a server-sent event whose id is the number of the change."""
    return b"id: %d\ndata: %b\n\n" % (line["seq"], _encode(line))


def beat(seq: int) -> bytes:
    """Return a comment that keeps a connection open and moves the last event id on."""
    return b": %d\nid: %d\n\n" % (seq, seq)


def _encode(line: Mapping[str, Any]) -> bytes:
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")


def _section(state: FileState, section: Section, wanted: Wanted, *, is_changed: bool) -> dict[str, Any]:
    revision = state.revision(section)
    values = {} if state.is_deleted else _VALUES[section](state)
    if section is Section.FILE_META:
        values["deleted"] = state.is_deleted
    shown: dict[str, Any] = {
        "rev": revision,
        "mutators": [] if revision is None else [state.provider_id],
        "changed": is_changed,
        "deleted": revision is None and is_changed,
        "fields": {name: values.get(name) for name in wanted.fields},
    }
    if wanted.exists:
        shown["exists"] = {name: name in values for name in wanted.exists}
    return shown


def _meta(state: FileState) -> dict[str, Any]:
    meta = state.node.meta
    return {
        "name": meta.name,
        "type": meta.type.value,
        "mode": meta.mode,
        "owner": meta.owner,
        "provider_id": meta.provider_id,
        "shares": list(meta.shares),
    }


def _location(state: FileState) -> dict[str, Any]:
    location = state.node.location
    if location is None:
        return {}
    return {
        "provider_id": state.provider_id,
        "storage_id": location.storage_id,
        "size": location.size_b,
        "space_id": state.space_id,
        "storage_file_created": True,
    }


def _times(state: FileState) -> dict[str, Any]:
    times = state.node.times
    return {
        "atime": times.atime_ms // 1000,
        "mtime": times.mtime_ms // 1000,
        "ctime": times.ctime_ms // 1000,
    }


def _custom(state: FileState) -> dict[str, Any]:
    documents = state.documents
    stored = xattrs_of(documents)
    values: dict[str, Any] = dict(stored)
    ordinary = _user_xattrs(documents)
    if ordinary:
        values[KEYVALUE] = ordinary
    if JSON in documents:
        values[JSON_XATTR] = decode_json(documents[JSON].data)
    if RDF in documents:
        values[RDF_XATTR] = decode_rdf(documents[RDF].data).decode("utf-8", "replace")
    return values


def _user_xattrs(documents: Mapping[str, Document]) -> dict[str, Json]:
    return {name: value for name, value in xattrs_of(documents).items() if not is_reserved(name)}


_VALUES: Mapping[Section, Callable[[FileState], dict[str, Any]]] = {
    Section.FILE_META: _meta,
    Section.FILE_LOCATION: _location,
    Section.TIMES: _times,
    Section.CUSTOM_METADATA: _custom,
}
