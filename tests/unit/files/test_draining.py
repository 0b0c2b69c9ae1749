"""Contents leave a storage piece by piece, while others read and write them, whoever dies."""

from __future__ import annotations

from collections.abc import Awaitable
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
from attrs import evolve

from cluster_worker.persistence.engine import Key, Scope
from onedata.errors import Errno, Posix
from onedata.ids import StorageId
from op_worker.files.content import draining
from op_worker.files.content.draining import Draining
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.files.stored.intents import INTENTS
from op_worker.files.stored.landings import LANDINGS
from op_worker.placement.policy import policy_of
from tests.support.immediate import now
from tests.support.operation_cuts import OperationCuts
from tests.support.power_cuts import Trouble
from tests.support.spaces import SECOND, SPACE, STORAGE, Site, body, double_site, owner, path, read
from tests.support.store_checker import check_store, stored_files

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
PIECE_B = 4


@pytest.fixture(autouse=True)
def _small_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draining, "PIECE_B", PIECE_B)
    monkeypatch.setattr(draining, "MAX_READ_B", 3)


async def put(files: FileService, name: str, data: bytes) -> None:
    await files.replace_content(owner, path(name), body(data), expected_b=len(data), create=UPDATE)


async def filled(files: FileService, storage_id: StorageId) -> None:
    """Put everything on one storage: a content, one with holes, an empty one, one with two names."""
    rule = {"expression": f"storageId={storage_id}", "otherwise": "refuse"}
    await files.context.choosing.policies.set(SPACE, policy_of({"rules": [rule]}))
    await put(files, "d/f", b"0123456789")
    await files.create_file(owner, path("d/h"), CreateOptions())
    await files.write_content(owner, path("d/h"), 5, body(b"holey"), expected_b=5)
    await files.truncate(owner, path("d/h"), 20)
    await files.create_file(owner, path("empty"), CreateOptions())
    await put(files, "n", b"two names")
    await files.create_link(owner, path("d/n"), (await files.stat(owner, path("n"))).guid, CreateOptions())
    await files.context.choosing.policies.set(SPACE, policy_of({"rules": []}))


async def closed(files: FileService, storage_id: StorageId) -> None:
    """Let a storage take nothing new."""
    storages = files.context.storages
    storage = storages.get(storage_id)
    assert storage is not None
    await storages.add_storage(evolve(storage.record, is_draining=True))


NAMES = ("d/f", "d/h", "empty", "n")


async def drained(files: FileService, storage_id: StorageId) -> None:
    for name in NAMES:
        key = Key((await files.stat(owner, path(name))).guid.uuid)
        await Draining(files.context).drain(SPACE, key, storage_id, lambda: None)


async def state_of(files: FileService) -> dict[str, tuple[bytes, str]]:
    """Return contents with their tags: what users see, wherever bytes are."""
    state = {}
    for name in (*NAMES, "d/n"):
        stat = await files.stat(owner, path(name))
        state[name] = (await read(files, path(name)), f"{stat.content_tag} {stat.checksum_sha256}")
    return state


async def used(site: Site, storage_id: StorageId) -> int:
    return (await site.engine.counters(Scope(SPACE))).get(f"used:{storage_id}", 0)


@cache
def _site(storage_id: StorageId) -> Site:
    site = double_site()
    files = now(site.process())
    now(filled(files, storage_id))
    now(closed(files, storage_id))
    return site


BOTH = pytest.mark.parametrize("storage_id", [STORAGE, SECOND], ids=["with names", "flat"])


@BOTH
def test_nothing_is_left_on_a_drained_storage_and_nobody_sees_a_change(storage_id: StorageId) -> None:
    site = deepcopy(_site(storage_id))
    files = now(site.process())
    before = now(state_of(files))
    now(drained(files, storage_id))
    assert now(state_of(files)) == before
    assert now(used(site, storage_id)) == 0
    assert now(used(site, SECOND if storage_id == STORAGE else STORAGE)) == 24
    now(files.recover(SPACE))
    now(check_store(site))
    helper = site.helper if storage_id == STORAGE else site.second
    assert helper is not None
    left = now(stored_files(evolve(site, helper=helper, second=None)))
    assert left == {}
    now(files.move(owner, path("d"), path("e")))
    now(files.remove(owner, path("e")))
    now(files.remove(owner, path("n")))
    now(files.remove(owner, path("empty")))
    now(files.recover(SPACE))
    assert now(stored_files(site)) == {}


