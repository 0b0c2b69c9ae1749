"""Key paths into JSON documents."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno, Posix
from op_worker.files.metadata import key_path
from op_worker.files.model import Json

DOCUMENT: Json = {"a": {"b": [1, 2, {"c": "x"}]}, "n": None}
keys = st.lists(st.one_of(st.sampled_from(["a", "b"]), st.integers(0, 3)), max_size=4).map(tuple)


@pytest.mark.parametrize(
    ("path", "found"), [("a.b.[2].c", "x"), ("a.b.[0]", 1), ("n", None), ("a.b", [1, 2, {"c": "x"}])]
)
def test_parts_are_found_by_key_and_position(path: str, found: Json) -> None:
    assert key_path.find(DOCUMENT, key_path.parse(path)) == found


@pytest.mark.parametrize("path", ["x", "a.b.[3]", "a.b.c", "a.[0]", "a.b.[0].z"])
def test_missing_parts_are_enodata(path: str) -> None:
    with pytest.raises(Posix) as refused:
        key_path.find(DOCUMENT, key_path.parse(path))
    assert refused.value.errno is Errno.ENODATA


@given(keys, st.integers())
def test_what_is_inserted_is_found_again(path: tuple[str | int, ...], value: int) -> None:
    assert key_path.find(key_path.insert(None, path, value), path) == value


def test_inserting_leaves_the_rest_and_the_original_alone() -> None:
    before: Json = {"a": [1], "b": 2}
    assert key_path.insert(before, ("a", 3), 9) == {"a": [1, None, None, 9], "b": 2}
    assert before == {"a": [1], "b": 2}


@pytest.mark.parametrize("path", [("b", "x"), ("b", 0), ("a", "x"), (0,)])
def test_inserting_through_a_scalar_is_refused(path: tuple[str | int, ...]) -> None:
    with pytest.raises(Posix) as refused:
        key_path.insert({"a": [1], "b": 2}, path, 9)
    assert refused.value.errno is Errno.ENODATA


@pytest.mark.parametrize("text", ["", "a..b", "[99999999]", "[99999999999999]"])
def test_bad_paths_are_refused(text: str) -> None:
    with pytest.raises(Posix) as refused:
        key_path.parse(text)
    assert refused.value.errno is Errno.EINVAL


def test_objects_are_inherited_deeply_and_lists_whole() -> None:
    parent: Json = {"a": {"x": 1, "y": [1, 2]}, "b": 1}
    child: Json = {"a": {"y": [3]}, "c": 2}
    assert key_path.merged(parent, child) == {"a": {"x": 1, "y": [3]}, "b": 1, "c": 2}
    assert key_path.merged(parent, 5) == 5
