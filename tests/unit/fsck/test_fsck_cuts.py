"""A repair that dies at any of its steps leaves nothing that the next one does not mend."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from op_worker.files.service import FileService
from op_worker.fsck.check import Check
from op_worker.fsck.findings import KINDS, Code, Mending
from op_worker.fsck.report import SAFE, Options, Report
from op_worker.fsck.tools import Tools
from tests.conformance.files import test_fsck as damages
from tests.support.immediate import now
from tests.support.operation_cuts import troubled
from tests.support.power_cuts import Fuse, Trouble, bury
from tests.support.spaces import SPACE, Site, at, living_site, names_in, path, read
from tests.support.store_checker import check_store

pytestmark = pytest.mark.slow
CUT = (
    damages.entry_of_nothing,
    damages.miscounted,
    damages.directory_entry_gone,
    damages.unknown_file,
    damages.counter_off,
    damages.old_intent,
    damages.staging_left,
)
MENDABLE = [one for one, case in damages.CASES.items() if KINDS[case.code].mending is not Mending.NONE]
FORGOTTEN = (
    {damages.share_unlisted, damages.mention_gone},
    {damages.entry_gone, damages.forgotten_by_the_feed},
)
"""Together they leave a record that nothing leads to."""
ROUNDS = 4


@cache
def filled() -> Site:
    site = living_site()
    now(damages.fill(now(site.process())))
    return site


async def repair(files: FileService, repairs: frozenset[Code] = SAFE) -> Report:
    return await Check(Tools.of(files.context), SPACE, Options(contents=True, repairs=repairs)).run()


def damaged() -> Site:
    site = deepcopy(filled())
    files = now(site.process())
    for damage in CUT:
        now(damage(files, site))
    return site


@pytest.mark.parametrize("trouble", [Trouble.CUT_BEFORE, Trouble.CUT_AFTER], ids=lambda one: one.name)
def test_a_repair_that_dies_at_any_step_is_finished_by_the_next_one(trouble: Trouble) -> None:
    step = 0
    while True:
        site, fuse = damaged(), Fuse(trouble)
        files = troubled(site, fuse)
        fuse.at = step
        bury(Deferred.fromCoroutine(repair(files)), files)
        if not fuse.has_blown:
            break
        assert isinstance(site.clock, Clock)
        site.clock.advance(60)  # what the dead held for a while is free
        survivor = now(site.process())
        now(survivor.recover(SPACE))
        now(repair(survivor))
        assert now(repair(survivor, frozenset())).findings == [], f"step {step}"
        for name, content in damages.CONTENTS.items():
            assert now(read(survivor, path(name))) == content
        (found,) = now(names_in(survivor, at("lost+found")))
        assert now(read(survivor, at("lost+found", found))) == b"found"
        now(check_store(site))
        step += 1
    assert step > 30


@settings(max_examples=30, deadline=None)
@given(
    chosen=st.lists(st.sampled_from(MENDABLE), min_size=2, max_size=6, unique=True).filter(
        lambda chosen: not any(pair <= set(chosen) for pair in FORGOTTEN)
    )
)
def test_any_mixture_of_damage_is_mended(chosen: list[damages.Damage]) -> None:
    site = deepcopy(filled())
    files = now(site.process())
    for damage in chosen:
        try:
            now(damage(files, site))
        except Exception:  # noqa: BLE001 - earlier damage is in its way
            continue
    for _ in range(ROUNDS):
        if not now(repair(files, frozenset(Code))).counts:
            break
    report = now(repair(files, frozenset()))
    assert report.findings == [], report
    now(check_store(site))
