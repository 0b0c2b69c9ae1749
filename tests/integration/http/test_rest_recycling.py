"""Settings of spaces, the recycle bin and progress of removals over REST."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from tests.integration.http.rest_client import FOREIGN, MEMBER, OWNER, SPACE, UNSUPPORTED, RestClient

SETTINGS = f"/spaces/{SPACE}/settings"
BIN = f"/spaces/{SPACE}/recycle_bin"
DEFAULTS = {"accessTimes": "never", "recycleDays": 0, "statistics": False, "search": False}


async def with_bin(rest: RestClient) -> None:
    assert (await rest.ask("PATCH", SETTINGS, value={"recycleDays": 3})).status == 200


@ensureDeferred
async def test_settings_are_shown_to_members_and_changed_one_by_one(rest: RestClient) -> None:
    assert (await rest.get(SETTINGS, token="member")).json == DEFAULTS
    changed = await rest.ask("PATCH", SETTINGS, value={"recycleDays": 3, "accessTimes": "relative"})
    assert changed.json == {**DEFAULTS, "recycleDays": 3, "accessTimes": "relative"}
    again = await rest.ask("PATCH", SETTINGS, value={"statistics": True, "search": True, "recycleDays": 0})
    expected = {"accessTimes": "relative", "recycleDays": 0, "statistics": True, "search": True}
    assert again.json == (await rest.get(SETTINGS)).json == expected
    assert (await rest.ask("PATCH", SETTINGS, value={})).json == expected


@ensureDeferred
async def test_settings_are_changed_with_space_update_only(rest: RestClient) -> None:
    for token, error in (("member", "forbidden"), ("stranger", "forbidden"), ("readonly", "unauthorized")):
        answer = await rest.ask("PATCH", SETTINGS, value={"recycleDays": 3}, token=token)
        assert answer.error["id"] == error
    assert (await rest.get(SETTINGS, token="stranger")).status == 403
    assert (await rest.get(SETTINGS, token=None)).status == 401
    assert (await rest.get(f"/spaces/{UNSUPPORTED}/settings")).error["id"] == "spaceNotSupportedBy"
    assert (await rest.get(f"/spaces/{FOREIGN}/settings")).status == 403
    assert (await rest.get(SETTINGS)).json == DEFAULTS


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (
            {"accessTimes": "always"},
            {"id": "badValueNotAllowed", "key": "accessTimes", "allowed": ["never", "relative"]},
        ),
        ({"recycleDays": -1}, {"id": "badValueNotInRange", "key": "recycleDays", "low": 0, "high": 3650}),
        ({"recycleDays": "many"}, {"id": "badValueInteger", "key": "recycleDays"}),
        ({"statistics": "perhaps"}, {"id": "badValueBoolean", "key": "statistics"}),
    ],
)
@ensureDeferred
async def test_unknown_values_of_settings_are_named(rest: RestClient, value: Any, expected: Any) -> None:
    answer = await rest.ask("PATCH", SETTINGS, value=value)
    assert (answer.status, answer.error) == (400, expected)
    assert (await rest.get(SETTINGS)).json == DEFAULTS


@ensureDeferred
async def test_a_removed_file_is_listed_in_the_bin_and_restored(rest: RestClient) -> None:
    await with_bin(rest)
    file_id = await rest.create("folder/a", b"content")
    assert (await rest.delete(f"/data/{file_id}")).status == 204
    listed = (await rest.get(BIN)).json
    (item,) = listed["items"]
    assert (listed["isLast"], listed["nextPageToken"]) == (True, None)
    assert (item["fileId"], item["name"], item["path"]) == (file_id, "a", "folder/a")
    assert (item["type"], item["size"], item["removedBy"], item["ownerUserId"]) == ("REG", 7, OWNER, OWNER)
    assert item["expiresAt"] - item["removedAt"] in (3 * 86400 - 1, 3 * 86400, 3 * 86400 + 1)
    restored = await rest.post(f"{BIN}/{item['itemId']}/restore")
    assert (restored.status, restored.json) == (200, {"fileId": file_id, "path": "folder/a"})
    assert (await rest.get(f"/data/{file_id}/content")).body == b"content"
    assert (await rest.get(BIN)).json["items"] == []


@ensureDeferred
async def test_a_tree_is_restored_to_another_path(rest: RestClient) -> None:
    await with_bin(rest)
    file_id = await rest.create("folder/sub/a", b"content")
    assert (await rest.delete(f"/data/{SPACE}/path/folder")).status == 204
    (item,) = (await rest.get(BIN)).json["items"]
    assert (item["type"], item["size"]) == ("DIR", None)
    path = f"{BIN}/{item['itemId']}/restore"
    missing = await rest.post(path, value={"path": "x/y/z"})
    assert (missing.status, missing.error) == (400, {"id": "posix", "errno": "enoent"})
    empty = await rest.post(path, value={"path": "/"})
    assert empty.error == {"id": "missingRequiredValue", "key": "path"}
    assert (await rest.post(path, value={"path": "../z"})).error == {"id": "badValueFilePath"}
    done = await rest.post(path, value={"path": "/x/y/z", "create_parents": True})
    assert (done.status, done.json["path"]) == (200, "x/y/z")
    assert (await rest.get(f"/data/{SPACE}/path/x/y/z/sub/a")).body == b"content"
    assert (await rest.get(f"/data/{file_id}/content")).body == b"content"


@ensureDeferred
async def test_items_are_removed_for_good_one_by_one_or_all(rest: RestClient) -> None:
    await with_bin(rest)
    for name in ("a", "b", "c"):
        await rest.delete(f"/data/{await rest.create(name, b'1')}")
    listed = (await rest.get(f"{BIN}?limit=2")).json
    assert [item["name"] for item in listed["items"]] == ["c", "b"]
    rest_of_it = (await rest.get(f"{BIN}?limit=2&token={listed['nextPageToken']}")).json
    assert [item["name"] for item in rest_of_it["items"]] == ["a"]
    item_id = listed["items"][0]["itemId"]
    assert (await rest.delete(f"{BIN}/{item_id}")).status == 204
    again = await rest.delete(f"{BIN}/{item_id}")
    assert (again.status, again.error) == (404, {"id": "notFound"})
    assert (await rest.post(f"{BIN}/{item_id}/restore")).status == 404
    assert (await rest.delete(BIN)).status == 204
    assert (await rest.get(BIN)).json["items"] == []


@ensureDeferred
async def test_members_see_what_they_removed_and_strangers_nothing(rest: RestClient) -> None:
    await with_bin(rest)
    await rest.delete(f"/data/{await rest.create('a', b'1')}")
    await rest.delete(f"/data/{await rest.create('b', b'1', token='member')}", token="member")
    (item,) = (await rest.get(BIN, token="member")).json["items"]
    assert (item["name"], item["removedBy"]) == ("b", MEMBER)
    assert len((await rest.get(BIN)).json["items"]) == 2
    for method, path in (("GET", BIN), ("DELETE", BIN), ("GET", f"/spaces/{SPACE}/removals")):
        assert (await rest.ask(method, path, token="stranger")).status == 403
        assert (await rest.ask(method, path, token=None)).status == 401


@ensureDeferred
async def test_a_purged_tree_is_no_removal_any_more(rest: RestClient) -> None:
    await rest.create("folder/a", b"1")
    await rest.delete(f"/data/{SPACE}/path/folder")
    assert (await rest.get(f"/spaces/{SPACE}/removals")).json == {"removals": [], "left": None}
