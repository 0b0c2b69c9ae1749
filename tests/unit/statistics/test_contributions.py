"""What files add to directories: stored shortly, read back as it was."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from op_worker.statistics.contributions import BUCKETS, UNKNOWN, Contribution, bucket_of
from op_worker.statistics.counts import (
    OF_DIRECTORY,
    PHYSICAL,
    add,
    negative,
    of_file,
    on_several,
    series_of,
    value_of,
)

ids = st.sampled_from(["0123456789abcdef" * 2, "space_x", "f" * 32])
sizes = st.integers(0, 2**53 - 1)


@given(ids, sizes, sizes, sizes, st.integers(0, 5), st.lists(ids, max_size=3))
def test_contributions_of_files_come_back(
    parent: str, logical_b: int, virtual_b: int, held_b: int, storage: int, further: list[str]
) -> None:
    one = Contribution(parent, False, of_file(logical_b, virtual_b, held_b, storage), tuple(further))
    assert Contribution.decode(one.encode()) == one


def test_contributions_of_directories_come_back() -> None:
    for one in (Contribution("f" * 32, True, OF_DIRECTORY), UNKNOWN):
        assert Contribution.decode(one.encode()) == one


def test_an_ordinary_file_takes_few_bytes() -> None:
    one = Contribution("f" * 32, False, of_file(1024, 1024, 1024, 0))
    assert len(one.encode()) <= 24


def test_a_linked_file_counts_its_bytes_once_and_its_names_each() -> None:
    one = Contribution("a", False, of_file(7, 7, 5, 0), ("b", "a"))
    assert one.placements == [("a", (1, 0, 7, 7, 5)), ("b", (1, 0, 0, 7)), ("a", (1, 0, 0, 7))]
    without_first = Contribution("", False, of_file(7, 7, 5, 0), ("b",))
    assert without_first.placements == [("b", (1, 0, 7, 7, 5))]


def test_buckets_are_as_many_as_are_removed() -> None:
    names = {bucket_of(f"{number:032x}") for number in range(3000)}
    assert all(0 <= int(name.removeprefix("stat-c:"), 16) < BUCKETS for name in names)


@given(st.lists(sizes, max_size=6), st.lists(sizes, max_size=6))
def test_what_is_added_can_be_taken_away(left: list[int], right: list[int]) -> None:
    total = add(add(tuple(left), tuple(right)), negative(tuple(right)))
    assert total[: len(left)] == tuple(left)
    assert not any(total[len(left) :])


def test_every_series_has_a_value() -> None:
    storages = ("s", "t")
    counts = add(of_file(7, 7, 5, 1), OF_DIRECTORY)
    values = {series: value_of(counts, series, storages) for series in series_of(storages)}
    assert values == {
        "reg_file_and_link_count": 1,
        "dir_count": 1,
        "virtual_size": 7,
        "logical_size": 7,
        "file_error_count": 0,
        "dir_error_count": 0,
        "physical_size_s": 0,
        "physical_size_t": 5,
    }


@given(st.dictionaries(st.integers(0, 3), st.integers(0, 9)))
def test_contributions_of_files_on_several_storages_come_back(held: dict[int, int]) -> None:
    one = Contribution("f" * 32, False, on_several(9, 9, held))
    assert Contribution.decode(one.encode()) == one
    assert sum(one.counts[PHYSICAL:]) == sum(held.values())
