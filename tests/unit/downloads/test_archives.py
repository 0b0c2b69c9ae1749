"""Directories as tar archives: what is in them, and going on at any byte."""

from __future__ import annotations

import io
import random
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from attrs import evolve

from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import BadValueIdNotFound, Errno, Posix
from onedata.tokens.request_caveats import TimeCaveat
from op_worker.auth.caller import Caller
from op_worker.downloads.codes import CODES, DOWNLOADS, DownloadCode
from op_worker.downloads.service import LIFETIME_S, Downloads
from op_worker.downloads.tar_layout import member_of
from op_worker.downloads.unchanged import ChangedSince, inode_of
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from tests.support.immediate import now
from tests.support.spaces import OWNER, Site, alice, bob, body, owner, path

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
LONG = "d" * 200
CONTENTS = {
    "t/a": b"",
    "t/b": b"x",
    "t/big": bytes(range(256)) * 4000,
    f"t/{LONG}/{LONG}": b"deep" * 300,
    "t/sub/żółć ": b"accents",
}


class Tree:
    """A site with a directory ``t`` and downloads of it."""

    def __init__(self) -> None:
        self.site = Site()
        self.files: FileService = now(self.site.process())
        for name, data in CONTENTS.items():
            self.put(name, data)
        now(self.files.create_directory(owner, path("t/empty"), CreateOptions(mode=0o700)))
        now(self.files.create_symlink(owner, path("t/link"), CreateOptions(symlink_target="b")))
        now(self.files.create_symlink(owner, path("t/nowhere"), CreateOptions(symlink_target="gone")))
        now(self.files.create_symlink(owner, path("t/up"), CreateOptions(symlink_target="sub")))
        self.downloads = Downloads(
            self.files,
            self.site.engine,
            wall_clock=self.site.wall_clock,
            random_bytes=self.site.random.randbytes,
        )

    def put(self, name: str, data: bytes) -> None:
        now(self.files.replace_content(owner, path(name), body(data), expected_b=len(data), create=UPDATE))

    def code(self, caller: Caller = owner, name: str = "t", *, follows: bool = False) -> str:
        guid = now(self.files.stat(owner, path(name))).guid
        return now(self.downloads.issue(caller, guid, follows=follows))

    def whole(self, code: str) -> bytes:
        """Download from the beginning."""

        async def download() -> bytes:
            stream = self.downloads.archive(*await self.downloads.redeem(code))
            return await drained(stream)

        return now(download())

    def tail(self, code: str, position_b: int) -> bytes:
        """Go on at a byte."""

        async def download() -> bytes:
            stream, total_b = await self.downloads.resumed(*await self.downloads.redeem(code), position_b)
            data = await drained(stream)
            assert len(data) == max(0, total_b - position_b)
            return data

        return now(download())


async def drained(stream: object) -> bytes:
    pieces = []
    while piece := await stream.read():  # type: ignore[attr-defined]  # a byte stream
        pieces.append(piece)
    await stream.close()  # type: ignore[attr-defined]  # an archive stream
    return b"".join(pieces)


@pytest.fixture(scope="module")
def unchanged_tree() -> Tree:
    """A tree that no test of this module changes."""
    return Tree()


def test_an_archive_holds_every_file_with_its_mode_time_and_content(unchanged_tree: Tree) -> None:
    with tarfile.open(fileobj=io.BytesIO(unchanged_tree.whole(unchanged_tree.code()))) as archive:
        members = {member.name: member for member in archive}
        for name, data in CONTENTS.items():
            member = members[name]
            stat = now(unchanged_tree.files.stat(owner, path(name)))
            assert (member.mode, member.mtime, member.size) == (stat.mode, int(stat.mtime_s), len(data))
            assert archive.extractfile(member).read() == data  # type: ignore[union-attr]  # a file
        assert members["t/empty"].isdir()
        assert members["t/empty"].mode == 0o700
        assert (members["t/link"].issym(), members["t/link"].linkname) == (True, "b")
        names = [member.name for member in archive]
    assert names[0] == "t"
    assert len(names) == len(set(names)) == len(CONTENTS) + 7


