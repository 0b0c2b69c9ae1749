"""Charts, ways, watches, digests, events and records of imports."""

from __future__ import annotations

import struct

from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from op_worker.importing import inotify
from op_worker.importing.charts import WINDOWS, Charts, Period, Series
from op_worker.importing.configuration import ImportConfig, ImportMode, ScanOptions
from op_worker.importing.due import is_scan_due
from op_worker.importing.records import NoticeState, NoticeStatus, ScanState, ScanStatus
from op_worker.importing.seen import NO_DIGEST, Listed, digest_of
from op_worker.importing.tallying import Counts, Tally
from op_worker.importing.walking import MOST_JOBS, Item, Portion, Way
from op_worker.importing.watches import Watches
from op_worker.storage.helper import Scanned, StorageStat

NOW_S = 1_000_000.0


def test_charts_show_the_last_twelve_windows_and_nothing_older() -> None:
    charts = Charts()
    for window in range(20):
        charts.add(Counts(created=window), window, NOW_S + 5 * window)
    shown = Charts.decode(charts.encode())
    assert shown.values(Period.MINUTE, Series.CREATED, NOW_S + 95) == list(range(8, 20))
    assert shown.values(Period.MINUTE, Series.CREATED, NOW_S + 105) == [*range(10, 20), 0, 0]
    assert shown.values(Period.MINUTE, Series.QUEUE_LENGTH, NOW_S + 105)[-2:] == [19, 19]
    assert sum(shown.values(Period.DAY, Series.CREATED, NOW_S + 95)) == sum(range(20))
    assert shown.values(Period.MINUTE, Series.CREATED, NOW_S + 10_000) == [0] * WINDOWS


@given(st.integers(0, 60_000))
def test_what_is_left_of_a_way_is_divided_into_jobs_that_hold_all_of_it(count: int) -> None:
    items = [Item((str(number),)) for number in range(count)]
    portions = [Portion.decode(one.encode()) for one in Way(items).portions("scan")]
    assert len(portions) <= MOST_JOBS
    assert [item for portion in portions for item in portion.items] == items


def test_watched_directories_are_found_by_names_also_when_one_was_moved() -> None:
    watches = Watches()
    for number, above, name in ((1, None, ""), (2, 1, "a"), (3, 2, "b"), (4, 1, "c")):
        watches.add(number, above, name)
    assert (watches.path(3), watches.find(("a", "b"))) == (("a", "b"), 3)
    assert sorted(watches.forget(2)) == [2, 3]
    assert (watches.path(3), watches.find(("a",)), len(watches)) == (None, None, 2)
    watches.add(2, 4, "moved")
    assert watches.path(2) == ("c", "moved")
    assert watches.inside(4, "moved") == 2


def test_events_are_read_with_their_names_and_lost_ones_are_told() -> None:
    name = b"file\xff\0\0\0"
    data = struct.pack("=iIII", 3, inotify.IN_CREATE, 0, len(name)) + name
    data += struct.pack("=iIII", -1, inotify.IN_Q_OVERFLOW, 0, 0)
    created, lost = inotify.parse(data)
    assert (created.watch, created.name.encode("utf-8", "surrogateescape")) == (3, b"file\xff")
    assert lost.mask & inotify.IN_Q_OVERFLOW


def test_a_batch_that_changed_just_now_is_not_relied_on() -> None:
    item = Scanned("f", StorageStat(1, NOW_S - 10, ctime_s=NOW_S - 10))
    digest = digest_of([item], NOW_S)
    assert Listed(digests=digest).has_digest(0, digest)
    assert digest_of([evolve(item, stat=evolve(item.stat, size_b=2))], NOW_S) != digest
    fresh = digest_of([item], NOW_S - 9)
    assert fresh == NO_DIGEST
    assert not Listed(digests=fresh).has_digest(0, fresh)


def test_records_are_read_as_they_were_written() -> None:
    config = ImportConfig(mode=ImportMode.MANUAL).changed({"max_depth": 3})
    assert ImportConfig.decode(config.encode()) == config
    status = ScanStatus(scan_id="x", state=ScanState.FAILED, counts=Counts(1, 2, 3, 4, 5), reason="why")
    assert ScanStatus.decode(status.encode()) == status
    notices = NoticeStatus(state=NoticeState.IMPOSSIBLE, reason="why", watched=7)
    assert NoticeStatus.decode(notices.encode()) == notices


def test_a_scan_is_due_first_and_then_an_interval_after_the_end_of_the_last() -> None:
    once = ImportConfig()
    again = ImportConfig(options=ScanOptions(continuous=True, interval_s=60))
    running = ScanStatus(state=ScanState.RUNNING)
    ended = ScanStatus(state=ScanState.COMPLETED, ended_s=NOW_S)
    assert is_scan_due(once, None, NOW_S)
    assert not is_scan_due(ImportConfig(mode=ImportMode.MANUAL), None, NOW_S)
    assert not is_scan_due(again, running, NOW_S + 100)
    assert not is_scan_due(once, ended, NOW_S + 100)
    assert not is_scan_due(again, ended, NOW_S + 59)
    assert is_scan_due(again, ended, NOW_S + 60)


def test_lines_that_come_too_fast_for_the_audit_are_counted() -> None:
    tally = Tally()
    part = tally.part()
    for number in range(500):
        part.failed(str(number), "why")
    lines = tally.take_lines()
    assert (len(lines), lines[-1]) == (201, "300 lines were left out")
    assert (tally.counts.failed, part.counts.failed, tally.take_lines()) == (500, 500, [])
