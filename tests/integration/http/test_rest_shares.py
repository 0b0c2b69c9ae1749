"""Shares over REST: made and ended by members, used by anybody."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from attrs import define, evolve, frozen
from pytest_twisted import async_yield_fixture, ensureDeferred

from cluster_worker.runtime.clock import system_wall_clock
from onedata.ids import FileGuid, FileUuid, ShareId
from op_worker.http.rest.public_attributes import PUBLIC
from op_worker.http.rest.routes import ROUTES
from op_worker.http.rest.table import Access
from tests.integration.http.rest_client import (
    BASE,
    FOREIGN,
    OWNER,
    PROVIDER,
    SPACE,
    SPACE_ROOT,
    Reply,
    RestClient,
    make_files,
    make_shares,
    make_tree,
    make_zone,
)

EPERM = {"id": "posix", "errno": "eperm"}
NOT_FOUND = {"id": "notFound"}
GONE = FileGuid(FileUuid("f" * 32), SPACE).object_id()
PASSWORD = "correct horse"


@define
class Time:
    """A wall clock that tests turn."""

    ahead_s: float = 0.0

    def __call__(self) -> float:
        return system_wall_clock() + self.ahead_s


@frozen
class World:
    """A client, and the time of the provider that it asks."""

    rest: RestClient
    time: Time

    async def share(self, file_id: str, **more: Any) -> str:
        """Share a file and return the share's id."""
        made = await self.rest.post("/shares", value={"name": "Share", "rootFileId": file_id, **more})
        assert made.status == 201, made
        share_id: str = made.json["shareId"]
        return share_id

    async def root(self, share_id: str) -> str:
        """Return the id of the shared file, as guests know it."""
        file_id: str = (await self.rest.get(f"/shares/{share_id}")).json["rootFileId"]
        return file_id

    async def visit(self, path: str, **options: Any) -> Reply:
        """Ask without a token."""
        return await self.rest.get(path, token=None, **options)


@async_yield_fixture
async def world(serve: Any) -> AsyncIterator[World]:
    """A provider in memory, whose time can be turned."""
    zone, time = make_zone(), Time()
    files = await make_files(zone, time)
    files.startService()
    shares = make_shares(files, time)
    yield World(RestClient(await serve(make_tree(files, zone, shares=shares))), time)
    await files.stopService()


def spliced(file_id: str, root_id: str) -> str:
    """Return a file's id with the share of another one."""
    guid, share_id = FileGuid.from_object_id(file_id), FileGuid.from_object_id(root_id).share_id
    return evolve(guid, share_id=share_id).object_id()


# making, changing, listing, ending


@ensureDeferred
async def test_a_share_is_made_shown_changed_and_ended(world: World) -> None:
    rest = world.rest
    file_id = await rest.create("pub/f", b"content")
    guid = FileGuid.from_object_id(file_id)
    made = await rest.post("/shares", value={"name": "My share", "fileId": file_id, "description": "*old*"})
    share_id = made.json["shareId"]
    assert made.headers["location"] == f"http://example.org:8443{BASE}/shares/{share_id}"
    shown = (await rest.get(f"/shares/{share_id}", token="member")).json
    created_s = shown.pop("creationTime")
    assert abs(created_s - world.time()) < 60
    assert shown == {
        "shareId": share_id,
        "spaceId": SPACE,
        "name": "My share",
        "description": "*old*",
        "publicUrl": f"http://example.org:8443/share/{share_id}",
        "publicRestUrl": f"http://example.org:8443{BASE}/shares/{share_id}/public",
        "rootFileId": evolve(guid, share_id=ShareId(share_id)).object_id(),
        "rootFileType": "REG",
        "rootFileExists": True,
        "handleId": None,
        "creator": OWNER,
        "expires": None,
        "isExpired": False,
        "hasPassword": False,
    }
    changed = await rest.ask("PATCH", f"/shares/{share_id}", value={"name": "Other", "description": ""})
    assert (changed.status, changed.body) == (204, b"")
    shown = (await rest.get(f"/shares/{share_id}")).json
    assert (shown["name"], shown["description"]) == ("Other", "")
    assert (await rest.get(f"/data/{file_id}")).json["directShareIds"] == [share_id]
    ended = await rest.delete(f"/shares/{share_id}")
    assert (ended.status, ended.body) == (204, b"")
    assert (await rest.get(f"/shares/{share_id}")).status == 404
    assert (await rest.get(f"/data/{file_id}")).json["directShareIds"] == []


