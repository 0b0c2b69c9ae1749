"""Making, listing, changing and removing files over REST."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from pytest_twisted import ensureDeferred

from onedata.ids import FileGuid, FileUuid, ShareId, user_root_guid
from tests.integration.http.rest_client import (
    FOREIGN,
    OWNER,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    UNSUPPORTED,
    RestClient,
)

OCTETS = {"Content_Type": "application/octet-stream"}
GONE = FileGuid(FileUuid("f" * 32), SPACE).object_id()
ENOENT = {"id": "posix", "errno": "enoent"}
DEFAULTS = {
    *("fileId", "parentFileId", "name", "posixPermissions", "atime", "mtime", "ctime", "type", "size"),
    *("directShareIds", "index", "displayUid", "displayGid", "ownerUserId", "originProviderId"),
    *("hardlinkCount", "file_id", "parent_id", "mode", "shares", "storage_user_id", "storage_group_id"),
    *("owner_id", "provider_id", "hardlinks_count"),
}


@ensureDeferred
async def test_creating_answers_201_with_an_absolute_location(rest: RestClient) -> None:
    made = await rest.post(f"/data/{SPACE_ROOT}/children?name=a.txt", body=b"abc", **OCTETS)
    file_id = made.json["fileId"]
    assert made.status == 201
    assert made.headers["location"] == f"http://example.org:8443/api/v3/oneprovider/data/{file_id}"
    assert (await rest.get(f"/data/{file_id}/content")).body == b"abc"


@ensureDeferred
async def test_an_existing_name_is_posix_eexist(rest: RestClient) -> None:
    await rest.create("a", b"old")
    for body in (b"", b"new"):
        again = await rest.post(f"/data/{SPACE_ROOT}/children?name=a", body=body, **OCTETS)
        assert (again.status, again.error) == (400, {"id": "posix", "errno": "eexist"})
    assert (await rest.get(f"/data/{SPACE}/path/a")).body == b"old"


@ensureDeferred
async def test_update_existing_keeps_the_file_and_sets_its_mode(rest: RestClient) -> None:
    file_id = await rest.create("a", b"old")
    again = await rest.put(f"/data/{SPACE}/path/a?update_existing=true&mode=600")
    assert (again.status, again.json["fileId"]) == (201, file_id)
    shown = (await rest.get(f"/data/{file_id}", value={"attributes": ["posixPermissions", "size"]})).json
    assert shown == {"posixPermissions": "600", "size": 3}


@ensureDeferred
async def test_a_body_with_an_offset_is_written_there(rest: RestClient) -> None:
    made = await rest.post(f"/data/{SPACE_ROOT}/children?name=a&offset=2", body=b"x", **OCTETS)
    assert (await rest.get(f"/data/{made.json['fileId']}/content")).body == b"\0\0x"


@ensureDeferred
async def test_parents_are_made_only_when_asked_for(rest: RestClient) -> None:
    missing = await rest.put(f"/data/{SPACE}/path/x/y/z")
    assert (missing.status, missing.error) == (400, ENOENT)
    assert (await rest.put(f"/data/{SPACE}/path/x/y/z?create_parents=true")).status == 201
    assert (await rest.put(f"/data/{SPACE}/path/x/y/z/w")).error == {"id": "posix", "errno": "enotdir"}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", {"id": "missingRequiredValue", "key": "name"}),
        ("name=", {"id": "badValueEmpty", "key": "name"}),
        (
            "name=a&type=PIPE",
            {"id": "badValueNotAllowed", "key": "type", "allowed": ["REG", "DIR", "LNK", "SYMLNK"]},
        ),
        ("name=a&mode=999", {"id": "badValueInteger", "key": "mode"}),
        ("name=a&mode=7777", {"id": "badValueNotInRange", "key": "mode", "low": 0, "high": 1023}),
        ("name=a&update_existing=perhaps", {"id": "badValueBoolean", "key": "update_existing"}),
        ("name=a&type=SYMLNK", {"id": "missingRequiredValue", "key": "target_file_path"}),
        ("name=a&type=LNK", {"id": "missingRequiredValue", "key": "target_file_id"}),
        ("name=a&type=LNK&target_file_id=zz", {"id": "badValueIdentifier", "key": "target_file_id"}),
        ("name=" + "x" * 256, {"id": "posix", "errno": "enametoolong"}),
    ],
)
@ensureDeferred
async def test_bad_parameters_of_creation_are_named(rest: RestClient, query: str, expected: Any) -> None:
    made = await rest.post(f"/data/{SPACE_ROOT}/children?{query}")
    assert (made.status, made.error) == (400, expected)


@pytest.mark.parametrize("path", ["/..", "/a/../b", "/a%00b"])
@ensureDeferred
async def test_paths_cannot_climb_or_hold_nul(rest: RestClient, path: str) -> None:
    for method in ("GET", "PUT", "DELETE"):
        answer = await rest.ask(method, f"/data/{SPACE}/path{path}")
        assert (answer.status, answer.error) == (400, {"id": "badValueFilePath"})


@ensureDeferred
async def test_creating_and_removing_need_a_path(rest: RestClient) -> None:
    for method in ("PUT", "DELETE"):
        for path in ("/path", "/path/", "/path/./"):
            answer = await rest.ask(method, f"/data/{SPACE}{path}")
            assert (answer.status, answer.error) == (400, {"id": "missingRequiredValue", "key": "path"})


@ensureDeferred
async def test_default_attributes_come_in_both_styles(rest: RestClient) -> None:
    file_id = await rest.create("folder/a", b"abc")
    shown = (await rest.get(f"/data/{file_id}")).json
    assert set(shown) == DEFAULTS
    assert shown["fileId"] == shown["file_id"] == file_id
    assert shown["posixPermissions"] == shown["mode"] == "664"
    assert (shown["type"], shown["size"], shown["name"]) == ("REG", 3, "a")
    assert (shown["ownerUserId"], shown["originProviderId"]) == (OWNER, PROVIDER)
    assert isinstance(shown["mtime"], int)


@ensureDeferred
async def test_exactly_the_attributes_asked_for_are_shown(rest: RestClient) -> None:
    file_id = await rest.create("folder/a", b"abc")
    wanted = ["path", "isFullyReplicatedLocally", "localReplicationRate", "xattr.color", "xattr.none"]
    await rest.put(f"/data/{file_id}/metadata/xattrs", value={"color": {"rgb": [1, 2]}})
    shown = (await rest.get(f"/data/{file_id}", value={"attributes": wanted})).json
    assert shown == {
        "path": "/Science/folder/a",
        "isFullyReplicatedLocally": True,
        "localReplicationRate": 1.0,
        "xattr.color": {"rgb": [1, 2]},
        "xattr.none": None,
    }
    by_query = (await rest.get(f"/data/{file_id}?attributes=name&attributes=size")).json
    assert by_query == {"name": "a", "size": 3}
    old = (await rest.get(f"/data/{file_id}?attribute=file_id&attribute=mode")).json
    assert old == {"file_id": file_id, "mode": "664"}


@ensureDeferred
async def test_an_unknown_attribute_is_refused_with_the_known_ones(rest: RestClient) -> None:
    shown = await rest.get(f"/data/{SPACE}", value={"attributes": ["name", "unknown"]})
    assert (shown.status, shown.error["id"], shown.error["key"]) == (400, "badValueNotAllowed", "attributes")
    assert "xattr.*" in shown.error["allowed"]
    wrong = await rest.get(f"/data/{SPACE}", value={"attributes": 5})
    assert wrong.error == {"id": "badValueListOfStrings", "key": "attributes"}


@ensureDeferred
async def test_bodies_that_are_no_json_object_are_malformed(rest: RestClient) -> None:
    for body in (b"[]", b"{", b"\xff"):
        shown = await rest.get(f"/data/{SPACE}", body=body)
        assert (shown.status, shown.error) == (400, {"id": "malformedData"})


@ensureDeferred
async def test_a_bare_space_id_stands_for_its_root(rest: RestClient) -> None:
    shown = (await rest.get(f"/data/{SPACE}?attributes=fileId&attributes=type&attributes=name")).json
    assert shown == {"fileId": SPACE_ROOT, "type": "DIR", "name": "Science"}


@ensureDeferred
async def test_children_are_listed_in_pages(rest: RestClient) -> None:
    folder = await rest.make_directory("folder")
    for number in range(5):
        await rest.create(f"folder/f{number}")
    first = (await rest.get(f"/data/{folder}/children?limit=2", value={"attributes": ["name"]})).json
    assert [child["name"] for child in first["children"]] == ["f0", "f1"]
    assert (first["isLast"], type(first["nextPageToken"])) == (False, str)
    token = quote(first["nextPageToken"])
    rest_of_it = (await rest.get(f"/data/{folder}/children?token={token}")).json
    assert [child["name"] for child in rest_of_it["children"]] == ["f2", "f3", "f4"]
    assert rest_of_it["isLast"] is True
    assert set(rest_of_it["children"][0]) == {"fileId", "file_id", "name"}
    indexed = (await rest.get(f"/data/{folder}/children?index=f2&offset=-1&limit=1")).json
    assert [child["name"] for child in indexed["children"]] == ["f1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("limit=0", {"id": "badValueNotInRange", "key": "limit", "low": 1, "high": 10000}),
        ("limit=ten", {"id": "badValueInteger", "key": "limit"}),
        ("offset=501&index=a", {"id": "badValueNotInRange", "key": "offset", "low": -500, "high": 500}),
        ("offset=-1", {"id": "posix", "errno": "einval"}),
        ("token=!", {"id": "posix", "errno": "einval"}),
    ],
)
@ensureDeferred
async def test_bad_parameters_of_a_listing_are_named(rest: RestClient, query: str, expected: Any) -> None:
    listed = await rest.get(f"/data/{SPACE}/children?{query}")
    assert (listed.status, listed.error) == (400, expected)


@ensureDeferred
async def test_the_query_wins_over_the_body(rest: RestClient) -> None:
    for name in ("a", "b", "c"):
        await rest.create(name)
    listed = (await rest.get(f"/data/{SPACE}/children?limit=1", value={"limit": 2, "unknown": 1})).json
    assert len(listed["children"]) == 1


@ensureDeferred
async def test_files_below_a_directory_are_listed_by_relative_path(rest: RestClient) -> None:
    for path in ("d/b/2", "d/a", "d/b/1"):
        await rest.create(path)
    folder = (await rest.post("/lookup-file-id/Science/d")).json["fileId"]
    listed = (await rest.get(f"/data/{folder}/files")).json
    assert [file["path"] for file in listed["files"]] == ["a", "b/1", "b/2"]
    assert (listed["inaccessiblePaths"], listed["nextPageToken"]) == ([], None)
    after = (await rest.get(f"/data/{folder}/files?start_after=b/1&attributes=name")).json
    assert after["files"] == [{"name": "2"}]


@ensureDeferred
async def test_children_come_with_the_attributes_asked_for(rest: RestClient) -> None:
    folder = await rest.make_directory("folder")
    for name, color in (("a", "red"), ("b", None), ("c", {"rgb": [1]})):
        file_id = await rest.create(f"folder/{name}", b"1")
        if color is not None:
            await rest.put(f"/data/{file_id}/metadata/xattrs", value={"color": color, "other": 1})
    wanted = {"attributes": ["name", "size", "xattr.color", "xattr.none"]}
    listed = (await rest.get(f"/data/{folder}/children", value=wanted)).json
    expected = [
        {"name": name, "size": 1, "xattr.color": color, "xattr.none": None}
        for name, color in (("a", "red"), ("b", None), ("c", {"rgb": [1]}))
    ]
    assert listed["children"] == expected
    tree = (await rest.get(f"/data/{folder}/files", value=wanted)).json
    assert tree["files"] == expected


@ensureDeferred
async def test_a_recursive_listing_shows_what_a_pattern_matches(rest: RestClient) -> None:
    for path in ("d/b/2.txt", "d/a.txt", "d/b/1.dat", "e.txt"):
        await rest.create(path)

    async def listed(query: str) -> list[str]:
        return [one["path"] for one in (await rest.get(f"/data/{SPACE}/files?{query}")).json["files"]]

    assert await listed("glob=" + quote("**/*.txt")) == ["d/a.txt", "d/b/2.txt", "e.txt"]
    assert await listed("glob=" + quote("d/[a-b]") + "&include_directories=true") == ["d/b"]
    assert await listed("glob=" + quote("d/**") + "&prefix=d/b") == ["d/b/1.dat", "d/b/2.txt"]
    wrong = await rest.get(f"/data/{SPACE}/files?glob=" + quote("d/[a"))
    assert (wrong.status, wrong.error["id"], wrong.error["key"]) == (400, "badData", "glob")


@ensureDeferred
async def test_tokens_of_another_directory_are_einval(rest: RestClient) -> None:
    for path in ("d/1", "d/2", "e/1", "e/2"):
        await rest.create(path)
    one, other = [(await rest.post(f"/lookup-file-id/Science/{name}")).json["fileId"] for name in "de"]
    for what in ("children", "files"):
        token = quote((await rest.get(f"/data/{one}/{what}?limit=1")).json["nextPageToken"])
        assert (await rest.get(f"/data/{one}/{what}?limit=1&token={token}")).status == 200
        strange = await rest.get(f"/data/{other}/{what}?limit=1&token={token}")
        assert (strange.status, strange.error) == (400, {"id": "posix", "errno": "einval"})


@ensureDeferred
async def test_paths_are_looked_up_by_space_name_and_id(rest: RestClient) -> None:
    file_id = await rest.create("d/a b")
    for space in ("Science", f"Science@{SPACE}"):
        found = await rest.post(f"/lookup-file-id/{quote(space)}/d/./a%20b", value={})
        assert (found.status, found.json) == (200, {"fileId": file_id})
    root = user_root_guid(OWNER).object_id()
    assert (await rest.post("/lookup-file-id/")).json == {"fileId": root}
    assert (await rest.post("/lookup-file-id")).json == {"fileId": root}
    assert (await rest.post("/lookup-file-id/Nowhere/a")).error == ENOENT
    assert (await rest.post("/lookup-file-id/Science/none")).error == ENOENT


@ensureDeferred
async def test_the_mode_is_set_from_octal_text(rest: RestClient) -> None:
    file_id = await rest.create("a")
    assert (await rest.put(f"/data/{file_id}", value={"mode": "0640"})).status == 204
    assert (await rest.get(f"/data/{file_id}?attributes=posixPermissions")).json == {
        "posixPermissions": "640"
    }
    missing = await rest.put(f"/data/{file_id}", value={})
    assert missing.error == {"id": "missingRequiredValue", "key": "mode"}
    decimal = await rest.put(f"/data/{file_id}", value={"mode": "0493"})
    assert decimal.error == {"id": "badValueInteger", "key": "mode"}


@ensureDeferred
async def test_directories_are_removed_with_all_they_hold(rest: RestClient) -> None:
    await rest.create("d/e/f")
    folder = (await rest.post("/lookup-file-id/Science/d")).json["fileId"]
    assert (await rest.delete(f"/data/{folder}")).status == 204
    assert (await rest.post("/lookup-file-id/Science/d/e/f")).error == ENOENT
    assert (await rest.delete(f"/data/{folder}")).error == ENOENT
    assert (await rest.delete(f"/data/{SPACE}")).error == {"id": "posix", "errno": "eperm"}


@ensureDeferred
async def test_ids_that_lead_nowhere_have_the_errors_of_the_reference(rest: RestClient) -> None:
    foreign = FileGuid(FileUuid("f" * 32), FOREIGN).object_id()
    far = FileGuid(FileUuid("f" * 32), UNSUPPORTED).object_id()

    def unsupported(text: str) -> dict[str, str]:
        return {"id": "spaceNotSupportedBy", "spaceId": text, "providerId": PROVIDER}

    garbage = await rest.get("/data/garbage")
    assert (garbage.status, garbage.error) == (400, unsupported("garbage"))
    assert (await rest.get(f"/data/{far}")).error == unsupported(UNSUPPORTED)
    denied = await rest.get(f"/data/{foreign}")
    assert (denied.status, denied.error) == (403, {"id": "forbidden"})
    gone = await rest.get(f"/data/{GONE}")
    assert (gone.status, gone.error) == (400, ENOENT)
    for path in ("metadata/json", "metadata/rdf", "distribution", "storage_locations"):
        missing = await rest.get(f"/data/{GONE}/{path}")
        assert (path, missing.status, missing.error) == (path, 404, {"id": "notFound"})
    assert (await rest.get(f"/data/{GONE}/metadata/xattrs")).error == ENOENT


@ensureDeferred
async def test_share_ids_have_only_the_public_operations(rest: RestClient) -> None:
    root = FileGuid.from_object_id(SPACE_ROOT)
    share_id = FileGuid(root.uuid, root.space_id, ShareId("9" * 32)).object_id()
    refused = await rest.delete(f"/data/{share_id}")
    assert (refused.status, refused.error) == (400, {"id": "notSupported"})
    for token in (None, "owner"):
        unknown = await rest.get(f"/data/{share_id}/children", token=token)
        assert (unknown.status, unknown.error) == (404, {"id": "notFound"})
    assert (await rest.get(f"/data/{share_id}/children", token="bad")).status == 401
