"""Quotas, usage and statistics over the real door."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.runtime.clock import sleep, system_wall_clock
from op_worker.statistics.service import make_statistics
from tests.integration.http.rest_client import (
    MEMBER,
    OWNER,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    STORAGE,
    STRANGER,
    RestClient,
    make_files,
    make_tree,
    make_zone,
)

Serve = Any


@async_yield_fixture
async def rest(serve: Serve) -> AsyncIterator[RestClient]:
    """A client of a door with statistics, over a file service in memory."""
    zone = make_zone()
    files = await make_files(zone)
    context = files._context
    statistics = make_statistics(
        context.engine,
        files,
        context.storages,
        clock=reactor,
        wall_clock=system_wall_clock,
    )
    files.startService()
    statistics.startService()
    yield RestClient(await serve(make_tree(files, zone, statistics=statistics.answers)))
    await statistics.stopService()
    await files.stopService()


async def switch(rest: RestClient, *, on: bool) -> None:
    answer = await rest.ask("PATCH", f"/spaces/{SPACE}/settings", value={"statistics": on})
    assert answer.status == 200


async def switched_on(rest: RestClient) -> None:
    """Switch statistics on and wait until they are complete."""
    await switch(rest, on=True)
    for _ in range(200):
        if (await rest.get(f"/data/{SPACE_ROOT}/dir_size_stats")).status == 200:
            return
        await sleep(reactor, 0.02)
    raise AssertionError("statistics never became complete")


async def last_values(rest: RestClient, file_id: str) -> dict[str, int]:
    layout = (await rest.get(f"/data/{file_id}/dir_size_stats?mode=layout")).json["layout"]
    body = {"mode": "slice", "layout": {series: ["minute"] for series in layout}}
    found = await rest.get(f"/data/{file_id}/dir_size_stats", value=body)
    assert found.status == 200, found
    return {series: its["minute"][0]["value"] for series, its in found.json["slice"].items()}


@ensureDeferred
async def test_a_quota_of_a_directory_is_set_shown_enforced_and_lifted(rest: RestClient) -> None:
    directory = await rest.make_directory("d")
    await rest.create("d/f", b"12345")
    assert (await rest.get(f"/data/{directory}/quota")).error == {"id": "notFound"}
    assert (await rest.put(f"/data/{directory}/quota", value={"size": 8, "files": 9})).status == 204
    shown = (await rest.get(f"/data/{directory}/quota", token="member")).json
    assert shown == {
        "fileId": directory,
        "size": {"used": 5, "limit": 8},
        "files": {"used": 1, "limit": 9},
    }
    refused = await rest.put(f"/data/{SPACE}/path/d/g", body=b"1234", Content_Type="application/octet-stream")
    assert (refused.status, refused.error) == (400, {"id": "posix", "errno": "edquot"})
    assert (await rest.delete(f"/data/{directory}/quota")).status == 204
    await rest.create("d/g", b"1234")


@ensureDeferred
async def test_removals_tell_what_is_left_of_them_where_statistics_are_kept(rest: RestClient) -> None:
    await switched_on(rest)
    for number in range(3):
        await rest.create(f"tree/f{number}", b"12345")
    await rest.delete(f"/data/{SPACE}/path/tree")
    for _ in range(200):
        shown = (await rest.get(f"/spaces/{SPACE}/removals")).json
        if shown == {"removals": [], "left": {"files": 0, "directories": 0, "bytes": 0}}:
            return
        await sleep(reactor, 0.02)
    raise AssertionError(shown)


@ensureDeferred
async def test_usage_shows_storages_and_quotas(rest: RestClient) -> None:
    await rest.create("f", b"12345")
    await rest.create("m", b"123", token="member")
    for user in (OWNER, MEMBER):
        path = f"/spaces/{SPACE}/quotas/users/{user}"
        assert (await rest.put(path, value={"size": 100})).status == 204
    usage = (await rest.get(f"/spaces/{SPACE}/usage")).json
    assert usage["storages"] == {STORAGE: {"used": 8, "limit": 1 << 40}}
    assert [(one["userId"], one["size"]["used"]) for one in usage["quotas"]] == [(OWNER, 5), (MEMBER, 3)]
    assert usage["recharges"] == []
    own = (await rest.get(f"/spaces/{SPACE}/quotas/users/{MEMBER}", token="member")).json
    assert own == {"userId": MEMBER, "size": {"used": 3, "limit": 100}, "files": {"used": 1, "limit": None}}
    assert (await rest.get(f"/spaces/{SPACE}/usage", token="stranger")).status == 403
    assert (await rest.delete(f"/spaces/{SPACE}/quotas/users/{OWNER}")).status == 204
    assert (await rest.get(f"/spaces/{SPACE}/quotas/users/{OWNER}")).status == 404


@pytest.mark.parametrize(
    ("value", "error"),
    [
        ({"size": -1}, "badValueNotInRange"),
        ({"size": "much"}, "badValueInteger"),
        ({"files": 1.5}, "badValueInteger"),
        ({"size": 1 << 60}, "badValueNotInRange"),
        ({}, "missingAtLeastOneValue"),
    ],
)
@ensureDeferred
async def test_bad_quotas_are_refused(rest: RestClient, value: dict[str, Any], error: str) -> None:
    for path in (f"/spaces/{SPACE}/quotas/users/{MEMBER}", f"/data/{SPACE_ROOT}/quota"):
        refused = await rest.put(path, value=value)
        assert (refused.status, refused.error["id"]) == (400, error)


@ensureDeferred
async def test_quotas_of_strangers_of_files_and_by_members_are_refused(rest: RestClient) -> None:
    file_id = await rest.create("f", b"1")
    stranger = await rest.put(f"/spaces/{SPACE}/quotas/users/{STRANGER}", value={"size": 1})
    assert stranger.error == {"id": "badValueIdNotFound", "key": "userId"}
    file = await rest.put(f"/data/{file_id}/quota", value={"size": 1})
    assert file.error == {"id": "posix", "errno": "enotdir"}
    for path in (f"/spaces/{SPACE}/quotas/users/{MEMBER}", f"/data/{SPACE_ROOT}/quota"):
        assert (await rest.put(path, value={"size": 1}, token="member")).status == 403
        assert (await rest.delete(path, token="member")).status == 403


@ensureDeferred
async def test_statistics_that_are_off_are_told_so(rest: RestClient) -> None:
    directory = await rest.make_directory("d")
    refused = await rest.get(f"/data/{directory}/dir_size_stats")
    assert refused.error["id"] == "dirStatsDisabledForSpace"
    assert (await rest.get(f"/data/{directory}")).json["size"] is None


@ensureDeferred
async def test_what_was_there_before_is_counted_when_statistics_are_switched_on(rest: RestClient) -> None:
    directory = await rest.make_directory("d")
    await rest.create("d/e/f", b"12345")
    await switched_on(rest)
    await rest.create("d/g", b"123")
    assert await last_values(rest, directory) == {
        "reg_file_and_link_count": 2,
        "dir_count": 1,
        "virtual_size": 8,
        "logical_size": 8,
        f"physical_size_{STORAGE}": 8,
        "file_error_count": 0,
        "dir_error_count": 0,
    }
    assert (await rest.get(f"/data/{directory}")).json["size"] == 8
    children = (await rest.get(f"/data/{SPACE_ROOT}/children?attributes=name&attributes=size")).json
    assert children["children"] == [{"name": "d", "size": 8}]
    found = await rest.get(
        f"/data/{SPACE_ROOT}/files?include_directories=true&attributes=path&attributes=size"
    )
    assert {one["path"]: one["size"] for one in found.json["files"]} == {
        "d": 8,
        "d/e": 5,
        "d/e/f": 5,
        "d/g": 3,
    }


@ensureDeferred
async def test_the_distribution_of_a_directory_has_its_sizes(rest: RestClient) -> None:
    await rest.create("d/f", b"12345")
    before = (await rest.get(f"/data/{SPACE_ROOT}/distribution")).json
    assert before["distributionPerProvider"][PROVIDER]["success"] is False
    await switched_on(rest)
    assert (await rest.get(f"/data/{SPACE_ROOT}/distribution")).json == {
        "type": "DIR",
        "distributionPerProvider": {
            PROVIDER: {
                "success": True,
                "virtualSize": 5,
                "logicalSize": 5,
                "distributionPerStorage": {STORAGE: {"physicalSize": 5}},
            }
        },
    }


@ensureDeferred
async def test_a_slice_shows_the_windows_and_measurements_asked_for(rest: RestClient) -> None:
    await switched_on(rest)
    await rest.create("f", b"12345")
    asked = {
        "mode": "slice",
        "layout": {"dir_count": ["hour"], "virtual_size": ["day"]},
        "extendedInfo": True,
    }
    found = (await rest.get(f"/data/{SPACE_ROOT}/dir_size_stats", value=asked)).json["slice"]
    assert set(found) == {"dir_count", "virtual_size"}
    (window,) = found["virtual_size"]["day"]
    assert window["timestamp"] % 86_400 == 0
    assert window["value"] == 5
    assert window["timestamp"] <= window["firstMeasurementTimestamp"] <= window["lastMeasurementTimestamp"]
    early = await rest.get(f"/data/{SPACE_ROOT}/dir_size_stats", value={**asked, "startTimestamp": 0})
    assert early.json["slice"]["virtual_size"]["day"] == []


@ensureDeferred
async def test_bad_questions_for_statistics_are_refused(rest: RestClient) -> None:
    file_id = await rest.create("f", b"1")
    path = f"/data/{SPACE_ROOT}/dir_size_stats"
    await switched_on(rest)
    assert (await rest.get(f"/data/{file_id}/dir_size_stats")).error == {"id": "posix", "errno": "enotdir"}
    assert (await rest.get(f"{path}?mode=all")).error["id"] == "badValueNotAllowed"
    assert (await rest.get(f"{path}?mode=slice")).error == {"id": "missingRequiredValue", "key": "layout"}
    for layout in ("text", {"dir_count": "minute"}, {"dir_count": [1]}):
        refused = await rest.get(path, value={"mode": "slice", "layout": layout})
        assert refused.error == {"id": "badValueJSON", "key": "layout"}
    missing = {"dir_count": ["minute", "year"], "weight": ["day"]}
    refused = await rest.get(path, value={"mode": "slice", "layout": missing})
    assert refused.error["id"] == "timeSeriesCollectionMissingLayout"
    assert refused.error["missingLayout"] == {"dir_count": ["year"], "weight": ["day"]}
    too_many = {"mode": "slice", "layout": {}, "windowLimit": 1001}
    assert (await rest.get(path, value=too_many)).error["id"] == "badValueNotInRange"
    assert (await rest.get(path, token="stranger")).status == 403


@ensureDeferred
async def test_statistics_are_removed_when_they_are_switched_off(rest: RestClient) -> None:
    await rest.create("d/f", b"1")
    await switched_on(rest)
    await switch(rest, on=False)
    refused = await rest.get(f"/data/{SPACE_ROOT}/dir_size_stats")
    assert refused.error["id"] == "dirStatsDisabledForSpace"
    await rest.create("d/g", b"12")
    await switched_on(rest)
    assert (await last_values(rest, SPACE_ROOT))["virtual_size"] == 3
