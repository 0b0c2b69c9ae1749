"""Checks of a provider: by the command, beside the daemon and without it, and at the admin door."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.utils import getProcessOutputAndValue

from tests.integration.op_worker.running import World, until
from tests.integration.op_worker.test_local_users import local, token

FSCK = "/api/v3/onepanel/provider/fsck"
JOBS = "/api/v3/onepanel/provider/jobs"


async def fsck(world: World, *arguments: str) -> tuple[int, list[Any]]:
    """Run the command; return how it ended and the lines of JSON that it wrote."""
    config = world.folder / "fsck.toml"
    config.write_text(f'state_dir = "{world.folder / "provider"}"\n')
    words = ["-m", "op_worker.fsck", "--config", str(config), "--json", *arguments]
    out, err, code = await getProcessOutputAndValue(sys.executable, words, env=dict(os.environ))
    assert code != 2, err
    return code, [json.loads(line) for line in out.splitlines()]


@ensureDeferred
async def test_the_command_checks_and_repairs_beside_the_daemon_and_without_it(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna = world.provider_client().with_token(token(world, "anna"))
    assert (await anna("PUT", "/cdmi/Lab/x.txt", b"text", content_type="text/plain")).status == 201
    code, (outcome,) = await fsck(world, "--content")
    assert (code, outcome["clean"], outcome["settled"]) == (0, True, True)
    stranger = world.folder / "data" / "lab" / "stranger"
    stranger.write_bytes(b"found")
    code, (finding, outcome) = await fsck(world, "--repair", "--dry-run")
    assert (code, finding["code"], outcome["clean"]) == (1, "unknown-bytes", False)
    assert stranger.exists()
    code, (_, outcome) = await fsck(world, "--repair")
    assert (code, outcome["repaired"]) == (0, {"unknown-bytes": 1})
    assert not stranger.exists()
    lost = await anna("POST", "/api/v3/oneprovider/lookup-file-id/Lab/lost+found")
    children = await anna("GET", f"/api/v3/oneprovider/data/{lost.body['fileId']}/children")
    (child,) = children.body["children"]
    assert child["name"].endswith(" stranger")
    await world.stop("provider")
    code, (outcome,) = await fsck(world, "--content")
    assert (code, outcome["clean"]) == (0, True)


@ensureDeferred
async def test_the_admin_door_begins_checks_as_background_jobs(world: World) -> None:
    await world.start_provider(world.provider_config(local=local(world)))
    anna, admin = world.provider_client().with_token(token(world, "anna")), world.admin()
    assert (await anna("PUT", "/cdmi/Lab/x.txt", b"text", content_type="text/plain")).status == 201
    (world.folder / "data" / "lab" / "stranger").write_bytes(b"found")
    assert (await world.provider_client()("POST", FSCK, {})).status == 401
    for body in ({"spaceIds": ["none"]}, {"repair": ["none"]}, {"content": 1}, {"rate": -1}):
        assert (await admin("POST", FSCK, body)).status == 400
    begun = await admin("POST", FSCK, {"repair": True, "spaceIds": ["lab"]})
    assert (begun.status, begun.body) == (202, {"jobs": ["lab:fsck"]})

    async def is_over() -> bool:
        return bool((await admin("GET", f"{JOBS}/lab:fsck")).body["status"] == "finished")

    await until(is_over, "the check")
    entries = (await admin("GET", f"{JOBS}/lab:fsck/audit")).body["entries"]
    told = [json.loads(entry["message"]) for entry in entries if entry["message"].startswith("{")]
    assert [one.get("code") for one in told] == ["unknown-bytes", None]
    assert told[-1]["repaired"] == {"unknown-bytes": 1} and told[-1]["clean"]
