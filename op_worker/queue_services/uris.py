"""URIs in scopes: a path and the URI by the ID of an object on it mean the same. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote

from attrs import evolve

from op_worker.queue_services.expressions import FROM_THE_START, Expression

URI_MEMBERS = frozenset({"parentURI", "domainURI", "capabilitiesURI"})
_HOST = re.compile(r"https?://[^/]*", re.IGNORECASE)
_BY_ID = re.compile(r"/cdmi_objectid/([0-9A-Fa-f]+)")
_MOUNT = "/cdmi/"


def with_plain_uri(expression: Expression) -> Expression:
    """Return an expression about a URI with its constant written the way that ``forms_of`` writes URIs.

    A URL's host and the mount point ``/cdmi`` are left out, an object ID is in upper case.
    """
    if expression.operator not in FROM_THE_START:
        return expression
    return evolve(expression, subject=plain(expression.constant))


def is_reference(link: str) -> bool:
    """Whether CDMI shows a symbolic link with this text, as a reference."""
    return link.startswith(("http://", "https://"))


def plain(uri: str) -> str:
    """Return a URI from the CDMI root on, with a leading slash, object IDs in upper case."""
    text = _HOST.sub("", uri, count=1)
    if text.startswith(_MOUNT):
        text = text.removeprefix(_MOUNT[:-1])
    if text and not text.startswith("/"):
        text = "/" + text
    return _BY_ID.sub(lambda found: f"/cdmi_objectid/{found[1].upper()}", text, count=1)


def forms_of(uri: str, object_ids: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the ways to write a URI besides ``uri`` itself, as ``plain`` writes them.

    Args:
        uri: a percent-encoded path from the CDMI root on; of a container or a capability.
        object_ids: of the objects on the path, the first for the first name; empty text where there is none.
    """
    path = plain(uri)
    names = [name for name in path.split("/") if name]
    found = [path, unquote(path)]
    for at, object_id in enumerate(object_ids[: len(names)]):
        if object_id:
            below = "".join(f"{name}/" for name in names[at + 1 :])
            by_id = f"/cdmi_objectid/{object_id}/{below}"
            found += [by_id, unquote(by_id)]
    return tuple(dict.fromkeys(found))
