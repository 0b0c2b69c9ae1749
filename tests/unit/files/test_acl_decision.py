"""Access control lists against a second evaluator, which thinks of one operation at a time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno
from op_worker.files.acl import Ace, AceKind, Acl
from op_worker.files.operations import ON_DIRECTORIES, Operation
from op_worker.files.rights.permissions import (
    READ_DATA_PRIVILEGE,
    WRITE_DATA_PRIVILEGE,
    FileFacts,
    Subject,
    decide,
)
from op_worker.files.rights.verdicts import FactKind

ALL = frozenset({READ_DATA_PRIVILEGE, WRITE_DATA_PRIVILEGE})
USERS, GROUPS = ("owner", "ann", "bob"), ("g1", "g2")
BITS = [int(operation) for operation in Operation]
masks = st.lists(st.sampled_from(BITS), max_size=5).map(lambda bits: sum(set(bits)))
SPECIAL_WHOS = (
    *("OWNER@", "GROUP@", "EVERYONE@", "ANONYMOUS@"),
    *("AUTHENTICATED@", "ADMINISTRATOR@", "ADMINUSERS@"),
)
whos = st.sampled_from((*SPECIAL_WHOS, *USERS, *GROUPS))
NOW_MS = 1000
ends = st.sampled_from((None, None, 999, 1000, 1001))
flags = st.sampled_from((0, 0, 0, 0x1, 0x8, 0x9, 0x40, 0x40, 0x48, 0x80, 0xC0))
aces = st.builds(Ace, st.sampled_from(AceKind), whos, flags, masks, ends)
acls = st.lists(aces, max_size=8).map(tuple)
subjects = st.one_of(
    st.builds(
        Subject,
        st.sampled_from(USERS),
        st.sampled_from((ALL, ALL | {"space_set_privileges"})),
        groups=st.frozensets(st.sampled_from((*GROUPS, "ann"))),
    ),
    st.just(Subject(None, ALL, is_member=False)),
)
wanted = st.lists(st.sampled_from(BITS), min_size=1, max_size=6).map(lambda bits: Operation(sum(set(bits))))


def is_meant(ace: Ace, subject: Subject) -> bool:
    """Whether an entry speaks of a subject, said another way."""
    if ace.flags & 0x8 or ace.kind not in (0, 1):
        return False
    if ace.expires_ms is not None and ace.expires_ms < 1001:
        return False
    special = {
        "OWNER@": subject.user_id == "owner",
        "GROUP@": subject.user_id is not None,
        "EVERYONE@": True,
        "ANONYMOUS@": subject.user_id is None,
        "AUTHENTICATED@": subject.user_id is not None,
        "ADMINISTRATOR@": False,  # whoever owns the space is not asked
        "ADMINUSERS@": "space_set_privileges" in subject.privileges,
    }
    if ace.who in special:
        return special[ace.who]
    return ace.who in subject.groups if ace.flags & 0x40 else ace.who == subject.user_id


def first_word_on(acl: Acl, subject: Subject, bit: int) -> AceKind:
    """The first entry that speaks of a subject and an operation decides on it; silence denies."""
    spoken = [ace.kind for ace in acl if ace.mask & bit and is_meant(ace, subject)]
    return spoken[0] if spoken else AceKind.DENY


@given(acls, subjects, wanted)
def test_a_list_allows_when_the_first_word_on_each_operation_is_to_allow(
    acl: Acl, subject: Subject, needed: Operation
) -> None:
    verdict = decide(subject, FileFacts("owner", 0o777, True, acl=acl, now_ms=NOW_MS), needed)
    words = [first_word_on(acl, subject, bit) for bit in BITS if bit & needed]
    assert verdict.allowed is all(word is AceKind.ALLOW for word in words)
    assert verdict.errno in (None, Errno.EACCES)


@given(acls, subjects, wanted)
def test_the_named_entry_is_one_that_speaks_of_the_subject_and_the_operations(
    acl: Acl, subject: Subject, needed: Operation
) -> None:
    verdict = decide(subject, FileFacts("owner", 0o777, True, acl=acl, now_ms=NOW_MS), needed)
    fact = verdict.fact
    assert fact.operations and not fact.operations & ~needed
    if fact.kind is FactKind.ACL_END:
        assert not verdict.allowed and fact.ace is None
    else:
        assert fact.kind is FactKind.ACL_ENTRY
        ace = acl[fact.entry - 1]
        assert fact.ace == ace and is_meant(ace, subject) and ace.mask & fact.operations == fact.operations
        assert verdict.allowed is (ace.kind is AceKind.ALLOW)


@given(acls, subjects, wanted, wanted)
def test_asking_for_more_is_never_easier_with_a_list_either(
    acl: Acl, subject: Subject, needed: Operation, more: Operation
) -> None:
    facts = FileFacts("owner", 0, True, acl=acl, now_ms=NOW_MS)
    if decide(subject, facts, needed | more).allowed:
        assert decide(subject, facts, needed).allowed


@given(acls, st.sampled_from(USERS), wanted, st.integers(0, 0o1777))
def test_mode_and_ownership_mean_nothing_beside_a_list(
    acl: Acl, user: str, needed: Operation, mode: int
) -> None:
    subject = Subject(user, ALL)
    one = decide(subject, FileFacts("owner", mode, True, parent_mode=mode, acl=acl, now_ms=NOW_MS), needed)
    other = decide(subject, FileFacts("owner", 0, True, acl=acl, now_ms=NOW_MS), needed)
    assert one == other


@given(acls, wanted)
def test_an_owner_of_the_space_passes_any_list(acl: Acl, needed: Operation) -> None:
    subject = Subject("ann", ALL, is_space_owner=True)
    assert decide(subject, FileFacts("owner", 0, True, acl=acl, now_ms=NOW_MS), needed).allowed


@pytest.mark.parametrize(
    ("acl", "text"),
    [
        (
            (Ace(AceKind.ALLOW, "OWNER@", 0, 0xFF), Ace(AceKind.DENY, "g1", 0x40, 0x3)),
            "entry 2 of the ACL of /d denies list_container, add_object:"
            " DENY group g1 list_container, add_object",
        ),
        (
            (Ace(AceKind.ALLOW, "GROUP@", 0x40, 0x1),),
            "no entry of the ACL of /d allows add_object; the end of the list denies",
        ),
        (
            (Ace(AceKind.ALLOW, "GROUP@", 0x40, 0x1), Ace(AceKind.ALLOW, "bob", 0, 0x7)),
            "entry 2 of the ACL of /d allows add_object:"
            " ALLOW bob list_container, add_object, add_subcontainer",
        ),
    ],
)
def test_a_verdict_reads_as_a_sentence(acl: Acl, text: str) -> None:
    subject = Subject("bob", ALL, groups=frozenset({"g1"}))
    needed = Operation.LIST_CONTAINER | Operation.ADD_OBJECT
    assert decide(subject, FileFacts("owner", 0, True, acl=acl, now_ms=NOW_MS), needed).of("/d").text == text


def test_every_operation_of_a_mask_is_known() -> None:
    assert sum(set(BITS)) == int(ON_DIRECTORIES) == 0x707FF


def test_who_sets_privileges_is_an_administrator() -> None:
    acl = (Ace(AceKind.ALLOW, "ADMINUSERS@", 0, 1), Ace(AceKind.ALLOW, "ADMINISTRATOR@", 0, 2))
    admin = Subject("ann", ALL | {"space_set_privileges"})
    facts = FileFacts("owner", 0, True, acl=acl, now_ms=NOW_MS)
    assert decide(admin, facts, Operation.LIST_CONTAINER).allowed
    assert not decide(admin, facts, Operation.ADD_OBJECT).allowed
    assert not decide(Subject("ann", ALL), facts, Operation.LIST_CONTAINER).allowed


def test_an_owner_of_the_space_is_an_administrator_at_its_root() -> None:
    root = FileFacts("virtual", 0, True, True, acl=(Ace(AceKind.ALLOW, "ADMINISTRATOR@", 0, 1),))
    boss = Subject("boss", ALL, is_space_owner=True)
    assert decide(boss, root, Operation.LIST_CONTAINER).allowed
    assert not decide(Subject("ann", ALL), root, Operation.LIST_CONTAINER).allowed
