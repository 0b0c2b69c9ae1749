"""What the administrators of a space chose for it: kept in the space, known at every node within 50 ms."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Any

from attrs import asdict, define, evolve, field, fields_dict, frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.persistence.engine import ABSENT, Batch, Engine, Key, Put, Scope
from onedata.ids import SpaceId

SETTINGS = Key("settings")
_FIELD = "s"
FRESH_S = 0.05


class AccessTimes(StrEnum):
    """When reading a file changes its access time."""

    NEVER = "never"
    RELATIVE = "relative"
    """When it is not after the last change, or older than a day (as ``relatime`` of Linux)."""


@frozen(kw_only=True)
class SpaceSettings:
    """Choices for one space. ``recycle_days`` is how long removed files can be restored; 0 is not at all."""

    access_times: AccessTimes = AccessTimes.NEVER
    recycle_days: float = 0.0
    statistics: bool = False
    search: bool = False

    def encode(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def decode(cls, data: bytes) -> SpaceSettings:
        known = fields_dict(cls)
        stored: dict[str, Any] = {name: value for name, value in json.loads(data).items() if name in known}
        return cls(**{**stored, "access_times": AccessTimes(stored.get("access_times", "never"))})


@define(eq=False)
class Settings:
    """The settings of every space, each remembered for ``FRESH_S``."""

    _engine: Engine
    _clock: IReactorTime
    _known: dict[SpaceId, tuple[float, SpaceSettings]] = field(factory=dict)

    async def of(self, space_id: SpaceId) -> SpaceSettings:
        """Return the settings of a space, at most ``FRESH_S`` old. Raises: PersistenceUnavailable."""
        known = self._known.get(space_id)
        if known is not None and self._clock.seconds() - known[0] < FRESH_S:
            return known[1]
        found = (await self._engine.get(Scope(space_id), SETTINGS, [_FIELD])).get(_FIELD)
        return self._learn(space_id, SpaceSettings() if found is None else SpaceSettings.decode(found.data))

    async def change(self, space_id: SpaceId, **changes: Any) -> SpaceSettings:
        """Set those settings that are named. Raises: PreconditionFailed when others do so at once."""
        found = (await self._engine.get(Scope(space_id), SETTINGS, [_FIELD])).get(_FIELD)
        present = SpaceSettings() if found is None else SpaceSettings.decode(found.data)
        wanted = evolve(present, **changes)
        revision = ABSENT if found is None else found.revision
        self._known.pop(space_id, None)  # readers of the feed hear of the change before we do
        step = Put(SETTINGS, _FIELD, wanted.encode(), expect=revision)
        await self._engine.commit(Scope(space_id), Batch([step], announce=[SETTINGS]))
        return self._learn(space_id, wanted)

    async def forget(self) -> None:
        """Read the settings of every space again when they are needed next."""
        self._known.clear()

    def _learn(self, space_id: SpaceId, settings: SpaceSettings) -> SpaceSettings:
        self._known[space_id] = (self._clock.seconds(), settings)
        return settings
