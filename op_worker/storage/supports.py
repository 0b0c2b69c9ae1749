"""A storage ready for use, and the storages that support a space."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import frozen

from onedata.ids import SpaceId, StorageId
from op_worker.storage.helper import (
    StorageHelper,
    SupportsDirectories,
    SupportsModes,
    SupportsOpenWithFirst,
    SupportsOwners,
    SupportsRename,
    SupportsScanning,
    SupportsUsers,
    SupportsWholeWrites,
)
from op_worker.storage.records import StorageRecord
from op_worker.storage.stack import Stack
from op_worker.storage.types import PathType


@frozen(eq=False)
class Storage:
    """A storage ready for use: its record, its helper, and the powers that the helper has."""

    record: StorageRecord
    helper: StorageHelper
    renames: SupportsRename | None
    directories: SupportsDirectories | None
    first: SupportsOpenWithFirst | None
    whole: SupportsWholeWrites | None
    scanning: SupportsScanning | None
    owners: SupportsOwners | None
    modes: SupportsModes | None
    inner: StorageHelper
    """The helper alone: nothing is counted, refused or tried again, and paths are those of the storage."""
    stack: Stack
    path_type: PathType = PathType.CANONICAL

    @classmethod
    def of(
        cls,
        record: StorageRecord,
        helper: StorageHelper,
        stack: Stack,
        path_type: PathType = PathType.CANONICAL,
    ) -> Storage:
        """Put the wrappers around a helper, and ask for its powers, once."""
        outer: Any = stack.around(helper)
        return cls(
            record,
            outer,
            renames=outer if isinstance(outer, SupportsRename) else None,
            directories=outer if isinstance(outer, SupportsDirectories) else None,
            first=outer if isinstance(outer, SupportsOpenWithFirst) else None,
            whole=outer if isinstance(outer, SupportsWholeWrites) else None,
            scanning=outer if isinstance(outer, SupportsScanning) else None,
            owners=outer if isinstance(outer, SupportsOwners) else None,
            modes=outer if isinstance(outer, SupportsModes) else None,
            inner=helper,
            stack=stack,
            path_type=path_type,
        )

    @property
    def has_users(self) -> bool:
        """Whether the storage decides by who asks."""
        return isinstance(self.inner, SupportsUsers)

    @property
    def storage_id(self) -> StorageId:
        return self.record.storage_id

    @property
    def keeps_names(self) -> bool:
        """Whether files can lie under the names that users see, and follow them when these change."""
        moves = self.renames is not None and self.directories is not None
        return moves and self.path_type is PathType.CANONICAL


@frozen(eq=False)
class Backing:
    """A storage with the most bytes that it gives to a space."""

    storage: Storage
    size_b: int


@frozen(eq=False)
class Support:
    """The storages that support a space. Names are kept on the first one, if it can do that."""

    space_id: SpaceId
    backings: Sequence[Backing]
    keeps_names: bool = True

    @property
    def storage(self) -> Storage:
        """The first storage."""
        return self.backings[0].storage

    @property
    def storages(self) -> Sequence[Storage]:
        return [backing.storage for backing in self.backings]

    @property
    def size_b(self) -> int:
        """The most bytes that all of them give together."""
        return sum(backing.size_b for backing in self.backings)

    @property
    def sizes_b(self) -> Mapping[str, int]:
        """The most bytes of each, by its id."""
        return {backing.storage.storage_id: backing.size_b for backing in self.backings}

    @property
    def named(self) -> Storage | None:
        """The storage on which files lie under the names that users see; ``None`` when none does that."""
        return self.storage if self.keeps_names and self.storage.keeps_names else None
