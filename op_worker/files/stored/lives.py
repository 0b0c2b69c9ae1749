"""The lives of nodes that stage contents in a space, as they are stored. Pure.

A life enters a space before it stages anything there. Whoever removes what an ended life staged strikes it
off first, and no commit that refers to a staging file succeeds unless the life that wrote it stands here. So
no file is made of bytes that were swept, also when the life had only slept.
"""

from __future__ import annotations

from cluster_worker.persistence.engine import ABSENT, Check, Key, Put, Step
from op_worker.files.stored.paths import GROWING

LIVES = Key("lives")
"""The document of a space whose fields are lives."""


def staging_name(life: str, random: bytes) -> str:
    """Return the name of a staging file that only this life writes."""
    return f"{life}-{random.hex()}"


def life_of(name: str) -> str:
    """Return the life that a staging file is of."""
    return name.rpartition("-")[0]


def is_of_a_life(name: str) -> bool:
    """Whether a staging file goes with the life that writes it; those of uploads are anybody's."""
    return not name.startswith(GROWING)


def enter(life: str) -> Put:
    """Return the step that enters a life."""
    return Put(LIVES, life, b"", expect=ABSENT)


def require_life_of(name: str) -> list[Step]:
    """Return the steps that demand that the life that wrote a staging file was not struck off."""
    return [Check(LIVES, life_of(name), ABSENT + 1)] if is_of_a_life(name) else []
