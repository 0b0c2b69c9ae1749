"""Where the bytes of a file lie among objects."""

from __future__ import annotations

import errno

import pytest
from hypothesis import given
from hypothesis import strategies as st

from op_worker.storage.helper import Scanned, StorageError, StoragePath
from op_worker.storage.objects.layout import MOST_BLOCKS, MOST_KEYS, Layout, check_path, fitted, overlaid
from op_worker.storage.objects.listing import FolderNames, Modes
from op_worker.storage.objects.store import ObjectKey, ObjectPage, ObjectStat

SIZES = st.integers(1, 1 << 24)
INDICES = st.integers(0, MOST_BLOCKS - 1)


def test_the_keys_of_blocks_are_those_that_other_programs_write() -> None:
    layout = Layout(10 << 20)
    assert layout.key("space/f", 0) == "space/f/999999"
    assert layout.key("space/f", 1) == "space/f/999998"
    assert layout.key("space/f", MOST_BLOCKS - 1) == "space/f/000000"
    assert layout.maximum_b == (10 << 20) * 10**6


@given(INDICES, INDICES)
def test_later_blocks_have_smaller_keys_that_tell_which_they_are(one: int, other: int) -> None:
    layout = Layout(1)
    first, second = layout.key("a/b", one), layout.key("a/b", other)
    assert (one < other) == (first > second)
    assert layout.index("a/b", first) == one


@pytest.mark.parametrize(
    "key", ["a/b/c", "a/b/99999", "a/b/9999999", "a/b/99999x", "a/999999", "a/b", "a/b/¹²³⁴⁵⁶"]
)
def test_other_keys_are_no_blocks(key: str) -> None:
    assert Layout(1).index("a/b", key) is None


@given(SIZES, st.integers(0, 1 << 30), st.integers(0, 1 << 26))
def test_parts_cover_a_range_in_order_each_inside_one_block(block_b: int, offset_b: int, size_b: int) -> None:
    size_b = min(size_b, 50 * block_b)
    covered_b = 0
    for part in Layout(block_b).parts(offset_b, size_b):
        assert part.at_b == covered_b
        assert part.index * block_b + part.inside_b == offset_b + covered_b
        assert 0 < part.size_b <= block_b - part.inside_b
        covered_b += part.size_b
    assert covered_b == size_b


@given(SIZES, st.integers(0, 1 << 34))
def test_the_last_block_tells_the_size(block_b: int, size_b: int) -> None:
    layout = Layout(block_b)
    last, last_b = layout.last_index(size_b), layout.last_size(size_b)
    assert layout.size(last, last_b) == size_b
    assert 0 <= last_b <= block_b
    assert last_b or not size_b


@given(st.integers(0, 5000), st.integers(-1, 5000))
def test_blocks_are_removed_once_each_the_last_one_first_and_alone(first: int, last: int) -> None:
    batches = [list(batch) for batch in Layout(1).removal(first, last)]
    assert [index for batch in batches for index in batch] == list(range(last, first - 1, -1))
    assert all(len(batch) <= MOST_KEYS for batch in batches)
    assert not batches or batches[0] == [last]


@given(st.binary(max_size=50), st.integers(0, 80), st.binary(min_size=1, max_size=50), st.integers(0, 80))
def test_bytes_are_laid_over_and_fitted_as_in_a_file(
    old: bytes, offset_b: int, data: bytes, size_b: int
) -> None:
    model = bytearray(old)
    model.extend(bytes(max(0, offset_b - len(model))))
    model[offset_b : offset_b + len(data)] = data
    assert overlaid(old, offset_b, data) == model
    assert fitted(old, size_b) == old[:size_b] + bytes(size_b - len(old[:size_b]))


@pytest.mark.parametrize("path", ["", ".", "..", "/a", "a/", "a//b", "a/../b", "a\0"])
def test_what_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(StorageError) as caught:
        check_path(StoragePath(path))
    assert caught.value.errno == errno.EINVAL


@given(st.sets(st.text("ab/.-", min_size=1, max_size=6)), st.integers(1, 5))
def test_a_folder_has_each_name_once_however_the_keys_are_paged(keys: set[str], limit: int) -> None:
    entries: dict[bytes, ObjectStat | str] = {}
    for key in keys:
        name, slash, _ = key.partition("/")
        entries[(name + slash).encode()] = name + slash if slash else ObjectStat(ObjectKey("d/" + key), 1)
    names = FolderNames("d/", Modes(0o644, 0o755))
    found: list[Scanned] = []
    ordered = [entries[key] for key in sorted(entries)]
    for start in range(0, len(ordered), limit):
        some = ordered[start : start + limit]
        objects = [each for each in some if isinstance(each, ObjectStat)]
        found += names.take(ObjectPage(objects, "", ["d/" + each for each in some if isinstance(each, str)]))
    files = {key for key in keys if "/" not in key} - {".", ".."}
    folders = {key.partition("/")[0] for key in keys if "/" in key} - files - {"", ".", ".."}
    assert sorted(each.name for each in found) == sorted(files | folders)
    assert {each.name for each in found if each.stat.is_directory} == folders
    assert {each.stat.mode for each in found} <= {0o644, 0o755}
