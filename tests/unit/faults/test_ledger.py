"""What must be there of a file, and how a difference is called."""

from __future__ import annotations

import pytest

from tests.faults.ledger import Fate, Found, Harm, Ledger

FIRST, SECOND, STRANGE = "digest 1", "digest 2", "digest 3"
BEGUN = Fate(paths=("a",), digests=frozenset(), may_be_gone=True).written(FIRST, False)
THERE = Fate(paths=("a",), digests=frozenset([FIRST]), ever=frozenset([FIRST]))


def at(path: str, digest: str, tag: str | None = None) -> dict[str, Found]:
    return {path: Found(digest, tag)}


def test_unacknowledged_upload_is_whole_or_absent() -> None:
    assert BEGUN.judge({}) is None
    assert BEGUN.judge(at("a", FIRST)) is None
    assert BEGUN.judge(at("a", STRANGE)) is Harm.HALF


def test_acknowledged_upload_is_there_with_its_digest() -> None:
    assert THERE.judge(at("a", FIRST)) is None
    assert THERE.judge({}) is Harm.LOST
    assert THERE.judge(at("a", STRANGE)) is Harm.HALF


def test_overwrite_that_nobody_acknowledged_leaves_old_or_new() -> None:
    fate = THERE.written(SECOND, False)
    assert fate.judge(at("a", FIRST)) is None
    assert fate.judge(at("a", SECOND)) is None


def test_old_content_after_an_acknowledged_overwrite_is_a_loss() -> None:
    assert THERE.written(SECOND, True).judge(at("a", FIRST)) is Harm.LOST


def test_rename_that_nobody_acknowledged_leaves_one_of_two_names() -> None:
    fate = THERE.renamed("b", False)
    assert fate.judge(at("a", FIRST)) is None
    assert fate.judge(at("b", FIRST)) is None
    assert fate.judge({}) is Harm.LOST
    assert fate.judge({**at("a", FIRST), **at("b", FIRST)}) is Harm.HALF


def test_file_under_its_old_name_after_an_acknowledged_rename_is_a_loss() -> None:
    assert THERE.renamed("b", True).judge(at("a", FIRST)) is Harm.LOST


def test_removed_file_that_is_there_is_a_loss_of_the_removal() -> None:
    assert THERE.removed(True).judge({}) is None
    assert THERE.removed(True).judge(at("a", FIRST)) is Harm.LOST


def test_removal_that_nobody_acknowledged_leaves_all_or_nothing() -> None:
    assert THERE.removed(False).judge({}) is None
    assert THERE.removed(False).judge(at("a", FIRST)) is None


@pytest.mark.parametrize(("sure", "old"), [(True, Harm.LOST), (False, None)])
def test_metadata_are_those_that_were_acknowledged(sure: bool, old: Harm | None) -> None:
    fate = THERE.tagged("new", sure)
    assert fate.judge(at("a", FIRST, "new")) is None
    assert fate.judge(at("a", FIRST, None)) is old


def test_ledger_names_every_file_that_is_not_as_it_must_be() -> None:
    ledger = Ledger({"1": THERE, "2": BEGUN.renamed("b", True), "3": THERE.renamed("c", True)})
    assert list(ledger.paths()) == ["a", "b", "c"]
    harms = list(ledger.harms({**at("a", FIRST), **at("b", STRANGE)}))
    assert [(text[:2], harm) for text, harm in harms] == [("b,", Harm.HALF), ("c,", Harm.LOST)]
