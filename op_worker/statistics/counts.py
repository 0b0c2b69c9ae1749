"""What is counted of files, as values that can be added. Pure.

Counts are whole numbers at fixed places: files and links, directories, bytes of virtual size, bytes of
logical size, then the bytes held on each storage of the space, in the order the space came to know them.
Missing places at the end are zeros.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import zip_longest

Counts = tuple[int, ...]
NOTHING: Counts = ()
FILES, DIRECTORIES, VIRTUAL, LOGICAL, PHYSICAL = range(5)
"""Places. From ``PHYSICAL`` on there is one for each storage."""


def add(left: Counts, right: Counts) -> Counts:
    """Return the sum."""
    return tuple([a + b for a, b in zip_longest(left, right, fillvalue=0)])


def negative(counts: Counts) -> Counts:
    """Return what takes ``counts`` away when it is added."""
    return tuple([-count for count in counts])


def is_nothing(counts: Counts) -> bool:
    """Whether every count is zero."""
    return not any(counts)


def at(counts: Counts, place: int) -> int:
    """Return one of the counts."""
    return counts[place] if place < len(counts) else 0


def of_file(logical_b: int, virtual_b: int, held_b: int, storage: int) -> Counts:
    """Return what one name of a file counts; ``storage`` is the place of its storage among others."""
    if not held_b:
        return (1, 0, virtual_b, logical_b)
    return (1, 0, virtual_b, logical_b, *(0,) * storage, held_b)


def on_several(logical_b: int, virtual_b: int, held: Mapping[int, int]) -> Counts:
    """Return what one name of a file counts that has so many bytes on each storage."""
    last = max((storage for storage, held_b in held.items() if held_b), default=-1)
    return (1, 0, virtual_b, logical_b, *(held.get(storage, 0) for storage in range(last + 1)))


OF_DIRECTORY: Counts = (0, 1)
"""What a directory itself counts."""
_ERRORS = ("file_error_count", "dir_error_count")
_PLACES = {
    "reg_file_and_link_count": FILES,
    "dir_count": DIRECTORIES,
    "virtual_size": VIRTUAL,
    "logical_size": LOGICAL,
}


def series_of(storages: Sequence[str]) -> tuple[str, ...]:
    """Return the names of the series of a directory in a space with these storages."""
    return (*_PLACES, *_ERRORS, *(f"physical_size_{storage_id}" for storage_id in storages))


def value_of(counts: Counts, series: str, storages: Sequence[str]) -> int:
    """Return the value of a series; errors are never counted, because nothing is left out."""
    if series in _ERRORS:
        return 0
    if series in _PLACES:
        return at(counts, _PLACES[series])
    return at(counts, PHYSICAL + storages.index(series.removeprefix("physical_size_")))
