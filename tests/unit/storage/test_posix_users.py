"""On a posix storage users act with their own uid and gid, which the kernel holds them to."""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import stat
import threading
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet import reactor
from twisted.internet.defer import Deferred, gatherResults

from cluster_worker.runtime.pool import BlockingPool, Inline
from op_worker.storage.helper import StorageError, StoragePath
from op_worker.storage.helpers.posix.helper import PosixHelper
from op_worker.storage.helpers.posix.identity import (
    _SYS_SETGROUPS,
    Identity,
    can_act_as_others,
    identity_of,
)

pytestmark = pytest.mark.skipif(not can_act_as_others(), reason="only root may act as other users")

ALICE, BOB, SPACE, OTHERS = 100_001, 100_002, 200_001, 200_002
FILE = StoragePath("s/f")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "root"
    (folder / "s").mkdir(parents=True)
    os.chown(folder / "s", -1, SPACE)
    os.chmod(folder / "s", 0o2775)
    return folder


@pytest.fixture
def helper(root: Path) -> PosixHelper:
    return PosixHelper(str(root), Inline())


def user(helper: PosixHelper, uid: int, gid: int = SPACE) -> PosixHelper:
    return helper.for_user({"uid": str(uid), "gid": str(gid)})


def own_ids() -> tuple[int, int]:
    """The ids that this thread makes files with."""
    status = Path("/proc/thread-self/status").read_text().splitlines()
    found = {line.split(":")[0]: line.split() for line in status}
    return int(found["Uid"][4]), int(found["Gid"][4])


@ensureDeferred
async def test_file_that_a_user_makes_is_his_and_his_spaces(helper: PosixHelper, root: Path) -> None:
    await user(helper, ALICE).write_whole(FILE, b"hers")
    made = (root / "s/f").stat()
    assert (made.st_uid, made.st_gid, stat.S_IMODE(made.st_mode)) == (ALICE, SPACE, 0o664)


@ensureDeferred
async def test_the_kernel_refuses_strangers_what_root_would_get(helper: PosixHelper, root: Path) -> None:
    await user(helper, ALICE).write_whole(FILE, b"hers")
    (root / "s/f").chmod(0o600)
    with pytest.raises(StorageError) as refused:
        await user(helper, BOB).open_read(FILE)
    assert refused.value.errno == errno.EACCES
    with pytest.raises(StorageError):
        await user(helper, BOB).open_with_first(FILE, 10)
    assert (await helper.open_with_first(FILE, 10)).first == b"hers"


@ensureDeferred
async def test_members_of_a_space_write_each_others_files_and_strangers_do_not(
    helper: PosixHelper, root: Path
) -> None:
    await user(helper, ALICE).write_whole(FILE, b"hers")
    await (await user(helper, BOB).open_update(FILE)).close()
    with pytest.raises(StorageError) as refused:
        await user(helper, BOB, OTHERS).open_update(FILE)
    assert refused.value.errno == errno.EACCES
    with pytest.raises(StorageError):
        await user(helper, BOB, OTHERS).write_whole(StoragePath("s/g"), b"")


@ensureDeferred
async def test_folders_made_below_a_shared_one_are_shared_with_the_same_group(
    helper: PosixHelper, root: Path
) -> None:
    await helper.make_directory(StoragePath("s/a/b"))
    made = (root / "s/a/b").stat()
    assert (made.st_gid, stat.S_IMODE(made.st_mode)) == (SPACE, 0o2775)


@ensureDeferred
async def test_users_get_to_a_storage_below_folders_that_are_closed_to_them(
    helper: PosixHelper, root: Path
) -> None:
    root.parent.chmod(0o700)
    await user(helper, ALICE).write_whole(FILE, b"hers")
    assert (await user(helper, ALICE).open_with_first(FILE, 9)).first == b"hers"


