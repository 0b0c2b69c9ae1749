"""Whatever call of the store a node dies or fails at while it scans, others end the scan, and all fits."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from op_worker.fsck.check import Check
from op_worker.fsck.report import Options
from op_worker.fsck.tools import Tools
from tests.support.accounts import check_counters
from tests.support.folder_changes import change_folder
from tests.support.imported_sites import ImportingNode, SteadySite, shown_by_folder, shown_by_space
from tests.support.power_cuts import Fuse, FusedEngine, Trouble, bury
from tests.support.spaces import SPACE

pytestmark = pytest.mark.slow
MOST_CALLS = 400
STRIDE = 2
"""Which calls are tried; each kind of trouble begins at another one."""


def prepared(root: Path) -> SteadySite:
    """A folder that was scanned, and changed since."""
    site = SteadySite(root=root)
    node = site.run(site.node())
    node.start()
    change_folder(site.folder, Random(5), 25)
    site.run(node.scan())
    site.run(node.stop())
    change_folder(site.folder, Random(6), 25)
    return site


def check_that_all_fits(site: SteadySite, node: ImportingNode) -> None:
    """The space is what the folder is, counters are right, nothing is amiss."""
    assert site.run(shown_by_space(node.files)) == shown_by_folder(site.folder)
    site.run(check_counters(site.engine))
    report = site.run(Check(Tools.of(node.files.context), SPACE, Options()).run())
    assert report.findings == []


@pytest.mark.parametrize("first", range(STRIDE))
@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER])
def test_a_scan_whose_node_dies_is_ended_by_another(tmp_path: Path, trouble: Trouble, first: int) -> None:
    for call in range(first, MOST_CALLS, STRIDE):
        site, fuse = prepared(tmp_path / str(call)), Fuse(trouble)
        clock = Clock()
        site.others.append(clock)
        node = site.run(site.node(engine=FusedEngine(site.engine, fuse), clock=clock))
        node.start()
        site.run(node.begin_scan())
        fuse.at = fuse.calls + call
        scanning = Deferred.fromCoroutine(node.until_scanned())
        for _ in range(200):
            if scanning.called or fuse.has_blown:
                break
            site.turn()
        site.others.remove(clock)
        bury(node, scanning)
        survivor = site.run(site.node("survivor@test"))
        survivor.start()
        site.run(survivor.until_scanned())
        check_that_all_fits(site, survivor)
        site.run(survivor.stop())
        if not fuse.has_blown:
            return
    pytest.fail("the scan does not end")


@pytest.mark.parametrize("first", range(STRIDE))
@pytest.mark.parametrize("trouble", [Trouble.FAIL, Trouble.FAIL_AFTER])
def test_a_scan_goes_on_when_the_store_was_away(tmp_path: Path, trouble: Trouble, first: int) -> None:
    for call in range(first, MOST_CALLS, STRIDE):
        site, fuse = prepared(tmp_path / str(call)), Fuse(trouble)
        node = site.run(site.node(engine=FusedEngine(site.engine, fuse)))
        node.start()
        site.run(node.begin_scan())
        fuse.at = fuse.calls + call
        onlooker = site.run(site.node("onlooker@test"))
        site.run(onlooker.until_scanned())
        check_that_all_fits(site, onlooker)
        site.run(node.stop())
        if not fuse.has_blown:
            return
    pytest.fail("the scan does not end")
