"""What is done about a name that the storage and the space may both know."""

from __future__ import annotations

import pytest
from attrs import evolve

from cluster_worker.persistence.engine import Document, Key
from op_worker.files.model import FileType
from op_worker.files.stored.blocks import whole
from op_worker.files.stored.documents import LOCATION, META, TIMES, Location, Times
from op_worker.files.stored.meta import Meta
from op_worker.files.stored.nodes import Node
from op_worker.importing.configuration import ScanOptions
from op_worker.importing.differing import Verdict, judge, judge_missing
from op_worker.importing.seen import SEEN, Seen
from op_worker.storage.helper import StorageStat

STORAGE = "s"
STAT = StorageStat(4, 1000.0, ctime_s=1000.0, mode=0o644, uid=1, gid=1)
FOLDER = StorageStat(0, 1000.0, is_directory=True, ctime_s=1000.0, mode=0o755, uid=1, gid=1)
LOCATED = Location(STORAGE, 4, whole(4), version=1)
ALL = ScanOptions()


def node(type_: FileType, location: Location | None = None, seen: Seen | None = None, links: int = 1) -> Node:
    meta = Meta("n", type_, 0o644, "owner", "provider", 0, links=links)
    documents = {META: meta.encode(), TIMES: Times.at(1000.0).encode()}
    if location is not None:
        documents[LOCATION] = location.encode()
    if seen is not None:
        documents[SEEN] = seen.encode()
    return Node(Key("k"), "n", {name: Document(1, data) for name, data in documents.items()})


FILE = node(FileType.REG, LOCATED, Seen.of(STAT, LOCATED))
DIRECTORY = node(FileType.DIR, None, Seen.of(FOLDER, None))
OURS = node(FileType.REG, evolve(LOCATED, version=2), Seen.of(STAT, LOCATED))
"""Written through us since it was seen."""
LINK = node(FileType.SYMLNK)
APART = node(FileType.REG, evolve(LOCATED, is_apart=True))
STAGED = node(FileType.REG, evolve(LOCATED, staged="somewhere"))
ELSEWHERE = node(FileType.REG, evolve(LOCATED, storage_id="another"))
UNSEEN = node(FileType.REG, LOCATED)
HOLLOW = node(FileType.REG, Location(STORAGE, 100, whole(4), version=1))
"""Ends with a hole."""
MADE = node(FileType.DIR)
"""A directory that was made through us."""

PRESENT = [
    ("a new file", STAT, None, Verdict.CREATE),
    ("a new directory", FOLDER, None, Verdict.CREATE),
    ("a pipe", evolve(STAT, is_other=True), None, Verdict.IGNORE),
    ("the same file", STAT, FILE, Verdict.SAME),
    ("the same directory", evolve(FOLDER, mtime_s=2000.0), DIRECTORY, Verdict.SAME),
    ("another size", evolve(STAT, size_b=5), FILE, Verdict.CONTENT),
    ("another time", evolve(STAT, mtime_s=1000.5), FILE, Verdict.CONTENT),
    ("another tag", evolve(STAT, tag="t"), FILE, Verdict.CONTENT),
    ("another mode", evolve(STAT, mode=0o600), FILE, Verdict.ATTRIBUTES),
    ("another owner", evolve(STAT, uid=2), FILE, Verdict.ATTRIBUTES),
    ("another mode of a directory", evolve(FOLDER, mode=0o700), DIRECTORY, Verdict.ATTRIBUTES),
    ("a directory instead of a file", FOLDER, FILE, Verdict.REPLACE),
    ("a file instead of a directory", STAT, DIRECTORY, Verdict.REPLACE),
    ("a file where a link is", STAT, LINK, Verdict.TAKEN),
    ("a file where one lies apart", STAT, APART, Verdict.TAKEN),
    ("a file that another storage has", STAT, ELSEWHERE, Verdict.TAKEN),
    ("a file that is being placed", STAT, STAGED, Verdict.BUSY),
    ("a file that we wrote", evolve(STAT, mtime_s=1001.0), OURS, Verdict.REMEMBER),
    ("a file that we made", STAT, UNSEEN, Verdict.REMEMBER),
    ("a file that ends with a hole", STAT, HOLLOW, Verdict.REMEMBER),
    ("a file that we and others wrote", evolve(STAT, mtime_s=1003.0), OURS, Verdict.CONTENT),
    ("a file that we wrote and others cut", evolve(STAT, size_b=1), OURS, Verdict.CONTENT),
    ("a directory that we made", FOLDER, MADE, Verdict.REMEMBER),
]
MISSING = [
    ("a file", FILE, Verdict.GONE),
    ("a file that we made", UNSEEN, Verdict.GONE),
    ("a directory", DIRECTORY, Verdict.GONE),
    ("a directory that we made", MADE, Verdict.EMPTY),
    ("a link", LINK, Verdict.SAME),
    ("a file that lies apart", APART, Verdict.SAME),
    ("a file of another storage", ELSEWHERE, Verdict.SAME),
    ("a file with several names", node(FileType.REG, LOCATED, links=2), Verdict.SAME),
    ("a file that is being placed", STAGED, Verdict.BUSY),
]


@pytest.mark.parametrize(
    ("stat", "found", "verdict"), [case[1:] for case in PRESENT], ids=[c[0] for c in PRESENT]
)
def test_what_is_on_the_storage_is_judged_by_what_the_space_has(
    stat: StorageStat, found: Node | None, verdict: Verdict
) -> None:
    assert judge(stat, found, ALL, storage_id=STORAGE, is_pending=False) is verdict
    if verdict is not Verdict.IGNORE:
        assert judge(stat, found, ALL, storage_id=STORAGE, is_pending=True) is Verdict.BUSY


@pytest.mark.parametrize(("found", "verdict"), [case[1:] for case in MISSING], ids=[c[0] for c in MISSING])
def test_what_is_missing_is_ended_only_if_it_was_on_the_storage(found: Node, verdict: Verdict) -> None:
    assert judge_missing(found, storage_id=STORAGE) is verdict


@pytest.mark.parametrize("stat", [evolve(STAT, size_b=5), evolve(STAT, mode=0o600)])
def test_modifications_are_passed_over_when_nobody_asks_for_them(stat: StorageStat) -> None:
    options = ScanOptions(detect_modifications=False)
    assert judge(stat, FILE, options, storage_id=STORAGE, is_pending=False) is Verdict.SAME


def test_a_type_that_changed_is_passed_over_when_nothing_may_be_deleted() -> None:
    options = ScanOptions(detect_deletions=False)
    assert judge(FOLDER, FILE, options, storage_id=STORAGE, is_pending=False) is Verdict.SAME
