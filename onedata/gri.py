"""Graph Resource Identifiers: the names of resources in Graph Sync and in api caveats.

Written ``type.id.aspect:scope``, for example ``space.0d0d0d.instance:protected`` or
``group.3c2b1a.user,9f8e7d:private``; an id that does not exist yet is written ``null``.
"""

from __future__ import annotations

import re
from enum import StrEnum

from attrs import field, frozen

from onedata.errors import BadGRI

_REGULAR = re.compile(
    r"(?P<type>\w+)\.(?P<id>[^\s.:,|*\ud800-\udfff]+)\.(?P<aspect>\w+)(?:,(?P<aspect_id>[^\s.:,|*\ud800-\udfff]+))?(?::(?P<scope>[a-z]+))?",
    re.ASCII,
)
_PATTERN = re.compile(
    r"(?P<type>\w+|\*)\.(?P<id>[^\s.:,|*\ud800-\udfff]+|\*)\.(?P<aspect>\w+|\*)(?:,(?P<aspect_id>[^\s.:,|*\ud800-\udfff]+|\*))?"
    r"(?::(?P<scope>[a-z]+|\*))?",
    re.ASCII,
)
_ANY = "*"
_NO_ID = "null"


class Scope(StrEnum):
    """How much of an aspect is meant, from everything to what anybody may see; AUTO: as much as allowed."""

    PRIVATE = "private"
    PROTECTED = "protected"
    SHARED = "shared"
    PUBLIC = "public"
    AUTO = "auto"


@frozen
class Gri:
    """The name of one resource; ``id`` is None for an entity that is yet to be created or for a list."""

    type: str
    id: str | None
    aspect: str
    aspect_id: str | None = None
    scope: Scope = field(default=Scope.PRIVATE, converter=Scope)

    @property
    def text(self) -> str:
        """The written form, always with the scope."""
        return _written(self.type, self.id, self.aspect, self.aspect_id, self.scope.value)

    @classmethod
    def parse(cls, text: str) -> Gri:
        """Read the written form; the scope is private where it is left out.

        Raises:
            BadGRI: it is not one.
        """
        match = _REGULAR.fullmatch(text)
        if match is None or (match["scope"] or Scope.PRIVATE) not in _SCOPES:
            raise BadGRI()
        entity_id = None if match["id"] == _NO_ID else match["id"]
        return cls(match["type"], entity_id, match["aspect"], match["aspect_id"], match["scope"] or "private")


@frozen
class GriPattern:
    """A GRI in which ``*`` stands for anything; an aspect ``*`` matches whatever its id."""

    type: str
    id: str | None
    aspect: str
    aspect_id: str | None = None
    scope: str = Scope.PRIVATE.value

    @property
    def text(self) -> str:
        """The written form, always with the scope."""
        return _written(self.type, self.id, self.aspect, self.aspect_id, self.scope)

    @classmethod
    def parse(cls, text: str) -> GriPattern:
        """Read the written form.

        Raises:
            BadGRI: it is not one.
        """
        match = _PATTERN.fullmatch(text)
        if match is None or (match["scope"] or Scope.PRIVATE) not in _SCOPES | {_ANY}:
            raise BadGRI()
        entity_id = None if match["id"] == _NO_ID else match["id"]
        return cls(match["type"], entity_id, match["aspect"], match["aspect_id"], match["scope"] or "private")

    def matches(self, gri: Gri) -> bool:
        """Whether the pattern covers this resource."""
        return (
            self.type in (_ANY, gri.type)
            and self.id in (_ANY, gri.id)
            and self._matches_aspect(gri)
            and self.scope in (_ANY, gri.scope)
        )

    def _matches_aspect(self, gri: Gri) -> bool:
        if self.aspect_id is None:
            return self.aspect == _ANY or (self.aspect, None) == (gri.aspect, gri.aspect_id)
        if gri.aspect_id is None:
            return False
        return self.aspect in (_ANY, gri.aspect) and self.aspect_id in (_ANY, gri.aspect_id)


_SCOPES = frozenset(scope.value for scope in Scope)


def _written(entity: str, entity_id: str | None, aspect: str, aspect_id: str | None, scope: str) -> str:
    full_aspect = aspect if aspect_id is None else f"{aspect},{aspect_id}"
    return f"{entity}.{_NO_ID if entity_id is None else entity_id}.{full_aspect}:{scope}"
