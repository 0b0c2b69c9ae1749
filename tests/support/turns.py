"""Turns at reading a feed, for tests that read it by hand: each new one ends the one before."""

from __future__ import annotations

from itertools import count

from cluster_worker.feeds.position import SharedPosition
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.tenure.tenure import Fence, Tenure

_TOKENS = count(1)


async def new_fence(engine: Engine, scope: Scope, name: str) -> Fence:
    """Return the fence of a new tenure."""
    return await Tenure(name, "test", next(_TOKENS), engine).fence(scope)


async def take_turn(engine: Engine, position: SharedPosition, scope: Scope) -> None:
    """Let it be this reader's turn; whoever had it before learns so when he commits."""
    position.take(scope, await new_fence(engine, scope, f"reader:{position.reader}"))
