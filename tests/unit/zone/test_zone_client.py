"""A provider's part in its zone: connecting, following, serving what is known without the zone."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from cluster_worker.persistence.memory import MemoryEngine
from onedata.errors import (
    AlreadyExists,
    BadValueToken,
    NoConnectionToOnezone,
    NotFound,
    TokenInvalid,
    UnregisteredOneprovider,
)
from onedata.graphsync import Operation
from onedata.ids import SpaceId, StorageId, UserId
from onedata.tokens.subjects import Subject
from op_worker.zone.authority import Presented
from op_worker.zone.backoff import Backoff
from op_worker.zone.channel import ChannelTimes, ZoneChannel
from op_worker.zone.client import ZoneClient
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration
from op_worker.zone.store import ZoneStore

S1, S2, S9, U1 = SpaceId("s1"), SpaceId("s2"), SpaceId("s9"), UserId("u1")
REQUEST = RegistrationRequest(token="t", name="One", admin_email="a@b.c", domain="p1.test")


class Provider:
    """A zone client on its own engine, run by a clock."""

    def __init__(
        self,
        zone: Any,
        clock: Clock,
        registration: Registration,
        engine: MemoryEngine | None = None,
        node_name: str = "worker@test",
    ) -> None:
        self.zone, self.clock, self.registration = zone, clock, registration
        self.engine = engine or MemoryEngine(clock)
        self.refusal: Exception | None = None
        self.node_name = node_name
        self.answer: Callable[[RegistrationRequest], Awaitable[Registration]] = self.register
        self.client = self.make_client()

    def make_client(self) -> ZoneClient:
        return ZoneClient(
            ZoneStore(self.engine),
            clock=self.clock,
            make_channel=self.make_channel,
            register=lambda request: self.answer(request),
            version="21.02.8",
            node_name=self.node_name,
        )

    def make_channel(self, registration: Registration, on_ready: Any, on_push: Any) -> ZoneChannel:
        return ZoneChannel(
            self.zone.connect,
            registration,
            clock=self.clock,
            backoff=Backoff(lambda: 0.5),
            on_ready=on_ready,
            on_push=on_push,
            times=ChannelTimes(),
        )

    async def register(self, request: RegistrationRequest) -> Registration:
        if self.refusal is not None:
            raise self.refusal
        return self.registration

    async def start_registered(self) -> ZoneClient:
        await ZoneStore(self.engine).register(self.registration)
        return await self.start()

    async def start(self) -> ZoneClient:
        await self.client.load()
        self.client.startService()
        return self.client

    async def restart(self) -> ZoneClient:
        await self.client.stopService()
        self.client = self.make_client()
        return await self.start()


MakeProvider = Callable[..., Provider]
"""Makes a provider, given the store of another and a node name, that ends with the test."""


@pytest.fixture
def make_provider(zone: Any, clock: Clock, registration: Registration) -> Iterator[MakeProvider]:
    made: list[Provider] = []

    def make(*args: Any) -> Provider:
        made.append(Provider(zone, clock, registration, *args))
        return made[-1]

    yield make
    for provider in made:
        assert provider.client.stopService().called


@pytest.fixture
def provider(make_provider: MakeProvider) -> Provider:
    return make_provider()


@ensureDeferred
async def test_registered_provider_learns_its_spaces_at_start(provider: Provider) -> None:
    client = await provider.start_registered()
    assert client.is_connected
    assert set(client.supported_spaces()) == {S1}
    found = await client.space(S1)
    assert found is not None and found.name == "first"
    assert (client.provider_id, client.provider_name) == ("p1", "One")
    assert (client.provider_domain, client.zone_domain) == ("p1.test", "zone.test")


@ensureDeferred
async def test_zone_is_told_our_version(provider: Provider) -> None:
    await provider.start_registered()
    (update,) = provider.zone.asked(Operation.UPDATE)
    assert update.data == {"version": "21.02.8"}


@ensureDeferred
async def test_user_is_asked_for_once_and_then_followed(provider: Provider) -> None:
    client = await provider.start_registered()
    assert (await client.user(U1)).full_name == "Anna"
    asked = len(provider.zone.requests)
    await client.user(U1)
    assert len(provider.zone.requests) == asked
    resource = provider.zone.resources["user.u1.instance:protected"]
    provider.zone.put("user.u1.instance:protected", **{**resource, "fullName": "Anna Adams"})
    assert (await client.user(U1)).full_name == "Anna Adams"


@ensureDeferred
async def test_unknown_user_is_not_found(provider: Provider) -> None:
    client = await provider.start_registered()
    with pytest.raises(NotFound):
        await client.user(UserId("nobody"))


@ensureDeferred
async def test_unknown_space_is_asked_for_once_in_half_a_minute(provider: Provider) -> None:
    client = await provider.start_registered()
    assert await client.space(S9) is None
    asked = len(provider.zone.requests)
    assert await client.space(S9) is None
    assert len(provider.zone.requests) == asked
    provider.clock.advance(31.0)
    assert await client.space(S9) is None
    assert len(provider.zone.requests) > asked


@ensureDeferred
async def test_pushes_change_what_is_known(provider: Provider) -> None:
    client = await provider.start_registered()
    version = client.known.version
    provider.zone.put("provider.p1.token_events:private", revokedTokens=["t1"], temporaryGenerations={})
    assert client.known.token_events.revoked == {"t1"}
    provider.zone.hide("space.s1.instance:private")
    assert S1 not in client.known.spaces
    await client.user(U1)
    provider.zone.delete("user.u1.instance:protected")
    assert U1 not in client.known.users
    assert client.known.version > version


@ensureDeferred
async def test_newly_supported_space_is_followed_by_itself(provider: Provider) -> None:
    client = await provider.start_registered()
    provider.zone.put(
        "provider.p1.instance:private", name="One", domain="p1.test", effectiveSpaces=["s1", "s2"]
    )
    assert client.known.spaces[S2].name == "second"
    provider.zone.put("space.s2.instance:private", name="renamed")
    assert client.known.spaces[S2].name == "renamed"


@ensureDeferred
async def test_restarted_provider_knows_everything_while_the_zone_is_away(provider: Provider) -> None:
    client = await provider.start_registered()
    await client.user(U1)
    provider.zone.put("provider.p1.token_events:private", revokedTokens=["t1"], temporaryGenerations={})
    provider.zone.go_down()
    client = await provider.restart()
    assert not client.is_connected
    assert (await client.user(U1)).full_name == "Anna"
    found = await client.space(S1)
    assert found is not None and found.name == "first"
    assert set(client.supported_spaces()) == {S1}
    assert client.known.token_events.revoked == {"t1"}


@ensureDeferred
async def test_without_the_zone_unknown_users_are_not_denied_but_unreachable(provider: Provider) -> None:
    client = await provider.start_registered()
    provider.zone.go_down()
    with pytest.raises(NoConnectionToOnezone):
        await client.user(UserId("u7"))
    assert await client.space(S9) is None


@ensureDeferred
async def test_connection_comes_back_with_growing_pauses(provider: Provider) -> None:
    client = await provider.start_registered()
    provider.zone.go_down()
    attempts = provider.zone.attempts
    provider.clock.advance(2.9)
    assert provider.zone.attempts == attempts
    provider.clock.advance(0.2)
    assert provider.zone.attempts == attempts + 1
    provider.clock.advance(3.1)
    assert provider.zone.attempts == attempts + 1
    provider.zone.is_up = True
    provider.zone.put("space.s1.instance:private", name="changed meanwhile")
    provider.clock.advance(1.0)
    assert client.is_connected
    assert client.known.spaces[S1].name == "changed meanwhile"


@ensureDeferred
async def test_same_failure_is_logged_once_not_at_each_attempt(provider: Provider) -> None:
    provider.zone.is_up = False
    with capturedLogs() as logs:
        await provider.start_registered()
        for _ in range(5):
            provider.clock.advance(21.0)
    assert len([log for log in logs if "cannot be used" in log["log_format"]]) == 1


@ensureDeferred
async def test_zone_that_takes_us_for_another_provider_is_not_used(provider: Provider) -> None:
    provider.zone.identity = Subject("oneprovider", "p2")
    client = await provider.start_registered()
    assert not client.is_connected


@ensureDeferred
async def test_silent_zone_is_given_up_after_the_handshake_timeout(provider: Provider) -> None:
    provider.zone.is_silent = True
    client = await provider.start_registered()
    provider.clock.advance(10.0)
    assert not client.is_connected
    assert provider.zone.links == []
    provider.zone.is_silent = False
    provider.clock.advance(3.1)
    assert client.is_connected


@ensureDeferred
async def test_stopping_leaves_no_timers_and_no_links(provider: Provider) -> None:
    client = await provider.start_registered()
    await client.stopService()
    assert provider.zone.links == []
    provider.zone.is_up = False
    client = await provider.restart()
    await client.stopService()
    assert provider.clock.getDelayedCalls() == []


@ensureDeferred
async def test_unregistered_provider_refuses_what_needs_a_zone(provider: Provider) -> None:
    client = await provider.start()
    assert client.provider_id is None and client.provider_name is None and client.zone_domain is None
    assert list(client.supported_spaces()) == []
    presented = Presented(token="t", peer_ip=None, interface="rest")
    with pytest.raises(UnregisteredOneprovider):
        await client.verify_token(presented)
    with pytest.raises(UnregisteredOneprovider):
        await client.support_space(StorageId("st"), "t", 1)


@ensureDeferred
async def test_registration_connects_and_is_kept(provider: Provider) -> None:
    client = await provider.start()
    assert await client.register(REQUEST) == provider.registration
    assert client.is_connected
    assert set(client.supported_spaces()) == {S1}
    client = await provider.restart()
    assert client.provider_id == "p1"


@ensureDeferred
async def test_second_registration_is_refused(provider: Provider) -> None:
    client = await provider.start_registered()
    with pytest.raises(AlreadyExists):
        await client.register(REQUEST)


@ensureDeferred
async def test_refused_registration_leaves_the_provider_unregistered(provider: Provider) -> None:
    provider.refusal = BadValueToken("token", TokenInvalid())
    client = await provider.start()
    with pytest.raises(BadValueToken):
        await client.register(REQUEST)
    assert client.registration is None
    assert await ZoneStore(provider.engine).registration() is None


@ensureDeferred
async def test_other_nodes_of_the_provider_hear_of_the_registration(
    provider: Provider, make_provider: MakeProvider, clock: Clock
) -> None:
    other = make_provider(provider.engine)
    await other.start()
    client = await provider.start()
    await client.register(REQUEST)
    clock.advance(1.0)
    assert other.client.provider_id == "p1"
    assert other.client.is_connected


@ensureDeferred
async def test_node_that_the_zone_has_not_told_yet_takes_over_what_another_node_was_told(
    provider: Provider, make_provider: MakeProvider
) -> None:
    client = await provider.start_registered()
    other = make_provider(provider.engine).client
    assert other.registration is None
    await client.support_space(StorageId("st"), "support token", 10)
    await other.refresh()
    assert other.provider_id == "p1"
    assert set(other.supported_spaces()) == {S1, S2}
    space = await other.space(S2)
    assert space is not None and space.name == "second"
    version = other.known.version
    await other.refresh()
    assert other.known.version == version, "nothing was news"


@ensureDeferred
async def test_two_nodes_that_register_at_once_make_one_registration(
    provider: Provider, make_provider: MakeProvider, clock: Clock, registration: Registration
) -> None:
    other = make_provider(provider.engine, "worker@other")
    asked: list[Deferred[None]] = []

    async def slowly(request: RegistrationRequest) -> Registration:
        asked.append(Deferred())
        await asked[-1]
        return registration

    provider.answer = other.answer = slowly
    both = [Deferred.fromCoroutine((await each.start()).register(REQUEST)) for each in (provider, other)]
    clock.advance(1)
    (only,) = asked
    only.callback(None)
    clock.advance(1)
    assert await both[0] == registration
    with pytest.raises(AlreadyExists):
        await both[1]
    assert len(asked) == 1


@ensureDeferred
async def test_supported_space_is_known_when_support_returns(provider: Provider) -> None:
    client = await provider.start_registered()
    assert await client.support_space(StorageId("st"), "support token", 10) == S2
    assert S2 in client.supported_spaces()
    assert client.known.spaces[S2].name == "second"
    create = provider.zone.asked(Operation.CREATE)[-1]
    assert (create.gri.text, create.data) == (
        "storage.st.support:private",
        {"token": "support token", "size": 10},
    )


@ensureDeferred
async def test_token_is_verified_with_all_its_circumstances(provider: Provider) -> None:
    client = await provider.start_registered()
    provider.zone.tokens["T"] = Subject("user", "u1")
    presented = Presented(
        token="T", peer_ip="10.0.0.1", interface="rest", consumer_token="C", service_token="S"
    )
    assert await client.verify_token(presented) == Subject("user", "u1")
    create = provider.zone.asked(Operation.CREATE)[-1]
    assert create.gri.text == "token.null.verify_access_token:public"
    assert create.data == {
        "token": "T",
        "peerIp": "10.0.0.1",
        "interface": "rest",
        "allowDataAccessCaveats": True,
        "consumerToken": "C",
        "serviceToken": "S",
    }


def test_root_token_is_not_shown_by_repr(registration: Registration) -> None:
    assert "root" not in repr(registration)
