"""Where bytes lie on storages that do not move files, and what becomes of bytes that became no file."""

from __future__ import annotations

import pytest
from attrs import evolve

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.streams import StreamBroken
from onedata.errors import Errno, Posix
from onedata.ids import FileUuid
from op_worker.files.model import CreateOptions, Existing, Target
from op_worker.files.service import FileService
from op_worker.files.stored.landings import LANDINGS, Wanted
from op_worker.files.stored.paths import flat_path
from op_worker.files.stored.quotas import Quota
from op_worker.storage.helper import StoragePath
from op_worker.storage.types import PathType
from tests.support.immediate import now
from tests.support.power_cuts import Fuse, Trouble, bury, fused
from tests.support.spaces import SPACE, Site, body, die, flat_site, live, living_site, owner, path, read
from tests.support.store_checker import stored_files

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
UUID = "0123456789abcdef0123456789abcdef"


def as_made_site() -> Site:
    """A site whose storage has names but moves nothing."""
    return evolve(flat_site(), path_type=PathType.CANONICAL)


def put(files: FileService, name: str, data: bytes) -> str:
    """Write a whole content; return the uuid of the file."""
    stat, _ = now(files.replace_content(owner, path(name), body(data), expected_b=len(data), create=UPDATE))
    return stat.guid.uuid


def paths(site: Site) -> list[str]:
    return sorted(found.removeprefix(f"{SPACE}/") for found in now(stored_files(site)))


def test_flat_paths_are_those_of_the_contract() -> None:
    assert flat_path(SPACE, UUID) == f"{SPACE}/0/1/2/{UUID}"
    assert flat_path(SPACE, "abc") == f"{SPACE}/other/abc"
    assert flat_path(SPACE, UUID, "ff") == f"{SPACE}/0/1/2/{UUID}.ff"


def test_a_new_file_lies_under_its_id_and_a_replaced_content_beside_it() -> None:
    site = flat_site()
    files = now(site.process())
    uuid = put(files, "d/f", b"one")
    assert paths(site) == [f"{uuid[0]}/{uuid[1]}/{uuid[2]}/{uuid}"]
    assert put(files, "d/f", b"two") == uuid
    [found] = paths(site)
    assert found.startswith(f"{uuid[0]}/{uuid[1]}/{uuid[2]}/{uuid}.")
    assert now(read(files, path("d/f"))) == b"two"


def test_moves_links_and_the_bin_touch_no_storage() -> None:
    site = flat_site()
    files = now(site.process())
    uuid = put(files, "d/f", b"one")
    before = paths(site)
    now(files.space_settings.change_settings(owner, SPACE, recycle_days=1))
    now(files.move(owner, path("d"), path("e")))
    now(files.create_link(owner, path("g"), now(files.stat(owner, path("e/f"))).guid, CreateOptions()))
    now(files.remove(owner, path("g")))
    now(files.remove(owner, path("e")))
    assert paths(site) == before
    now(files.recycle_bin.empty(owner, SPACE))
    now(files.recover(SPACE))
    assert paths(site) == []
    assert uuid in before[0]


def test_an_empty_file_takes_nothing_on_a_flat_storage() -> None:
    site = flat_site()
    files = now(site.process())
    now(files.create_file(owner, path("f"), CreateOptions()))
    assert paths(site) == []
    now(files.write_content(owner, path("f"), 2, body(b"x"), expected_b=1))
    assert now(read(files, path("f"))) == b"\0\0x"


def test_where_nothing_moves_but_names_are_kept_a_file_lies_under_the_name_it_was_made_with() -> None:
    site = as_made_site()
    files = now(site.process())
    put(files, "d/f", b"one")
    now(files.create_file(owner, path("d/empty"), CreateOptions()))
    now(files.move(owner, path("d/f"), path("d/g")))
    assert paths(site) == ["d/empty", "d/f"]
    uuid = put(files, "d/f", b"another")
    assert paths(site) == ["d/empty", "d/f", f"d/f~{uuid}"]
    assert now(read(files, path("d/g"))) == b"one"
    assert now(read(files, path("d/f"))) == b"another"
    put(files, "d/g", b"replaced")
    names = paths(site)
    assert names[1].startswith("d/f~") and names[2].startswith("d/g.")


