"""Shares for browsers and curl: ``/share/<id>``, without a token."""

from __future__ import annotations

import base64
import io
import tarfile
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

import pytest
from attrs import frozen
from pytest_twisted import async_yield_fixture, ensureDeferred

from op_worker.http.shares.page import POLICY
from tests.integration.http.rest_client import (
    SPACE,
    Reply,
    RestClient,
    make_files,
    make_shares,
    make_tree,
    make_zone,
)
from tests.integration.http.test_rest_shares import PASSWORD, Time

JSON = {"Accept": "application/json"}
BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


@frozen
class Site:
    """A provider and a visitor of it."""

    rest: RestClient
    time: Time

    async def get(self, path: str, *, method: str = "GET", **headers: Any) -> Reply:
        """Ask for a path below ``/share/``, without a token."""
        return await self.rest.ask(method, path, token=None, base="/share/", **headers)

    async def share(self, file_id: str, **more: Any) -> str:
        made = await self.rest.post("/shares", value={"name": "Share", "rootFileId": file_id, **more})
        assert made.status == 201, made
        share_id: str = made.json["shareId"]
        return share_id

    async def shared_tree(self, **more: Any) -> str:
        """Share ``pub``, which has ``a b.txt``, ``sub/ż`` and is beside ``secret``."""
        await self.rest.create("secret", b"secret")
        file_id = await self.rest.create("pub/a b.txt", b"0123456789")
        await self.rest.create("pub/sub/ż", b"deep")
        parent = (await self.rest.get(f"/data/{file_id}?attributes=parentFileId")).json["parentFileId"]
        return await self.share(parent, **more)


@async_yield_fixture
async def site(serve: Any) -> AsyncIterator[Site]:
    """A provider in memory, whose time can be turned."""
    zone, time = make_zone(), Time()
    files = await make_files(zone, time)
    files.startService()
    yield Site(RestClient(await serve(make_tree(files, zone, shares=make_shares(files, time)))), time)
    await files.stopService()


def basic(password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"anyone:{password}".encode()).decode()}


@ensureDeferred
async def test_a_shared_file_is_downloaded_under_its_name(site: Site) -> None:
    share_id = await site.share(await site.rest.create("a b.txt", b"0123456789"))
    whole = await site.get(share_id)
    assert (whole.status, whole.body) == (200, b"0123456789")
    assert whole.headers["content-type"] == "application/octet-stream"
    assert whole.headers["content-disposition"] == 'attachment; filename="a b.txt"'
    assert whole.headers["x-content-type-options"] == "nosniff"
    assert whole.headers["content-security-policy"] == POLICY
    part = await site.get(share_id, Range="bytes=2-3")
    assert (part.status, part.body, part.headers["content-range"]) == (206, b"23", "bytes 2-3/10")
    assert (await site.get(share_id, Range="bytes=99-")).status == 416
    head = await site.get(share_id, method="HEAD")
    assert (head.status, head.headers["content-length"], head.body) == (200, "10", b"")
    assert (await site.get(f"{share_id}/more")).status == 404


@ensureDeferred
async def test_a_shared_directory_is_downloaded_whole_and_shows_nothing_beside_it(site: Site) -> None:
    share_id = await site.shared_tree(password=PASSWORD)
    assert "?download=tar" in (await site.get(share_id, **BROWSER, **basic(PASSWORD))).body.decode()
    assert (await site.get(f"{share_id}?download=tar")).status == 401
    sent_on = await site.get(f"{share_id}?download=tar", **basic(PASSWORD))
    assert sent_on.status == 302
    place = sent_on.headers["location"].removeprefix("/download/")
    archive = await site.rest.ask("GET", place, token=None, base="/download/")
    assert archive.status == 200
    with tarfile.open(fileobj=io.BytesIO(archive.body)) as opened:
        assert sorted(opened.getnames()) == ["pub", "pub/a b.txt", "pub/sub", "pub/sub/ż"]
        member = opened.extractfile("pub/a b.txt")
        assert member is not None and member.read() == b"0123456789"
    assert (await site.get(f"{share_id}?download=zip", **basic(PASSWORD))).status == 400