@ensureDeferred
async def test_bad_input_for_a_share_has_a_clear_error(world: World) -> None:
    rest, past_s = world.rest, int(world.time()) - 10
    file_id = await rest.create("f")
    share_root = await world.root(await world.share(file_id))
    good = {"name": "Share", "rootFileId": file_id}
    cases: list[tuple[dict[str, Any], dict[str, Any]]] = [
        ({"rootFileId": file_id}, {"id": "missingRequiredValue", "key": "name"}),
        ({"name": "Share"}, {"id": "missingAtLeastOneValue", "keys": ["fileId", "rootFileId"]}),
        ({**good, "name": "a/b"}, {"id": "badValueName", "key": "name"}),
        ({**good, "name": 7}, {"id": "badValueString", "key": "name"}),
        ({**good, "rootFileId": "garbage"}, {"id": "badValueIdentifier", "key": "rootFileId"}),
        ({**good, "rootFileId": SPACE}, {"id": "badValueIdentifier", "key": "rootFileId"}),
        (
            {**good, "description": "x" * 100_001},
            {"id": "badValueTextTooLarge", "key": "description", "limit": 100_000},
        ),
        ({**good, "expires": "soon"}, {"id": "badValueInteger", "key": "expires"}),
        ({**good, "password": "short"}, {"id": "badValuePassword"}),
        ({**good, "rootFileId": share_root}, EPERM),
    ]
    for value, error in cases:
        refused = await rest.post("/shares", value=value)
        assert (refused.status, refused.error) == (400, error), value
    past = await rest.post("/shares", value={**good, "expires": past_s})
    assert (past.status, past.error["id"]) == (400, "badValueTooLow")
    gone = await rest.post("/shares", value={**good, "rootFileId": GONE})
    assert (gone.status, gone.error) == (404, NOT_FOUND)
    foreign = await rest.post("/shares", value={**good, "rootFileId": spaced(GONE, FOREIGN)})
    assert (foreign.status, foreign.error) == (403, {"id": "forbidden"})
    nothing = await rest.ask("PATCH", f"/shares/{await world.share(file_id)}", value={"name": None})
    assert nothing.error["id"] == "missingAtLeastOneValue"


def spaced(file_id: str, space_id: Any) -> str:
    return evolve(FileGuid.from_object_id(file_id), space_id=space_id).object_id()


@ensureDeferred
async def test_only_members_with_the_privilege_manage_shares(world: World) -> None:
    rest = world.rest
    file_id = await rest.create("f")
    share_id = await world.share(file_id)
    value = {"name": "Share", "rootFileId": file_id}
    expected = {"member": (400, "posix"), "stranger": (403, "forbidden"), "readonly": (401, "unauthorized")}
    for token, told in expected.items():
        for answer in (
            await rest.post("/shares", value=value, token=token),
            await rest.ask("PATCH", f"/shares/{share_id}", value={"name": "Other"}, token=token),
            await rest.delete(f"/shares/{share_id}", token=token),
        ):
            assert (answer.status, answer.error["id"]) == told
    assert (await rest.get(f"/shares/{share_id}", token="member")).status == 200
    for path in (f"/shares/{share_id}", f"/spaces/{SPACE}/shares"):
        assert (await rest.get(path, token="stranger")).status == 403
        assert (await rest.get(path, token="readonly")).status == 401
        assert (await world.visit(path)).status == 401
    unknown = await rest.get("/shares/unknown")
    assert (unknown.status, unknown.error) == (404, NOT_FOUND)


