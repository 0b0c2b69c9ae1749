"""Which files a process has open, whatever becomes of their paths."""

from __future__ import annotations

from op_worker.storage.helper import StoragePath
from op_worker.storage.helpers.native.open_files import OpenFiles

A, B, HIDDEN = StoragePath("d/a"), StoragePath("d/b"), StoragePath("hidden/1")


def test_a_file_is_open_until_its_last_handle_is_closed() -> None:
    files = OpenFiles()
    first, second = files.enter(A), files.enter(A)
    assert first is second
    assert not files.leave(first)
    assert files.find(A) is first
    assert not files.leave(second)
    assert files.find(A) is None


def test_a_hidden_file_goes_with_its_last_handle_and_frees_its_path_at_once() -> None:
    files = OpenFiles()
    old = files.enter(A)
    files.hide(old, HIDDEN)
    new = files.enter(A)
    assert new is not old
    assert files.leave(old)
    assert files.find(A) is new
    assert not files.leave(new)


def test_open_files_move_with_the_directories_above_them_and_no_others() -> None:
    files = OpenFiles()
    inside, beside = files.enter(A), files.enter(StoragePath("dd/a"))
    files.move(StoragePath("d"), StoragePath("e/f"))
    assert files.find(StoragePath("e/f/a")) is inside
    assert files.find(StoragePath("dd/a")) is beside
    assert files.find(A) is None
