"""A type of storage in memory that asks for credentials, so that each user sees what his key opens."""

from __future__ import annotations

from op_worker.storage.helpers.memory import MemoryHelper
from op_worker.storage.types import HelperSurroundings, Parameter, Parameters, StorageType


class KeyedHelper(MemoryHelper):
    """Remembers whose it is."""

    def __init__(self, user: str) -> None:
        super().__init__()
        self.user = user


def _made(parameters: Parameters, _: HelperSurroundings) -> KeyedHelper:
    return KeyedHelper(parameters.text("user"))


KEYED = StorageType(
    name="keyed",
    credentials=[
        Parameter(name="user"),
        Parameter(name="key", is_secret=True),
        Parameter(name="retries", is_optional=True),
    ],
    make=_made,
)
