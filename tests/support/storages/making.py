"""Helpers made as a storage's record makes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet import reactor

from cluster_worker.runtime.pool import Inline
from op_worker.storage.parameters import checked
from op_worker.storage.types import Durability, HelperSurroundings, StorageType


def made_helper(type_: StorageType, arguments: Mapping[str, str], credentials: Mapping[str, str]) -> Any:
    """Return the helper of a storage with these parameters, on the real reactor."""
    surroundings = HelperSurroundings(Inline(), Durability.PROCESS, reactor)
    return type_.make(checked(type_, arguments, credentials), surroundings)
