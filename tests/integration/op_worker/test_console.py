"""The command ``oneprovider`` against a real provider, as a process of its own."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from attrs import frozen
from pytest_twisted import ensureDeferred
from twisted.internet.utils import getProcessOutputAndValue

from tests.integration.op_worker.running import World
from tests.integration.op_worker.test_administration import in_zone
from tests.integration.op_worker.test_local_users import local


@frozen
class Outcome:
    out: str
    err: str
    code: int

    @property
    def json(self) -> Any:
        return json.loads(self.out)


async def run(world: World, *words: str, **environment: str) -> Outcome:
    """Run the command; where the provider is, it is told by its environment."""
    (world.folder / "passphrase").touch()
    told = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.getcwd(),
        "ONEPROVIDER_URL": f"https://{world.provider_domain}",
        "ONEPROVIDER_PASSPHRASE_FILE": str(world.folder / "passphrase"),
        "ONEPROVIDER_CA": world.ca_file,
        **environment,
    }
    connect = ["--connect", f"127.0.0.1:{world.provider_port}"]
    command = ["-m", "op_worker.console", *connect, *words]
    out, err, code = await getProcessOutputAndValue(sys.executable, command, env=told, path=str(world.folder))
    return Outcome(out.decode(), err.decode(), code)


@ensureDeferred
async def test_storages_are_managed_from_the_command_line(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    (world.folder / "disk").mkdir()
    mount = f"mountPoint={world.folder / 'disk'}"
    added = await run(world, "--json", "storages", "add", "disk", "posix", mount, "qos.tier=fast", "id=d1")
    assert (added.code, added.json) == (0, {"id": "d1"}), added
    listed = await run(world, "storages", "list")
    assert "d1\tdisk\tposix\t0\t-" in listed.out.splitlines()
    changed = await run(world, "--json", "storages", "modify", "disk", "qos.tier=slow", "name=slow disk")
    assert (changed.json["name"], changed.json["qosParameters"]) == ("slow disk", {"tier": "slow"})
    assert (await run(world, "--json", "storages", "drain", "d1")).json == {"jobs": []}
    assert "draining" in (await run(world, "storages", "list")).out
    assert (await run(world, "storages", "drain", "d1", "--off")).code == 0
    assert "draining" not in (await run(world, "storages", "list")).out
    assert "write\tok\t" in (await run(world, "storages", "test", "slow disk")).out
    (world.folder / "disk").rmdir()
    tested = await run(world, "storages", "test", "d1")
    assert tested.code == 1 and "failed" in tested.out
    shown = await run(world, "storages", "show", "d1")
    assert f"mountPoint\t{world.folder / 'disk'}" in shown.out.splitlines()
    assert (await run(world, "storages", "remove", "d1")).code == 0
    gone = await run(world, "storages", "show", "d1")
    assert (gone.code, gone.err) == (2, "d1: nothing has this id or name\n")


@ensureDeferred
async def test_exit_codes_tell_refusals_usage_and_silence_apart(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    in_use = await run(world, "storages", "remove", "local-lab")
    assert in_use.code == 1 and in_use.err.strip()
    stranger = await run(world, "storages", "list", ONEPROVIDER_PASSPHRASE="guess")
    assert stranger.code == 1 and stranger.err.strip()
    assert (await run(world, "storages", "add", "x", "posix", "colour=red")).code == 1
    assert (await run(world, "storages")).code == 2
    assert (await run(world, "spaces", "resize", "lab", "many")).code == 2
    elsewhere = await run(world, "--connect", "127.0.0.1:9", "storages", "list")
    assert elsewhere.code == 3 and elsewhere.err.strip()
    untrusted = await run(world, "storages", "list", ONEPROVIDER_CA="/etc/ssl/certs/ca-certificates.crt")
    assert untrusted.code in (2, 3)


@ensureDeferred
async def test_spaces_are_managed_from_the_command_line(world: World) -> None:
    anna, _ = await in_zone(world)
    (world.folder / "st").mkdir()
    mount = f"mountPoint={world.folder / 'st'}"
    assert (await run(world, "storages", "add", "st", "posix", mount)).code == 0
    body = {"spaceId": "space1", "name": "Science", "creatorId": "anna", "users": [], "groups": []}
    assert (await world.zone_client()("POST", "/api/v3/onezone/dev/spaces", body)).status == 204
    invite = await anna("POST", "/api/v3/onezone/spaces/space1/providers/token")
    (world.folder / "token").write_text(invite.body["token"])
    supported = await run(world, "--json", "spaces", "support", f"@{world.folder / 'token'}", "st", "5GB")
    assert (supported.code, supported.json) == (0, {"id": "space1"}), supported
    assert "space1\tScience\t5 GB\t0 B" in (await run(world, "spaces", "list")).out
    assert (await run(world, "--json", "spaces", "resize", "Science", "6GB")).json["size"] == 6 * 10**9
    policy = await run(world, "--json", "spaces", "placement", "space1")
    assert policy.code == 0
    (world.folder / "policy").write_text(policy.out)
    assert (await run(world, "spaces", "placement", "space1", str(world.folder / "policy"))).code == 0
    (world.folder / "st" / "space1").mkdir(exist_ok=True)
    assert (await run(world, "spaces", "revoke", "Science")).code == 0
    assert (await run(world, "spaces", "list")).out == ""
