"""Holds and retention bind the REST and tus doors; administrators of the space release holds over REST."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.ids import FileGuid
from op_worker.files.model import MetadataChange, Target
from op_worker.files.rules.retention import ImmutabilityChange, Period
from tests.integration.http.rest_client import CALLERS, MEMBER, RestClient

HELD = MetadataChange(immutability=ImmutabilityChange(holds=["case 7"]))
RETAINED = MetadataChange(immutability=ImmutabilityChange(period=Period(0, 32_000_000_000_000)))


async def keep(rest: RestClient, file_id: str, change: MetadataChange) -> None:
    """Set what only CDMI can set."""
    assert rest.downloads is not None
    files = rest.downloads.files
    await files.metadata.change(CALLERS["owner"], Target(FileGuid.from_object_id(file_id)), change)


@pytest.mark.parametrize(("change", "reason"), [(HELD, "hold case 7"), (RETAINED, "retention until 2984-")])
@ensureDeferred
async def test_a_kept_file_cannot_be_changed_over_rest_by_anybody(
    rest: RestClient, change: MetadataChange, reason: str
) -> None:
    file_id = await rest.create("d/f", b"x")
    directory_id = (await rest.get(f"/data/{file_id}")).json["parentFileId"]
    await keep(rest, file_id, change)
    for answer in (
        await rest.put(
            f"/data/{file_id}/content",
            body=b"other",
            Content_Type="application/octet-stream",
            prefer="reason",
        ),
        await rest.put(
            f"/data/{file_id}/content?offset=0",
            body=b"o",
            Content_Type="application/octet-stream",
            prefer="reason",
        ),
        await rest.put(f"/data/{file_id}", value={"mode": "600"}, prefer="reason"),
        await rest.put(f"/data/{file_id}/metadata/xattrs", value={"k": 1}, prefer="reason"),
        await rest.put(f"/data/{file_id}/acl", value=[], prefer="reason"),
        await rest.delete(f"/data/{file_id}", prefer="reason"),
    ):
        assert (answer.status, answer.error["errno"]) == (400, "eperm")
        assert answer.error["reason"].startswith(f"{reason}")
    tree = await rest.delete(f"/data/{directory_id}", prefer="reason")
    assert (tree.status, tree.error["errno"]) == (400, "eperm")
    assert tree.error["reason"] == "something in /d is under retention or hold"
    assert (await rest.get(f"/data/{file_id}/content")).body == b"x"


@ensureDeferred
async def test_holds_are_shown_and_released_over_rest_by_administrators(rest: RestClient) -> None:
    file_id = await rest.create("d/f", b"x")
    await keep(rest, file_id, HELD)
    path = f"/data/{file_id}/holds"
    assert (await rest.get(path, token="member")).json == {"direct": ["case 7"], "effective": ["case 7"]}
    assert (await rest.delete(f"{path}?hold=case%207", token="member")).status == 403
    assert (await rest.delete(f"{path}?hold=another")).status == 404
    assert (await rest.delete(path)).status == 400
    assert (await rest.delete(f"{path}?hold=case%207")).status == 204
    assert (await rest.get(path)).json == {"direct": [], "effective": []}
    assert (await rest.delete(f"/data/{file_id}")).status == 204


@ensureDeferred
async def test_a_kept_file_explains_itself(rest: RestClient) -> None:
    file_id = await rest.create("d/f", b"x")
    await keep(rest, file_id, HELD)
    answer = await rest.get(f"/data/{file_id}/permissions/explain?operation=delete&userId={MEMBER}")
    [found] = answer.json["operations"]
    assert found["fact"] == {"kind": "hold", "path": "/d/f", "what": "case 7"}
    assert (found["allowed"], found["errno"]) == (False, "eperm")
