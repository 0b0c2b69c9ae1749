"""Commits of what a look at a storage came to, and what is learnt when one is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from cluster_worker.persistence.engine import Check, Key, PreconditionFailed, Put, Step
from op_worker.files.charging.rooms import Rooms
from op_worker.files.context import FilesContext
from op_worker.files.stored.charges import take_in
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.quotas import QUOTAS
from op_worker.importing.places import Place
from op_worker.importing.steps import Steps
from op_worker.storage.helper import StoragePath

COMMITTED_AT_ONCE = 250
"""The most names of one commit; more of them would let users wait."""

Commit = Callable[[Sequence[Step], Sequence[Key]], Awaitable[None]]
"""Commits to the scope of the space, telling of some keys. Raises: as ``Engine.commit``."""


async def committed(
    context: FilesContext, place: Place, guard: Sequence[Step], changes: Sequence[Steps], commit: Commit
) -> bool:
    """Commit changes of entries of a directory; ``False`` when others changed what they were decided on."""
    if not changes:
        return True
    steps = [*guard, *await _room(context.rooms, place, changes)]
    for change in changes:
        steps.extend(change.steps)
    announce = [change.key for change in changes if not change.is_quiet]
    if announce:
        announce.append(place.key)
    try:
        await commit(steps, announce)
    except PreconditionFailed as refusal:
        await _learn_from(context, place, refusal.step)
        return False
    return True


async def _room(rooms: Rooms, place: Place, changes: Sequence[Steps]) -> list[Step]:
    locations = [change.location for change in changes if change.location is not None]
    return take_in(locations, await rooms.of(place.visit)) if locations else []


async def _learn_from(context: FilesContext, place: Place, step: Step) -> None:
    """Do what lets the next try succeed: read quotas anew, let a pending operation be finished."""
    if not isinstance(step, Put | Check):
        return
    if step.key == QUOTAS:
        context.rooms.quotas.forget(place.visit.space_id)
    elif step.key == INTENTS:
        await context.journal.pass_by(place.visit.space_id, StoragePath(step.field))
