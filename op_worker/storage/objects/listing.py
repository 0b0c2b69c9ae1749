"""Folders seen in keys: what lies in one, each name once. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import define, field, frozen

from op_worker.storage.helper import Scanned, StorageStat
from op_worker.storage.objects.store import ObjectPage, ObjectStat


@frozen
class Modes:
    """The permission bits that are told of every file and of every folder; ``None`` tells nothing."""

    file: int | None = None
    folder: int | None = None

    def of_file(self, found: ObjectStat) -> StorageStat:
        """Return what is known of a file that is one object."""
        return StorageStat(found.size_b, found.mtime_s, mode=self.file, tag=found.tag)

    def of_folder(self) -> StorageStat:
        """Return what is known of a folder."""
        return StorageStat(0, 0.0, is_directory=True, mode=self.folder)


@define
class FolderNames:
    """Turns pages of keys below ``prefix``, folded at ``/``, into names of a folder.

    Names that nobody can ask for (empty, ``.``, ``..``) are left out. Where an object and a folder have the
    same name the object is told: it comes first, but maybe pages earlier, so those that a folder may still
    repeat are kept.
    """

    prefix: str
    modes: Modes
    _repeatable: list[str] = field(factory=list)

    def take(self, page: ObjectPage) -> Sequence[Scanned]:
        """Return the new names of a page; pages come in order."""
        entries = [
            (found.key.encode(), Scanned(found.key, self.modes.of_file(found))) for found in page.objects
        ]
        entries += [(prefix.encode(), Scanned(prefix, self.modes.of_folder())) for prefix in page.prefixes]
        return [told for _, each in sorted(entries, key=lambda pair: pair[0]) if (told := self._told(each))]

    def _told(self, entry: Scanned) -> Scanned | None:
        name = entry.name.removeprefix(self.prefix)
        self._repeatable = [each for each in self._repeatable if name.startswith(each)]
        if entry.stat.is_directory:
            name = name[:-1]
        if name in ("", ".", "..") or name in self._repeatable:
            return None
        if not entry.stat.is_directory:
            self._repeatable.append(name)
        return Scanned(name, entry.stat)
