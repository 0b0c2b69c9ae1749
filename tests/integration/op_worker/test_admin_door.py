"""The admin door and the small pages, of a provider that has no zone yet."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from op_worker.config import ZoneSection
from tests.integration.op_worker.running import PASSPHRASE, World

PROVIDER = "/api/v3/onepanel/provider"


async def start(world: World) -> None:
    await world.start_provider(world.provider_config(zone=ZoneSection()))


@ensureDeferred
async def test_admin_door_opens_only_to_the_passphrase(world: World) -> None:
    await start(world)
    client = world.provider_client()
    without = await client("GET", PROVIDER)
    assert (without.status, without.error) == (401, "unauthorized")
    assert without.headers.getRawHeaders("WWW-Authenticate") == ['Basic realm="onepanel"']
    assert (await client.with_password("root", PASSPHRASE)("GET", PROVIDER)).status == 401
    wrong = await client.with_password("onepanel", "guess")("GET", PROVIDER)
    assert (wrong.status, wrong.auth_error) == (401, "badBasicCredentials")
    assert (await world.admin()("GET", PROVIDER)).error == "unregisteredOneprovider"


@ensureDeferred
async def test_guessing_the_passphrase_is_slowed_down(world: World) -> None:
    await start(world)
    guesser = world.provider_client().with_password("onepanel", "guess")
    assert [(await guesser("GET", PROVIDER)).status for _ in range(7)] == [401] * 6 + [429]
    waiting = await world.admin()("GET", PROVIDER)
    assert waiting.status == 429
    assert waiting.headers.getRawHeaders("Retry-After") == ["1"]


@ensureDeferred
async def test_wrong_bodies_at_the_admin_door_are_refused(world: World) -> None:
    await start(world)
    admin = world.admin()
    assert (await admin("POST", PROVIDER, b"{")).error == "malformedData"
    assert (await admin("POST", PROVIDER, {})).error == "missingRequiredValue"
    body = {"token": "t", "name": "n", "adminEmail": "a@b.cz", "domain": "d"}
    no_zone = await admin("POST", PROVIDER, body)
    assert (no_zone.error, no_zone.body["error"]["details"]) == ("missingRequiredValue", {"key": "zoneUrl"})
    absent = {"st": {"type": "posix", "mountPoint": str(world.folder / "absent")}}
    assert (await admin("POST", f"{PROVIDER}/storages", absent)).error == "storageTestFailed"
    floppy = await admin("POST", f"{PROVIDER}/storages", {"st": {"type": "floppy"}})
    assert (floppy.error, floppy.body["error"]["details"]["key"]) == ("badValueNotAllowed", "type")
    odd = {"st": {"type": "memory", "colour": "red"}}
    refused = await admin("POST", f"{PROVIDER}/storages", odd)
    assert (refused.error, refused.body["error"]["details"]["key"]) == ("badData", "colour")
    unknown = {"token": "t", "size": 10**9, "storageId": "none"}
    assert (await admin("POST", f"{PROVIDER}/spaces", unknown)).error == "badValueIdNotFound"
    assert (await admin("DELETE", PROVIDER)).status == 405


@ensureDeferred
async def test_unregistered_provider_is_up_and_says_what_it_is(world: World) -> None:
    await start(world)
    client = world.provider_client()
    assert b"Oneprovider" in (await client("GET", "/")).content
    assert (await client("GET", "/api/v3/oneprovider/health")).body == {"status": "healthy"}
    assert (await client("GET", "/nagios/oz_connectivity")).body == {"status": "error"}
    configuration = (await client("GET", "/configuration")).body
    assert configuration["providerId"] is None
    assert configuration == (await client("GET", "/api/v3/oneprovider/configuration")).body
    missing = await client("GET", "/nothing/here")
    assert (missing.status, missing.content) == (404, b"")


@ensureDeferred
async def test_unregistered_provider_refuses_users_with_a_clear_reason(world: World) -> None:
    await start(world)
    own = (
        "MDAyMWxvY2F00aW9uIG9uZXpvbmUuZXhhbXBsZS5jb200KMDAyM2lkZW500aWZpZXIgMi9ubWQvdXNyLXUxL2FjdC900MQow"
        "MDFhY2lkIHRpbWUgPCAyMDAwMDAwMDAwCjAwMTljaWQgaW500ZXJmYWNlID00gcmVzdAowMDJmc2lnbmF00dXJlILAmrTtiM3"
        "ck02lWeTw66Mj78ZgfVgyIfeS1HHlaR9Lp3Cg"
    )
    refused = await world.provider_client().with_token(own)("GET", "/api/v3/oneprovider/spaces")
    assert (refused.status, refused.auth_error) == (401, "unregisteredOneprovider")
