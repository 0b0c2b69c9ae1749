"""Ending a support, whatever happens in between."""

from __future__ import annotations

from pathlib import Path

import pytest
from attrs import define, field
from pytest_twisted import ensureDeferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock

from onedata.errors import Forbidden, NoConnectionToOnezone, NotFound, OnedataError, Timeout
from onedata.ids import SpaceId, StorageId
from op_worker.administration.losses import Losses
from op_worker.administration.supports import SpaceSupports, WouldBeLost
from op_worker.files.model import CreateOptions
from op_worker.zone.directory import StaticZone
from op_worker.zone.local import NoZone
from tests.support.immediate import now
from tests.support.mapped_site import MappedSite, mapped_site
from tests.support.spaces import SPACE, STORAGE, body, make_zone, owner, path, read


class Refusing(NoZone):
    """A zone that takes what it is told, or gives the next of its refusals."""

    def __init__(self, zone: StaticZone) -> None:
        super().__init__(zone)
        self.refusals: list[OnedataError] = []
        self.ceased: list[SpaceId] = []

    async def cease_support(self, space_id: SpaceId) -> None:
        if self.refusals:
            raise self.refusals.pop(0)
        self.ceased.append(space_id)

    async def resize_support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> None:
        if self.refusals:
            raise self.refusals.pop(0)


@define(eq=False)
class World:
    site: MappedSite
    zone: Refusing = field(factory=lambda: Refusing(make_zone()))
    clock: Clock = field(factory=Clock)

    def node(self) -> SpaceSupports:
        """A life of a node."""
        clock: IReactorTime = self.clock
        return SpaceSupports(self.zone, make_zone(), self.site.storages, self.site.engine, clock)

    @property
    def is_supported(self) -> bool:
        return self.site.storages.for_space(SPACE) is not None


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(now(mapped_site(tmp_path / "s")))


async def fill(world: World) -> None:
    new = CreateOptions(create_parents=True)
    for name in ("a/b/f", "a/g"):
        await world.site.files.replace_content(owner, path(name), body(b"12345"), expected_b=None, create=new)
    await world.site.files.create_directory(owner, path("empty"), new)


@ensureDeferred
async def test_empty_support_ends_and_the_zone_is_told(world: World) -> None:
    await world.node().end(SPACE, force=False)
    assert (world.is_supported, world.zone.ceased) == (False, [SPACE])
    with pytest.raises(NotFound):
        await world.node().end(SPACE, force=False)


@ensureDeferred
async def test_support_with_files_ends_only_by_force_and_brings_them_back(world: World) -> None:
    await fill(world)
    with pytest.raises(WouldBeLost) as refused:
        await world.node().end(SPACE, force=False)
    assert refused.value.losses == Losses(10, 2, is_exact=True)
    assert world.is_supported and world.zone.ceased == []
    await world.node().end(SPACE, force=True)
    assert not world.is_supported
    await world.site.storages.support(SPACE, STORAGE, 1 << 30)
    assert await read(world.site.files, path("a/b/f")) == b"12345"
    await world.site.files.stopService()


@pytest.mark.parametrize("refusal", [Forbidden(), NoConnectionToOnezone()])
@ensureDeferred
async def test_support_that_the_zone_does_not_end_stays_as_it_was(
    world: World, refusal: OnedataError
) -> None:
    world.zone.refusals = [refusal]
    with pytest.raises(type(refusal)):
        await world.node().end(SPACE, force=False)
    assert (await world.node().get(SPACE))["isEnding"] is False
    world.node().startService()
    assert world.is_supported and world.zone.ceased == []


@ensureDeferred
async def test_support_whose_end_the_zone_did_not_answer_is_ended_by_whoever_starts_next(
    world: World,
) -> None:
    world.zone.refusals = [Timeout(), NoConnectionToOnezone(), NoConnectionToOnezone()]
    node = world.node()
    with pytest.raises(Timeout):
        await node.end(SPACE, force=False)
    await node.stopService()
    assert (await world.node().get(SPACE))["isEnding"] is True
    heir = world.node()
    heir.startService()
    assert world.is_supported, "the zone is away still"
    world.clock.advance(10.1)
    assert (world.is_supported, world.zone.ceased) == (False, [SPACE])
    assert world.clock.getDelayedCalls() == []


@ensureDeferred
async def test_size_that_the_zone_refuses_is_taken_back(world: World) -> None:
    world.zone.refusals = [Forbidden()]
    with pytest.raises(Forbidden):
        await world.node().resize(SPACE, None, 5)
    assert (await world.node().get(SPACE))["size"] == 1 << 30
