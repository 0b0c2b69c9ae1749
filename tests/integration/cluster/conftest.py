"""A cluster whose parts are stopped after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pytest_twisted import async_yield_fixture

from tests.support.cluster import Cluster


@async_yield_fixture
async def cluster(tmp_path: Path) -> AsyncIterator[Cluster]:
    made = Cluster(tmp_path)
    yield made
    await made.services.stopService()
