"""What the storage has to do when a content that came whole becomes that of a file."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import field, frozen

from cluster_worker.persistence.engine import Step
from onedata.ids import StorageId
from op_worker.files.committing.journal import Journal
from op_worker.files.stored.documents import LOCATION
from op_worker.files.stored.intents import FileWork, IntentKind
from op_worker.files.stored.landings import Landing
from op_worker.files.stored.nodes import Chain
from op_worker.storage.helper import StoragePath
from op_worker.storage.registry import Storages


@frozen(eq=False)
class Becoming:
    """The storage's share of one commit.

    Attributes:
        steps: belong to the commit.
        placing: moves the bytes to the file's path, on storages where they do not lie there already.
        removals: of the bytes that the file had before.
        paths: are held from before the commit until all is done.
    """

    steps: Sequence[Step]
    placing: FileWork | None
    removals: Sequence[FileWork] = ()
    paths: Sequence[StoragePath] = field(kw_only=True)


def becoming(
    journal: Journal, storages: Storages, landing: Landing, after: Chain, replaced: Chain | None = None
) -> Becoming:
    """Return what is to be done for a content at ``landing`` to become that of ``after``.

    ``replaced`` is the file as it was before, if it was there.
    """
    placing = _placing(journal, storages, landing, after)
    removals = [] if replaced is None else _removals(journal, storages, after, replaced)
    works = [*([] if placing is None else [placing]), *removals]
    return Becoming(
        [*landing.become_a_file(), *(step for work in works for step in work.intent.put())],
        placing,
        removals,
        paths=[path for work in works for path in work.intent.paths] or [after.storage_path],
    )


def _placing(journal: Journal, storages: Storages, landing: Landing, after: Chain) -> FileWork | None:
    storage = storages.get(landing.storage_id)
    if landing.stays or storage is None:
        return None
    file = after.file
    intent = journal.new(IntentKind.PLACE, storage, file.key, after.storage_path, landing.path)
    return FileWork(intent, file.location, file.revision(LOCATION))


def _removals(journal: Journal, storages: Storages, after: Chain, replaced: Chain) -> list[FileWork]:
    """Return the removals of bytes that the new content does not take the place of."""
    old, new = replaced.file.location, after.file.location
    if old is None or new is None:
        return []
    places = [(old.storage_id, replaced.storage_path), *(part.place for part in old.parts)]
    works = []
    for storage_id, path in places:
        storage = storages.get(StorageId(storage_id))
        if storage is not None and (storage_id, path) != (new.storage_id, after.storage_path):
            intent = journal.new(IntentKind.REMOVE, storage, replaced.file.key, StoragePath(path))
            works.append(FileWork(intent))
    return works