def test_an_empty_file_that_cannot_be_made_leaves_nothing_under_its_name() -> None:
    site = as_made_site()
    files = now(site.process())
    put(files, "f", b"one")
    now(files.quotas.set_directory_quota(owner, path(""), Quota(files=1)))
    with pytest.raises(Posix) as caught:
        now(files.create_file(owner, path("g"), CreateOptions()))
    assert caught.value.errno is Errno.EDQUOT
    assert paths(site) == ["f"]
    assert now(site.engine.get_all(Scope(SPACE), LANDINGS)) == {}


def test_a_path_that_is_too_long_for_some_storages_is_a_flat_one() -> None:
    wanted = Wanted(Key(UUID), names=("x" * 250,) * 4)
    assert wanted.paths_as_made(SPACE, b"\1") == [flat_path(SPACE, UUID)]
    assert Wanted(Key(UUID)).paths_as_made(SPACE, b"\1") == [flat_path(SPACE, UUID)]


def test_bytes_of_a_body_that_breaks_are_taken_back_at_once() -> None:
    site = flat_site()
    files = now(site.process())
    with pytest.raises(StreamBroken):
        now(files.replace_content(owner, path("f"), body(b"short"), expected_b=9, create=UPDATE))
    assert paths(site) == []
    assert now(site.engine.get_all(Scope(SPACE), LANDINGS)) == {}


def test_bytes_that_an_ended_life_wrote_are_swept_by_another_node_and_those_of_a_living_one_stay() -> None:
    site = evolve(living_site(), helper=flat_site().helper, path_type=PathType.FLAT)
    fuse = Fuse(Trouble.CUT_BEFORE)
    dying = now(evolve(site, helper=fused(site.helper, fuse)).process("worker@1"))
    other, third = now(site.process("worker@2")), now(site.process("worker@3"))
    for files in (dying, other, third):
        live(files)
    landing = now(other.context.places.land(_support(other), _support(other).storage, Wanted(Key(UUID))))
    now(_write(site, landing.path))
    left = now(dying.context.places.land(_support(dying), _support(dying).storage, Wanted(Key("f" * 32))))
    now(_write(site, left.path))
    die(dying)
    bury(dying)
    for _ in range(120):
        site.clock.advance(1)  # type: ignore[attr-defined]  # a clock of tests
        if site.clock.seconds() % 10 == 0:
            now(third._maintenance.tidy(SPACE))
    assert paths(site) == [landing.path.removeprefix(f"{SPACE}/")]
    assert list(now(site.engine.get_all(Scope(SPACE), LANDINGS))) == [landing.field]


def test_a_file_that_went_while_its_content_was_replaced_is_made_anew_with_a_key_of_its_own() -> None:
    site = flat_site()
    files = now(site.process())
    old = put(files, "f", b"one")

    class Late:
        is_over = False

        async def read(self) -> bytes:
            if self.is_over:
                return b""
            self.is_over = True
            return b"two"

    class Removing(Late):
        async def read(self) -> bytes:
            piece = await super().read()
            if not piece:
                await files.discard(owner, Target(now(files.stat(owner, path("f"))).guid))
            return piece

    stat, is_new = now(files.replace_content(owner, path("f"), Removing(), expected_b=None, create=UPDATE))
    assert is_new
    assert stat.guid.uuid != FileUuid(old)
    assert now(read(files, path("f"))) == b"two"


def _support(files: FileService):  # type: ignore[no-untyped-def]  # what the registry has
    return files.context.storages.for_space(SPACE)


async def _write(site: Site, at: StoragePath) -> None:
    file = await site.helper.open_write(at)
    await file.write(0, b"bytes")
    await file.close()