def test_followed_links_stand_for_files_inside_and_stay_links_otherwise(unchanged_tree: Tree) -> None:
    data = unchanged_tree.whole(unchanged_tree.code(follows=True))
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        members = {member.name: member for member in archive}
        assert archive.extractfile("t/link").read() == b"x"  # type: ignore[union-attr]  # a file
    assert members["t/link"].isreg()
    assert members["t/nowhere"].issym()
    assert members["t/up"].issym()


@pytest.mark.skipif(shutil.which("tar") is None, reason="there is no tar here")
def test_the_tar_of_the_system_unpacks_an_archive(unchanged_tree: Tree, tmp_path: Path) -> None:
    data = unchanged_tree.whole(unchanged_tree.code())
    subprocess.run(["tar", "-xf", "-"], input=data, cwd=tmp_path, check=True)
    for name, content in CONTENTS.items():
        assert (tmp_path / name).read_bytes() == content
    assert (tmp_path / "t/link").readlink() == Path("b")


def test_an_archive_is_the_same_bytes_every_time(unchanged_tree: Tree) -> None:
    assert unchanged_tree.whole(unchanged_tree.code()) == unchanged_tree.whole(unchanged_tree.code())


@pytest.mark.parametrize("follows", [False, True])
def test_an_archive_goes_on_at_any_byte(unchanged_tree: Tree, follows: bool) -> None:
    code = unchanged_tree.code(follows=follows)
    whole = unchanged_tree.whole(code)
    chance = random.Random(1)
    ends = [0, 1, 511, 512, 513, len(whole) - 1, len(whole) - 1024, len(whole) - 1025]
    for position_b in [*ends, *(chance.randrange(len(whole)) for _ in range(60))]:
        assert unchanged_tree.tail(code, position_b) == whole[position_b:]
    assert unchanged_tree.tail(code, len(whole)) == b""


def test_an_archive_goes_on_from_the_page_it_was_left_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("op_worker.downloads.members.PAGE", 2)
    tree = Tree()
    code = tree.code()
    whole = tree.whole(code)
    chance = random.Random(2)
    for _ in range(60):
        position_b = chance.randrange(len(whole))
        assert tree.tail(code, position_b) == whole[position_b:]


CHANGES = {
    "content": lambda tree: tree.put("t/a", b"y"),
    "content in place": lambda tree: tree.files.write_content(
        owner, path("t/b"), 0, body(b"z"), expected_b=1
    ),
    "mode": lambda tree: tree.files.set_mode(owner, path("t/a"), 0o600),
    "time": lambda tree: tree.files.set_times(owner, path("t/a"), None, 5.0),
    "new file": lambda tree: tree.put("t/0", b""),
    "removed file": lambda tree: tree.files.remove(owner, path("t/a")),
    "moved file": lambda tree: tree.files.move(owner, path("t/a"), path("elsewhere")),
    "renamed top": lambda tree: tree.files.move(owner, path("t"), path("u")),
    "link elsewhere": lambda tree: tree.files.remove(owner, path("t/link")),
}


@pytest.mark.parametrize("name", list(CHANGES))
@pytest.mark.parametrize("later_s", [0.0, 10_000.0])
def test_a_tree_that_changed_before_the_byte_is_not_gone_on_with(name: str, later_s: float) -> None:
    tree = Tree()
    tree.site.now_s += later_s
    code = tree.code()
    whole = tree.whole(code)
    change = CHANGES[name](tree)
    if change is not None:
        now(change)
    with pytest.raises(ChangedSince):
        tree.tail(code, len(whole) - 1000)


def test_changes_behind_the_byte_or_of_no_importance_do_not_matter() -> None:
    tree = Tree()
    code = tree.code()
    whole = tree.whole(code)
    tree.put("t/sub/żółć ", b"changed")
    tree.put("elsewhere", b"changed")
    position_b = whole.index(CONTENTS["t/big"]) + 100
    assert tree.tail(code, position_b) != b""
    assert tree.tail(code, position_b)[:100] == whole[position_b : position_b + 100]


