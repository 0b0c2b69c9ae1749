"""The store of a daemon, for a tool that runs beside it, or while it does not run."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from cluster_worker.persistence.address import StoreAddress
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import DATA_FOLDER, EmbeddedRedis, StateFolderBusy


@asynccontextmanager
async def borrowed_store(
    reactor: Any, config: RedisConfig, state_dir: Path | None, say: Callable[[str], None]
) -> AsyncIterator[StoreAddress]:
    """Yield where the store is; the server of a folder that no daemon serves is started meanwhile.

    Args:
        state_dir: of a daemon with an embedded server; ``None`` for the servers of ``config``.

    Raises: FileNotFoundError when there are no data in the folder.
    """
    if state_dir is None:
        assert config.address is not None
        yield config.address
        return
    if not (state_dir / DATA_FOLDER).is_dir():
        raise FileNotFoundError(f"{state_dir} has no data of a server")
    server = EmbeddedRedis(reactor, str(state_dir))
    try:
        server.startService()
        say(f"no daemon runs on {state_dir}, so its server is started meanwhile")
    except StateFolderBusy:
        pass  # its owner runs, and the server with it
    try:
        yield server.address
    finally:
        await server.stopService()
