"""How a storage helper enters the conformance suite: with its real server, and what it can do."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from attrs import field, frozen

from op_worker.storage.helper import StorageHelper, StoragePath

ReadBack = Callable[[Any, str, StoragePath], bytes]
"""Given the server, the name of the place and a path, reads a whole file by a client that is not ours."""


@frozen(kw_only=True)
class Enrolled:
    """A helper against its real server.

    Attributes:
        server: starts the server below a folder, once for all tests, and ends it.
        make: makes a helper in an empty place of the server that has this name.
        powers: the optional protocols of ``op_worker.storage.helper`` that it has, exactly.
        lacks: words of the suite that it cannot do, each with the reason. See ``test_helpers``.
        reads_back: reads by the storage's own client; ``None`` where the storage has none.
    """

    name: str
    server: Callable[[Path], AbstractContextManager[Any]]
    make: Callable[[Any, str], StorageHelper]
    powers: frozenset[type]
    lacks: dict[str, str] = field(factory=dict)
    reads_back: ReadBack | None = None