@ensureDeferred
async def test_shares_of_a_space_are_listed_in_pages(world: World) -> None:
    file_id = await world.rest.create("f")
    made = {await world.share(file_id) for _ in range(5)}
    first = (await world.rest.get(f"/spaces/{SPACE}/shares?limit=3", token="member")).json
    assert (len(first["shares"]), first["isLast"]) == (3, False)
    rest = (await world.rest.get(f"/spaces/{SPACE}/shares?token={first['nextPageToken']}")).json
    assert (len(rest["shares"]), rest["isLast"], rest["nextPageToken"]) == (2, True, None)
    assert {share["shareId"] for share in (*first["shares"], *rest["shares"])} == made
    assert first["shares"][0]["spaceId"] == SPACE


@ensureDeferred
async def test_a_share_whose_file_is_removed_says_so(world: World) -> None:
    file_id = await world.rest.create("f")
    share_id = await world.share(file_id)
    root = await world.root(share_id)
    await world.rest.delete(f"/data/{file_id}")
    shown = (await world.rest.get(f"/shares/{share_id}")).json
    assert (shown["rootFileExists"], shown["rootFileType"]) == (False, "REG")
    gone = await world.visit(f"/data/{root}")
    assert (gone.status, gone.error) == (400, {"id": "posix", "errno": "enoent"})
    assert (await world.rest.delete(f"/shares/{share_id}")).status == 204


# what anybody sees


@ensureDeferred
async def test_anybody_sees_what_a_share_is(world: World) -> None:
    directory = await world.rest.make_directory("pub")
    end_s = int(world.time()) + 1000
    share_id = await world.share(directory, description="about", expires=end_s, password=PASSWORD)
    shown = (await world.visit(f"/shares/{share_id}/public")).json
    assert abs(shown.pop("creationTime") - world.time()) < 60
    assert shown == {
        "shareId": share_id,
        "name": "Share",
        "description": "about",
        "publicUrl": f"http://example.org:8443/share/{share_id}",
        "publicRestUrl": f"http://example.org:8443{BASE}/shares/{share_id}/public",
        "rootFileId": await world.root(share_id),
        "rootFileType": "DIR",
        "fileType": "dir",
        "handleId": None,
        "expires": end_s,
        "hasPassword": True,
    }
    world.time.ahead_s = 2000
    over = await world.visit(f"/shares/{share_id}/public")
    assert (over.status, over.error) == (410, {"id": "shareExpired"})
    assert (await world.visit("/shares/unknown/public")).error == NOT_FOUND


@ensureDeferred
async def test_anybody_reads_files_children_and_metadata(world: World) -> None:
    rest = world.rest
    file_id = await rest.create("pub/sub/f", b"content")
    await rest.put(f"/data/{file_id}/metadata/json", value={"a": 1})
    await rest.put(f"/data/{file_id}/metadata/xattrs", value={"k": "v"})
    directory = FileGuid.from_object_id(file_id)
    parent = (await rest.get(f"/data/{file_id}?attributes=parentFileId")).json["parentFileId"]
    share_id = await world.share(parent)
    root = await world.root(share_id)
    (child,) = (await world.visit(f"/data/{root}/children")).json["children"]
    assert FileGuid.from_object_id(child["fileId"]) == evolve(directory, share_id=ShareId(share_id))
    at = f"/data/{child['fileId']}"
    assert (await world.visit(f"{at}/content")).body == b"content"
    part = await world.visit(f"{at}/content", Range="bytes=1-3")
    assert (part.status, part.body) == (206, b"ont")
    assert (await world.visit(f"{at}/metadata/json")).json == {"a": 1}
    assert (await world.visit(f"{at}/metadata/xattrs")).json == {"k": "v"}
    assert (await world.visit(f"{at}?attributes=xattr.k")).json == {"xattr.k": "v"}
    listed = await world.visit(f"{at}/children?attributes=xattr.k&attributes=directShareIds")
    assert listed.json["children"] == [{"xattr.k": "v", "directShareIds": []}]
    assert (await world.visit(f"{at}/metadata/rdf")).status == 400
    assert (await rest.get(f"{at}/content", token="stranger")).body == b"content"
    bad = await rest.get(f"{at}/content", token="bad")
    assert (bad.status, bad.error["authError"]["id"]) == (401, "tokenInvalid")


