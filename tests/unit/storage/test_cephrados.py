"""Where a pool of Ceph is, what its refusals mean, and where its library comes from."""

from __future__ import annotations

import errno
import sys
from pathlib import Path

import pytest

from op_worker.storage.helper import StorageUnavailable
from op_worker.storage.helpers.cephrados.helper import CEPHRADOS
from op_worker.storage.helpers.cephrados.library import load_rados
from op_worker.storage.helpers.cephrados.place import CephPlace
from op_worker.storage.helpers.cephrados.refusals import refusal
from op_worker.storage.types import BadStorageError, Parameters

KEY = "AQDeuQVr4YA5NhAAekx/yPfcJa8mT+fr7BgWfg=="
ARGUMENTS = {"monitorHostname": "m1,m2:6789", "clusterName": "ceph", "poolName": "p"}


def place(**credentials: str) -> CephPlace:
    given = {"username": "onedata", "key": KEY, **credentials}
    return CephPlace.of(Parameters(arguments=ARGUMENTS, credentials=given), 2.4)


@pytest.mark.parametrize("name", ["onedata", "client.onedata"])
def test_a_user_may_be_named_with_or_without_its_kind(name: str) -> None:
    assert place(username=name).user == "client.onedata"


@pytest.mark.parametrize("key", ["", "no base64!", "c2hvcnQ="])
def test_a_key_that_is_no_secret_of_ceph_is_refused_before_anything_is_asked(key: str) -> None:
    with pytest.raises(BadStorageError, match="ceph auth get-key"):
        place(key=key)


def test_every_wait_of_the_library_ends_and_is_in_whole_seconds() -> None:
    options = place().options
    waits = ("rados_osd_op_timeout", "rados_mon_op_timeout", "client_mount_timeout")
    assert [options[name] for name in waits] == ["3", "3", "3"]


def test_the_key_is_not_in_what_is_printed_of_a_place() -> None:
    assert KEY not in repr(place())


@pytest.mark.parametrize(
    ("code", "told"),
    [
        (errno.ENOENT, errno.ENOENT),
        (errno.EPERM, errno.EACCES),
        (errno.EACCES, errno.EACCES),
        (errno.EMSGSIZE, errno.EFBIG),
        (errno.ENOSPC, errno.ENOSPC),
        (errno.EDQUOT, errno.EDQUOT),
        (errno.ENAMETOOLONG, errno.ENAMETOOLONG),
    ],
)
def test_what_stays_refused_is_no_passing_trouble(code: int, told: int) -> None:
    error = refusal(code, "x")
    assert error.errno == told
    assert not isinstance(error, StorageUnavailable)


@pytest.mark.parametrize(
    "code", [errno.ETIMEDOUT, errno.ESHUTDOWN, errno.EAGAIN, errno.EBUSY, errno.ENOTCONN]
)
def test_what_may_pass_is_told_as_such(code: int) -> None:
    error = refusal(code, "x")
    assert isinstance(error, StorageUnavailable)
    assert error.errno == code


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let ``import rados`` fail, whether or not it was loaded before."""
    monkeypatch.setitem(sys.modules, "rados", None)


@pytest.mark.usefixtures("no_library")
def test_a_missing_library_is_told_with_the_package_that_brings_it(tmp_path: Path) -> None:
    with pytest.raises(BadStorageError, match="python3-rados"):
        load_rados([tmp_path])


@pytest.mark.usefixtures("no_library")
def test_a_library_of_another_python_is_no_library(tmp_path: Path) -> None:
    (tmp_path / "rados.cpython-39-x86_64-linux-gnu.so").write_bytes(b"")
    with pytest.raises(BadStorageError, match="python3-rados"):
        load_rados([tmp_path])


@pytest.mark.usefixtures("no_library")
def test_a_library_that_cannot_be_loaded_is_told_with_its_file(tmp_path: Path) -> None:
    (tmp_path / "rados.abi3.so").write_bytes(b"no library")
    with pytest.raises(BadStorageError, match=r"rados\.abi3\.so"):
        load_rados([tmp_path])


def test_blocks_are_as_large_as_those_of_the_storages_there_are() -> None:
    defaults = {each.name: each.default for each in CEPHRADOS.arguments}
    assert defaults["blockSize"] == "4194304"
