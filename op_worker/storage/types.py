"""What a type of storage is: its parameters, how its helper is made, what its paths look like."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from enum import Enum

from attrs import field, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.randomness import RandomBytes
from onedata.errors import OnedataError
from op_worker.storage.helper import StorageHelper


class Durability(Enum):
    """What an acknowledged change survives."""

    PROCESS = "process"
    """The death of any process."""
    POWER = "power"
    """Also the loss of power: files and renames are flushed to the disk."""


class PathType(Enum):
    """What the paths of files on a storage follow."""

    CANONICAL = "canonical"
    """The names that users see; they change when these do."""
    FLAT = "flat"
    """The id of the file; they never change."""


class Kind(Enum):
    """What the text of a parameter has to be."""

    TEXT = "text"
    INTEGER = "integer"
    """Zero or more; ``minimum`` says otherwise."""
    NUMBER = "number"
    BOOLEAN = "boolean"
    OCTAL = "octal"


@frozen(kw_only=True)
class Parameter:
    """A parameter of a type of storage. Values are texts, in stored records as on the way in.

    ``default`` is ``None`` where the parameter is required, unless ``is_optional``. ``choices`` are the only
    values allowed, when there are any. ``minimum`` is of integers. With ``unless`` it is required unless the
    parameter named there has the value given there: ``("credentialsType", "none")``.
    """

    name: str
    kind: Kind = Kind.TEXT
    default: str | None = None
    is_optional: bool = False
    choices: Sequence[str] = ()
    minimum: int = 0
    unless: tuple[str, str] | None = None
    is_secret: bool = False
    is_fixed: bool = False
    """Whether it stays as it was when the storage was made."""


@frozen(kw_only=True)
class Parameters:
    """The values of a storage's parameters, checked, with defaults put in.

    ``credentials`` are those given when the storage was made; they act where no user's are known.
    """

    arguments: Mapping[str, str] = field(factory=dict)
    credentials: Mapping[str, str] = field(factory=dict, repr=False)

    def text(self, name: str) -> str:
        """Return an argument or a credential. Raises KeyError when there is none of that name."""
        return self.arguments[name] if name in self.arguments else self.credentials[name]

    def has(self, name: str) -> bool:
        """Whether there is an argument or a credential of that name."""
        return name in self.arguments or name in self.credentials

    def integer(self, name: str) -> int:
        return int(self.text(name))

    def number(self, name: str) -> float:
        return float(self.text(name))

    def boolean(self, name: str) -> bool:
        return self.text(name) == "true"


@frozen
class HelperSurroundings:
    """What helpers are made with besides their parameters.

    ``blocking`` runs calls that may wait for a disk; a helper with slow calls brings a pool of its own.
    ``reactor`` is the whole reactor, of which helpers of this machine need the clock alone.
    """

    blocking: Blocking
    durability: Durability
    reactor: IReactorTime
    random_bytes: RandomBytes = os.urandom


@frozen(kw_only=True)
class StorageType:
    """A type of storage that can be added.

    Attributes:
        make: makes the helper; raises BadStorageError with a sentence that tells what to change, also when a
            library is missing.
        extra: the extra of this package that installs what the helper needs; empty when there is none.
        path_types: those that it can have, its usual one first.
        is_object_storage: whether files are kept as objects, without directories or renames.
        is_writable: whether anything can be written at all.
        is_posix: whether users act under their own uid and gid.
        is_scannable: whether files that are there are found by looking through it; of object storages only
            those with one object for each file.
        is_buffered: whether joining small writes and reading ahead may help.
        is_probed: whether a file that one node writes is there for the others, so that checks try it.
    """

    name: str
    arguments: Sequence[Parameter] = ()
    credentials: Sequence[Parameter] = ()
    make: Callable[[Parameters, HelperSurroundings], StorageHelper]
    path_types: Sequence[PathType] = (PathType.CANONICAL, PathType.FLAT)
    extra: str = ""
    is_object_storage: bool = False
    is_writable: bool = True
    is_posix: bool = False
    is_scannable: bool = True
    is_buffered: bool = True
    is_probed: bool = True


class BadStorageError(Exception):
    """A storage cannot be made from its record; the text says what to change.

    ``error`` is the same for a door, where it is told more exactly than by the text.
    """

    def __init__(self, text: str, error: OnedataError | None = None) -> None:
        super().__init__(text)
        self.error = error