@ensureDeferred
async def test_a_shared_file_is_sent_again_only_when_it_changed(site: Site) -> None:
    share_id = await site.share(await site.rest.create("f", b"0123456789"))
    tag = (await site.get(share_id)).headers["etag"]
    assert (await site.get(share_id, If_None_Match=tag)).status == 304
    assert (await site.get(share_id, If_None_Match='"other"')).status == 200


@ensureDeferred
async def test_a_shared_directory_is_a_page_of_links_that_work(site: Site) -> None:
    share_id = await site.shared_tree(description="What it <is>")
    page = await site.get(share_id, **BROWSER)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    assert page.headers["content-security-policy"] == POLICY
    text = page.body.decode()
    assert "What it &lt;is&gt;" in text
    for name in ("a%20b.txt", "sub"):
        assert f'href="/share/{share_id}/{name}"' in text
    assert "secret" not in text
    assert (await site.get(f"{share_id}/a%20b.txt")).body == b"0123456789"
    below = (await site.get(f"{share_id}/sub/", **BROWSER)).body.decode()
    assert f'href="/share/{share_id}/sub/{quote("ż")}"' in below
    assert (await site.get(f"{share_id}/sub/{quote('ż')}")).body == b"deep"
    head = await site.get(share_id, method="HEAD")
    assert (head.status, head.body) == (200, b"")


@ensureDeferred
async def test_programs_get_the_directory_as_json(site: Site) -> None:
    share_id = await site.shared_tree(description="about")
    listed = await site.get(share_id, **JSON)
    entries = listed.json["entries"]
    assert {key: listed.json[key] for key in ("shareId", "name", "description", "path", "isLast")} == {
        "shareId": share_id,
        "name": "Share",
        "description": "about",
        "path": "/",
        "isLast": True,
    }
    assert [(one["name"], one["type"], one["size"]) for one in entries] == [
        ("a b.txt", "REG", 10),
        ("sub", "DIR", None),
    ]
    assert entries[0]["url"] == f"/share/{share_id}/a%20b.txt"
    at = f"/data/{entries[0]['fileId']}/content"
    assert (await site.rest.get(at, token=None)).body == b"0123456789"


