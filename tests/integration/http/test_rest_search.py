"""Searching a space over REST, with the index kept by a reader of the feed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from attrs import frozen
from pytest_twisted import async_yield_fixture, ensureDeferred

from onedata.ids import FileGuid
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.search.service import Searching
from tests.integration.http.conftest import Serve
from tests.integration.http.rest_client import (
    CALLERS,
    FOREIGN,
    SPACE,
    RestClient,
    make_files,
    make_searching,
    make_tree,
    make_zone,
)


@frozen
class Searched:
    """A door with search switched on."""

    rest: RestClient
    files: FileService
    searching: Searching

    async def find(self, query: str, **more: Any) -> list[str]:
        answer = await self.rest.post(f"/spaces/{SPACE}/search", value={"query": query, **more})
        assert answer.status == 200, answer
        assert answer.json["isCurrent"] is True
        return [file["path"] for file in answer.json["files"]]


@async_yield_fixture
async def site(serve: Serve) -> AsyncIterator[Searched]:
    zone = make_zone()
    files = await make_files(zone)
    searching = make_searching(files, zone)
    for service in (files, searching):
        service.startService()
    rest = RestClient(await serve(make_tree(files, zone, searching=searching)))
    on = await rest.ask("PATCH", f"/spaces/{SPACE}/settings", value={"search": True})
    assert on.json["search"] is True
    yield Searched(rest, files, searching)
    for service in (searching, files):
        await service.stopService()


@ensureDeferred
async def test_files_are_found_by_what_was_done_right_before(site: Searched) -> None:
    rest = site.rest
    tif = await rest.create("scans/a.tif", b"x" * 2000)
    await rest.create("scans/b.txt", b"x")
    await rest.put(f"/data/{tif}/metadata/xattrs", value={"project": "x", "run": "12"})
    await rest.put(f"/data/{tif}/metadata/json", value={"a": {"b": [1, 2, 3]}})
    query = 'name ~ "*.tif" and size > 1K and xattr.project = "x" and json.a.b[2] >= 3 and mtime > 2020-01-01'
    assert await site.find(query) == ["/Science/scans/a.tif"]
    assert await site.find('xattr.run > 11 and type = "file"') == ["/Science/scans/a.tif"]
    assert await site.find('path ~ "/scans/*" and not has(json)') == ["/Science/scans/b.txt"]
    await rest.delete(f"/data/{tif}/metadata/json")
    assert await site.find("has(json)") == []
    await rest.delete(f"/data/{tif}")
    assert await site.find('name ~ "*.tif"') == []


@ensureDeferred
async def test_moving_a_directory_moves_the_paths_of_all_below(site: Searched) -> None:
    await site.rest.create("a/b/c/file")
    assert await site.find('path = "/a/b/c/file"') == ["/Science/a/b/c/file"]
    directory = await site.files.locate(CALLERS["owner"], ("Science", "a", "b"))
    target = Target(FileGuid.from_object_id(await site.rest.make_directory("z")), ("y",))
    await site.files.move(CALLERS["owner"], Target(directory), target)
    assert await site.find('path ~ "/a/*"') == []
    found = await site.find('path ~ "/z/*"', order="-name")
    assert found == ["/Science/z/y", "/Science/z/y/c/file", "/Science/z/y/c"]


@ensureDeferred
async def test_removed_trees_are_found_no_more(site: Searched) -> None:
    await site.rest.create("tree/inner/file")
    directory = await site.files.locate(CALLERS["owner"], ("Science", "tree"))
    assert len(await site.find('name ~ "*"')) == 3
    await site.files.remove(CALLERS["owner"], Target(directory))
    assert await site.find('name ~ "*"') == []


@ensureDeferred
async def test_pages_are_continued_and_tokens_belong_to_their_search(site: Searched) -> None:
    for number in range(25):
        await site.rest.create(f"f{number:02}")
    path = f"/spaces/{SPACE}/search"
    found: list[str] = []
    token = None
    while True:
        body: dict[str, Any] = {"query": 'name ~ "f*"', "limit": 7, "token": token, "attributes": ["name"]}
        answer = (await site.rest.get(path, value=body)).json
        found += [file["name"] for file in answer["files"]]
        token = answer["nextPageToken"] or ""
        if not token:
            break
        assert len(answer["files"]) == 7
    assert found == [f"f{number:02}" for number in range(25)]
    first = (await site.rest.post(path, value={"query": 'name ~ "f*"', "limit": 1})).json["nextPageToken"]
    bodies: list[dict[str, Any]] = [
        {"query": 'name ~ "f?*"', "token": first},
        {"query": 'name ~ "f*"', "token": first, "order": "-name"},
        {"query": 'name ~ "f*"', "token": "rubbish!"},
        {"query": 'name ~ "f*"', "token": "ż"},
    ]
    for body in bodies:
        refused = await site.rest.post(path, value=body)
        assert (refused.status, refused.error["id"], refused.error["key"]) == (400, "badData", "token")


@ensureDeferred
async def test_chosen_attributes_are_shown(site: Searched) -> None:
    file_id = await site.rest.create("a", b"abc")
    await site.rest.put(f"/data/{file_id}/metadata/xattrs", value={"k": [1]})
    body = {"query": "size = 3", "attributes": ["fileId", "size", "xattr.k"]}
    answer = (await site.rest.post(f"/spaces/{SPACE}/search", value=body)).json
    assert answer["files"] == [{"fileId": file_id, "size": 3, "xattr.k": [1]}]
    assert answer["seq"] >= 1


@ensureDeferred
async def test_others_find_only_what_listings_show_them(site: Searched) -> None:
    rest = site.rest
    await rest.create("open/file")
    secret = await rest.make_directory("closed")
    await rest.create("closed/file")
    hidden = await rest.create("open/private", b"1")
    passage = await rest.make_directory("passage")
    await rest.create("passage/unlisted")
    await rest.put(f"/data/{passage}", value={"mode": "710"})
    await rest.put(f"/data/{hidden}/metadata/xattrs", value={"k": 1})
    await rest.put(f"/data/{secret}", value={"mode": "700"})
    await rest.put(f"/data/{hidden}", value={"mode": "600"})
    path = f"/spaces/{SPACE}/search"

    async def names(query: str, token: str) -> list[str]:
        answer = await rest.post(path, value={"query": query}, token=token)
        return [file["path"] for file in answer.json["files"]]

    assert await names('name ~ "*"', "member") == [
        "/Science/closed",
        "/Science/open/file",
        "/Science/open",
        "/Science/passage",
        "/Science/open/private",
    ]
    assert await names("has(xattr)", "owner") == ["/Science/open/private"]
    assert await names("has(xattr)", "member") == []
    stranger = await rest.post(path, value={"query": "has(json)"}, token="stranger")
    assert stranger.status == 403
    assert (await rest.post(path, value={"query": "has(json)"}, token=None)).status == 401
    assert (await rest.post(f"/spaces/{FOREIGN}/search", value={"query": "has(json)"})).status == 403


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, {"id": "missingRequiredValue", "key": "query"}),
        ({"query": 5}, {"id": "badValueString", "key": "query"}),
        (
            {"query": "has(json)", "limit": 0},
            {"id": "badValueNotInRange", "key": "limit", "low": 1, "high": 1000},
        ),
    ],
)
@ensureDeferred
async def test_bad_parameters_of_a_search_are_named(site: Searched, body: Any, expected: Any) -> None:
    refused = await site.rest.post(f"/spaces/{SPACE}/search", value=body)
    assert (refused.status, refused.error) == (400, expected)


@ensureDeferred
async def test_a_syntax_error_says_where_and_what_was_expected(site: Searched) -> None:
    refused = await site.rest.post(f"/spaces/{SPACE}/search", value={"query": "size > "})
    assert refused.status == 400
    assert refused.error["id"] == "badData"
    assert refused.error["hint"].startswith("at character 8: found the end, expected a date or a number")


@ensureDeferred
async def test_a_space_is_searched_only_while_that_is_switched_on(site: Searched) -> None:
    await site.rest.create("a")
    assert await site.find('name = "a"') == ["/Science/a"]
    await site.rest.ask("PATCH", f"/spaces/{SPACE}/settings", value={"search": False})
    refused = await site.rest.post(f"/spaces/{SPACE}/search", value={"query": "has(json)"})
    assert (refused.status, refused.error["id"]) == (400, "searchDisabledForSpace")
    assert '"search": true' in refused.json["error"]["description"]
    await site.rest.ask("PATCH", f"/spaces/{SPACE}/settings", value={"search": True})
    assert await site.find('name = "a"') == ["/Science/a"]


@ensureDeferred
async def test_metadata_that_may_not_be_read_are_shown_as_null(site: Searched) -> None:
    file_id = await site.rest.create("private")
    await site.rest.put(f"/data/{file_id}/metadata/xattrs", value={"k": 1})
    await site.rest.put(f"/data/{file_id}", value={"mode": "600"})
    body = {"query": 'name = "private"', "attributes": ["name", "xattr.k"]}
    for token, value in (("owner", 1), ("member", None)):
        answer = await site.rest.post(f"/spaces/{SPACE}/search", value=body, token=token)
        assert answer.json["files"] == [{"name": "private", "xattr.k": value}]