@ensureDeferred
async def test_guests_see_public_attributes_only(world: World) -> None:
    file_id = await world.rest.create("pub/f", b"content")
    share_id = await world.share(file_id)
    root = await world.root(share_id)
    shown = (await world.visit(f"/data/{root}")).json
    assert set(shown) == {
        *("fileId", "parentFileId", "name", "posixPermissions", "atime", "mtime", "ctime", "type", "size"),
        *("directShareIds", "index", "file_id", "parent_id", "mode", "shares"),
    }
    assert (shown["parentFileId"], shown["posixPermissions"], shown["size"]) == (None, "004", 7)
    assert shown["directShareIds"] == [share_id]
    every = await world.visit(f"/data/{root}", value={"attributes": [*PUBLIC, "xattr.a"]})
    assert set(every.json) == {*PUBLIC, "xattr.a"}
    for private in ("ownerUserId", "acl", "path", "displayUid", "originProviderId", "hardlinkCount"):
        refused = await world.visit(f"/data/{root}?attributes={private}")
        assert (refused.status, refused.error["id"]) == (400, "badValueNotAllowed")
        assert private not in refused.error["allowed"]
    assert (await world.visit(f"/data/{root}?attribute=owner_id")).error["key"] == "attribute"
    assert (await world.visit(f"/data/{root}?attribute=mode")).json == {"mode": "004"}


@ensureDeferred
async def test_only_routes_for_everybody_take_ids_of_shares(world: World) -> None:
    file_id = await world.rest.create("pub/f", b"content")
    root = await world.root(await world.share(file_id))
    tried = 0
    for route in ROUTES:
        if "/data/{id}" not in route.path or route.access is Access.SHARED:
            continue
        path = route.path.replace("{id}", root).replace("{path}", "x")
        media = {} if route.consumes is None else {"Content_Type": route.consumes}
        body = None if route.method == "GET" else b"{}"
        for token in ("owner", None):
            answer = await world.rest.ask(route.method, path, body=body, token=token, **media)
            told = (400, "notSupported") if token else (401, "unauthorized")
            assert (route, (answer.status, answer.error["id"])) == (route, told)
        tried += 1
    assert tried >= 10
    assert (await world.visit(f"/data/{root}/content")).body == b"content"


@ensureDeferred
async def test_a_share_shows_nothing_outside(world: World) -> None:
    rest = world.rest
    secret, file_id = await rest.create("a/secret"), await rest.create("a/pub/f")
    parent = (await rest.get(f"/data/{file_id}?attributes=parentFileId")).json["parentFileId"]
    root = await world.root(await world.share(parent))
    link = await rest.put(f"/data/{SPACE}/path/a/pub/link?type=SYMLNK&target_file_path=../secret")
    for outside in (secret, SPACE_ROOT, GONE):
        for at in ("", "/content", "/children", "/metadata/xattrs"):
            answer = await world.visit(f"/data/{spliced(outside, root)}{at}")
            assert (at, answer.status, answer.error) == (at, 400, {"id": "posix", "errno": "enoent"})
    at = f"/data/{spliced(link.json['fileId'], root)}"
    assert (await world.visit(f"{at}/content")).error["errno"] == "enoent"
    assert (await world.visit(f"{at}/metadata/xattrs")).error["errno"] == "enoent"
    assert (await world.visit(f"{at}/content?follow_symlinks=false")).body == b"../secret"
    assert (await world.visit(f"{at}/symlink_value")).body == b"../secret"
    other = FileGuid.from_object_id(root)
    foreign = await world.visit(f"/data/{evolve(other, space_id=FOREIGN).object_id()}")
    assert (foreign.status, foreign.error) == (404, NOT_FOUND)
    far = await world.visit(f"/data/{spaced(root, '9' * 32)}")
    assert far.error == {"id": "spaceNotSupportedBy", "spaceId": "9" * 32, "providerId": PROVIDER}


