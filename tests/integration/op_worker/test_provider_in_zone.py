"""A provider with a real zone: registration, support, files, and life without the zone."""

from __future__ import annotations

from pathlib import Path

from pytest_twisted import ensureDeferred

from op_worker.config import ZoneSection
from tests.integration.op_worker.running import World, until

SPACES = "/api/v3/oneprovider/spaces"


@ensureDeferred
async def test_registered_provider_serves_files_of_a_supported_space(world: World) -> None:
    await world.start_zone()
    await world.start_provider()
    anna, token = await world.user("anna")
    registered = await world.register(anna)
    assert registered.status == 201
    assert registered.body == {
        "id": "p1",
        "name": "p1",
        "domain": world.provider_domain,
        "onezoneDomainName": world.zone_domain,
    }
    assert (await world.register(anna)).error == "alreadyExists"
    supported = await world.support(anna)
    assert (supported.status, supported.body) == (201, {"id": "space1"})

    user = world.provider_client().with_token(token)
    put = await user("PUT", "/cdmi/space1/a.txt", b"hello", content_type="text/plain")
    assert put.status == 201
    assert (await user("GET", "/cdmi/space1/a.txt")).content == b"hello"
    assert (world.folder / "storage" / "space1" / "a.txt").read_bytes() == b"hello"

    admin = world.admin()
    assert (await admin("GET", "/api/v3/onepanel/provider/storages")).body == {"ids": ["st1"]}
    shown = (await admin("GET", "/api/v3/onepanel/provider/storages/st1")).body
    assert (shown["name"], shown["type"]) == ("st", "posix")
    assert (await admin("GET", "/api/v3/onepanel/provider/storages/x")).status == 404
    assert (await admin("GET", "/api/v3/onepanel/provider/spaces")).body == {"ids": ["space1"]}
    configuration = (await user("GET", "/configuration")).body
    assert (configuration["providerId"], configuration["onezoneDomain"]) == ("p1", world.zone_domain)

    revoked = await anna("GET", "/api/v3/onezone/user/tokens/named/name/mine")
    path = f"/api/v3/onezone/tokens/named/{revoked.body['id']}"
    assert (await anna("PATCH", path, {"revoked": True})).status == 204

    async def is_refused() -> bool:
        answer = await user("GET", SPACES)
        return answer.status == 401 and answer.auth_error == "tokenRevoked"

    await until(is_refused, "the revocation arrives")


@ensureDeferred
async def test_known_users_are_served_without_the_zone_even_after_a_restart(world: World) -> None:
    await world.start_zone()
    await world.start_provider()
    anna, token = await world.user("anna")
    await world.register(anna)
    await world.support(anna)
    _, stranger = await world.user("bob")
    user = world.provider_client().with_token(token)
    assert (await user("GET", SPACES)).status == 200

    await world.stop("zone")
    await world.until_connected("error")
    assert (await user("GET", SPACES)).status == 200
    await world.stop("provider")
    await world.start_provider()
    assert [space["name"] for space in (await user("GET", SPACES)).body] == ["space1"]
    refused = await world.provider_client().with_token(stranger)("GET", SPACES)
    assert (refused.status, refused.auth_error) == (401, "noConnectionToOnezone")

    await world.start_zone()
    await world.until_connected()
    refused = await world.provider_client().with_token(stranger)("GET", SPACES)
    assert (refused.status, refused.auth_error) == (401, "userNotSupported")
    assert (await user("GET", SPACES)).status == 200


@ensureDeferred
async def test_zone_with_an_untrusted_certificate_is_not_spoken_to(world: World, tmp_path: Path) -> None:
    await world.start_zone()
    other = World(tmp_path / "other")
    zone = ZoneSection(
        domain=world.zone_domain, address=f"127.0.0.1:{world.zone_port}", ca_file=other.ca_file
    )
    await world.start_provider(world.provider_config(zone=zone))
    anna, _ = await world.user("anna")
    refused = await world.register(anna)
    assert (refused.status, refused.error) == (503, "noConnectionToOnezone")


@ensureDeferred
async def test_zone_whose_certificate_is_for_another_name_is_not_spoken_to(world: World) -> None:
    await world.start_zone()
    zone = ZoneSection(
        domain=f"elsewhere.test:{world.zone_port}",
        address=f"127.0.0.1:{world.zone_port}",
        ca_file=world.ca_file,
    )
    await world.start_provider(world.provider_config(zone=zone))
    anna, _ = await world.user("anna")
    refused = await world.register(anna)
    assert (refused.status, refused.error) == (503, "noConnectionToOnezone")


@ensureDeferred
async def test_registration_that_the_zone_refuses_tells_the_zones_reason(world: World) -> None:
    await world.start_zone()
    await world.start_provider()
    _, access_token = await world.user("anna")
    body = {"token": access_token, "name": "p1", "adminEmail": "a@b.cz", "domain": "p1.test"}
    refused = await world.admin()("POST", "/api/v3/onepanel/provider", body)
    assert (refused.status, refused.error) == (400, "badValueToken")
    unregistered = await world.admin()("GET", "/api/v3/onepanel/provider")
    assert (unregistered.status, unregistered.error) == (503, "unregisteredOneprovider")
