"""What the namespace must refuse: a clear documented error for each, and nothing lost."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.support.environments import Raised

API = "/api/v3/oneprovider"
ACE = {"aceType": "ALLOW", "identifier": "EVERYONE@", "aceFlags": 0, "aceMask": 1}
BODY = b"0123456789"


class Space:
    """A directory of a test's own in the space ``first``, with a file ``f`` and a directory ``d/e``."""

    def __init__(self, environment: Raised, token: str, name: str) -> None:
        self.base = f"https://{environment.address('krk')}"
        self.session = environment.session(token)
        self.name = name
        self.put("")
        self.put("f", data=BODY)
        self.put("d/")
        self.put("d/e/")

    def __call__(self, method: str, path: str, **options: Any) -> requests.Response:
        return self.session.request(method, self.base + path, timeout=30, **options)

    def put(self, path: str, **options: Any) -> requests.Response:
        return self("PUT", f"/cdmi/first/{self.name}/{path}", **options)

    def move(self, source: str, goal: str) -> requests.Response:
        kind = "container" if goal.endswith("/") else "object"
        headers = {
            "X-CDMI-Specification-Version": "1.1.1",
            "Content-Type": f"application/cdmi-{kind}",
        }
        body = json.dumps({"move": f"first/{self.name}/{source}"})
        return self.put(goal, data=body, headers=headers)

    def file_id(self, path: str = "") -> str:
        answer = self("POST", f"{API}/lookup-file-id/first/{self.name}/{path}")
        assert answer.status_code == 200, answer.text
        return str(answer.json()["fileId"])

    def data(self, method: str, path: str, tail: str = "", **options: Any) -> requests.Response:
        return self(method, f"{API}/data/{self.file_id(path)}{tail}", **options)


@pytest.fixture
def space(environment: Raised, token: str, request: pytest.FixtureRequest) -> Iterator[Space]:
    """The file is as it was after each test, whatever was refused."""
    name = "bad-" + hashlib.sha256(request.node.name.encode()).hexdigest()[:12]
    made = Space(environment, token, name)
    yield made
    assert made.data("GET", "f", "/content").content == BODY
    assert made("DELETE", f"/cdmi/first/{name}/").status_code == 204


def refused(answer: requests.Response, status: int, error: str, **details: Any) -> None:
    """Demand a typed error with these details."""
    found = answer.json()["error"]
    assert (answer.status_code, found["id"]) == (status, error), answer.text
    for key, value in details.items():
        assert found["details"][key] == value, answer.text


def test_directory_moved_into_itself_is_einval(space: Space) -> None:
    refused(space.move("d/", "d/e/inner/"), 400, "posix", errno="einval")
    assert [child["name"] for child in space.data("GET", "d", "/children").json()["children"]] == ["e"]


def test_hard_link_across_spaces_is_exdev_and_to_a_directory_eperm(space: Space) -> None:
    other = space("POST", f"{API}/lookup-file-id/second").json()["fileId"]
    link = f"/path/link?type=LNK&target_file_id={space.file_id('f')}"
    refused(space("PUT", f"{API}/data/{other}{link}"), 400, "posix", errno="exdev")
    tail = f"/path/link?type=LNK&target_file_id={space.file_id('d')}"
    refused(space.data("PUT", "", tail), 400, "posix", errno="eperm")


@pytest.mark.parametrize(
    ("acl", "error", "details"),
    [
        ([{**ACE, "identifier": "nobody-we-know"}], "posix", {"errno": "einval"}),
        ([{**ACE, "aceMask": 1 << 30}], "posix", {"errno": "einval"}),
        ([{**ACE, "aceMask": 0x40}], "posix", {"errno": "einval"}),
        ([{**ACE, "aceFlags": 1 << 20}], "posix", {"errno": "einval"}),
        ([{**ACE, "aceType": "MAYBE"}], "badData", {"key": "acl"}),
        ({"not": "a list"}, "badData", {"key": "acl"}),
        ([ACE] * 10_000, "posix", {"errno": "e2big"}),
    ],
    ids=["principal", "mask", "mask of directories", "flags", "type", "shape", "10000 entries"],
)
def test_bad_access_control_list_is_refused_and_the_old_one_stays(
    space: Space, acl: Any, error: str, details: dict[str, Any]
) -> None:
    good = [{**ACE, "aceMask": 0x60199}]
    assert space.data("PUT", "f", "/acl", json=good).status_code == 204
    refused(space.data("PUT", "f", "/acl", json=acl), 400, error, **details)
    assert space.data("GET", "f", "/acl").json() == good


