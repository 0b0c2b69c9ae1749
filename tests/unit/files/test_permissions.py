"""The permission decision, as a table and as properties."""

from __future__ import annotations

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import Errno
from op_worker.files.acl import Ace, AceKind
from op_worker.files.operations import NEEDS_WRITE_DATA, READONLY_ALLOWS
from op_worker.files.rights.immutability import FORBIDDEN, Keeping
from op_worker.files.rights.permissions import (
    READ_DATA_PRIVILEGE,
    WRITE_DATA_PRIVILEGE,
    FileFacts,
    Operation,
    Subject,
    decide,
)
from op_worker.files.rights.posix_decision import posix_allows
from op_worker.files.rights.protection import Protected, Protection, flags_of, names_of
from op_worker.files.rights.verdicts import FactKind
from op_worker.files.rules.retention import Immutability, Period

ALL = frozenset({READ_DATA_PRIVILEGE, WRITE_DATA_PRIVILEGE})
OWNER = Subject("owner", ALL)
MEMBER = Subject("member", ALL)
GUEST = Subject(None, ALL, is_member=False)
modes = st.integers(0, 0o1777)
operations = st.integers(1, 0x707FF).map(Operation)
facts = st.builds(
    FileFacts, st.just("owner"), modes, st.booleans(), st.just(False), st.sampled_from([0o775, 0o1777])
)
protections = st.lists(st.builds(Protected, st.integers(1, 3), st.just("/d"), st.booleans()), max_size=3)
subjects = st.sampled_from([OWNER, MEMBER, GUEST])

O, K, E = Operation, FactKind, Errno  # noqa: E741 - short for the tables


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


NOBODY = Subject("owner")
READER = Subject("member", frozenset({READ_DATA_PRIVILEGE}))
READONLY = Subject("owner", ALL, is_readonly=True)
SPACE_OWNER = Subject("boss", ALL, is_space_owner=True)
FILE = FileFacts("owner", 0o640, is_directory=False)
DIRECTORY = FileFacts("owner", 0o750, is_directory=True)
ROOT = FileFacts("virtual", 0o775, is_directory=True, is_space_root=True)
ACL = (Ace(AceKind.DENY, "member", 0, 2), Ace(AceKind.ALLOW, "GROUP@", 0, 3))
LISTED = FileFacts("owner", 0o777, is_directory=False, acl=ACL)
STICKY = FileFacts("owner", 0o777, is_directory=False, parent_mode=0o1777)
ITSELF = FileFacts("owner", 0o777, True, protections=(Protected(Protection.DATA, "/d", is_own=True),))
INSIDE = FileFacts("owner", 0o777, False, protections=(Protected(3, "/d", is_own=False),))
HELD = evolve(FILE, keepings=(Keeping(Immutability(holds=("h", "i")), "/d"),), now_ms=1)
RETAINED = evolve(FILE, keepings=(Keeping(Immutability(Period(0, 86_400_000)), "/d/f"),), now_ms=86_399_999)
ENDED = evolve(RETAINED, now_ms=86_400_000)