async def check_nothing_left_over(site: Site, state: object) -> None:
    assert await site.engine.get_all(Scope(SPACE), INTENTS) == {}
    assert await site.engine.get_all(Scope(SPACE), LANDINGS) == {}
    await check_store(site)


@pytest.mark.slow
@BOTH
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_drain_that_dies_at_any_step_goes_on_and_nobody_sees_a_change(
    storage_id: StorageId, trouble: Trouble
) -> None:
    def begun() -> Site:
        return deepcopy(_site(storage_id))

    cuts = OperationCuts(begun, lambda files: drained(files, storage_id), state_of, check_nothing_left_over)
    cuts.die_at_every_step(trouble)


def test_a_reader_that_has_a_content_open_reads_it_to_the_end() -> None:
    site = deepcopy(_site(SECOND))
    files = now(site.process())
    reader = now(files.open_content(owner, path("d/f")))
    now(drained(files, SECOND))
    assert now(reader.read(0, 100)) == b"0123456789"
    now(reader.close())


class Pausing:
    """A body whose second piece comes after something else was done."""

    def __init__(self, pieces: list[bytes], work: Awaitable[object]) -> None:
        self._pieces, self._work = pieces, work

    async def read(self) -> bytes:
        if len(self._pieces) == 1:
            await self._work
        return self._pieces.pop(0) if self._pieces else b""


def test_a_writer_whose_place_was_given_up_meanwhile_is_told_and_changes_nothing() -> None:
    site = deepcopy(_site(SECOND))
    files = now(site.process())
    late = Pausing([bytes(300_000), b"end"], drained(files, SECOND))
    with pytest.raises(Posix) as caught:
        now(files.write_content(owner, path("d/f"), 10, late, expected_b=None))
    assert caught.value.errno is Errno.EAGAIN
    assert now(read(files, path("d/f"))) == b"0123456789"


def test_a_half_moved_content_is_read_written_cut_and_removed() -> None:
    site = deepcopy(_site(SECOND))
    files = now(site.process())
    uuid = now(files.stat(owner, path("d/f"))).guid.uuid
    rounds = iter(range(3))

    class Enough(Exception):
        pass

    def check() -> None:
        if next(rounds) == 2:
            raise Enough

    with pytest.raises(Enough):
        now(Draining(files.context).drain(SPACE, Key(uuid), SECOND, check))
    told: Any = now(files.distribution.blocks(owner, path("d/f")))
    [provider] = told["distributionPerProvider"].values()
    assert provider["distributionPerStorage"] == {
        STORAGE: {"physicalSize": 8, "blocks": [[0, 8]]},
        SECOND: {"physicalSize": 2, "blocks": [[8, 2]]},
    } or provider["distributionPerStorage"] == {
        STORAGE: {"physicalSize": 4, "blocks": [[0, 4]]},
        SECOND: {"physicalSize": 6, "blocks": [[4, 6]]},
    }
    assert now(read(files, path("d/f"))) == b"0123456789"
    now(files.write_content(owner, path("d/f"), 2, body(b"abcdefg"), expected_b=7))
    assert now(read(files, path("d/f"))) == b"01abcdefg9"
    now(files.append_content(owner, path("d/f"), body(b"!"), expected_b=1))
    now(files.truncate(owner, path("d/f"), 5))
    now(files.truncate(owner, path("d/f"), 9))
    assert now(read(files, path("d/f"))) == b"01abc\0\0\0\0"
    now(check_store(site))
    now(drained(files, SECOND))
    assert now(read(files, path("d/f"))) == b"01abc\0\0\0\0"
    now(files.remove(owner, path("d/f")))
    now(files.recover(SPACE))
    now(check_store(site))


def test_what_came_to_a_storage_with_names_is_not_moved_along_with_directories_of_users() -> None:
    site = deepcopy(_site(SECOND))
    files = now(site.process())
    uuid = now(files.stat(owner, path("n"))).guid.uuid
    now(put(files, f"{uuid[0]}/f", b"a directory called as the first folder of a flat path"))
    now(drained(files, SECOND))
    now(files.move(owner, path(uuid[0]), path("elsewhere")))
    now(files.remove(owner, path("elsewhere")))
    now(files.recover(SPACE))
    assert now(read(files, path("n"))) == b"two names"
    now(check_store(site))