@ensureDeferred
async def test_links_that_lead_out_are_refused_to_users_too(helper: PosixHelper, root: Path) -> None:
    (root.parent / "outside").write_bytes(b"secret")
    (root / "s/link").symlink_to(root.parent / "outside")
    with pytest.raises(StorageError) as refused:
        await user(helper, ALICE).open_read(StoragePath("s/link"))
    assert refused.value.errno == errno.ELOOP


@ensureDeferred
async def test_owner_of_a_file_is_set_and_told(helper: PosixHelper) -> None:
    await helper.write_whole(FILE, b"")
    await helper.set_owner(FILE, BOB, -1)
    found = await helper.stat(FILE)
    assert (found.uid, found.gid) == (BOB, SPACE)


@ensureDeferred
async def test_owner_of_the_root_is_told(helper: PosixHelper, root: Path) -> None:
    os.chown(root, BOB, OTHERS)
    found = await helper.stat(StoragePath(""))
    assert (found.uid, found.gid, found.is_directory) == (BOB, OTHERS, True)


def test_thread_is_the_daemons_own_again_after_work_that_fails() -> None:
    before = own_ids()
    with pytest.raises(ZeroDivisionError):
        Identity(ALICE, SPACE).run(lambda: 1 // 0)
    assert own_ids() == before


def test_work_has_the_ids_of_the_user_and_suspended_work_the_uid_of_the_daemon() -> None:
    identity, before = Identity(ALICE, SPACE), own_ids()

    def work() -> list[tuple[int, int]]:
        seen = [own_ids()]
        with identity.suspended():
            seen.append(own_ids())
        return [*seen, own_ids()]

    first, within, last = identity.run(work)
    assert (first, within[0], last) == ((ALICE, SPACE), before[0], (ALICE, SPACE))
    assert own_ids() == before


def test_user_has_none_of_the_groups_of_the_daemon(tmp_path: Path) -> None:
    """In a thread of its own that got a group, as the threads of a daemon with further groups have it."""
    (tmp_path / "closed").mkdir()
    os.chown(tmp_path / "closed", 0, OTHERS)
    (tmp_path / "closed").chmod(0o750)
    above = os.open(tmp_path, os.O_PATH)
    outcomes: list[bool] = []

    def opens(identity: Identity) -> bool:
        try:
            os.close(identity.run(os.open, "closed", os.O_RDONLY, dir_fd=above))
        except PermissionError:
            return False
        return True

    def work() -> None:
        groups = (ctypes.c_uint * 1)(OTHERS)
        assert ctypes.CDLL(None).syscall(_SYS_SETGROUPS[platform.machine()], 1, groups) == 0
        outcomes.extend(opens(Identity(ALICE, gid)) for gid in (SPACE, OTHERS))

    tmp_path.chmod(0o755)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    os.close(above)
    assert outcomes == [False, True]


def test_the_daemons_own_ids_need_no_change() -> None:
    assert identity_of({}) is None
    assert identity_of({"uid": str(os.geteuid()), "gid": "-1"}) is None
    assert identity_of({"uid": "7", "gid": "-1"}) == Identity(7, os.getegid())


@ensureDeferred
async def test_threads_serve_many_users_and_never_keep_ones_identity(root: Path) -> None:
    pool = BlockingPool(reactor, 4)  # type: ignore[arg-type]  # the module stands for the reactor
    pool.startService()
    helper = PosixHelper(str(root), pool)
    users = [user(helper, ALICE + number) for number in range(20)]
    try:
        await gatherResults(
            Deferred.fromCoroutine(users[number % 20].write_whole(StoragePath(f"s/{number}"), b"x"))
            for number in range(200)
        )
        ids = {await pool.run(own_ids) for _ in range(20)}
    finally:
        pool.stopService()
    owners = [(root / f"s/{number}").stat().st_uid for number in range(200)]
    assert owners == [ALICE + number % 20 for number in range(200)]
    assert ids == {(os.geteuid(), os.getegid())}
