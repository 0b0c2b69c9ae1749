"""The pieces of backups: the stream of a dump, the manifest, the digest, folders that appear whole."""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.persistence.backup.contents import ContentDigest, Piece
from cluster_worker.persistence.backup.errors import BackupDamaged, DumpBroken, FolderTaken
from cluster_worker.persistence.backup.folders import appearing, write_file
from cluster_worker.persistence.backup.manifest import Manifest, Part, read_manifest
from cluster_worker.persistence.backup.sync_stream import ASK_FOR_DUMP, Command, SyncStream
from cluster_worker.persistence.layout import holds_data
from cluster_worker.persistence.slots import SLOTS, Claim, Place, SlotMap, View, merge_views

MARK = b"0123456789abcdef0123456789abcdef01234567"
BEFORE = b"+OK\r\n+OK\r\n\n+FULLRESYNC " + b"f" * 40 + b" 17\r\n\n\n"
PART = Part("part-0.rdb", "h:1", "valkey 9", "f 17", 5, "00", [[0, 5]])
MANIFEST = Manifest("cluster", 0, 1.5, 2.5, [PART], 3, "ab")


# the stream


def chopped(data: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at some places."""
    at = [0, *sorted(min(cut, len(data)) for cut in cuts), len(data)]
    return [data[start:end] for start, end in pairwise(at)]


@given(
    st.binary(max_size=200), st.lists(st.integers(0, 400), max_size=9), st.booleans(), st.binary(max_size=9)
)
def test_dump_survives_any_split_of_the_stream(
    dump: bytes, cuts: list[int], is_marked: bool, later: bytes
) -> None:
    body = b"$EOF:" + MARK + b"\r\n" + dump + MARK if is_marked else b"$%d\r\n%b" % (len(dump), dump)
    stream = SyncStream(ASK_FOR_DUMP)
    got = b""
    for piece in chopped(BEFORE + body + later, cuts):
        if not stream.is_done:
            got += stream.feed(piece)
    assert got == dump
    assert stream.is_done
    assert stream.history == "f" * 40 + " 17"


def test_commands_are_sent_one_after_the_other() -> None:
    stream = SyncStream([Command((b"AUTH", b"x")), *ASK_FOR_DUMP])
    sent = [stream.take_request()]
    for _ in range(3):
        assert stream.feed(b"+OK\r\n") == b""
        sent.append(stream.take_request())
    assert [request.split(b"\r\n")[2] for request in sent] == [b"AUTH", b"REPLCONF", b"REPLCONF", b"PSYNC"]
    assert stream.take_request() == b""


def test_server_that_does_not_know_an_option_is_asked_on() -> None:
    stream = SyncStream(ASK_FOR_DUMP)
    assert stream.feed(b"-ERR unknown option\r\n+OK\r\n+FULLRESYNC f 0\r\n$3\r\nabc") == b"abc"
    assert stream.is_done


@pytest.mark.parametrize(
    "said",
    [
        b"-WRONGPASS no\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n-NOPERM no\r\n",
        b"+OK\r\n+OK\r\n+OK\r\n+CONTINUE\r\n",
        b"x" * 9999,
    ],
)
def test_refusal_ends_the_dump(said: bytes) -> None:
    stream = SyncStream([Command((b"AUTH", b"x")), *ASK_FOR_DUMP])
    with pytest.raises(DumpBroken):
        stream.feed(said)


def test_dump_that_stops_early_is_not_done() -> None:
    stream = SyncStream(ASK_FOR_DUMP)
    stream.feed(BEFORE + b"$EOF:" + MARK + b"\r\nabc" + MARK[:39])
    assert not stream.is_done


# the manifest


def test_manifest_is_read_back() -> None:
    assert read_manifest(MANIFEST.encode()) == MANIFEST


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text[: len(text) // 2],
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: text.replace('"part-0.rdb"', '"../part-0.rdb"'),
        lambda text: text.replace('"digest"', '"dogest"'),
        lambda _: '{"format": 1, "parts": []}',
        lambda _: "[]",
        lambda _: "\udcff",
    ],
)
def test_manifest_that_was_changed_is_refused(change: object) -> None:
    assert callable(change)
    with pytest.raises(BackupDamaged):
        read_manifest(change(MANIFEST.encode().decode()).encode("utf-8", "surrogateescape"))


# the digest


def digest_of(pieces: list[Piece]) -> tuple[int, str]:
    """Return number of keys and digest."""
    digest, seen = ContentDigest(), set()
    for piece in pieces:
        digest.add(piece, is_first=piece.key not in seen)
        seen.add(piece.key)
    return digest.keys, digest.value


HASH = Piece(b"{s}:f:a", b"hash", [(b"m", b"1"), (b"t", b"2")])
ENTRIES = Piece(b"{s}:d:a", b"zset", [(b"x\0y", b"0")])
NUMBER = Piece(b"{s}:seq", b"string", [(b"7",)])


@given(st.permutations([HASH, ENTRIES, NUMBER]))
def test_digest_depends_on_no_order_and_no_page(pieces: list[Piece]) -> None:
    halves = [Piece(HASH.key, HASH.kind, [element]) for element in reversed(HASH.elements)]
    assert digest_of(pieces) == digest_of([NUMBER, *halves, ENTRIES])
    assert digest_of(pieces)[0] == 3


@pytest.mark.parametrize(
    "other",
    [
        Piece(b"{s}:f:b", b"hash", HASH.elements),
        Piece(HASH.key, b"zset", HASH.elements),
        Piece(HASH.key, b"hash", [(b"m", b"1"), (b"t", b"3")]),
        Piece(HASH.key, b"hash", [(b"m1", b""), (b"t", b"2")]),
        Piece(HASH.key, b"hash", HASH.elements[:1]),
    ],
)
def test_digest_tells_keys_types_and_values_apart(other: Piece) -> None:
    assert digest_of([other, NUMBER]) != digest_of([HASH, NUMBER])


def test_leases_and_marks_do_not_count() -> None:
    assert not holds_data(b"lease:x")
    assert not holds_data(b"{space}:w")
    assert holds_data(b"{space}:f:lease:x") and holds_data(b"{space}:d:w") and holds_data(b"scopes")
    assert digest_of([Piece(b"lease:x", b"hash", [(b"owner", b"one")]), NUMBER]) == digest_of([NUMBER])


def test_pieces_become_the_commands_that_write_them() -> None:
    assert NUMBER.write() == (b"SET", b"{s}:seq", b"7")
    assert HASH.write() == (b"HSET", b"{s}:f:a", b"m", b"1", b"t", b"2")
    assert ENTRIES.write() == (b"ZADD", b"{s}:d:a", b"0", b"x\0y")
    assert Piece(b"scopes", b"set", [(b"s",)]).write() == (b"SADD", b"scopes", b"s")


# folders


def test_folder_appears_when_all_is_written(tmp_path: Path) -> None:
    with appearing(tmp_path / "b") as folder:
        write_file(folder / "x", b"abc")
        assert not (tmp_path / "b").exists()
    assert (tmp_path / "b" / "x").read_bytes() == b"abc"
    assert os.listdir(tmp_path) == ["b"]
    assert (tmp_path / "b").stat().st_mode & 0o777 == 0o700


def test_folder_does_not_appear_when_its_body_fails(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), appearing(tmp_path / "b") as folder:
        write_file(folder / "x", b"abc")
        raise ZeroDivisionError
    assert os.listdir(tmp_path) == []


def test_what_a_killed_try_left_is_removed(tmp_path: Path) -> None:
    left = tmp_path / "b.partial"
    (left / "deep").mkdir(parents=True)
    (left / "part-0.rdb").write_bytes(b"half")
    with appearing(tmp_path / "b") as folder:
        assert os.listdir(folder) == []


def test_folder_that_is_there_or_in_the_making_is_left_alone(tmp_path: Path) -> None:
    with appearing(tmp_path / "b") as folder:
        write_file(folder / "x", b"abc")
        with pytest.raises(FolderTaken), appearing(tmp_path / "b"):
            pass
    with pytest.raises(FolderTaken), appearing(tmp_path / "b"):
        pass
    assert os.listdir(tmp_path / "b") == ["x"]


def test_slots_of_each_primary_are_told_as_ranges() -> None:
    a, b = Place("h", 1), Place("h", 2)
    slots = merge_views(
        [View((Claim(1, a, ((0, 9), (20, SLOTS - 1))), Claim(2, b, ((10, 19),))), frozenset())]
    )
    assert slots.ranges() == {a: ((0, 9), (20, SLOTS - 1)), b: ((10, 19),)}
    assert SlotMap().ranges() == {}
