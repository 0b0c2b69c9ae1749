"""What an administrator does with a provider."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from onedata.errors import (
    AlreadyExists,
    BadData,
    BadValueIdNotFound,
    BadValueToken,
    NoConnectionToOnezone,
    OnedataError,
    StorageInUse,
    UnregisteredOneprovider,
)
from onedata.ids import SpaceId, StorageId, TokenId
from onedata.tokens.identifier import NAMED, TokenIdentifier
from onedata.tokens.subjects import Subject
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken, InviteToken, InviteType, TokenType
from op_worker.storage.records import StorageRecord
from op_worker.storage.registry import Storages
from op_worker.zone.administration import ProviderAdministration, SupportRequest
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration

S1, ST1, ST2 = SpaceId("s1"), StorageId("st1"), StorageId("st2")
REQUEST = RegistrationRequest(token="t", name="n", admin_email="e", domain="d")


class Zone:
    """Registers everybody and takes every support token, unless it has a ``refusal``."""

    def __init__(self, registration: Registration) -> None:
        self.registration: Registration | None = None
        self.refusal: OnedataError | None = None
        self._registration = registration
        self.supported: set[SpaceId] = set()

    async def register(self, request: RegistrationRequest) -> Registration:
        self.registration = self._registration
        return self._registration

    async def refresh(self) -> None:
        """Everything is known."""

    async def support_space(self, storage_id: StorageId, token: str, size_b: int) -> SpaceId:
        if self.refusal is not None:
            raise self.refusal
        self.supported.add(S1)
        return S1

    async def resize_support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> None:
        if self.refusal is not None:
            raise self.refusal

    async def cease_support(self, space_id: SpaceId) -> None:
        if self.refusal is not None:
            raise self.refusal
        self.supported.discard(space_id)

    def supported_spaces(self) -> Collection[SpaceId]:
        return self.supported


class Provider:
    def __init__(self, registration: Registration) -> None:
        self.zone = Zone(registration)
        self.storages = Storages(MemoryEngine(Clock()), Inline(), Clock())
        self.administration = ProviderAdministration(self.zone, self.storages)

    async def add_memory(self, storage_id: StorageId) -> None:
        await self.storages.add_storage(StorageRecord(storage_id=storage_id, name="m", type="memory"))


@pytest.fixture
def provider(registration: Registration) -> Provider:
    return Provider(registration)


def support(storage_id: StorageId = ST1, token: str | None = None, size_b: int = 10) -> SupportRequest:
    text = token or invite(InviteToken(InviteType.SUPPORT_SPACE, "s1"))
    return SupportRequest(token=text, size_b=size_b, storage_id=storage_id)


def invite(kind: TokenType) -> str:
    identifier = TokenIdentifier(NAMED, Subject("user", "u1"), kind, TokenId("t"))
    return Token.mint("zone.test", identifier, "secret").serialize()


@ensureDeferred
async def test_unregistered_provider_says_so(provider: Provider) -> None:
    with pytest.raises(UnregisteredOneprovider):
        await provider.administration.registration()


@ensureDeferred
async def test_provider_registers_only_once(provider: Provider) -> None:
    registration = await provider.administration.register(REQUEST)
    assert await provider.administration.registration() is registration
    with pytest.raises(AlreadyExists):
        await provider.administration.register(REQUEST)


@ensureDeferred
async def test_support_joins_space_and_storage(provider: Provider) -> None:
    await provider.add_memory(ST1)
    assert await provider.administration.support_space(support()) == S1
    joined = provider.storages.for_space(S1)
    assert joined is not None and (joined.storage.storage_id, joined.size_b) == (ST1, 10)
    assert await provider.administration.supported_spaces() == [S1]


@ensureDeferred
async def test_support_that_the_zone_refuses_is_taken_back(provider: Provider) -> None:
    await provider.add_memory(ST1)
    provider.zone.refusal = NoConnectionToOnezone()
    with pytest.raises(NoConnectionToOnezone):
        await provider.administration.support_space(support())
    assert provider.storages.for_space(S1) is None


@ensureDeferred
async def test_refused_change_of_support_leaves_the_earlier_one(provider: Provider) -> None:
    await provider.add_memory(ST1)
    await provider.add_memory(ST2)
    await provider.administration.support_space(support())
    provider.zone.refusal = NoConnectionToOnezone()
    with pytest.raises(NoConnectionToOnezone):
        await provider.administration.support_space(support(ST2, size_b=99))
    joined = provider.storages.for_space(S1)
    assert joined is not None and (joined.storage.storage_id, joined.size_b) == (ST1, 10)


@ensureDeferred
async def test_support_with_an_unknown_storage_is_refused(provider: Provider) -> None:
    with pytest.raises(BadValueIdNotFound):
        await provider.administration.support_space(support())


@pytest.mark.parametrize(
    "token",
    ["rubbish", invite(AccessToken()), invite(InviteToken(InviteType.USER_JOIN_SPACE, "s1"))],
)
@ensureDeferred
async def test_token_that_is_no_support_token_is_refused(provider: Provider, token: str) -> None:
    await provider.add_memory(ST1)
    with pytest.raises(BadValueToken):
        await provider.administration.support_space(support(token=token))
    assert provider.storages.for_space(S1) is None


@ensureDeferred
async def test_imported_storage_supports_one_space_and_a_space_has_one_of_them(
    provider: Provider, tmp_path: Path
) -> None:
    for storage_id in (ST1, ST2):
        record = StorageRecord(
            storage_id=storage_id,
            name=storage_id,
            type="posix",
            arguments={"mountPoint": str(tmp_path)},
            is_imported=True,
        )
        await provider.storages.add_storage(record)
    await provider.administration.support_space(support(ST1))
    with pytest.raises(BadData):
        await provider.administration.support_space(support(ST2))
    other = invite(InviteToken(InviteType.SUPPORT_SPACE, "s2"))
    with pytest.raises(StorageInUse):
        await provider.administration.support_space(support(ST1, token=other))
