"""Shares are for guests, and CDMI knows none: ids of shares open nothing, for reading or writing."""

from __future__ import annotations

import pytest
from attrs import evolve
from pytest_twisted import ensureDeferred

from onedata.ids import space_root_guid
from op_worker.auth.caller import Caller
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import CreateOptions, Target
from op_worker.files.service import FileService
from tests.integration.cdmi.callers import OWNER, SPACE
from tests.integration.cdmi.client import Client

CDMI = {"X-CDMI-Specification-Version": "1.1.1"}
OBJECT = {**CDMI, "Content-Type": "application/cdmi-object"}


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE"])
@ensureDeferred
async def test_ids_of_shares_are_refused_whatever_is_done(
    client: Client, files: FileService, method: str
) -> None:
    owner = Caller(OWNER)
    root = space_root_guid(SPACE)
    await files.create_directory(owner, Target(root, ("pub",)), CreateOptions(mode=0o777))
    inside = await files.create_file(owner, Target(root, ("pub", "f")), CreateOptions(mode=0o777))
    pub = (await files.stat(owner, Target(root, ("pub",)))).guid
    share = await files.sharing.add(owner, pub, Terms(name="Share"))
    top = share.root_guid.object_id()
    file_id = evolve(inside.guid, share_id=share.share_id).object_id()
    for path in (file_id, f"{top}/f", f"{top}/new", f"{top}/"):
        for token in ("owner", "stranger"):
            answer = await client.send(method, f"/cdmi/cdmi_objectid/{path}", b"changed", token=token)
            assert (path, answer.status) == (path, 403)
    assert (await files.stat(owner, Target(inside.guid))).size_b == 0


@ensureDeferred
async def test_nothing_is_copied_out_of_a_share_by_its_ids(client: Client, files: FileService) -> None:
    owner = Caller(OWNER)
    inside = await files.create_file(owner, Target(space_root_guid(SPACE), ("f",)), CreateOptions())
    share = await files.sharing.add(owner, inside.guid, Terms(name="Share"))
    source = f"cdmi_objectid/{share.root_guid.object_id()}"
    for verb in ("copy", "move"):
        answer = await client.send("PUT", "/cdmi/Science/new", {verb: source}, OBJECT)
        assert answer.status == 403
    assert (await client.send("GET", "/cdmi/Science/new")).status == 404
