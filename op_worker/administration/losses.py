"""What would be out of reach without a support, or without a storage of one."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from cluster_worker.persistence.engine import Engine, Key, Scope
from onedata.ids import SpaceId, StorageId, space_root_uuid
from op_worker.files.model import FileType
from op_worker.files.stored.charges import used_counter
from op_worker.files.stored.documents import EntryValue

MOST_COUNTED = 100_000
"""Looking goes on for so many names; a space with more has "more than that"."""
_PAGE = 1000


@frozen
class Losses:
    """Bytes, and files as far as they were counted."""

    size_b: int
    files: int
    is_exact: bool

    @property
    def is_nothing(self) -> bool:
        """Whether nothing would be lost."""
        return self.size_b == 0 and self.files == 0

    def to_json(self) -> dict[str, object]:
        return {"bytes": self.size_b, "files": self.files, "isExact": self.is_exact}


async def used_b(engine: Engine, space_id: SpaceId) -> Mapping[str, int]:
    """Return the bytes that a space takes, by storage. Raises: PersistenceUnavailable."""
    prefix = used_counter("")
    counters = await engine.counters(Scope(space_id))
    return {name.removeprefix(prefix): size for name, size in counters.items() if name.startswith(prefix)}


async def losses_of(engine: Engine, space_id: SpaceId, storage_id: StorageId | None = None) -> Losses:
    """Return what is in a space, or the bytes that it has on one storage.

    Raises: PersistenceUnavailable.
    """
    used = await used_b(engine, space_id)
    if storage_id is not None:
        return Losses(used.get(storage_id, 0), 0, is_exact=True)
    files, is_exact = await _count(engine, space_id)
    return Losses(sum(used.values()), files, is_exact)


async def _count(engine: Engine, space_id: SpaceId) -> tuple[int, bool]:
    """Count the files below the root, directory by directory, in bounded memory and time."""
    scope, waiting, seen, files = Scope(space_id), [Key(space_root_uuid(space_id))], 0, 0
    while waiting:
        directory = waiting.pop()
        after: bytes | None = None
        while True:
            page = await engine.page(scope, directory, after, _PAGE, ())
            for found in page:
                value = EntryValue.decode(found.entry.value)
                if value.type is FileType.DIR:
                    waiting.append(Key(value.uuid))
                else:
                    files += 1
            seen += len(page)
            if seen > MOST_COUNTED:
                return files, False
            if len(page) < _PAGE:
                break
            after = page[-1].entry.name
    return files, True
