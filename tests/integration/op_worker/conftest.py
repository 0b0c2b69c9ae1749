"""A world with certificates; its daemons are stopped after each test."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

from pytest_twisted import async_yield_fixture

from tests.integration.op_worker.running import World


@async_yield_fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    made = World(tmp_path)
    yield made
    await made.stop_all()
