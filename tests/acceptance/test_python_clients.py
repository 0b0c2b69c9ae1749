"""The published Onedata Python clients, unmodified, do a full session."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import fs.errors
import pytest
from fs.onedatarestfs import OnedataRESTFS
from onedatafilerestclient import OnedataFileRESTClient
from onedatafilerestclient.errors import OnedataError
from onedatarestfsspec import OnedataFileSystem

from tests.support.environments import Raised

SPACE = "first"
BODY = bytes(range(256)) * 4096


@pytest.fixture(params=[True, False], ids=["verified", "unverified"])
def verify(request: pytest.FixtureRequest, environment: Raised) -> Any:
    """What ``verify_ssl`` is: our authority as the only trusted one, or no check at all."""
    return environment.ca_cert if request.param else False


@pytest.fixture
def client(environment: Raised, token: str, verify: Any) -> OnedataFileRESTClient:
    return OnedataFileRESTClient(environment.address("oz"), token, verify_ssl=verify)


@pytest.fixture
def root(client: OnedataFileRESTClient, request: pytest.FixtureRequest) -> Iterator[str]:
    """A directory of this test's own."""
    name = request.node.name.replace("[", "-").replace("]", "")
    client.create_file(SPACE, name, file_type="DIR")
    yield name
    client.remove(SPACE, file_path=name)


def test_rest_client_lists_the_spaces_of_the_token(client: OnedataFileRESTClient) -> None:
    assert {"first", "second"} <= set(client.list_spaces())


def test_rest_client_writes_and_reads_ranges(client: OnedataFileRESTClient, root: str) -> None:
    path = f"{root}/deep/er/data.bin"
    client.create_file(SPACE, path, create_parents=True)
    client.put_file_content(SPACE, BODY, file_path=path)
    assert client.get_file_content(SPACE, file_path=path) == BODY
    assert client.get_file_content(SPACE, file_path=path, offset=1000, size=77) == BODY[1000:1077]
    client.put_file_content(SPACE, b"patched", offset=10, file_path=path)
    expected = BODY[:10] + b"patched" + BODY[17:]
    assert b"".join(client.iter_file_content(SPACE, file_path=path)) == expected
    assert client.get_attributes(SPACE, attributes=["size"], file_path=path)["size"] == len(BODY)


def test_rest_client_reads_every_default_attribute(client: OnedataFileRESTClient, root: str) -> None:
    client.create_file(SPACE, f"{root}/file", mode=0o640)
    attributes = client.get_attributes(SPACE, file_path=f"{root}/file")
    assert attributes["name"] == "file"
    assert attributes["type"] == "REG"
    assert attributes["posixPermissions"] == "640"
    assert attributes["fileId"] == client.get_file_id(SPACE, file_path=f"{root}/file")
    client.set_attributes(SPACE, {"mode": "0600"}, file_path=f"{root}/file")
    found = client.get_attributes(SPACE, attributes=["posixPermissions"], file_path=f"{root}/file")
    assert found == {"posixPermissions": "600"}


def test_rest_client_lists_children_page_by_page(client: OnedataFileRESTClient, root: str) -> None:
    names = [f"f{number:02}" for number in range(25)]
    for name in names:
        client.create_file(SPACE, f"{root}/{name}")
    found: list[str] = []
    page = client.list_children(SPACE, attributes=["name"], limit=10, file_path=root)
    found += [child["name"] for child in page["children"]]
    while not page["isLast"]:
        page = client.list_children(
            SPACE, attributes=["name"], limit=10, file_path=root, continuation_token=page["nextPageToken"]
        )
        found += [child["name"] for child in page["children"]]
    assert found == names


def test_rest_client_moves_files_and_directories(client: OnedataFileRESTClient, root: str) -> None:
    client.create_file(SPACE, f"{root}/old/file", create_parents=True)
    client.put_file_content(SPACE, b"content", file_path=f"{root}/old/file")
    client.move(SPACE, f"{root}/old/file", SPACE, f"{root}/old/renamed")
    client.move(SPACE, f"{root}/old", SPACE, f"{root}/new")
    assert client.get_file_content(SPACE, file_path=f"{root}/new/renamed") == b"content"
    with pytest.raises(OnedataError, match="enoent"):
        client.get_attributes(SPACE, file_path=f"{root}/old")


def test_rest_client_keeps_three_kinds_of_metadata(client: OnedataFileRESTClient, root: str) -> None:
    client.set_extended_attribute(SPACE, {"license": "CC-0"}, file_path=root)
    client.set_json_metadata(SPACE, {"sample": [1, 2, {"x": None}]}, file_path=root)
    client.set_rdf_metadata(SPACE, "<rdf:RDF/>", file_path=root)
    assert client.get_extended_attribute(SPACE, file_path=root) == {"license": "CC-0"}
    assert client.get_json_metadata(SPACE, file_path=root) == {"sample": [1, 2, {"x": None}]}
    assert client.get_rdf_metadata(SPACE, file_path=root) == "<rdf:RDF/>"


