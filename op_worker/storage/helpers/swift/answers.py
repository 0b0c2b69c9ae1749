"""What Swift answers: listings, the outcome of many removals, and what it refuses. Pure."""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.web.answers import Head, failure
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectStat

_PASSING = frozenset({HTTPStatus.CONFLICT, 498})
"""Somebody wrote at the same time, or asks for too much in a second."""
_NOT_FOUND = "404"


def refusal(head: Head, path: str) -> StorageError:
    """Return the error that an answer tells of."""
    words = f"the server says {head.status} {head.phrase}".rstrip()
    if head.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return StorageError(errno.EDQUOT, path, words)
    if head.status in _PASSING:
        return StorageUnavailable(errno.EAGAIN, path, words)
    return failure(head, path)


def tag(head: Head) -> str:
    """Return the tag of the object that an answer is about."""
    return head.header("etag").strip('"')


def changed_s(head: Head) -> float:
    """Return when the object was changed, in seconds since the epoch; 0 when that is not told."""
    try:
        return float(head.header("x-timestamp"))
    except ValueError:
        return 0.0


def page(body: bytes, limit: int) -> ObjectPage:
    """Read a listing in JSON. Raises: StorageError(EIO) when it is none."""
    rows = _json(body)
    if not isinstance(rows, list):
        raise _unreadable()
    try:
        objects = [_stat(row) for row in rows if "name" in row]
        prefixes = [str(row["subdir"]) for row in rows if "subdir" in row]
        last = str(rows[-1].get("name") or rows[-1]["subdir"]) if rows else ""
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise _unreadable() from error
    return ObjectPage(objects, last if len(rows) >= limit else "", prefixes)


def most_removals(body: bytes) -> int:
    """Return how many objects one request may remove, from what a cluster tells of itself; 0 when none."""
    told = _json(body)
    bulk = told.get("bulk_delete") if isinstance(told, dict) else None
    most = bulk.get("max_deletes_per_request", 0) if isinstance(bulk, dict) else 0
    return most if isinstance(most, int) else 0


def check_removals(body: bytes) -> int:
    """Return how many of many objects were missing. Raises: StorageError when one stays."""
    told = _json(body)
    if not isinstance(told, dict):
        raise _unreadable()
    errors = told.get("Errors") or []
    status, missing = str(told.get("Response Status", "")), told.get("Number Not Found", 0)
    if errors:
        name, why = (str(word) for word in errors[0])
        raise refusal(_head_of(why), name)
    if not (status.startswith("200") or status.startswith(_NOT_FOUND)) or not isinstance(missing, int):
        raise refusal(_head_of(status), "")
    return missing


def _head_of(status: str) -> Head:
    code, _, phrase = status.partition(" ")
    return Head(int(code) if code.isdigit() else HTTPStatus.BAD_GATEWAY, phrase, "")


def _stat(row: Mapping[str, Any]) -> ObjectStat:
    changed = datetime.fromisoformat(row["last_modified"]).replace(tzinfo=UTC).timestamp()
    return ObjectStat(ObjectKey(str(row["name"])), int(row["bytes"]), changed, str(row.get("hash", "")))


def _json(body: bytes) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return None


def _unreadable() -> StorageError:
    return StorageError(errno.EIO, "", "the server sends a listing that cannot be read")
