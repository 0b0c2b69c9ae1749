"""Patterns of relative paths: ``*``, ``?``, ``[a-z]`` inside a name, ``**`` for any directories. Pure.

A path is matched component by component while a tree is walked. What is left to be matched is a set of
places in the pattern, so a directory under which nothing can match is known before it is read, and a
component that begins with plain text narrows the part of a directory that has to be read.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Sequence

from attrs import frozen

from onedata.errors import BadData

MAX_CHARS = 1024
MAX_COMPONENTS = 64
_SPECIAL = re.compile(r"[*?[]")

Places = frozenset[int]
"""How many components of the pattern are used up, in every way in which the path so far can match."""


@frozen
class Span:
    """Which names can go on: those that begin with ``prefix``, or when ``is_exact`` that one alone."""

    prefix: str = ""
    is_exact: bool = False

    def within(self, prefix: str) -> Span | None:
        """Return the part of this span whose names begin with ``prefix``, ``None`` when there is none."""
        if self.prefix.startswith(prefix):
            return self
        return Span(prefix) if prefix.startswith(self.prefix) and not self.is_exact else None

    def admits(self, name: str) -> bool:
        """Whether a name lies in the span."""
        return name == self.prefix if self.is_exact else name.startswith(self.prefix)


@frozen
class _Name:
    """A component other than ``**``."""

    span: Span
    matches: Callable[[str], object]

    @classmethod
    def of(cls, text: str) -> _Name:
        special = _SPECIAL.search(text)
        if special is None:
            return cls(Span(text, is_exact=True), text.__eq__)
        # The expressions that fnmatch makes never go back over a name, so none takes long.
        return cls(Span(text[: special.start()]), re.compile(fnmatch.translate(text)).match)


_ANY_DEPTH = None
_Component = _Name | None


@frozen(eq=False)
class Glob:
    """A pattern; made by ``parse``."""

    _components: Sequence[_Component]

    @classmethod
    def parse(cls, text: str) -> Glob:
        """Return the pattern that ``text`` writes. Raises: BadData with the reason."""
        if len(text) > MAX_CHARS:
            raise _bad(f"it is longer than {MAX_CHARS} characters")
        names = text.split("/")
        if len(names) > MAX_COMPONENTS:
            raise _bad(f"it has more than {MAX_COMPONENTS} components")
        components = [_component(name) for name in names]
        if components[-1] is _ANY_DEPTH:
            components.append(_Name.of("*"))  # what is below a directory is not the directory itself
        return cls(components)

    @property
    def start(self) -> Places:
        """The places before the first component of a path."""
        return self._with_empty_depths({0})

    def after(self, places: Places, name: str) -> Places:
        """Return the places after one more component of the path."""
        found = set()
        for place in places:
            if place == len(self._components):
                continue
            component = self._components[place]
            if component is _ANY_DEPTH:
                found.add(place)
            elif component.matches(name):
                found.add(place + 1)
        return self._with_empty_depths(found)

    def is_match(self, places: Places) -> bool:
        """Whether the path so far matches."""
        return len(self._components) in places

    def span(self, places: Places) -> Span | None:
        """Return which names the path may go on with; ``None`` when no longer path can match."""
        left = [self._components[place] for place in places if place < len(self._components)]
        if not left:
            return None
        spans = [Span() if component is _ANY_DEPTH else component.span for component in left]
        return spans[0] if len(spans) == 1 else Span()

    def _with_empty_depths(self, places: Iterable[int]) -> Places:
        """Add the places reached when ``**`` stands for no directory."""
        found = set(places)
        for place in places:
            while place < len(self._components) and self._components[place] is _ANY_DEPTH:
                place += 1
                found.add(place)
        return frozenset(found)


def _component(text: str) -> _Component:
    if text == "**":
        return _ANY_DEPTH
    if text in ("", ".", ".."):
        raise _bad("a component is empty or made of dots")
    if "**" in text:
        raise _bad("** stands alone between slashes")
    if "\0" in text:
        raise _bad("it has a NUL")
    _check_classes(text)
    return _Name.of(text)


def _check_classes(text: str) -> None:
    """Demand that every ``[`` begins a class that ends, with ranges that hold something."""
    at = text.find("[")
    while at >= 0:
        first = at + 2 if text[at + 1 : at + 2] == "!" else at + 1
        end = text.find("]", first + 1)  # a class holds something, so a first ] is one of its characters
        if end < 0:
            raise _bad("a [ is not closed; [[] stands for the character")
        members = text[first:end]
        dash = members.find("-", 1)
        while 0 < dash < len(members) - 1:
            if members[dash - 1] > members[dash + 1]:
                raise _bad(f"the range {members[dash - 1 : dash + 2]} holds nothing")
            dash = members.find("-", dash + 2)
        at = text.find("[", end)


def _bad(reason: str) -> BadData:
    return BadData("glob", f"Not a pattern of paths: {reason}.")


EVERYTHING = Glob.parse("**")
"""Matches every path."""
