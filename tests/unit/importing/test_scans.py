"""Scans of a real folder: after each the space is what the folder is."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from cluster_worker.persistence.engine import Scope
from onedata.errors import Posix
from op_worker.files.model import CreateOptions, Existing
from op_worker.fsck.check import Check
from op_worker.fsck.report import Options
from op_worker.fsck.tools import Tools
from op_worker.importing.records import ScanState
from op_worker.importing.scanning import MOST_DIRECTORIES
from op_worker.importing.tallying import Counts
from tests.support.folder_changes import change_folder
from tests.support.imported_sites import ImportingNode, SteadySite, shown_by_folder, shown_by_space
from tests.support.spaces import SPACE, body, owner, path

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)


SEEDS = [0, 1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in range(2, 12))]


@pytest.fixture
def site(tmp_path: Path) -> SteadySite:
    return SteadySite(root=tmp_path / "storage")


@pytest.fixture
def node(site: SteadySite) -> Iterator[ImportingNode]:
    node = site.run(site.node())
    node.start()
    yield node
    site.run(node.stop())


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scan_makes_the_space_what_the_folder_is(site: SteadySite, node: ImportingNode, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        change_folder(site.folder, random, random.randint(0, 12))
        status = site.run(node.scan())
        assert status.state is ScanState.COMPLETED
        assert status.counts.failed == 0
        assert site.run(shown_by_space(node.files)) == shown_by_folder(site.folder)


def test_a_scan_of_what_did_not_change_changes_nothing(site: SteadySite, node: ImportingNode) -> None:
    change_folder(site.folder, Random(1), 30)
    entries = len(shown_by_folder(site.folder))
    assert site.run(node.scan()).counts == Counts(created=entries)
    seq = site.run(site.engine.last_seq(Scope(SPACE)))
    assert site.run(node.scan()).counts == Counts(unmodified=entries)
    assert site.run(node.scan()).counts == Counts(unmodified=entries)
    assert site.run(site.engine.last_seq(Scope(SPACE))) == seq


@pytest.mark.parametrize("seed", SEEDS)
def test_a_scan_respects_what_users_did_meanwhile(site: SteadySite, node: ImportingNode, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        change_folder(site.folder, random, random.randint(0, 6))
        site.run(node.scan())
        for _ in range(random.randint(0, 6)):
            site.run(use(node, random))
        status = site.run(node.scan())
        assert status.counts.failed == 0
        users = site.run(shown_by_space(node.files))
        folder = shown_by_folder(site.folder)
        assert {name: one.content for name, one in users.items() if one.content is not None} == {
            name: one.content for name, one in folder.items() if one.content is not None
        }
        assert folder.keys() <= users.keys()


async def use(node: ImportingNode, random: Random) -> None:
    """Do what a user may do."""
    files = node.files
    target, other = (
        path("/".join(random.choice("abcd") for _ in range(random.randint(1, 3)))) for _ in range(2)
    )
    try:
        match random.randrange(6):
            case 0 | 1:
                data = random.randbytes(random.randint(0, 20))
                await files.replace_content(owner, target, body(data), expected_b=len(data), create=UPDATE)
            case 2:
                await files.remove(owner, target)
            case 3:
                await files.move(owner, target, other)
            case 4:
                await files.create_directory(owner, target, CreateOptions())
            case 5:
                await files.write_content(owner, target, 2, body(b"xyz"), expected_b=3)
    except Posix:
        return


def test_a_check_takes_no_file_that_waits_for_its_import_for_nobodys(
    site: SteadySite, node: ImportingNode
) -> None:
    (site.folder / "f").write_bytes(b"not scanned yet")
    report = site.run(Check(Tools.of(node.files.context), SPACE, Options()).run())
    assert report.findings == []


def test_names_that_no_file_may_have_are_failures_and_the_rest_goes_on(
    site: SteadySite, node: ImportingNode
) -> None:
    (site.folder / "good").write_bytes(b"")
    (Path(os.fsdecode(bytes(site.folder))) / os.fsdecode(b"bad\xff")).write_bytes(b"")
    (site.folder / "link").symlink_to("good")
    os.mkfifo(site.folder / "pipe")
    (site.folder / ".__onedata__x").write_bytes(b"")
    status = site.run(node.scan())
    assert (status.state, status.counts) == (ScanState.COMPLETED, Counts(created=1, failed=1))
    lines, _ = site.run(node.importing.imports.audit(SPACE, None, 100))
    assert any("bad\\udcff" in line.text for line in lines)


def test_a_depth_bounds_what_is_imported(site: SteadySite) -> None:
    node = site.run(site.node(max_depth=2))
    node.start()
    (site.folder / "a" / "b").mkdir(parents=True)
    (site.folder / "a" / "b" / "c").write_bytes(b"")
    site.run(node.scan())
    assert sorted(site.run(shown_by_space(node.files))) == ["a", "a/b"]
    site.run(node.stop())


def test_nothing_is_deleted_where_that_is_not_wanted(site: SteadySite) -> None:
    node = site.run(site.node(detect_deletions=False))
    node.start()
    (site.folder / "f").write_bytes(b"")
    site.run(node.scan())
    (site.folder / "f").unlink()
    site.run(node.scan())
    assert sorted(site.run(shown_by_space(node.files))) == ["f"]
    site.run(node.stop())


@pytest.mark.slow
def test_a_directory_with_more_directories_than_are_remembered_is_walked(
    site: SteadySite, node: ImportingNode
) -> None:
    for number in range(MOST_DIRECTORIES + 200):
        (site.folder / "many" / str(number)).mkdir(parents=True)
        (site.folder / "many" / str(number) / "f").touch()
    status = site.run(node.scan())
    assert status.counts == Counts(created=1 + 2 * (MOST_DIRECTORIES + 200))


def test_a_storage_that_is_away_fails_the_scan_and_loses_nothing(
    site: SteadySite, node: ImportingNode
) -> None:
    (site.folder / "f").write_bytes(b"here")
    site.run(node.scan())
    site.folder.rename(site.folder.with_name("away"))
    status = site.run(node.scan())
    assert status.state is ScanState.FAILED
    site.folder.with_name("away").rename(site.folder)
    assert site.run(node.scan()).counts == Counts(unmodified=1)
