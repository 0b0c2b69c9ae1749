"""The index follows the feed exactly once, through restarts, crashes, and files that went bad."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
from attrs import evolve
from pytest_twisted import async_yield_fixture, ensureDeferred
from twisted.internet import reactor

from cluster_worker.feeds.compaction import HISTORY
from cluster_worker.feeds.history import FeedHistory
from cluster_worker.persistence.engine import Batch, PersistenceError, Put, Scope, Seq
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.pool import Inline
from op_worker.files.model import CreateOptions, MetadataChange
from op_worker.files.service import FileService
from op_worker.search.compiling import Order, statement
from op_worker.search.grammar import parse_query
from op_worker.search.index import Index, TooSlow
from op_worker.search.indexing import Indexing
from op_worker.search.schema import MAX_FIELDS, MAX_TEXT, Indexed, field_rows
from tests.support.power_cuts import Fuse, FusedEngine, Trouble
from tests.support.spaces import SPACE, Site, owner, path

SCOPE = Scope(SPACE)


def row(name: str = "n", size: int = 1, links: tuple[str, ...] = ("",)) -> Indexed:
    times = (0.0, 0.0, 0.0, 0.0)
    fields = field_rows({"k": name}, None, has_document=False)
    names = [(link, "root", name) for link in links]
    return Indexed(names, ("REG", size, 0o644, "o", *times, True, False, False), fields)


def found(index: Index, query: str) -> list[str]:
    made = statement(parse_query(query), "root", Order.NAME, None, 1000, descending=False)
    return sorted(uuid + link for _, uuid, link in index.select(made, 5.0))


@async_yield_fixture
async def files() -> AsyncIterator[FileService]:
    """A started service over a space with search switched on."""
    service = await Site(clock=reactor).process()
    service.startService()
    await service.space_settings.change_settings(owner, SPACE, search=True)
    yield service
    await service.stopService()


def indexing(files: FileService, folder: Path | None, engine: Any = None) -> Indexing:
    context = files.context
    return Indexing(engine or context.engine, context.settings, folder, Inline(), reactor)


async def catch_up(reader: Indexing, limit: int = 7) -> int:
    """Feed a consumer what there is, as a feed reader does; return how many changes that were."""
    count = 0
    while (position := await reader.position(SCOPE)) is not None:
        changes = await reader._engine.changes(SCOPE, position, limit)
        if not changes:
            break
        await reader.consume(SCOPE, changes)
        count += len(changes)
    return count


async def make_some(files: FileService, prefix: str) -> None:
    for number in range(6):
        stat = await files.create_file(owner, path(f"{prefix}{number}"), CreateOptions())
        assert stat
        change = MetadataChange(set_xattrs={"n": number}, json={"p": prefix})
        await files.metadata.change(owner, path(f"{prefix}{number}"), change)


@ensureDeferred
async def test_a_restarted_index_goes_on_where_it_was(files: FileService, tmp_path: Path) -> None:
    await make_some(files, "a")
    first = indexing(files, tmp_path)
    assert await catch_up(first) > 6
    await first.close()
    await make_some(files, "b")
    await files.remove(owner, path("a0"))
    second = indexing(files, tmp_path)
    assert await catch_up(second) < 12
    names = {row[0] for row in (await second.index(SCOPE))._connection.execute("SELECT name FROM files")}
    assert names == {f"{letter}{number}" for letter in "ab" for number in range(6)} - {"a0"}
    assert len(found(await second.index(SCOPE), 'json.p = "b" and xattr.n >= 3')) == 3
    await second.close()


class Failing:
    """A connection that fails at its n-th statement."""

    def __init__(self, connection: sqlite3.Connection, at: int) -> None:
        self.connection, self.left = connection, at

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.connection, name)

        def call(*args: Any) -> Any:
            if args[0] != "ROLLBACK":
                self.left -= 1
                if self.left < 0:
                    raise sqlite3.OperationalError("disk full")
            return method(*args)

        return call


def test_a_step_that_fails_anywhere_leaves_rows_and_position_as_they_were() -> None:
    for at in range(100):
        index = Index(None)
        index.apply(1, {"a": row("old"), "b": row()})
        whole = index._connection
        index._connection = Failing(whole, at)  # type: ignore[assignment]
        try:
            index.apply(2, {"a": row("new"), "c": row(), "b": None})
            is_done = True
        except sqlite3.OperationalError:
            is_done = False
        index._connection = whole
        stored = whole.execute("SELECT seq FROM position").fetchone()[0]
        assert stored == index.seq == (2 if is_done else 1)
        assert found(index, "has(xattr)") == (["a", "c"] if is_done else ["a", "b"])
        assert found(index, 'xattr.k = "old"') == ([] if is_done else ["a"])
        if is_done:
            assert at > 8
            return
    raise AssertionError("it never came to the end")


@ensureDeferred
async def test_a_store_that_fails_at_any_call_makes_the_index_late_but_not_wrong(files: FileService) -> None:
    await make_some(files, "a")
    for at in range(40):
        fuse = Fuse(Trouble.FAIL, at)
        reader = indexing(files, None, FusedEngine(files.context.engine, fuse))
        for _ in range(2):
            try:
                await catch_up(reader)
                break
            except PersistenceError:
                assert fuse.has_blown
        assert len(found(await reader.index(SCOPE), 'json.p = "a"')) == 6
        await reader.close()
        if not fuse.has_blown:
            return
    raise AssertionError("more calls than expected")


Spoil = Callable[[Path], None]


def with_rubbish(file: Path) -> None:
    file.write_bytes(b"no database at all" * 1000)


def with_another_version(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("PRAGMA user_version = 99")
    connection.close()


def without_tables(file: Path) -> None:
    connection = sqlite3.connect(file)
    connection.execute("DROP TABLE position")
    connection.close()


@pytest.mark.parametrize("spoil", [with_rubbish, with_another_version, without_tables])
@ensureDeferred
async def test_an_index_that_cannot_be_used_is_made_anew(
    files: FileService, tmp_path: Path, spoil: Spoil
) -> None:
    await make_some(files, "a")
    first = indexing(files, tmp_path)
    await catch_up(first)
    await first.close()
    spoil(tmp_path / f"{SPACE}.sqlite")
    second = indexing(files, tmp_path)
    assert (await second.position(SCOPE)) == 0
    await catch_up(second)
    assert len(found(await second.index(SCOPE), 'json.p = "a"')) == 6
    await second.close()


@ensureDeferred
async def test_an_index_ahead_of_the_store_is_made_anew(files: FileService, tmp_path: Path) -> None:
    await make_some(files, "a")
    reader = indexing(files, tmp_path)
    await catch_up(reader)
    await reader.close()
    older = indexing(files, tmp_path, MemoryEngine())
    assert await older.position(SCOPE) == Seq(0)
    await older.close()


@ensureDeferred
async def test_switching_search_off_removes_the_index(files: FileService, tmp_path: Path) -> None:
    reader = indexing(files, tmp_path)
    await catch_up(reader)
    assert (tmp_path / f"{SPACE}.sqlite").exists()
    await files.space_settings.change_settings(owner, SPACE, search=False)
    assert await reader.position(SCOPE) is None
    assert list(tmp_path.iterdir()) == []


def test_a_query_that_takes_too_long_is_stopped() -> None:
    index = Index(None)
    rows = {f"u{number}": row(f"{number}") for number in range(3000)}
    index.apply(1, rows)
    made = statement(parse_query('name = "none"'), "root", Order.NAME, None, 10, descending=False)

    endless = evolve(made, sql="SELECT count(*), 1 FROM files a, files b, files c, files d", parameters=())
    with pytest.raises(TooSlow):
        index.select(endless, 0.05)
    assert index.select(made, 1.0) == []


def test_what_is_indexed_of_a_file_is_bounded() -> None:
    many = {str(number): number for number in range(5000)}
    wide: Any = [[0] * 100_000]
    assert len(field_rows(many, wide, has_document=True)) == MAX_FIELDS
    assert len(field_rows({}, wide, has_document=True)) == MAX_FIELDS
    long = field_rows({"a": "x" * (MAX_TEXT + 1), "k" * 2000: 1, "big": 10**400}, None, has_document=False)
    assert long == [('["xattr","a"]', None, None, None), ('["xattr","big"]', None, None, None)]


@ensureDeferred
async def test_the_root_of_a_space_is_no_result(files: FileService) -> None:
    await files.metadata.change(owner, path(""), MetadataChange(set_xattrs={"k": 1}))
    reader = indexing(files, None)
    await catch_up(reader)
    assert found(await reader.index(SCOPE), "has(xattr)") == []


def test_each_name_of_a_file_is_found_and_they_share_its_values() -> None:
    index = Index(None)
    index.apply(1, {"a": row("x", links=("", "1", "2")), "b": row("x")})
    assert found(index, 'xattr.k = "x"') == ["a", "a1", "a2", "b"]
    index.apply(2, {"a": row("y", links=("2", "3"))})
    assert found(index, 'xattr.k = "y"') == ["a2", "a3"]
    assert found(index, "has(xattr)") == ["a2", "a3", "b"]
    index.apply(3, {"a": None})
    index.apply(4, {"c": row("z"), "a": row("z")})
    assert found(index, 'xattr.k = "z"') == ["a", "c"]
    assert index._connection.execute("SELECT count(*) FROM fields").fetchone() == (3,)


@ensureDeferred
async def test_an_index_from_before_the_horizon_of_the_feed_is_made_anew(
    files: FileService, tmp_path: Path
) -> None:
    await make_some(files, "a")
    reader = indexing(files, tmp_path)
    await catch_up(reader)
    seq = (await reader.index(SCOPE)).seq
    await reader.close()
    for horizon, expected in ((seq, seq), (seq + 1, 0)):
        history = FeedHistory(horizon=horizon).encode()
        await files.context.engine.commit(SCOPE, Batch([Put(HISTORY, "h", history)]))
        again = indexing(files, tmp_path)
        assert await again.position(SCOPE) == expected
        await again.close()
