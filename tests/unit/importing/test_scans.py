"""Scans of a real folder: after each the space is what the folder is."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from op_worker.files.model import CreateOptions, Existing
from op_worker.importing.records import ScanState
from op_worker.importing.tallying import Counts
from tests.support.imported_sites import ImportingNode, SteadySite, shown_by_folder, shown_by_space
from tests.support.spaces import body, owner, path

UPDATE = CreateOptions(existing=Existing.UPDATE, create_parents=True)
TICK_S = 0.01
"""What changes later than this gets another time, on any file system."""


@pytest.fixture
def site(tmp_path: Path) -> SteadySite:
    return SteadySite(root=tmp_path)


@pytest.fixture
def node(site: SteadySite) -> Iterator[ImportingNode]:
    node = site.run(site.node())
    node.start()
    yield node
    site.run(node.stop())


def grow(folder: Path, random: Random, changes: int) -> None:
    """Do something to a folder, again and again."""
    time.sleep(TICK_S)
    for _ in range(changes):
        depth = random.randint(1, 3)
        target = folder.joinpath(*(random.choice("abcd") for _ in range(depth)))
        match random.randrange(8):
            case 0 | 1 | 2:
                _write(target, random.randbytes(random.randint(0, 30)))
            case 3:
                _make(target)
            case 4:
                _remove(target)
            case 5:
                other = folder.joinpath(*(random.choice("abcd") for _ in range(random.randint(1, 3))))
                _move(target, other)
            case 6 if target.exists():
                target.chmod(random.choice((0o600, 0o640, 0o755) if target.is_file() else (0o700, 0o755)))
            case 7 if target.is_file():
                with target.open("ab") as file:
                    file.write(random.randbytes(3))
    time.sleep(TICK_S)


def _write(target: Path, data: bytes) -> None:
    if target.is_dir():
        _remove(target)
    if _make(target.parent):
        target.write_bytes(data)


def _make(target: Path) -> bool:
    try:
        target.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        return False
    return True


def _remove(target: Path) -> None:
    if target.is_dir():
        for inner in target.iterdir():
            _remove(inner)
        target.rmdir()
    elif target.parent.is_dir():
        target.unlink(missing_ok=True)


def _move(source: Path, target: Path) -> None:
    if source.exists() and target.parent.is_dir() and not target.exists() and source not in target.parents:
        source.rename(target)


@pytest.mark.parametrize("seed", range(12))
def test_a_scan_makes_the_space_what_the_folder_is(site: SteadySite, node: ImportingNode, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        grow(site.folder, random, random.randint(0, 12))
        status = site.run(node.scan())
        assert status.state is ScanState.COMPLETED
        assert status.counts.failed == 0
        assert site.run(shown_by_space(node.files)) == shown_by_folder(site.folder)


def test_a_scan_of_what_did_not_change_changes_nothing(site: SteadySite, node: ImportingNode) -> None:
    grow(site.folder, Random(1), 30)
    entries = len(shown_by_folder(site.folder))
    assert site.run(node.scan()).counts == Counts(created=entries)
    seq = site.run(site.engine.last_seq(node_scope()))
    assert site.run(node.scan()).counts == Counts(unmodified=entries)
    assert site.run(node.scan()).counts == Counts(unmodified=entries)
    assert site.run(site.engine.last_seq(node_scope())) == seq


@pytest.mark.parametrize("seed", range(12))
def test_a_scan_respects_what_users_did_meanwhile(site: SteadySite, node: ImportingNode, seed: int) -> None:
    random = Random(seed)
    for _ in range(8):
        grow(site.folder, random, random.randint(0, 6))
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
    from onedata.errors import Posix

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


def node_scope():  # type: ignore[no-untyped-def]
    from cluster_worker.persistence.engine import Scope
    from tests.support.spaces import SPACE

    return Scope(SPACE)


_ = os
