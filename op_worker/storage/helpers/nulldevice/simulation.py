"""A tree of files that nobody made: what it has where follows from a few numbers. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from attrs import frozen

from op_worker.storage.types import BadStorageError

DEFAULT_SIZE_B = 1024
_MOST_IN_A_DIRECTORY = 10**9


@frozen
class Node:
    """A file or directory of a generated tree. ``number`` counts them level by level; the root is 0."""

    number: int
    is_directory: bool
    size_b: int = 0


@frozen
class Level:
    """How many directories and files there are in each directory of a level."""

    directories: int
    files: int

    @property
    def names(self) -> int:
        return self.directories + self.files


_LEAF = Level(0, 0)


@frozen
class GeneratedTree:
    """Directories level by level. Names are numbers: those of directories come before those of files."""

    levels: Sequence[Level]
    size_b: int

    @classmethod
    def parse(cls, text: str) -> GeneratedTree:
        """Read ``<directories>-<files>:…[:<size>]``, a pair for each level. Raises: BadStorageError."""
        words = text.split(":")
        size = words.pop() if "-" not in words[-1] else str(DEFAULT_SIZE_B)
        pairs = [word.split("-") for word in words]
        numbers = [size, *(number for pair in pairs for number in pair)]
        is_sound = all(number.isascii() and number.isdigit() for number in numbers)
        if not pairs or not is_sound or any(len(pair) != 2 for pair in pairs):
            raise BadStorageError(f"simulatedFilesystemParameters {text!r} must look like 10-100:0-1000:1024")
        levels = [Level(int(directories), int(files)) for directories, files in pairs]
        if any(level.names > _MOST_IN_A_DIRECTORY for level in levels):
            raise BadStorageError("simulatedFilesystemParameters has too many files in a directory")
        return cls(levels, int(size))

    def node(self, path: str) -> Node | None:
        """Return what is at a path, ``""`` being the root; ``None`` when there is nothing."""
        names = path.split("/") if path else []
        first, directories, number, place = 0, 1, 0, 0
        for depth, name in enumerate(names):
            level = self._level(depth)
            index = _index(name, level.names)
            if index is None:
                return None
            first += directories if depth == 0 else 0
            number = first + place * level.names + index
            if index >= level.directories:
                return Node(number, False, self.size_b) if depth == len(names) - 1 else None
            first += directories * level.names
            place, directories = place * level.directories + index, directories * level.directories
        return Node(number, True)

    def names(self, path: str) -> Iterator[str]:
        """Return the names in the directory at a path."""
        return map(str, range(self._level(len(path.split("/")) if path else 0).names))

    def _level(self, depth: int) -> Level:
        return self.levels[depth] if depth < len(self.levels) else _LEAF


def _index(name: str, most: int) -> int | None:
    is_plain = name.isascii() and name.isdigit() and (name == "0" or not name.startswith("0"))
    return int(name) if is_plain and int(name) < most else None