def test_rest_client_removes_whole_trees(client: OnedataFileRESTClient, root: str) -> None:
    client.create_file(SPACE, f"{root}/a/b/c", create_parents=True)
    client.remove(SPACE, file_path=f"{root}/a")
    with pytest.raises(OnedataError, match="enoent"):
        client.get_file_id(SPACE, file_path=f"{root}/a/b/c")


def test_read_only_token_is_refused_every_write(
    environment: Raised, client: OnedataFileRESTClient, root: str, verify: Any
) -> None:
    confined = environment.zone().request(
        "POST",
        "/api/v3/onezone/tokens/confine",
        {"token": environment.token(), "caveats": [{"type": "data.readonly"}]},
    )
    client.create_file(SPACE, f"{root}/file")
    token = confined.json()["token"]
    session = environment.session(token)
    base = f"https://{environment.address('krk')}/api/v3/oneprovider"
    file_id = client.get_file_id(SPACE, file_path=f"{root}/file")
    reader = OnedataFileRESTClient(environment.address("oz"), token, verify_ssl=verify)
    assert reader.get_file_content(SPACE, file_path=f"{root}/file") == b""
    with pytest.raises(OnedataError):
        reader.put_file_content(SPACE, b"x", file_path=f"{root}/file")
    refused = [
        session.put(f"{base}/data/{file_id}/content", data=b"x"),
        session.delete(f"{base}/data/{file_id}"),
        session.put(f"{base}/data/{file_id}", json={"mode": "0777"}),
        session.put(f"{base}/data/{file_id}/metadata/json", json={"a": 1}),
        session.put(f"https://{environment.address('krk')}/cdmi/{SPACE}/{root}/new", data=b"x"),
    ]
    assert [answer.status_code for answer in refused[:4]] == [400, 400, 400, 400]
    assert [answer.json()["error"]["details"]["errno"] for answer in refused[:4]] == ["eacces"] * 4
    assert refused[4].status_code == 403
    assert client.get_file_content(SPACE, file_path=f"{root}/file") == b""


def test_pyfilesystem_does_a_full_session(environment: Raised, token: str, root: str, verify: Any) -> None:
    with OnedataRESTFS(environment.address("oz"), token, verify_ssl=verify) as remote:
        assert SPACE in remote.listdir("/")
        home = remote.opendir(f"{SPACE}/{root}")
        home.makedir("dir")
        home.writebytes("dir/data.bin", BODY)
        assert home.readbytes("dir/data.bin") == BODY
        with home.openbin("dir/data.bin") as opened:
            opened.seek(500)
            assert opened.read(40) == BODY[500:540]
        assert home.getsize("dir/data.bin") == len(BODY)
        home.writetext("dir/hello.txt", "hello")
        assert sorted(home.listdir("dir")) == ["data.bin", "hello.txt"]
        assert {info.name: info.is_dir for info in home.scandir("/")} == {"dir": True}
        home.move("dir/hello.txt", "dir/moved.txt")
        assert home.readtext("dir/moved.txt") == "hello"
        with home.openbin("dir/moved.txt", "a") as appended:
            appended.write(b" again")
        assert home.readtext("dir/moved.txt") == "hello again"
        with pytest.raises(fs.errors.DirectoryNotEmpty):
            home.removedir("dir")
        with pytest.raises(fs.errors.ResourceNotFound):
            home.getinfo("nothing")
        home.removetree("dir")
        assert home.listdir("/") == []


def test_fsspec_does_a_full_session(environment: Raised, token: str, root: str, verify: Any) -> None:
    remote = OnedataFileSystem(
        onezone_host=environment.address("oz"), token=token, verify_ssl=verify, skip_instance_cache=True
    )
    base = f"{SPACE}/{root}"
    remote.makedirs(f"{base}/a/b", exist_ok=True)
    remote.makedirs(f"{base}/a/b", exist_ok=True)
    with remote.open(f"{base}/a/b/data.bin", "wb") as writer:
        writer.write(BODY)
    assert remote.size(f"{base}/a/b/data.bin") == len(BODY)
    with remote.open(f"{base}/a/b/data.bin", "rb") as reader:
        reader.seek(123456)
        assert reader.read(1000) == BODY[123456:124456]
    assert remote.cat_file(f"{base}/a/b/data.bin", start=5, end=9) == BODY[5:9]
    assert [entry["name"].rpartition("/")[2] for entry in remote.ls(f"{base}/a/b", detail=True)] == [
        "data.bin"
    ]
    remote.cp_file(f"{base}/a/b/data.bin", f"{base}/a/copy.bin")
    assert io.BytesIO(remote.cat_file(f"{base}/a/copy.bin")).getvalue() == BODY
    remote.rm_file(f"{base}/a/copy.bin")
    assert not remote.exists(f"{base}/a/copy.bin")
    assert remote.isdir(f"{base}/a/b")
    assert remote.isfile(f"{base}/a/b/data.bin")
