"""What the data caveats of a token leave reachable. Pure.

Paths are canonical: ``/<space id>/dir/file``, no slash at the end; ``/`` is the user's root directory.
Object ids in caveats stand for the canonical paths that ``id_paths`` gives for them; an id without a path
(the file is gone) allows nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import Enum

from onedata.tokens.verify import DataLimits


class Reach(Enum):
    """How far a limited token gets at a file."""

    ALLOWED = "allowed"
    """The file may be used."""

    ANCESTOR = "ancestor"
    """A directory on the way to what may be used: may be passed, seen, and listed with filtering."""

    DENIED = "denied"
    """Neither."""


def reach(limits: DataLimits, path: str, id_paths: Mapping[str, str] | None = None) -> Reach:
    """Return how far a token with ``limits`` gets at ``path``; every caveat has to agree."""
    result = Reach.ALLOWED
    for roots in _root_sets(limits, id_paths or {}):
        found = _reach_of(path, roots)
        if found is Reach.DENIED:
            return found
        if found is Reach.ANCESTOR:
            result = found
    return result


def visible_names(
    limits: DataLimits, path: str, id_paths: Mapping[str, str] | None = None
) -> frozenset[str] | None:
    """Return the names that a listing of directory ``path`` may show; ``None`` means all of them.

    Names come from the caveats, so some may not exist.
    """
    visible: frozenset[str] | None = None
    for roots in _root_sets(limits, id_paths or {}):
        if _reach_of(path, roots) is Reach.ALLOWED:
            continue
        names = frozenset(_names_below(path, roots))
        visible = names if visible is None else visible & names
    return visible


def named_object_ids(limits: DataLimits) -> frozenset[str]:
    """Return the object ids whose canonical paths ``reach`` and ``visible_names`` need."""
    return frozenset().union(*limits.object_ids)


def _root_sets(limits: DataLimits, id_paths: Mapping[str, str]) -> Iterable[frozenset[str]]:
    yield from limits.paths
    for object_ids in limits.object_ids:
        yield frozenset(id_paths[object_id] for object_id in object_ids if object_id in id_paths)


def _reach_of(path: str, roots: Iterable[str]) -> Reach:
    below = _prefix(path)
    result = Reach.DENIED
    for root in roots:
        if path == root or path.startswith(_prefix(root)):
            return Reach.ALLOWED
        if root.startswith(below):
            result = Reach.ANCESTOR
    return result


def _names_below(path: str, roots: Iterable[str]) -> Iterable[str]:
    below = _prefix(path)
    for root in roots:
        if root.startswith(below):
            yield root[len(below) :].split("/", 1)[0]


def _prefix(path: str) -> str:
    return path if path == "/" else path + "/"
