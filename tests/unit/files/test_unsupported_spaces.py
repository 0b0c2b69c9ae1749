"""Spaces of the caller that this provider does not support."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import Errno, Forbidden, Posix, SpaceNotSupportedBy
from onedata.ids import FileGuid, FileUuid, ProviderId, SpaceId, UserId, space_root_guid, user_root_guid
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.zone.directory import StaticZone
from op_worker.zone.records import SpaceInfo, UserInfo
from tests.support.spaces import FOREIGN, PROVIDER, SPACE, STRANGER, Site, names_in, space_info

ELSEWHERE = ProviderId("e" * 32)
FAR, SAME, TWIN, UNTOLD = (SpaceId(digit * 32) for digit in "def9")
ANNA = UserId("a" * 32)
anna = Caller(ANNA)
near_only = Caller(ANNA, DataLimits(False, (frozenset({f"/{SPACE}"}),), ()))


def outline(space_id: SpaceId, name: str) -> SpaceInfo:
    """A space as the zone tells it to a provider that does not support it."""
    return SpaceInfo(
        space_id=space_id, name=name, supports={ELSEWHERE: 1}, provider_names={ELSEWHERE: "Elsewhere"}
    )


async def files() -> FileService:
    """Anna is in Science, which is supported, in spaces elsewhere, and in one that nothing is known of."""
    science = space_info(SPACE, "Science")
    science = SpaceInfo(
        space_id=SPACE, name="Science", supports=science.supports, user_privileges={ANNA: frozenset()}
    )
    zone = StaticZone(
        [
            UserInfo(user_id=ANNA, full_name="Anna", spaces=(SPACE, FAR, SAME, TWIN, UNTOLD)),
            UserInfo(user_id=STRANGER, full_name="Stranger", spaces=(FOREIGN,)),
        ],
        [
            science,
            outline(FAR, "Far"),
            outline(SAME, "Science"),
            outline(TWIN, "Far"),
            outline(FOREIGN, "Foreign"),
        ],
        provider_id=PROVIDER,
    )
    return await Site(zone=zone).process()


async def unsupported(files: FileService, name: str, caller: Caller = anna) -> str:
    """Return the space that a path through ``name`` is refused for."""
    with pytest.raises(SpaceNotSupportedBy) as by_name:
        await files.find_space(caller, name)
    with pytest.raises(SpaceNotSupportedBy) as by_path:
        await files.locate(caller, (name, "a", "b"))
    assert by_name.value.details == by_path.value.details
    return by_name.value.space_id


@ensureDeferred
async def test_spaces_are_listed_also_those_without_support() -> None:
    service = await files()
    assert [(space.space_id, space.name) for space in await service.spaces(anna)] == [
        (FAR, "Far"),
        (TWIN, "Far"),
        (SPACE, "Science"),
        (SAME, "Science"),
    ]
    shown = await names_in(service, Target(user_root_guid(ANNA)), anna)
    assert shown == [f"Far@{FAR}", f"Far@{TWIN}", f"Science@{SPACE}", f"Science@{SAME}"]


@ensureDeferred
async def test_one_space_is_given_only_to_members_and_with_support() -> None:
    service = await files()
    assert (await service.space(anna, SPACE)).name == "Science"
    for space_id in (FAR, UNTOLD):
        with pytest.raises(SpaceNotSupportedBy) as caught:
            await service.space(anna, space_id)
        assert (caught.value.space_id, caught.value.provider_id) == (space_id, PROVIDER)
    for space_id in (FOREIGN, SpaceId("nowhere")):
        with pytest.raises(Forbidden):
            await service.space(anna, space_id)
    with pytest.raises(Forbidden):
        await service.space(near_only, FAR)


@ensureDeferred
async def test_paths_into_spaces_without_support_say_so() -> None:
    service = await files()
    for space_id in (FAR, SAME, UNTOLD):
        assert await unsupported(service, space_id) == space_id
    assert await unsupported(service, f"Far@{FAR}") == FAR
    assert await unsupported(service, f"Science@{SAME}") == SAME


@ensureDeferred
async def test_name_that_several_spaces_have_means_the_supported_one() -> None:
    service = await files()
    assert await service.find_space(anna, "Science") == space_root_guid(SPACE)
    with pytest.raises(Posix) as caught:
        await service.find_space(anna, "Far")
    assert caught.value.errno is Errno.ENOENT


@ensureDeferred
async def test_space_that_the_token_hides_is_not_there() -> None:
    service = await files()
    assert [space.space_id for space in await service.spaces(near_only)] == [SPACE]
    for name in (FAR, f"Far@{FAR}", UNTOLD):
        with pytest.raises(Posix) as caught:
            await service.find_space(near_only, name)
        assert caught.value.errno is Errno.ENOENT


@ensureDeferred
async def test_file_ids_tell_spaces_without_support_from_foreign_ones() -> None:
    service = await files()
    for space_id in (FAR, UNTOLD):
        with pytest.raises(SpaceNotSupportedBy):
            await service.stat(anna, Target(FileGuid(FileUuid("f" * 32), space_id)))
    for space_id in (FOREIGN, SpaceId("nowhere")):
        with pytest.raises(Forbidden):
            await service.stat(anna, Target(FileGuid(FileUuid("f" * 32), space_id)))
    with pytest.raises(SpaceNotSupportedBy):
        await service.stat(Caller(STRANGER), Target(space_root_guid(FOREIGN)))


@ensureDeferred
async def test_space_whose_support_has_ended_is_not_entered_though_its_storage_is_there() -> None:
    site = Site()
    service = await site.process()
    owner = Caller(next(iter((await site.zone.space(SPACE)).owners)))  # type: ignore[union-attr]  # it is there
    assert await service.find_space(owner, "Science") == space_root_guid(SPACE)
    site.zone.put_space(outline(SPACE, "Science"))
    assert await unsupported(service, "Science", owner) == SPACE
    with pytest.raises(SpaceNotSupportedBy):
        await service.stat(owner, Target(space_root_guid(SPACE)))