@ensureDeferred
async def test_a_large_directory_is_shown_in_pages(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.http.shares.door.PAGE", 2)
    for number in range(5):
        await site.rest.create(f"pub/{number}")
    share_id = await site.share((await site.rest.post("/lookup-file-id/Science/pub")).json["fileId"])
    names, after = [], ""
    while True:
        page = (await site.get(f"{share_id}{after}", **JSON)).json
        names += [one["name"] for one in page["entries"]]
        if page["isLast"]:
            break
        after = f"?after={page['nextPageToken']}"
        assert after in (await site.get(share_id, **BROWSER)).body.decode() or len(names) > 2
    assert names == list("01234")
    bad = await site.get(f"{share_id}?after=garbage", **BROWSER)
    assert bad.status == 400


@pytest.mark.parametrize(
    "path",
    [
        *("..", "../secret", "sub/../../secret", "%2e%2e/secret", "..%2fsecret", "%2e%2e%2fsecret"),
        *(
            "sub/%2e%2e/%2e%2e/secret",
            "..;/secret",
            "/secret",
            "//secret",
            "..\\secret",
            "a b.txt/../../secret",
        ),
        *("%00", "sub%00/../secret", "....//secret", "%252e%252e/secret", "x" * 300, "secret"),
    ],
)
@ensureDeferred
async def test_no_path_leads_out_of_a_share(site: Site, path: str) -> None:
    share_id = await site.shared_tree()
    answer = await site.get(f"{share_id}/{path.replace(' ', '%20')}")
    assert answer.status in (400, 404)
    assert b"secret" not in answer.body


@ensureDeferred
async def test_links_that_lead_outside_are_not_followed(site: Site) -> None:
    share_id = await site.shared_tree()
    targets = {
        "out": "../secret",
        "up": "..",
        "absolute": f"<__onedata_space_id:{SPACE}>/secret",
        "in": "sub/ż",
    }
    for name, target in targets.items():
        made = await site.rest.put(
            f"/data/{SPACE}/path/pub/{name}?type=SYMLNK&target_file_path={quote(target)}"
        )
        assert made.status == 201
    for name in ("out", "up", "absolute", "up/secret"):
        assert (await site.get(f"{share_id}/{name}")).status == 404
    assert (await site.get(f"{share_id}/in")).body == b"deep"


@ensureDeferred
async def test_unknown_shares_and_files_are_nothing_here(site: Site) -> None:
    share_id = await site.shared_tree()
    for path in (
        "unknown",
        f"{share_id}/nothing",
        f"{share_id}/a%20b.txt/below",
        "",
        "%ff",
        "..",
        "a" * 5000,
    ):
        answer = await site.get(path, **BROWSER)
        assert (path, answer.status) in ((path, 404), (path, 400))
    told = await site.get("unknown", **BROWSER)
    assert (told.status, told.headers["content-security-policy"]) == (404, POLICY)
    assert b"Nothing here" in told.body
    told = await site.get("unknown", **JSON)
    assert (told.status, told.error) == (404, {"id": "notFound"})


@ensureDeferred
async def test_a_share_that_is_over_is_gone(site: Site) -> None:
    share_id = await site.shared_tree(expires=int(site.time()) + 1000)
    assert b"Shared until" in (await site.get(share_id)).body
    site.time.ahead_s = 2000
    for path in (share_id, f"{share_id}/a%20b.txt"):
        assert (await site.get(path)).status == 410
    assert (await site.get(share_id, **JSON)).error == {"id": "shareExpired"}


@ensureDeferred
async def test_a_removed_share_is_nothing_at_once(site: Site) -> None:
    share_id = await site.shared_tree()
    await site.rest.delete(f"/shares/{share_id}")
    assert (await site.get(share_id)).status == 404


@ensureDeferred
async def test_a_protected_share_asks_browsers_for_its_password(site: Site) -> None:
    share_id = await site.shared_tree(password=PASSWORD)
    for path in (share_id, f"{share_id}/a%20b.txt", f"{share_id}/nothing"):
        asked = await site.get(path, **BROWSER)
        assert (asked.status, b"Password needed" in asked.body) == (401, True)
        assert asked.headers["www-authenticate"] == 'Basic realm="share", charset="UTF-8"'
    wrong = await site.get(share_id, **basic("wrong"))
    assert (wrong.status, b"Wrong password" in wrong.body) == (401, True)
    assert (await site.get(f"{share_id}/a%20b.txt", **basic(PASSWORD))).body == b"0123456789"
    assert (await site.get(share_id, X_Share_Password=PASSWORD)).status == 200
    answers = [(await site.get(share_id, **basic(f"guess {n}"))).status for n in range(8)]
    assert answers == [401] * 6 + [429] * 2


@ensureDeferred
async def test_closed_files_are_forbidden_without_a_word_about_them(site: Site) -> None:
    share_id = await site.shared_tree()
    for path, mode in (("sub", "0770"), ("a b.txt", "0660")):
        found = await site.rest.post(f"/lookup-file-id/Science/pub/{quote(path)}")
        await site.rest.put(f"/data/{found.json['fileId']}?mode={mode}")
        answer = await site.get(f"{share_id}/{quote(path)}")
        assert (answer.status, b"660" in answer.body) == (403, False)
    assert (await site.get(f"{share_id}/sub/{quote('ż')}")).status == 403


@pytest.mark.parametrize("method", ["PUT", "POST", "PATCH", "DELETE"])
@ensureDeferred
async def test_nothing_is_changed_through_the_door(site: Site, method: str) -> None:
    share_id = await site.shared_tree()
    for path in (share_id, f"{share_id}/a%20b.txt", f"{share_id}/new"):
        answer = await site.get(path, method=method)
        assert (answer.status, answer.headers["allow"]) == (405, "GET, HEAD")
    assert (await site.get(f"{share_id}/a%20b.txt")).body == b"0123456789"


@ensureDeferred
async def test_a_token_changes_nothing_for_a_visitor(site: Site) -> None:
    share_id = await site.shared_tree()
    for token in ("owner", "bad"):
        answer = await site.rest.ask("GET", f"{share_id}/a%20b.txt", token=token, base="/share/")
        assert answer.body == b"0123456789"
