"""The access log: its lines, its batches, its bounds."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock

from cluster_worker.http.access_log import AccessLog, AccessRecord, AppendingFile
from cluster_worker.runtime.pool import Inline


def request(path: bytes = b"/some/path", user_id: str = "-") -> Any:
    return SimpleNamespace(
        client=SimpleNamespace(host="127.0.0.1"),
        user_id=user_id,
        method=b"GET",
        path=path,
        query=b"token=secret",
        code=200,
        sentLength=5,
        request_id="r-1",
    )


def make(clock: Clock, written: list[str]) -> AccessLog:
    log = AccessLog(written.append, clock=clock, wall_clock=lambda: 1_700_000_000.25, blocking=Inline())
    log.startService()
    return log


def test_a_line_shows_who_asked_what_and_how_it_went() -> None:
    record = AccessRecord(1_700_000_000.25, "127.0.0.1", "user1", b"PUT", b"/a%20b", 204, 0, 0.01234, "r-7")
    assert record.line() == "2023-11-14T22:13:20.250Z 127.0.0.1 user1 PUT /a%20b 204 0 12.3 r-7\n"


def test_control_characters_cannot_forge_a_line() -> None:
    line = AccessRecord(0, None, "-", b"GET", b"/\x1b[31m\xff\x7f", 200, 0, 0, "r").line()
    assert line.count("\n") == 1
    assert line.isascii()
    assert "\x1b" not in line


@ensureDeferred
async def test_records_are_written_in_one_batch_without_queries() -> None:
    clock, written = Clock(), list[str]()
    log = make(clock, written)
    for number in range(3):
        log.record(request(b"/%d" % number, "user1"), 0.001)
    assert written == []
    clock.advance(1.0)
    (text,) = written
    assert [line.split()[4] for line in text.splitlines()] == ["/0", "/1", "/2"]
    assert "secret" not in text
    await log.stopService()
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_stopping_writes_what_still_waits() -> None:
    clock, written = Clock(), list[str]()
    log = make(clock, written)
    log.record(request(), 0.001)
    await log.stopService()
    assert len(written) == 1
    assert clock.getDelayedCalls() == []


@ensureDeferred
async def test_records_beyond_the_bound_are_counted_not_kept() -> None:
    clock, written = Clock(), list[str]()
    log = make(clock, written)
    for _ in range(25_000):
        log.record(request(), 0.001)
    await log.stopService()
    assert written[0].count("\n") == 20_000


def test_a_rotated_file_is_begun_anew(tmp_path: Path) -> None:
    write = AppendingFile(tmp_path / "access.log")
    write("one\n")
    (tmp_path / "access.log").rename(tmp_path / "access.log.1")
    write("two\n")
    assert (tmp_path / "access.log").read_text() == "two\n"