@ensureDeferred
async def test_a_closed_file_stays_closed_and_opens_at_once(world: World) -> None:
    file_id = await world.rest.create("f", b"content")
    at = f"/data/{await world.root(await world.share(file_id))}/content"
    await world.rest.put(f"/data/{file_id}?mode=0660")
    refused = await world.visit(at)
    assert (refused.status, refused.error["errno"]) == (400, "eacces")
    await world.rest.put(f"/data/{file_id}?mode=0004")
    assert (await world.visit(at)).body == b"content"


@ensureDeferred
async def test_an_expired_share_is_closed_until_it_is_prolonged(world: World) -> None:
    file_id = await world.rest.create("f", b"content")
    share_id = await world.share(file_id, expires=int(world.time()) + 1000)
    at = f"/data/{await world.root(share_id)}/content"
    assert (await world.visit(at)).status == 200
    world.time.ahead_s = 2000
    over = await world.visit(at)
    assert (over.status, over.error) == (410, {"id": "shareExpired"})
    assert (await world.rest.get(f"/shares/{share_id}")).json["isExpired"]
    await world.rest.ask("PATCH", f"/shares/{share_id}", value={"expires": 0})
    assert (await world.visit(at)).body == b"content"
    assert (await world.rest.get(f"/shares/{share_id}")).json["expires"] is None


@ensureDeferred
async def test_a_protected_share_asks_for_its_password(world: World) -> None:
    file_id = await world.rest.create("f", b"content")
    share_id = await world.share(file_id, password=PASSWORD)
    at = f"/data/{await world.root(share_id)}/content"
    missing = await world.visit(at)
    assert (missing.status, missing.error["authError"]["id"]) == (401, "sharePasswordRequired")
    wrong = await world.visit(at, X_Share_Password="wrong")
    assert (wrong.status, wrong.error["authError"]["id"]) == (401, "badSharePassword")
    assert (await world.visit(at, X_Share_Password=PASSWORD)).body == b"content"
    assert (await world.rest.get(at, token="owner")).status == 401
    await world.rest.ask("PATCH", f"/shares/{share_id}", value={"password": "another horse"})
    assert (await world.visit(at, X_Share_Password=PASSWORD)).status == 401
    await world.rest.ask("PATCH", f"/shares/{share_id}", value={"password": ""})
    assert (await world.visit(at)).body == b"content"


@ensureDeferred
async def test_who_keeps_guessing_has_to_wait(world: World) -> None:
    file_id = await world.rest.create("f")
    at = f"/data/{await world.root(await world.share(file_id, password=PASSWORD))}"
    answers = [await world.visit(at, X_Share_Password=f"guess {number}") for number in range(8)]
    assert [answer.status for answer in answers] == [401] * 6 + [429] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert (await world.visit(at, X_Share_Password=PASSWORD)).status == 429


@ensureDeferred
async def test_the_hash_of_a_password_leaves_by_no_door(world: World) -> None:
    file_id = await world.rest.create("f")
    share_id = await world.share(file_id, password=PASSWORD)
    for path in (f"/shares/{share_id}", f"/shares/{share_id}/public", f"/spaces/{SPACE}/shares"):
        shown = await world.rest.get(path)
        assert b"argon2" not in shown.body
        assert b'"hasPassword":true' in shown.body


def test_the_public_attributes_are_those_of_the_contract() -> None:
    assert len(PUBLIC) == len(set(PUBLIC)) == 16
