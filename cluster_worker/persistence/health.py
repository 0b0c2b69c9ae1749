"""Whether a store answers."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.persistence.engine import Engine, Key, PersistenceUnavailable, Scope
from cluster_worker.runtime.clock import sleep

_log = Logger()
_PROBE = (Scope("probe"), Key("probe"), ["probe"])
_RETRY_S = 0.1


async def until_engine_answers(engine: Engine, clock: IReactorTime, *, patience_s: float = 60.0) -> None:
    """Return when the store answers. Raises: PersistenceUnavailable after ``patience_s`` seconds."""
    deadline_s = clock.seconds() + patience_s
    while True:
        try:
            await engine.get(*_PROBE)
        except PersistenceUnavailable as error:
            if clock.seconds() > deadline_s:
                raise
            _log.info("waiting for the store: {error}", error=error)
            await sleep(clock, _RETRY_S)
        else:
            return


async def engine_status(engine: Engine) -> str:
    """Return ``ok`` or ``error: unavailable``."""
    try:
        await engine.get(*_PROBE)
    except PersistenceUnavailable:
        return "error: unavailable"
    return "ok"
