"""A cluster that is torn down stops its workers, and can boot them again."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.wire.errors import BadRequest
from cluster_worker.wire.steps import BOOT_STEPS
from op_worker.config import ZoneSection
from tests.integration.op_worker.running import World

HEALTH = "/api/v3/oneprovider/health"


def application_of(world: World) -> Any:
    service: Any = world.services["provider"]
    (node,) = [child for child in service if isinstance(child, ClusterNode)]
    return node._application


@ensureDeferred
async def test_provider_serves_again_after_a_forced_stop_and_a_new_boot(world: World) -> None:
    await world.start_provider(world.provider_config(zone=ZoneSection()))
    application = application_of(world)
    assert set((await application.healthcheck()).values()) == {"ok"}
    await application.on_forced_stop("a node was lost")
    assert set((await application.healthcheck()).values()) == {"out_of_sync"}
    with pytest.raises(Exception, match="refused"):
        await world.provider_client()("GET", HEALTH)
    for step in BOOT_STEPS:
        await application.start_step(step.value)
    assert (await world.provider_client()("GET", HEALTH)).status == 200
    assert set((await application.healthcheck()).values()) == {"ok"}


@ensureDeferred
async def test_step_after_a_forced_stop_is_refused(world: World) -> None:
    await world.start_provider(world.provider_config(zone=ZoneSection()))
    application = application_of(world)
    await application.on_forced_stop("a node was lost")
    with pytest.raises(RuntimeError):
        await application.start_step("start_listeners")
    with pytest.raises(BadRequest):
        await application.handle_call("fslogic", {})
