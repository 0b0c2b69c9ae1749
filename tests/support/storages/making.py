"""Helpers made from their type, as a storage of a provider is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twisted.internet import reactor as real_reactor

from cluster_worker.runtime.pool import Inline
from op_worker.storage.helper import StorageHelper
from op_worker.storage.parameters import checked
from op_worker.storage.types import Durability, HelperSurroundings, StorageType


def made(
    type_: StorageType,
    reactor: Any = real_reactor,
    durability: Durability = Durability.PROCESS,
    credentials: Mapping[str, str] | None = None,
    **arguments: str,
) -> StorageHelper:
    """Make a helper with these parameters; all others have their defaults."""
    parameters = checked(type_, arguments, credentials or {})
    return type_.make(parameters, HelperSurroundings(Inline(), durability, reactor))


def made_helper(type_: StorageType, arguments: Mapping[str, str], credentials: Mapping[str, str]) -> Any:
    """Make a helper with these parameters, on the real reactor."""
    surroundings = HelperSurroundings(Inline(), Durability.PROCESS, real_reactor)
    return type_.make(checked(type_, arguments, credentials), surroundings)