def test_what_the_reader_may_not_read_is_left_out_and_the_rest_goes_on_at_any_byte() -> None:
    tree = Tree()
    now(tree.files.set_mode(owner, path("t/big"), 0o600))
    now(tree.files.set_mode(owner, path("t/sub"), 0o700))
    code = tree.code(bob)
    whole = tree.whole(code)
    with tarfile.open(fileobj=io.BytesIO(whole)) as archive:
        names = set(archive.getnames())
    assert "t/big" not in names
    assert "t/sub" in names
    assert "t/sub/żółć " not in names
    assert "t/b" in names
    for position_b in range(0, len(whole), 777):
        assert tree.tail(code, position_b) == whole[position_b:]


def test_a_file_that_becomes_shorter_breaks_the_archive_off() -> None:
    tree = Tree()
    tree.put("t/big", bytes(2_000_000))
    stream = tree.downloads.archive(*now(tree.downloads.redeem(tree.code())))
    now(stream.read())
    now(tree.files.truncate(owner, path("t/big"), 5))
    with pytest.raises((StreamBroken, Posix)):
        now(drained(stream))


def test_a_tree_that_changes_after_its_length_was_told_breaks_the_archive_off() -> None:
    tree = Tree()
    stream, _ = now(tree.downloads.resumed(*now(tree.downloads.redeem(tree.code())), 10))
    tree.put("t/z", b"more")
    with pytest.raises(StreamBroken):
        now(drained(stream))


def test_a_code_expires_and_is_forgotten() -> None:
    tree = Tree()
    code = tree.code()
    assert code not in repr(tree.site.engine._scopes[DOWNLOADS].documents)  # type: ignore[attr-defined]  # no engine lists its keys
    with pytest.raises(BadValueIdNotFound):
        now(tree.downloads.redeem("0" * 48))
    now(tree.downloads.sweep())
    now(tree.downloads.redeem(code))
    tree.site.now_s += LIFETIME_S
    with pytest.raises(BadValueIdNotFound):
        now(tree.downloads.redeem(code))
    now(tree.downloads.sweep())
    assert now(tree.site.engine.count(DOWNLOADS, CODES)) == 0


def test_a_code_does_not_outlive_the_token_it_was_made_with() -> None:
    tree = Tree()
    limited = Caller(OWNER, caveats=(TimeCaveat(int(tree.site.now_s) + 100),))
    code = tree.code(limited)
    tree.site.now_s += 200
    with pytest.raises(BadValueIdNotFound):
        now(tree.downloads.redeem(code))


def test_a_code_carries_the_rights_of_its_issuer_as_they_are_now() -> None:
    tree = Tree()
    code = tree.code(alice)
    now(tree.files.set_mode(owner, path("t"), 0o700))
    with pytest.raises(Posix) as caught:
        tree.whole(code)
    assert caught.value.errno is Errno.EACCES


def test_a_code_is_read_back_as_it_was_kept() -> None:
    tree = Tree()
    record, _ = now(tree.downloads.redeem(tree.code(follows=True)))
    assert DownloadCode.decode(record.encode()) == record
    of_guest = evolve(record, caller=Caller.guest("proof"))
    assert DownloadCode.decode(of_guest.encode()) == of_guest


def test_members_of_any_size_end_at_a_whole_block(unchanged_tree: Tree) -> None:
    stat = now(unchanged_tree.files.stat(owner, path("t/b")))
    member = member_of("t/b", stat)
    assert (member.total_b, member.padding_b) == (1024, 511)
    assert member_of("p" * 300, stat).total_b % 512 == 0


def test_a_further_name_of_a_file_leads_to_its_documents() -> None:
    assert inode_of("abc") == "abc"  # type: ignore[arg-type]  # a uuid
    assert inode_of("link_00ff_file_abc") == "abc"  # type: ignore[arg-type]  # a uuid
