"""Every public method of the published clients is called once and gives what it should."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import fs.errors
import pytest
from fs.onedatarestfs import OnedataRESTFS
from onedatafilerestclient import OnedataFileRESTClient
from onedatarestfsspec import OnedataFileSystem

from tests.support.environments import Raised
from tests.support.recording import public_methods, recording

BODY = bytes(range(256)) * 64
SPACE = "space_krk_par"


@pytest.mark.slow
def test_every_method_of_the_rest_client_works(suite_environment: Raised) -> None:
    kind, used = recording(OnedataFileRESTClient)
    client = kind(
        suite_environment.address("oz"), suite_environment.token(), verify_ssl=suite_environment.ca_cert
    )
    assert SPACE in client.list_spaces()
    space_id = client.get_space_id(SPACE)
    assert space_id in client.get_token_scope()["dataAccessScope"]["spaces"]
    file_id = client.create_file(SPACE, "every/method", create_parents=True, mode=0o640)
    assert client.get_file_id(SPACE, file_path="every/method") == file_id
    client.put_file_content(SPACE, BODY, file_id=file_id)
    client.put_file_content(SPACE, b"new", offset=3, file_path="every/method")
    expected = BODY[:3] + b"new" + BODY[6:]
    assert client.get_file_content(SPACE, file_id=file_id) == expected
    assert client.get_file_content(SPACE, offset=2, size=5, file_id=file_id) == expected[2:7]
    assert b"".join(client.iter_file_content(SPACE, chunk_size=1000, file_id=file_id)) == expected
    client.set_attributes(SPACE, {"mode": "0600"}, file_id=file_id)
    attributes = client.get_attributes(SPACE, attributes=["size", "posixPermissions"], file_id=file_id)
    assert attributes == {"size": len(BODY), "posixPermissions": "600"}
    client.set_extended_attribute(SPACE, {"colour": "red"}, file_id=file_id)
    assert client.get_extended_attribute(SPACE, file_id=file_id) == {"colour": "red"}
    client.set_json_metadata(SPACE, {"a": [1, None]}, file_id=file_id)
    assert client.get_json_metadata(SPACE, file_id=file_id) == {"a": [1, None]}
    client.set_rdf_metadata(SPACE, "<rdf/>", file_id=file_id)
    assert client.get_rdf_metadata(SPACE, file_id=file_id) == "<rdf/>"
    client.move(SPACE, "every/method", SPACE, "every/moved")
    children = client.list_children(SPACE, attributes=["name", "fileId"], file_path="every")["children"]
    assert children == [{"name": "moved", "fileId": file_id}]
    client.remove(SPACE, file_path="every")
    assert public_methods(OnedataFileRESTClient) - used == set()


@pytest.mark.slow
def test_every_method_of_the_pyfilesystem_works(suite_environment: Raised) -> None:
    kind, used = recording(OnedataRESTFS)
    remote: Any = kind(
        suite_environment.address("oz"),
        suite_environment.token(),
        SPACE,
        verify_ssl=suite_environment.ca_cert,
    )
    _files_of_pyfilesystem(remote)
    _trees_of_pyfilesystem(remote)
    _facts_of_pyfilesystem(remote)
    remote.removetree("pyfs")
    assert not remote.exists("pyfs")
    assert remote.client().list_spaces()
    remote.close()
    assert remote.isclosed()
    with pytest.raises(fs.errors.FilesystemClosed):
        remote.check()
    assert public_methods(OnedataRESTFS) - used == set()


def _files_of_pyfilesystem(remote: Any) -> None:
    remote.makedirs("pyfs/files", recreate=True)
    home = "pyfs/files/"
    writers: list[tuple[str, Callable[[str], object], bytes]] = [
        ("a", lambda path: remote.writebytes(path, b"bytes"), b"bytes"),
        ("b", lambda path: remote.writetext(path, "text"), b"text"),
        ("c", lambda path: remote.setbytes(path, b"set bytes"), b"set bytes"),
        ("d", lambda path: remote.settext(path, "set text"), b"set text"),
        ("e", lambda path: remote.upload(path, io.BytesIO(BODY)), BODY),
        ("f", lambda path: remote.setbinfile(path, io.BytesIO(BODY)), BODY),
        ("g", lambda path: remote.writefile(path, io.StringIO("file")), b"file"),
        ("h", lambda path: remote.setfile(path, io.StringIO("set file")), b"set file"),
        ("i", lambda path: remote.create(path), b""),
        ("j", lambda path: remote.touch(path), b""),
    ]
    for name, write, expected in writers:
        write(home + name)
        assert remote.readbytes(home + name) == expected
        assert remote.getbytes(home + name) == expected
    remote.appendbytes(home + "a", b" more")
    remote.appendtext(home + "a", " and more")
    assert remote.readtext(home + "a") == remote.gettext(home + "a") == "bytes more and more"
    for download in (remote.download, remote.getfile):
        received = io.BytesIO()
        download(home + "e", received)
        assert received.getvalue() == BODY
    with remote.open(home + "b", "r") as text, remote.openbin(home + "e") as binary:
        assert text.read() == "text"
        binary.seek(100)
        assert binary.read(50) == BODY[100:150]
    assert remote.hash(home + "e", "sha256") == hashlib.sha256(BODY).hexdigest()
    remote.copy(home + "e", home + "copied")
    remote.move(home + "copied", home + "moved")
    assert remote.getsize(home + "moved") == len(BODY)
    remote.remove(home + "moved")
    assert not remote.isfile(home + "moved")


def _trees_of_pyfilesystem(remote: Any) -> None:
    remote.makedir("pyfs/tree")
    assert remote.isempty("pyfs/tree")
    inner = remote.opendir("pyfs/tree")
    inner.makedir("sub")
    inner.writetext("sub/file.txt", "x")
    assert remote.listdir("pyfs/tree") == ["sub"]
    assert [info.name for info in remote.scandir("pyfs/tree/sub")] == ["file.txt"]
    assert [info.name for info in remote.filterdir("pyfs/tree/sub", files=["*.txt"])] == ["file.txt"]
    assert remote.match(["*.txt"], "file.txt")
    remote.copydir("pyfs/tree", "pyfs/copied", create=True)
    remote.movedir("pyfs/copied", "pyfs/moved", create=True)
    assert remote.readtext("pyfs/moved/sub/file.txt") == "x"
    with pytest.raises(fs.errors.DirectoryNotEmpty):
        remote.removedir("pyfs/moved")
    remote.remove("pyfs/moved/sub/file.txt")
    remote.removedir("pyfs/moved/sub")
    drawn = io.StringIO()
    remote.tree(file=drawn)
    assert "file.txt" in drawn.getvalue()


def _facts_of_pyfilesystem(remote: Any) -> None:
    path = "pyfs/files/e"
    assert remote.isdir("pyfs/files") and not remote.islink(path)
    assert remote.getinfo(path, ["details"]).size == remote.getdetails(path).size == len(BODY)
    assert remote.getbasic(path).name == "e"
    assert remote.gettype(path).name == "file"
    assert isinstance(remote.getmodified(path), datetime)
    assert "e" in remote.desc(path)
    assert remote.validatepath(path) == f"/{path}"
    assert isinstance(remote.getmeta(), dict)
    assert not remote.hassyspath(path) and not remote.hasurl(path)
    for missing in (remote.getsyspath, remote.getospath):
        with pytest.raises(fs.errors.NoSysPath):
            missing(path)
    with pytest.raises(fs.errors.NoURL):
        remote.geturl(path)
    with remote.lock():
        remote.setinfo(path, {"access": {"permissions": ["u_r", "u_w", "g_r", "o_r"]}})
        remote.settimes(path, modified=datetime(2026, 1, 1))  # noqa: DTZ001 - the suite's own convention


@pytest.mark.slow
def test_every_method_of_the_fsspec_client_works(suite_environment: Raised, tmp_path: Path) -> None:
    kind, used = recording(OnedataFileSystem)
    remote: Any = kind(
        onezone_host=suite_environment.address("oz"),
        token=suite_environment.token(),
        verify_ssl=suite_environment.ca_cert,
        skip_instance_cache=True,
    )
    home = f"/{SPACE}/fsspec"
    _contents_of_fsspec(remote, home)
    _facts_of_fsspec(remote, home)
    _trees_of_fsspec(remote, home, tmp_path)
    _objects_of_fsspec(remote, home)
    with pytest.raises(IsADirectoryError):  # the client removes files only, whatever it is asked
        remote.rm(home, recursive=True)
    assert not remote.exists(f"{home}/m1/a")
    remote.client.remove(SPACE, file_path="fsspec")
    assert public_methods(OnedataFileSystem) - used == set()


def _contents_of_fsspec(remote: Any, home: str) -> None:
    remote.makedirs(home, exist_ok=True)
    remote.pipe_file(f"{home}/a", BODY)
    remote.pipe({f"{home}/b": b"b", f"{home}/c": b"c"})
    remote.write_bytes(f"{home}/d", b"d")
    with pytest.raises(NotImplementedError):  # the client opens files in binary modes only
        remote.write_text(f"{home}/e", "e")
    remote.write_bytes(f"{home}/e", b"e")
    remote.touch(f"{home}/f")  # the client sends nothing for an empty content
    assert remote.cat_file(f"{home}/a") == remote.read_bytes(f"{home}/a") == BODY
    assert set(remote.cat([f"{home}/b", f"{home}/c"]).values()) == {b"b", b"c"}
    assert remote.cat_ranges([f"{home}/a"] * 2, [0, 10], [4, 14]) == [BODY[:4], BODY[10:14]]
    with pytest.raises(NotImplementedError):
        remote.read_text(f"{home}/e")
    assert remote.head(f"{home}/a", 10) == BODY[:10]
    assert remote.tail(f"{home}/a", 10) == BODY[-10:]
    assert remote.read_block(f"{home}/a", 5, 10) == BODY[5:15]
    with remote.open(f"{home}/a", "rb") as opened:
        opened.seek(1000)
        assert opened.read(10) == BODY[1000:1010]


def _facts_of_fsspec(remote: Any, home: str) -> None:
    assert remote.size(f"{home}/a") == len(BODY)
    assert remote.sizes([f"{home}/a", f"{home}/b"]) == [len(BODY), 1]
    assert remote.info(f"{home}/a")["size"] == remote.stat(f"{home}/a")["size"] == len(BODY)
    assert remote.isfile(f"{home}/a") and remote.isdir(home) and remote.lexists(f"{home}/a")
    assert remote.checksum(f"{home}/a") == remote.checksum(f"{home}/a")
    assert remote.ukey(f"{home}/a")
    assert remote.modified(f"{home}/a") is not None
    remote.created(f"{home}/a")
    assert remote.unstrip_protocol(f"{home}/a").endswith("a")
    names = {"a", "b", "c", "d", "e"}
    assert {path.rpartition("/")[2] for path in remote.ls(home)} == names
    assert len(remote.listdir(home)) == len(names)
    with pytest.raises(NotImplementedError):
        remote.sign(f"{home}/a")


def _trees_of_fsspec(remote: Any, home: str, tmp_path: Path) -> None:
    for make, name in ((remote.mkdirs, "m1"), (remote.makedirs, "m2")):
        make(f"{home}/{name}")
        assert remote.isdir(f"{home}/{name}")
    for nothing in (remote.mkdir, remote.makedir):  # the client leaves these without an effect
        nothing(f"{home}/m3")
        assert not remote.exists(f"{home}/m3")
    remote.cp_file(f"{home}/a", f"{home}/m1/a")
    remote.copy(f"{home}/b", f"{home}/m1/b")
    remote.cp(f"{home}/c", f"{home}/m1/c")
    remote.mv(f"{home}/m1/b", f"{home}/m1/b2")
    remote.move(f"{home}/m1/b2", f"{home}/m1/b3")
    remote.rename(f"{home}/m1/b3", f"{home}/m1/b4")
    assert {path.rpartition("/")[2] for path in remote.find(f"{home}/m1")} == {"a", "b4", "c"}
    assert [path.rpartition("/")[2] for path in remote.glob(f"{home[1:]}/m1/b*")] == ["b4"]
    assert remote.expand_path(f"{home}/m1", recursive=True)
    assert remote.du(f"{home}/m1") == remote.disk_usage(f"{home}/m1") == len(BODY) + 2
    assert next(iter(remote.walk(f"{home}/m1")))[2]
    assert "a" in remote.tree(f"{home}/m1")
    local = tmp_path / "local"
    local.write_bytes(BODY)
    remote.put_file(str(local), f"{home}/p1")
    remote.put(str(local), f"{home}/p2")
    remote.upload(str(local), f"{home}/p3")
    for number, get in enumerate((remote.get_file, remote.get, remote.download), 1):
        get(f"{home}/p{number}", str(tmp_path / f"got{number}"))
        assert (tmp_path / f"got{number}").read_bytes() == BODY
    remote.rm_file(f"{home}/p1")
    remote.delete(f"{home}/p2")
    remote.rmdir(f"{home}/m2")
    assert not remote.exists(f"{home}/p1") and not remote.exists(f"{home}/m2")


def _objects_of_fsspec(remote: Any, home: str) -> None:
    mapper = remote.get_mapper(home)
    assert mapper["b"] == b"b"
    remote.start_transaction()
    remote.end_transaction()
    remote.invalidate_cache()
    assert remote.from_json(remote.to_json()).exists(f"{home}/a")
    assert remote.from_dict(remote.to_dict()).exists(f"{home}/a")
    with pytest.raises(ValueError, match="token"):  # no instance was made with the cache
        remote.current()
    remote.clear_instance_cache()