@pytest.mark.parametrize(
    ("xattrs", "errno"),
    [
        ({"x" * 300: "v"}, "enametoolong"),
        ({"x": "v" * 70_000}, "e2big"),
        ({f"x{number}": number for number in range(1100)}, "e2big"),
        ({"onedata_secret": 1}, "eperm"),
    ],
    ids=["name", "value", "count", "reserved"],
)
def test_extended_attributes_beyond_the_limits_are_refused(
    space: Space, xattrs: dict[str, Any], errno: str
) -> None:
    refused(space.data("PUT", "f", "/metadata/xattrs", json=xattrs), 400, "posix", errno=errno)
    assert space.data("GET", "f", "/metadata/xattrs").json() == {}


@pytest.mark.parametrize("depth", [200, 100_000])
def test_json_depth_bomb_is_refused_on_every_way_in(space: Space, depth: int) -> None:
    bomb = b'{"a":' * depth + b"1" + b"}" * depth
    headers = {"Content-Type": "application/json"}
    for tail in ("/metadata/json", "/metadata/xattrs"):
        answer = space.data("PUT", "f", tail, data=bomb, headers=headers)
        error = answer.json()["error"]
        assert (answer.status_code, error["details"]["key"]) == (400, "metadata"), answer.text
        assert error["id"] in ("badValueJSON", "badData")  # no JSON for a parser; JSON, but too deep
    assert space.data("GET", "f", "/metadata/json").status_code == 400
    cdmi = {"X-CDMI-Specification-Version": "1.1.1", "Content-Type": "application/cdmi-object"}
    answer = space.put("f", data=b'{"metadata":' + bomb + b"}", headers=cdmi)
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize(
    "document",
    [
        b"this is no XML",
        b"<rdf><open></rdf>",
        b'<!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><r>&b;</r>',
    ],
    ids=["text", "not well-formed", "entities"],
)
def test_rdf_that_is_not_plain_xml_is_refused(space: Space, document: bytes) -> None:
    headers = {"Content-Type": "application/rdf+xml"}
    refused(space.data("PUT", "f", "/metadata/rdf", data=document, headers=headers), 400, "badValueXML")
    refused(space.data("GET", "f", "/metadata/rdf"), 400, "posix", errno="enodata")


def test_page_token_of_another_directory_is_einval(space: Space) -> None:
    for name in ("a", "b", "c"):
        space.put(f"d/{name}", data=b"")
    for listing in ("children", "files"):
        token = space.data("GET", "d", f"/{listing}?limit=1").json()["nextPageToken"]
        assert space.data("GET", "d", f"/{listing}?token={token}").status_code == 200
        refused(space.data("GET", "", f"/{listing}?token={token}"), 400, "posix", errno="einval")
        refused(space.data("GET", "d", f"/{listing}?token=nonsense"), 400, "posix", errno="einval")


def test_uploads_beyond_the_quota_are_refused_however_their_length_is_told(space: Space) -> None:
    quota = space.data("PUT", "d", "/quota", json={"size": 100_000})
    assert quota.status_code in (200, 204), quota.text

    def body() -> Iterator[bytes]:
        for _ in range(40):
            yield b"x" * 10_000

    refused(space.put("d/chunked", data=body()), 400, "posix", errno="edquot")
    refused(space.put("d/announced", data=b"x" * 400_000), 400, "posix", errno="edquot")
    assert space.put("d/fits", data=b"x" * 100_000).status_code == 201
    refused(space.put("d/more", data=b"x"), 400, "posix", errno="edquot")
    names = [child["name"] for child in space.data("GET", "d", "/children").json()["children"]]
    assert names == ["e", "fits"]


def test_two_resumable_uploads_to_one_name_both_end_and_neither_is_mixed(space: Space) -> None:
    contents = [b"first" * 50_000, b"second" * 50_000]
    tus = {"Tus-Resumable": "1.0.0"}
    told = f"parentId {base64.b64encode(space.file_id().encode()).decode()}"
    told += f",filename {base64.b64encode(b'raced').decode()}"
    places = []
    for content in contents:
        headers = {**tus, "Upload-Length": str(len(content)), "Upload-Metadata": told}
        made = space("POST", f"{API}/tus/", headers=headers)
        assert made.status_code == 201, made.text
        places.append(made.headers["Location"].removeprefix(space.base))
    part = {**tus, "Content-Type": "application/offset+octet-stream"}
    for place, content in zip(places, contents, strict=True):
        half = len(content) // 2
        sent = space("PATCH", place, data=content[:half], headers={**part, "Upload-Offset": "0"})
        assert sent.status_code == 204, sent.text
    outcomes = []
    for place, content in zip(places, contents, strict=True):
        half = len(content) // 2
        sent = space("PATCH", place, data=content[half:], headers={**part, "Upload-Offset": str(half)})
        outcomes.append(sent.status_code)
    assert outcomes[0] == 204
    found = space.data("GET", "raced", "/content").content
    assert found == contents[1 if outcomes[1] == 204 else 0]
    wrong = space("PATCH", places[0], data=b"x", headers={**part, "Upload-Offset": "7"})
    assert wrong.status_code in (404, 409, 410)
    for place in places:
        assert space("DELETE", place, headers=tus).status_code in (204, 404, 410)
