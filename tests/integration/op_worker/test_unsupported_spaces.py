"""A provider with a real zone, and spaces of its users that it does not support."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from onedata.ids import FileGuid, FileUuid, SpaceId, space_root_guid
from tests.integration.op_worker.running import Answer, Client, World, until

REST = "/api/v3/oneprovider"
ZONE = "/api/v3/onezone"


async def ready(world: World) -> tuple[Client, Client]:
    """A provider that supports space1 of anna; return her as a client of the zone and of the provider."""
    await world.start_zone()
    await world.start_provider()
    anna, token = await world.user("anna")
    await world.register(anna)
    assert (await world.support(anna)).status == 201
    user = world.provider_client().with_token(token)
    assert await spaces(user) == {"space1": "space1"}
    return anna, user


async def new_space(user: Client, name: str) -> str:
    """Make a space that no provider supports; return its id."""
    made = await user("POST", f"{ZONE}/user/spaces", {"name": name})
    assert made.status == 201
    return str(made.headers.getRawHeaders("Location")[0]).rpartition("/")[2]


async def spaces(user: Client) -> dict[str, str]:
    """Return the names of the listed spaces by id."""
    return {space["spaceId"]: space["name"] for space in (await user("GET", f"{REST}/spaces")).body}


async def until_listed(user: Client, expected: dict[str, str]) -> None:
    async def is_listed() -> bool:
        return await spaces(user) == expected

    await until(is_listed, f"{expected} are listed")


def is_refusal(answer: Answer, space_id: str) -> bool:
    """Whether a space is refused as one that this provider does not support."""
    assert answer.status == 400, answer
    details = answer.body["error"]["details"]
    return answer.error == "spaceNotSupportedBy" and details == {"spaceId": space_id, "providerId": "p1"}


@ensureDeferred
async def test_space_without_support_is_known_but_not_served(world: World) -> None:
    anna, user = await ready(world)
    far = await new_space(anna, "Far")
    await until_listed(user, {"space1": "space1", far: "Far"})
    [shown] = [each for each in (await user("GET", f"{REST}/spaces")).body if each["spaceId"] == far]
    assert shown["providers"] == []
    assert shown["dirId"] == space_root_guid(SpaceId(far)).object_id()

    assert is_refusal(await user("GET", f"{REST}/spaces/{far}"), far)
    for path in ("Far", "Far/a/b", f"Far@{far}/a", far):
        assert is_refusal(await user("POST", f"{REST}/lookup-file-id/{path}"), far)
    for file_id in (shown["dirId"], FileGuid(FileUuid("f" * 32), SpaceId(far)).object_id(), far):
        assert is_refusal(await user("GET", f"{REST}/data/{file_id}"), far)
        assert is_refusal(await user("GET", f"{REST}/data/{file_id}/children"), far)
    assert (await user("GET", "/cdmi/Far/")).status == 400
    cdmi = Client(user.domain, user.agent, None, {**user.headers, "X-CDMI-Specification-Version": "1.1.1"})
    assert sorted((await cdmi("GET", "/cdmi/")).body["children"]) == ["Far/", "space1/"]

    bob, _ = await world.user("bob")
    foreign = await new_space(bob, "Foreign")
    for space_id in (foreign, "nowhere"):
        assert (await user("GET", f"{REST}/spaces/{space_id}")).error == "forbidden"
        file_id = FileGuid(FileUuid("f" * 32), SpaceId(space_id)).object_id()
        assert (await user("GET", f"{REST}/data/{file_id}")).error == "forbidden"
    missing = await user("POST", f"{REST}/lookup-file-id/Foreign")
    assert (missing.status, missing.error) == (400, "posix")

    assert (await anna("PATCH", f"{ZONE}/spaces/{far}", {"name": "Farther"})).status == 204
    await until_listed(user, {"space1": "space1", far: "Farther"})
    assert (await anna("DELETE", f"{ZONE}/spaces/{far}")).status == 204
    await until_listed(user, {"space1": "space1"})
    assert (await user("GET", f"{REST}/spaces/{far}")).error == "forbidden"


@ensureDeferred
async def test_space_without_support_is_known_when_the_zone_is_away(world: World) -> None:
    anna, user = await ready(world)
    far = await new_space(anna, "Far")
    await until_listed(user, {"space1": "space1", far: "Far"})
    await world.stop("provider")
    await world.stop("zone")
    await world.start_provider()
    assert await spaces(user) == {"space1": "space1", far: "Far"}
    assert is_refusal(await user("GET", f"{REST}/spaces/{far}"), far)
    assert is_refusal(await user("POST", f"{REST}/lookup-file-id/Far/a"), far)
    assert is_refusal(await user("GET", f"{REST}/data/{far}"), far)
    assert (await user("GET", f"{REST}/spaces/space1")).status == 200


@ensureDeferred
async def test_support_opens_a_known_space_and_its_end_closes_it(world: World) -> None:
    anna, user = await ready(world)
    far = await new_space(anna, "Far")
    await until_listed(user, {"space1": "space1", far: "Far"})
    token = (await anna("POST", f"{ZONE}/spaces/{far}/providers/token")).body["token"]
    wanted = {"token": token, "size": 10**9, "storageId": "st1"}
    assert (await world.admin()("POST", "/api/v3/onepanel/provider/spaces", wanted)).status == 201
    assert (await user("PUT", "/cdmi/Far/a.txt", b"hello", content_type="text/plain")).status == 201
    assert (await user("GET", f"{REST}/spaces/{far}")).body["providers"][0]["providerId"] == "p1"

    assert (await anna("DELETE", f"{ZONE}/spaces/{far}/providers/p1")).status == 204

    async def is_closed() -> bool:
        return (await user("GET", f"{REST}/spaces/{far}")).status == 400

    await until(is_closed, "the support has ended")
    assert is_refusal(await user("GET", f"{REST}/spaces/{far}"), far)
    assert is_refusal(await user("POST", f"{REST}/lookup-file-id/Far/a.txt"), far)
    await until_listed(user, {"space1": "space1", far: "Far"})
    assert is_refusal(await user("GET", f"{REST}/data/{space_root_guid(SpaceId(far)).object_id()}"), far)
