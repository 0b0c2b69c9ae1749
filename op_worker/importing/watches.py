"""Which directories are watched, by the numbers of their watches. Pure."""

from __future__ import annotations

from attrs import define, field

Names = tuple[str, ...]


@define(eq=False)
class _Watched:
    """A directory: its number, and the directories in it that are watched."""

    watch: int
    inside: dict[str, _Watched] = field(factory=dict)
    above: _Watched | None = None
    name: str = ""


@define(eq=False)
class Watches:
    """A tree of watched directories. The path of a directory is never kept whole, so moves cost nothing."""

    _by_number: dict[int, _Watched] = field(factory=dict)
    _root: _Watched | None = None

    def __len__(self) -> int:
        return len(self._by_number)

    def add(self, watch: int, above: int | None, name: str) -> None:
        """Know a directory in another one; ``None`` is above the root."""
        if watch in self._by_number:
            self._detach(self._by_number[watch])
        parent = None if above is None else self._by_number.get(above)
        known = self._by_number.get(watch)
        one = _Watched(watch) if known is None else known
        one.above, one.name = parent, name
        self._by_number[watch] = one
        if parent is not None:
            parent.inside[name] = one
        elif above is None and not name:
            self._root = one

    def path(self, watch: int) -> Names | None:
        """Return the names that lead to a watched directory; ``None`` when it is not known."""
        one = self._by_number.get(watch)
        if one is None:
            return None
        names: list[str] = []
        while one.above is not None:
            names.append(one.name)
            one = one.above
        return tuple(reversed(names))

    def inside(self, watch: int, name: str) -> int | None:
        """Return the watch of a directory in another one."""
        one = self._by_number.get(watch)
        found = None if one is None else one.inside.get(name)
        return None if found is None else found.watch

    def find(self, names: Names) -> int | None:
        """Return the watch of the directory that some names lead to."""
        one = self._root
        for name in names:
            one = None if one is None else one.inside.get(name)
        return None if one is None else one.watch

    def forget(self, watch: int) -> list[int]:
        """Forget a directory with all in it; return their watches."""
        top = self._by_number.get(watch)
        if top is None:
            return []
        self._detach(top)
        forgotten, stack = list[int](), [top]
        while stack:
            one = stack.pop()
            stack.extend(one.inside.values())
            self._by_number.pop(one.watch, None)
            forgotten.append(one.watch)
        return forgotten

    @staticmethod
    def _detach(one: _Watched) -> None:
        if one.above is not None and one.above.inside.get(one.name) is one:
            del one.above.inside[one.name]
