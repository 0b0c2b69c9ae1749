"""Names, paths and link targets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno, Posix
from onedata.ids import SpaceId
from op_worker.files.stored.paths import (
    ancestor_paths,
    check_name,
    check_path,
    is_below,
    link_parts,
    split_space_name,
    storage_path,
)
from op_worker.storage.helper import StoragePath

SPACE = SpaceId("s1")


@given(st.text(min_size=1, max_size=300))
def test_a_name_is_kept_as_utf_8_or_refused(name: str) -> None:
    try:
        raw = check_name(name)
    except Posix as refusal:
        assert refusal.errno in (Errno.EINVAL, Errno.ENAMETOOLONG)
    else:
        assert raw.decode() == name
        assert len(raw) <= 255
        assert b"/" not in raw


def test_a_path_skips_dots_and_is_bounded() -> None:
    assert check_path(["a", ".", "", "b"]) == (b"a", b"b")
    assert check_path(["x" * 255] * 16)
    with pytest.raises(Posix) as refused:
        check_path(["x" * 255] * 16 + ["y"])
    assert refused.value.errno is Errno.ENAMETOOLONG


def test_ancestors_are_the_directories_below_the_space() -> None:
    path = storage_path(SPACE, ("a", "b", "c"))
    assert path == "s1/a/b/c"
    assert ancestor_paths(path) == ["s1/a", "s1/a/b"]
    assert ancestor_paths(StoragePath("s1/a")) == []


def test_below_means_inside_and_not_a_longer_name() -> None:
    assert is_below("s/a/b", "s/a")
    assert not is_below("s/a", "s/a")
    assert not is_below("s/ab", "s/a")


@pytest.mark.parametrize(
    ("target", "start", "parts"),
    [
        ("x", ("d",), ["x"]),
        ("./x//../y/", ("d",), ["x", "..", "y"]),
        ("..", ("d",), [".."]),
        ("<__onedata_space_id:s1>/a/b", (), ["a", "b"]),
        ("<__onedata_space_id:s1>", (), []),
    ],
)
def test_links_start_in_their_directory_or_at_the_root_of_their_space(
    target: str, start: tuple[str, ...], parts: list[str]
) -> None:
    assert link_parts(SPACE, ("d",), target) == (start, parts)


@pytest.mark.parametrize("target", ["/etc", "<__onedata_space_id:s2>/a", "<__onedata_space_id:s1"])
def test_links_do_not_lead_out_of_their_space(target: str) -> None:
    with pytest.raises(Posix) as refused:
        link_parts(SPACE, ("d",), target)
    assert refused.value.errno is Errno.ENOENT


def test_space_names_split_at_the_last_at_sign() -> None:
    assert split_space_name("Name@id") == ("Name", "id")
    assert split_space_name("me@home@id") == ("me@home", "id")
    assert split_space_name("Name") == ("Name", None)
    assert split_space_name("@id") == ("", "id")
