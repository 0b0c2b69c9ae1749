"""The permission decision, as a table and as properties."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno
from op_worker.files.operations import NEEDS_WRITE_DATA, READONLY_ALLOWS
from op_worker.files.permissions import (
    READ_DATA_PRIVILEGE,
    WRITE_DATA_PRIVILEGE,
    FileFacts,
    Operation,
    Subject,
    decide,
)
from op_worker.files.posix_decision import posix_allows

ALL = frozenset({READ_DATA_PRIVILEGE, WRITE_DATA_PRIVILEGE})
OWNER = Subject("owner", ALL)
MEMBER = Subject("member", ALL)
GUEST = Subject(None, ALL, is_member=False)
modes = st.integers(0, 0o1777)
operations = st.integers(1, 0x701FF).map(Operation)
facts = st.builds(
    FileFacts, st.just("owner"), modes, st.booleans(), st.just(False), st.sampled_from([0o775, 0o1777])
)
subjects = st.sampled_from([OWNER, MEMBER, GUEST])

O = Operation  # noqa: E741 - short for the table


@pytest.mark.parametrize(
    ("subject", "mode", "is_directory", "needed", "allowed"),
    [
        (OWNER, 0o400, False, O.READ_OBJECT | O.READ_METADATA, True),
        (MEMBER, 0o704, False, O.READ_OBJECT, False),
        (MEMBER, 0o040, False, O.READ_OBJECT, True),
        (GUEST, 0o770, False, O.READ_OBJECT, False),
        (GUEST, 0o004, False, O.READ_OBJECT, True),
        (OWNER, 0o077, False, O.READ_OBJECT, False),
        (MEMBER, 0o000, False, O.READ_ATTRIBUTES | O.READ_ACL, True),
        (MEMBER, 0o020, False, O.WRITE_OBJECT | O.WRITE_ATTRIBUTES | O.WRITE_METADATA, True),
        (MEMBER, 0o020, True, O.ADD_SUBCONTAINER | O.WRITE_ATTRIBUTES | O.WRITE_METADATA, True),
        (MEMBER, 0o020, True, O.ADD_OBJECT, False),
        (MEMBER, 0o020, True, O.DELETE_CHILD, False),
        (MEMBER, 0o030, True, O.ADD_OBJECT | O.DELETE_CHILD, True),
        (MEMBER, 0o030, False, O.DELETE_CHILD, False),
        (MEMBER, 0o010, True, O.TRAVERSE, True),
        (MEMBER, 0o060, True, O.TRAVERSE, False),
        (OWNER, 0o000, False, O.WRITE_ACL | O.DELETE, True),
        (MEMBER, 0o777, False, O.WRITE_ACL, False),
        (MEMBER, 0o000, False, O.DELETE, True),
    ],
)
def test_modes_allow_what_the_table_says(
    subject: Subject, mode: int, is_directory: bool, needed: Operation, allowed: bool
) -> None:
    verdict = decide(subject, FileFacts("owner", mode, is_directory), needed)
    assert verdict.allowed is allowed
    assert verdict.errno in (None, Errno.EACCES)


def test_sticky_directory_lets_only_the_owner_delete() -> None:
    file = FileFacts("owner", 0o777, is_directory=False, parent_mode=0o1777)
    assert not decide(MEMBER, file, Operation.DELETE).allowed
    assert decide(OWNER, file, Operation.DELETE).allowed


def test_missing_privilege_is_named_before_the_mode() -> None:
    file = FileFacts("owner", 0o000, is_directory=False)
    nobody = Subject("owner")
    assert decide(nobody, file, Operation.READ_OBJECT).text == "privilege space_read_data is missing"
    assert decide(nobody, file, Operation.DELETE).text == "privilege space_write_data is missing"
    assert decide(nobody, file, Operation.READ_ATTRIBUTES).allowed


def test_denying_mode_names_the_operations() -> None:
    verdict = decide(MEMBER, FileFacts("owner", 0o700, is_directory=True), Operation.LIST_CONTAINER)
    assert verdict.text == "mode 700 denies list_container by its group triplet"


@given(facts, operations)
def test_space_owner_passes_everything_but_on_the_root(file: FileFacts, needed: Operation) -> None:
    owner = Subject("someone", is_space_owner=True)
    assert decide(owner, file, needed).allowed
    root = FileFacts("virtual", 0o775, is_directory=True, is_space_root=True)
    assert not decide(owner, root, Operation.WRITE_ACL).allowed


@given(subjects, facts, operations)
def test_a_readonly_token_never_allows_more_and_never_writing(
    subject: Subject, file: FileFacts, needed: Operation
) -> None:
    confined = Subject(
        subject.user_id, subject.privileges, subject.is_space_owner, subject.is_member, is_readonly=True
    )
    if decide(confined, file, needed).allowed:
        assert decide(subject, file, needed).allowed
        assert not needed & ~READONLY_ALLOWS
        assert not needed & NEEDS_WRITE_DATA


@given(subjects, facts, operations, operations)
def test_asking_for_more_is_never_easier(
    subject: Subject, file: FileFacts, needed: Operation, more: Operation
) -> None:
    if decide(subject, file, needed | more).allowed:
        assert decide(subject, file, needed).allowed


@given(subjects, facts, modes)
def test_more_bits_never_take_away(subject: Subject, file: FileFacts, mode: int) -> None:
    wider = FileFacts(file.owner, file.mode | mode, file.is_directory, False, file.parent_mode)
    assert not posix_allows(subject, file) & ~posix_allows(subject, wider)
