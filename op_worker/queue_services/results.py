"""Results specifications: what a queue tells of each object that matches. Pure.

Clause 19 of CDMI 1.1.1: an object that names the members wanted; the values do not matter.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.errors import BadData
from op_worker.files.model import Json

KEY = "cdmi_results_specification"
MAX_DEPTH = 8
MAX_NAMES = 256


@frozen
class Selection:
    """What is wanted of a value: all of it (``names`` is ``None``), or these of its members."""

    names: Mapping[str, Selection] | None = None

    @property
    def is_everything(self) -> bool:
        return self.names is None

    def wants(self, name: str) -> bool:
        """Whether any of a member is wanted."""
        return self.names is None or name in self.names

    def of(self, members: Mapping[str, Json]) -> dict[str, Json]:
        """Return the wanted members that there are, in their order."""
        if self.names is None:
            return dict(members)
        return {name: self.names[name].part(value) for name, value in members.items() if name in self.names}

    def part(self, value: Json) -> Json:
        """Return what is wanted of any value; of an array the same is wanted of each element."""
        if self.names is None:
            return value
        if isinstance(value, Mapping):
            return self.of(value)
        return [self.part(one) for one in value] if isinstance(value, list | tuple) else value


EVERYTHING = Selection()


def parse_results(given: Json) -> Selection:
    """Return what a metadata item asks for. Raises: BadData (``cdmi_results_specification``)."""
    if given == "":
        return EVERYTHING
    if not isinstance(given, Mapping):
        raise BadData(KEY, 'an object that names the fields wanted, or ""')
    return _parsed(given, 1, [MAX_NAMES])


def _parsed(given: Mapping[str, Json], depth: int, left: list[int]) -> Selection:
    if depth > MAX_DEPTH:
        raise BadData(KEY, f"nested deeper than {MAX_DEPTH}")
    left[0] -= len(given)
    if left[0] < 0:
        raise BadData(KEY, f"at most {MAX_NAMES} names")
    return Selection(
        {
            name: _parsed(value, depth + 1, left) if isinstance(value, Mapping) and value else EVERYTHING
            for name, value in given.items()
        }
    )
