"""What is kept of tasks: round trips, names, counters, the audit's bounds."""

from __future__ import annotations

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.jobs.audit import (
    KEEP_S,
    MOST_ENTRIES,
    TRIM_EVERY,
    AuditEntry,
    is_trimmed_between,
    outdated,
    written,
)
from cluster_worker.jobs.layout import index_name
from cluster_worker.jobs.task import (
    PARTITIONS,
    BadTaskId,
    Counters,
    MasterJob,
    Tally,
    Task,
    TaskId,
    TaskStatus,
)
from cluster_worker.persistence.engine import Entry, Key, Link, Scope

AUDIT = Key("audit")
counts = st.integers(0, 2**40)
tasks = st.builds(
    Task,
    pool=st.text(max_size=5),
    group=st.text(max_size=5),
    priority=st.integers(-9, 9),
    status=st.sampled_from(TaskStatus),
    created_s=st.floats(0, 1e10),
    payload=st.binary(max_size=9),
    counters=st.builds(Counters, *[counts] * 7),
    progress=st.none() | st.tuples(counts, counts),
    audited=counts,
    takeovers=counts,
    rest=st.tuples() | st.tuples(st.integers(0, 9)),
)


@given(tasks)
def test_task_is_read_as_it_was_written_also_what_a_later_version_added(task: Task) -> None:
    assert Task.decode(task.encode()) == task


def test_task_of_an_unknown_version_is_refused() -> None:
    fields = msgpack.unpackb(Task(pool="p", group="g").encode())
    with pytest.raises(ValueError, match="version 9"):
        Task.decode(msgpack.packb([9, *fields[1:]]))


@given(counts, st.integers(0, 2**40), st.binary(max_size=9))
def test_master_is_read_as_it_was_written(number: int, depth: int, payload: bytes) -> None:
    job = MasterJob(number, depth, payload)
    assert MasterJob.decode(job.encode()) == job


@given(st.lists(st.tuples(st.integers(0, 2**40), st.integers(0, 0xFFFF)), unique=True))
def test_deeper_masters_come_first_then_older_ones(jobs: list[tuple[int, int]]) -> None:
    masters = [MasterJob(number, depth, b"") for number, depth in jobs]
    by_name = sorted(masters, key=lambda job: job.name.encode())
    assert by_name == sorted(masters, key=lambda job: (-job.depth, job.number))


def test_task_id_is_read_as_it_was_written() -> None:
    task_id = TaskId(Scope("a:b"), "trash-1")
    assert TaskId.parse(str(task_id)) == task_id


@pytest.mark.parametrize("text", ["", "x", ":x", "s:", "s:a/b", "s:a b", "s:" + "x" * 129, "s:x\n"])
def test_text_that_is_no_task_id_is_refused(text: str) -> None:
    with pytest.raises(BadTaskId):
        TaskId.parse(text)


def test_tasks_are_spread_over_all_partitions() -> None:
    found = {TaskId(Scope("s"), str(number)).partition for number in range(1000)}
    assert found == set(range(PARTITIONS))


@given(st.floats(0, 1e10), st.floats(0, 1e10))
def test_index_names_are_in_order_of_age(first_s: float, second_s: float) -> None:
    one, other = (
        index_name(TaskId(Scope("s"), "n"), Task(pool="p", group="g", created_s=at_s))
        for at_s in (first_s, second_s)
    )
    if round(first_s * 1000) != round(second_s * 1000):
        assert (one < other) == (first_s < second_s)


ends = st.lists(st.sampled_from(["done", "failed", "dropped", "cut"]), max_size=20)


@given(ends, st.integers(0, 3), st.integers(0, 3))
def test_counters_add_up_whatever_becomes_of_masters(history: list[str], slaves: int, masters: int) -> None:
    task, waiting = Task(pool="p", group="g").delegated(1), 1
    for end in history:
        if not waiting:
            break
        waiting -= 1
        match end:
            case "done":
                task, waiting = task.master_done(Tally(slaves, 1, masters)), waiting + masters
            case "failed":
                task = task.master_failed()
            case "dropped":
                task = task.masters_dropped(1)
            case "cut":
                task = task.master_cut(Tally(slaves, 0))
        counters = task.counters
        assert counters.masters_waiting == waiting
        assert counters.slaves_delegated == counters.slaves_done + counters.slaves_failed
        assert counters.done <= counters.delegated
        assert task.told_progress == (counters.done, counters.delegated)


@given(st.text(max_size=600), st.floats(0, 1e10))
def test_audit_entry_is_read_as_it_was_written_but_for_its_length(message: str, at_s: float) -> None:
    (step,) = written(AUDIT, 7, at_s, [message])
    assert isinstance(step, Link)
    assert b"\0" not in step.value
    assert AuditEntry.found(Entry(step.name, step.value)) == AuditEntry(7, at_s, message[:500])


def test_audit_never_has_more_entries_than_its_bound() -> None:
    entries: list[Entry] = []
    for number in range(3 * MOST_ENTRIES):
        (step,) = written(AUDIT, number, 1e9, ["x"])
        assert isinstance(step, Link)
        entries.append(Entry(step.name, step.value))
        if is_trimmed_between(number, number + 1):
            entries = entries[len(outdated(AUDIT, entries[:500], len(entries), 1e9)) :]
        assert len(entries) <= MOST_ENTRIES
    assert len(entries) >= MOST_ENTRIES - 3 * TRIM_EVERY


def test_audit_forgets_what_is_older_than_two_weeks() -> None:
    entries = [
        Entry(AuditEntry(n, at, "x").name, AuditEntry(n, at, "x").value) for n, at in ((1, 0.0), (2, 9.0))
    ]
    assert len(outdated(AUDIT, entries, 2, KEEP_S + 5.0)) == 1
