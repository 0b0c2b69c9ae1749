"""Where bytes of a content go before the commit that makes them a file's, and the register of these places.

A storage that keeps names gets bytes in its staging folder, which can be listed. On every other storage they
go to the path that they have for good, and nothing could be found by listing: so the place is entered here
first, under the life that writes there, and struck off by the commit that needs it. What stands here belongs
to no file. Pure.
"""

from __future__ import annotations

from attrs import frozen

from cluster_worker.persistence.engine import ABSENT, Check, Delete, Document, Key, Put, Step
from onedata.ids import SpaceId, StorageId
from op_worker.files.model import Json
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.lives import life_of, require_life_of
from op_worker.files.stored.nodes import Chain
from op_worker.files.stored.packing import SCHEMA, pack, unpack
from op_worker.files.stored.parts import Place
from op_worker.files.stored.paths import GROWING, flat_path, staging_path, storage_path
from op_worker.storage.helper import StoragePath

LANDINGS = Key("landings")
"""The document of a space whose fields are the places that bytes are being written to."""
_LONGEST_B = 900
"""Longer paths by names than this some storages do not take, with what may have to be put behind them."""


@frozen
class Wanted:
    """A content that is about to be written.

    Attributes:
        key: of its file.
        is_new: whether the file is yet to be made.
        names: which lead to it below the root of the space; ``None`` when it has none yet.
        required: the expression that comes with it, about the storages that may take it.
        marked: the file and those directories above it that have metadata, which may say so too; the nearest
            first.
    """

    key: Key
    is_new: bool = True
    names: tuple[str, ...] | None = None
    required: Json = None
    marked: tuple[Key, ...] = ()

    @classmethod
    def of_new(cls, key: Key, directory: Chain, name: str | None, required: Json = None) -> Wanted:
        """Return what is told of a file that is made in a directory; without ``name`` it has none yet."""
        names = None if name is None else (*directory.names, name)
        return cls(key, names=names, required=required, marked=_marked(directory))

    @classmethod
    def of_existing(cls, chain: Chain, required: Json = None) -> Wanted:
        """Return what is told of a file whose content is replaced."""
        return cls(chain.file.key, is_new=False, names=chain.names, required=required, marked=_marked(chain))

    def flat_path(self, space_id: SpaceId, generation: bytes) -> StoragePath:
        """Return the path that no name is a part of."""
        return flat_path(space_id, self.key, "" if self.is_new else generation.hex())

    def paths_as_made(self, space_id: SpaceId, generation: bytes) -> list[StoragePath]:
        """Return the paths to try on a storage with names that never moves a file, the best one first."""
        flat = self.flat_path(space_id, generation)
        if self.names is None:
            return [flat]
        named = storage_path(space_id, self.names)
        if not self.is_new:
            named = StoragePath(f"{named}.{generation.hex()}")
        if len(named.encode()) > _LONGEST_B:
            return [flat]
        return [named, StoragePath(f"{named}~{self.key}"), flat]


def _marked(chain: Chain) -> tuple[Key, ...]:
    return tuple(node.key for node in reversed(chain.nodes) if node.meta.has_metadata)


@frozen
class Landing:
    """A place for the bytes of one content.

    Attributes:
        name: of the staging file, or of this writing; it tells the life that writes.
        key: which a new file that is made of it gets.
        generation: the name of the content.
        stays: whether the bytes stay at ``path`` for good; else a rename moves them from there.
        is_entered: whether the place stands in the register.
    """

    storage_id: StorageId
    name: str
    path: StoragePath
    key: Key
    generation: bytes
    stays: bool = False
    is_entered: bool = False

    @property
    def place(self) -> Place:
        """The place as locations name it."""
        return self.storage_id, self.path

    @property
    def field(self) -> str:
        """The field of the register that it is entered under."""
        return f"{self.storage_id}/{self.path}"

    def enter(self) -> list[Step]:
        """Return the steps that enter the place; it must not be taken, nor wait for being cleared."""
        return [
            Check(INTENTS, self.path, ABSENT),
            Put(LANDINGS, self.field, pack([SCHEMA, self.name]), expect=ABSENT),
        ]

    def become_a_file(self) -> list[Step]:
        """Return the steps that belong to the commit of a file that has its bytes here from now on.

        They demand that nobody swept the bytes.
        """
        if not self.is_entered:
            return []
        return [*require_life_of(self.name), Delete(LANDINGS, self.field, expect=ABSENT + 1)]

    def strike_off(self) -> list[Step]:
        """Return the steps that strike the place off, whose bytes are gone."""
        return [Delete(LANDINGS, self.field)] if self.is_entered else []


def growing(
    space_id: SpaceId, storage_id: StorageId, name: str, generation: bytes, *, stays: bool
) -> Landing:
    """Return the place of a content that grows over many requests; who keeps its record finds it by that."""
    path = flat_path(space_id, name) if stays else staging_path(space_id, GROWING + name)
    return Landing(storage_id, GROWING + name, path, Key(name), generation, stays)


def life_that_writes(document: Document) -> str:
    """Return the life that a place in the register was entered by."""
    _, name, *_ = unpack(document.data, "landing")
    return life_of(name)


def place_of(field: str) -> tuple[StorageId, StoragePath]:
    """Return the storage and the path of a field of the register."""
    storage_id, _, path = field.partition("/")
    return StorageId(storage_id), StoragePath(path)