@pytest.mark.parametrize(
    ("subject", "file", "needed", "kind", "errno", "text"),
    [
        (OWNER, FILE, O(0), K.NOTHING_ASKED, None, "nothing beyond the way to the file is needed"),
        (READONLY, FILE, O.WRITE_OBJECT, K.READONLY_TOKEN, E.EACCES, "the token is confined to reading"),
        (NOBODY, FILE, O.READ_OBJECT, K.PRIVILEGE, E.EACCES, "privilege space_read_data is missing"),
        (READER, FILE, O.DELETE, K.PRIVILEGE, E.EACCES, "privilege space_write_data is missing"),
        (NOBODY, ITSELF, O.ADD_OBJECT, K.PRIVILEGE, E.EACCES, "privilege space_write_data is missing"),
        (MEMBER, ITSELF, O.ADD_OBJECT, K.PROTECTION, E.EPERM, "data_protection on /d forbids add_object"),
        (OWNER, ITSELF, O.DELETE, K.OWNERSHIP, None, "the owner of the file may delete"),
        (OWNER, INSIDE, O.DELETE, K.PROTECTION, E.EPERM, "data_protection on /d forbids delete"),
        (
            *(SPACE_OWNER, INSIDE, O.WRITE_ACL, K.PROTECTION, E.EPERM),
            "metadata_protection on /d forbids write_acl",
        ),
        (SPACE_OWNER, HELD, O.DELETE, K.HOLD, E.EPERM, "hold h, i on /d forbids delete"),
        (NOBODY, HELD, O.WRITE_OBJECT, K.PRIVILEGE, E.EACCES, "privilege space_write_data is missing"),
        (
            *(OWNER, RETAINED, O.WRITE_METADATA, K.RETENTION, E.EPERM),
            "retention until 1970-01-02T00:00:00Z on /d/f forbids write_metadata",
        ),
        (OWNER, RETAINED, O.READ_OBJECT, K.MODE, None, "mode 640 allows read_object by its owner triplet"),
        (OWNER, RETAINED, O.WRITE_RETENTION, K.OWNERSHIP, None, "the owner of the file may write_retention"),
        (
            *(MEMBER, HELD, O.WRITE_RETENTION_HOLD, K.OWNERSHIP, E.EACCES),
            "only the owner of the file may write_retention_hold",
        ),
        (OWNER, ENDED, O.WRITE_OBJECT, K.MODE, None, "mode 640 allows write_object by its owner triplet"),
        (SPACE_OWNER, FILE, O.WRITE_ACL, K.SPACE_OWNER, None, "the user owns the space"),
        (SPACE_OWNER, ROOT, O.WRITE_ACL, K.OWNERSHIP, E.EACCES, "only the owner of the file may write_acl"),
        (
            *(SPACE_OWNER, ROOT, O.ADD_OBJECT, K.MODE, None),
            "mode 775 allows add_object by its group triplet",
        ),
        (
            *(MEMBER, LISTED, O.WRITE_OBJECT, K.ACL_ENTRY, E.EACCES),
            "entry 1 of the ACL denies write_object: DENY member write_object",
        ),
        (
            *(MEMBER, LISTED, O.READ_OBJECT, K.ACL_ENTRY, None),
            "entry 2 of the ACL allows read_object: ALLOW GROUP@ read_object, write_object",
        ),
        (
            *(OWNER, LISTED, O.WRITE_ACL, K.ACL_END, E.EACCES),
            "no entry of the ACL allows write_acl; the end of the list denies",
        ),
        (
            *(GUEST, LISTED, O.READ_OBJECT, K.ACL_END, E.EACCES),
            "no entry of the ACL allows read_object; the end of the list denies",
        ),
        (OWNER, FILE, O.READ_OBJECT, K.MODE, None, "mode 640 allows read_object by its owner triplet"),
        (MEMBER, FILE, O.WRITE_OBJECT, K.MODE, E.EACCES, "mode 640 denies write_object by its group triplet"),
        (GUEST, FILE, O.READ_OBJECT, K.MODE, E.EACCES, "mode 640 denies read_object by its other triplet"),
        (
            *(MEMBER, DIRECTORY, O.ADD_OBJECT | O.TRAVERSE, K.MODE, E.EACCES),
            "mode 750 denies add_object by its group triplet",
        ),
        (
            *(MEMBER, STICKY, O.DELETE, K.STICKY, E.EACCES),
            "the directory is sticky: only the owner of a file may remove it",
        ),
        (MEMBER, FILE, O.WRITE_ACL, K.OWNERSHIP, E.EACCES, "only the owner of the file may write_acl"),
        (
            *(MEMBER, FILE, O.READ_ACL, K.ALWAYS, None),
            "members of the space may read_acl where no ACL decides",
        ),
        (
            *(MEMBER, FILE, O.DELETE, K.ALWAYS, None),
            "members of the space may delete where no ACL decides",
        ),
    ],
)
def test_each_row_of_the_decision_names_its_fact(
    subject: Subject, file: FileFacts, needed: Operation, kind: FactKind, errno: Errno | None, text: str
) -> None:
    verdict = decide(subject, file, needed)
    assert (verdict.fact.kind, verdict.errno, verdict.text) == (kind, errno, text)


def test_the_file_is_named_where_the_fact_is_its_own() -> None:
    refusal = decide(MEMBER, FILE, O.WRITE_OBJECT).of("/d/f")
    assert refusal.text == "mode 640 of /d/f denies write_object by its group triplet"
    assert decide(MEMBER, FILE, O.WRITE_ACL).of("/d/f").text == "only the owner of /d/f may write_acl"
    protected = decide(MEMBER, INSIDE, O.WRITE_OBJECT).of("/d/f")
    assert protected.text == "data_protection on /d forbids write_object"


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


@given(subjects, facts, protections, operations)
def test_flags_only_ever_take_away_and_bind_owners_of_the_space_alike(
    subject: Subject, file: FileFacts, flags: list[Protected], needed: Operation
) -> None:
    protected = evolve(file, protections=tuple(flags))
    if decide(subject, protected, needed).allowed:
        assert decide(subject, file, needed).allowed
    boss = Subject("boss", ALL, is_space_owner=True)
    forbidden = any(flag.forbids(int(needed)) for flag in flags)
    assert decide(boss, protected, needed).allowed is not forbidden
    if not needed & NEEDS_WRITE_DATA:
        assert not forbidden


keepings = st.lists(
    st.builds(
        Keeping,
        st.builds(
            Immutability,
            st.none() | st.builds(Period, st.integers(0, 9), st.integers(0, 9)),
            holds=st.sampled_from(((), ("h",))),
        ),
        st.just("/d"),
    ),
    max_size=3,
).map(tuple)


@given(subjects, facts, keepings, operations, st.integers(0, 9))
def test_holds_and_retention_only_ever_take_away_and_bind_owners_of_the_space_alike(
    subject: Subject, file: FileFacts, found: tuple[Keeping, ...], needed: Operation, now_ms: int
) -> None:
    kept = evolve(file, keepings=found, now_ms=now_ms)
    if decide(subject, kept, needed).allowed:
        assert decide(subject, file, needed).allowed
    boss = Subject("boss", ALL, is_space_owner=True)
    is_bound = any(
        one.immutability.holds
        or (
            one.immutability.period is not None
            and one.immutability.period.start_ms <= now_ms < one.immutability.period.end_ms
        )
        for one in found
    )
    assert decide(boss, kept, needed).allowed is not (is_bound and bool(needed & FORBIDDEN))
    if not needed & NEEDS_WRITE_DATA:
        assert decide(boss, kept, needed).allowed


def test_flags_have_names() -> None:
    assert names_of(3) == ["data_protection", "metadata_protection"]
    assert all(flags_of(names_of(flags)) == flags for flags in range(4))
