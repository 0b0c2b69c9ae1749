"""Spaces that a provider knows for its users' sake: asked for, followed, kept, turned into supported ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import NoConnectionToOnezone
from onedata.graphsync import Operation
from onedata.ids import SpaceId, UserId
from op_worker.zone.backoff import Backoff
from op_worker.zone.channel import ChannelTimes, ZoneChannel
from op_worker.zone.client import ZoneClient
from op_worker.zone.registration import Registration
from op_worker.zone.store import ZoneStore

S1, S2, S3, U1 = SpaceId("s1"), SpaceId("s2"), SpaceId("s3"), UserId("u1")
PRIVATE, PROTECTED = "space.s3.instance:private", "space.s3.instance:protected"
OURS, ANNA = "provider.p1.instance:private", "user.u1.instance:protected"

Restart = Callable[[], Any]


def outline(name: str, **more: Any) -> dict[str, Any]:
    return {"name": name, "providers": {"p2": 5}, "providerNames": {"p2": "Two"}, **more}


def whole(name: str) -> dict[str, Any]:
    return outline(name, owners=["u1"], effectiveUsers={"u1": ["space_view"]}, effectiveGroups={})


def ours(*spaces: str) -> dict[str, Any]:
    return {"name": "One", "domain": "p1.test", "effectiveSpaces": list(spaces)}


def anna(*spaces: str) -> dict[str, Any]:
    return {"fullName": "Anna", "username": "anna", "blocked": False, "effectiveSpaces": list(spaces)}


@pytest.fixture
def restart(zone: Any, clock: Clock, registration: Registration) -> Iterator[Restart]:
    """A function that starts the provider, or stops it and starts it again."""
    engine, running = MemoryEngine(clock), list[ZoneClient]()

    def make_channel(registration: Registration, on_ready: Any, on_push: Any) -> ZoneChannel:
        return ZoneChannel(
            zone.connect,
            registration,
            clock=clock,
            backoff=Backoff(lambda: 0.5),
            on_ready=on_ready,
            on_push=on_push,
            times=ChannelTimes(),
        )

    async def register(_: object) -> Registration:
        return registration

    async def start() -> ZoneClient:
        if running:
            await running.pop().stopService()
        else:
            await ZoneStore(engine).register(registration)
        client = ZoneClient(
            ZoneStore(engine),
            clock=clock,
            make_channel=make_channel,
            register=register,
            version="21.02.8",
            node_name="worker@test",
        )
        await client.load()
        client.startService()
        running.append(client)
        return client

    yield start
    for client in running:
        assert client.stopService().called


async def knowing(zone: Any, restart: Restart) -> ZoneClient:
    """A provider that knows Anna, who is in s1, which it supports, and in s3, which it does not."""
    zone.put(PROTECTED, **outline("far"))
    zone.put(ANNA, **anna("s1", "s3"))
    client: ZoneClient = await restart()
    await client.user(U1)
    return client


@ensureDeferred
async def test_spaces_of_a_user_are_followed_with_him(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    assert client.known.spaces[S3].name == "far"
    assert client.known.spaces[S3].provider_names == {"p2": "Two"}
    assert client.known.spaces[S3].user_privileges == {}
    assert set(client.supported_spaces()) == {S1}
    zone.put(PROTECTED, **outline("renamed"))
    found = await client.space(S3)
    assert found is not None and found.name == "renamed"


@ensureDeferred
async def test_known_outline_is_not_asked_for_again(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    asked = len(zone.requests)
    await client.space(S3)
    zone.put(ANNA, **anna("s1", "s3"))
    assert len(zone.requests) == asked


@ensureDeferred
async def test_space_that_a_user_joins_is_followed_even_if_it_was_hidden(zone: Any, restart: Restart) -> None:
    client = await restart()
    await client.user(U1)
    assert await client.space(S3) is None
    zone.put(PROTECTED, **outline("far"))
    zone.put(ANNA, **anna("s1", "s3"))
    found = await client.space(S3)
    assert found is not None and found.name == "far"


@ensureDeferred
async def test_outline_is_known_after_a_restart_without_the_zone(zone: Any, restart: Restart) -> None:
    await knowing(zone, restart)
    zone.go_down()
    client = await restart()
    found = await client.space(S3)
    assert found is not None and (found.name, found.supports) == ("far", {"p2": 5})
    assert S3 not in client.supported_spaces()


@ensureDeferred
async def test_reconnected_provider_learns_what_changed_of_an_outline(
    zone: Any, restart: Restart, clock: Clock
) -> None:
    client = await knowing(zone, restart)
    zone.go_down()
    zone.is_up = True
    zone.put(PROTECTED, **outline("changed meanwhile"))
    zone.put("space.s4.instance:protected", **outline("joined meanwhile"))
    zone.put(ANNA, **anna("s1", "s3", "s4"))
    clock.advance(10.0)
    assert client.is_connected
    assert client.known.spaces[S3].name == "changed meanwhile"
    assert client.known.spaces[SpaceId("s4")].name == "joined meanwhile"


@ensureDeferred
async def test_new_support_brings_the_members(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    zone.put(PROTECTED, **outline("ours"))
    zone.put(PRIVATE, **whole("ours"))
    zone.put(OURS, **ours("s1", "s3"))
    assert client.known.spaces[S3].owners == {U1}
    zone.put(PROTECTED, **outline("less is not news"))
    assert client.known.spaces[S3].name == "ours"
    zone.put(PRIVATE, **whole("renamed"))
    assert client.known.spaces[S3].name == "renamed"


@ensureDeferred
@pytest.mark.parametrize("is_restarted", [False, True])
async def test_ended_support_leaves_the_outline(zone: Any, restart: Restart, is_restarted: bool) -> None:
    zone.put(PRIVATE, **whole("ours"))
    zone.put(OURS, **ours("s1", "s3"))
    client = await knowing(zone, restart)
    assert client.known.spaces[S3].owners == {U1}
    zone.hide(PRIVATE)
    zone.put(OURS, **ours("s1"))
    if is_restarted:
        zone.go_down()
        client = await restart()
    assert client.known.spaces[S3].name == "far"
    assert client.known.spaces[S3].user_privileges == {}


@ensureDeferred
async def test_support_that_ended_while_we_were_away_leaves_the_outline(
    zone: Any, restart: Restart, clock: Clock
) -> None:
    zone.put(PRIVATE, **whole("ours"))
    zone.put(OURS, **ours("s1", "s3"))
    client = await knowing(zone, restart)
    zone.go_down()
    zone.is_up = True
    zone.hide(PRIVATE)
    zone.put(OURS, **ours("s1"))
    clock.advance(10.0)
    assert client.is_connected
    assert (client.known.spaces[S3].name, client.known.spaces[S3].owners) == ("far", frozenset())


@ensureDeferred
async def test_outline_that_is_hidden_or_deleted_is_forgotten(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    zone.hide(PROTECTED)
    assert S3 not in client.known.spaces
    zone.put(PROTECTED, **outline("again"))
    zone.put(ANNA, **anna("s1", "s3"))
    assert S3 in client.known.spaces
    zone.delete(PROTECTED)
    assert S3 not in client.known.spaces


@ensureDeferred
async def test_hidden_outline_does_not_hide_the_members(zone: Any, restart: Restart) -> None:
    zone.put("space.s1.instance:protected", **outline("first"))
    client = await knowing(zone, restart)
    zone.hide("space.s1.instance:protected")
    assert client.known.spaces[S1].owners == {U1}


@ensureDeferred
async def test_outline_of_a_supported_space_is_not_taken_for_enough(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    zone.put(OURS, **ours("s1", "s3"))
    found = await client.space(S3)
    assert found is not None and found.owners == frozenset()
    zone.put(PRIVATE, **whole("ours"))
    found = await client.space(S3)
    assert found is not None and found.owners == {U1}


@ensureDeferred
async def test_members_that_cannot_be_asked_for_are_not_denied_but_unreachable(
    zone: Any, restart: Restart
) -> None:
    client = await knowing(zone, restart)
    zone.put(OURS, **ours("s1", "s3"))
    zone.go_down()
    with pytest.raises(NoConnectionToOnezone):
        await client.space(S3)


@ensureDeferred
async def test_zone_that_goes_away_meanwhile_is_told_in_one_line(zone: Any, restart: Restart) -> None:
    client = await knowing(zone, restart)
    zone.is_silent = True
    zone.put(ANNA, **anna("s1", "s3", "s4", "s5"))
    with capturedLogs() as logs:
        zone.go_down()
    assert len([log for log in logs if "not known yet" in log["log_format"]]) == 1
    assert not [log for log in logs if "log_failure" in log]
    assert S3 in client.known.spaces


@ensureDeferred
async def test_space_without_support_is_asked_for_by_both_addresses_once(zone: Any, restart: Restart) -> None:
    await knowing(zone, restart)
    asked = [request.gri.text for request in zone.asked(Operation.GET)]
    assert [each for each in asked if each.startswith("space.s3.")] == [PRIVATE, PROTECTED]
