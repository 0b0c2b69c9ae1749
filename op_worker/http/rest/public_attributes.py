"""The attributes that are shown through a share. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from onedata.errors import BadValueNotAllowed
from op_worker.http.rest.attributes import ATTRIBUTES, XATTR, Selection, select

PUBLIC = (
    *("fileId", "index", "type", "activePermissionsType", "posixPermissions", "name", "conflictingName"),
    *("parentFileId", "creationTime", "atime", "mtime", "ctime", "size", "directShareIds"),
    *("symlinkValue", "hasCustomMetadata"),
)
_PUBLIC_OLD = tuple(one.old_key for one in ATTRIBUTES if one.key in PUBLIC and one.old_key)


def select_public(given: Mapping[str, Any], defaults: tuple[str, ...]) -> Selection:
    """Return what the parameters ask for, as ``attributes.select``; of the defaults only what is public.

    Raises:
        BadValueNotAllowed: an attribute that is unknown, or not shown to guests.
    """
    wanted = [key for key in given.get("attributes") or () if not key.startswith(XATTR)]
    _require("attributes", wanted, (*PUBLIC, f"{XATTR}*"))
    _require("attribute", given.get("attribute") or (), _PUBLIC_OLD)
    return select(given, tuple(key for key in defaults if key in PUBLIC))


def _require(parameter: str, wanted: Iterable[str], allowed: tuple[str, ...]) -> None:
    if not set(wanted) <= set(allowed):
        raise BadValueNotAllowed(parameter, list(allowed))
