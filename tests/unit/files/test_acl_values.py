"""Access control lists as values: stored form, inheritance, the two forms in JSON."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from onedata.errors import BadData, Errno, Posix
from op_worker.files.acl import (
    Ace,
    AceFlag,
    AceKind,
    Acl,
    check_acl,
    inherited,
    pack_acl,
    unpack_acl,
)
from op_worker.files.model import FileType
from op_worker.files.rights.acl_forms import cdmi_acl, parse_cdmi_acl, parse_rest_acl, rest_acl
from op_worker.files.stored.meta import Meta, has_rarities

ALLOW, DENY = AceKind.ALLOW, AceKind.DENY
F, D, N, I, G, X = 0x1, 0x2, 0x4, 0x8, 0x40, 0x80  # noqa: E741 - short for the tables
whos = st.sampled_from(("OWNER@", "GROUP@", "EVERYONE@", "ANONYMOUS@", "ADMINUSERS@", "u1", "g1"))
ends = st.none() | st.integers(0, 4_000_000_000_000)
aces = st.builds(Ace, st.sampled_from(AceKind), whos, st.integers(0, 0xFF), st.integers(0, 0x1F07FF), ends)
acls = st.lists(aces, max_size=6).map(tuple)


@given(acls)
def test_a_stored_list_is_read_back_in_its_order(acl: Acl) -> None:
    assert unpack_acl(pack_acl(acl)) == acl
    meta = Meta("n", FileType.REG, 0o664, "u", "p", 1, acl=acl)
    assert Meta.decode(meta.encode()) == meta


@given(acls)
def test_both_forms_in_json_lose_nothing(acl: Acl) -> None:
    assert parse_rest_acl(rest_acl(acl)) == acl
    assert parse_cdmi_acl(cdmi_acl(acl, {})) == acl
    assert parse_cdmi_acl(cdmi_acl(acl, {"u1": "A #1 User", "g1": "Group"})) == acl


def test_only_unusual_files_need_a_closer_look() -> None:
    usual = Meta("n", FileType.REG, 0o664, "u", "p", 1)
    assert not has_rarities(usual.encode())
    assert has_rarities(Meta("n", FileType.REG, 0o664, "u", "p", 1, protection=1).encode())
    assert has_rarities(Meta("n", FileType.REG, 0o664, "u", "p", 1, acl=()).encode())


@pytest.mark.parametrize(
    ("flags", "by_file", "by_directory"),
    [
        (0, None, None),
        (I, None, None),
        (X, None, None),
        (F, X, F | I | X),
        (D, None, D | X),
        (F | D, X, F | D | X),
        (F | I, X, F | I | X),
        (D | I, None, D | X),
        (F | D | I, X, F | D | X),
        (F | N, X, None),
        (D | N, None, X),
        (F | D | N, X, X),
        (F | D | N | I | G, X | G, X | G),
    ],
)
def test_flags_say_who_inherits_an_entry(flags: int, by_file: int | None, by_directory: int | None) -> None:
    acl = (Ace(ALLOW, "u1", flags, 0x1),)
    for is_directory, expected in ((False, by_file), (True, by_directory)):
        made = inherited(acl, is_directory=is_directory)
        assert made == (None if expected is None else (Ace(ALLOW, "u1", expected, 0x1),))


def test_files_inherit_only_bits_that_mean_something_to_them() -> None:
    acl = (Ace(ALLOW, "u1", F, 0x701FF), Ace(ALLOW, "u1", F, 0x20))
    assert inherited(acl, is_directory=False) == (Ace(ALLOW, "u1", X, 0x7019B),)
    assert inherited(None, is_directory=False) is None


@given(acls, st.booleans())
def test_what_is_inherited_would_be_accepted_if_it_was_set(acl: Acl, is_directory: bool) -> None:
    known = [Ace(ace.kind, ace.who, ace.flags & 0xCF, ace.mask & 0x1F07FF) for ace in acl]
    made = inherited(tuple(known), is_directory=is_directory) or ()
    check_acl(made, is_directory=is_directory, is_user=lambda _: True, is_group=lambda _: True)


@given(acls)
def test_an_inherited_list_is_handed_on_the_same_from_then_on(acl: Acl) -> None:
    once = inherited(acl, is_directory=True)
    assert inherited(inherited(once, is_directory=True), is_directory=True) == inherited(
        once, is_directory=True
    )


def entry(**changed: Any) -> dict[str, Any]:
    return {"acetype": "0x0", "identifier": "OWNER@", "aceflags": "0x0", "acemask": "0x1", **changed}


@pytest.mark.parametrize(
    ("given", "ace"),
    [
        (entry(), Ace(ALLOW, "OWNER@", 0, 1)),
        (entry(acetype="DENY", acemask="READ_OBJECT, WRITE_ACL"), Ace(DENY, "OWNER@", 0, 0x40001)),
        (entry(acetype="0x1", acemask="0x7019B"), Ace(DENY, "OWNER@", 0, 0x7019B)),
        (entry(acemask=["READ_OBJECT", "READ_METADATA"], aceflags=[]), Ace(ALLOW, "OWNER@", 0, 9)),
        (entry(identifier="everyone@"), Ace(ALLOW, "EVERYONE@", 0, 1)),
        (entry(identifier="Ann Smith#u1"), Ace(ALLOW, "u1", 0, 1)),
        (entry(identifier="g1", aceflags="IDENTIFIER_GROUP"), Ace(ALLOW, "g1", G, 1)),
        (
            entry(aceflags="OBJECT_INHERIT,CONTAINER_INHERIT, NO_PROPAGATE ,INHERIT_ONLY,INHERITED"),
            Ace(ALLOW, "OWNER@", 0x8F, 1),
        ),
        (entry(acetype="AUDIT", acemask="ALL_PERMS"), Ace(AceKind.AUDIT, "OWNER@", 0, 0x1F07FF)),
        (entry(acetype="0x2", acemask="RW_ALL"), Ace(AceKind.AUDIT, "OWNER@", 0, 0x601DF)),
        (entry(acemask="READ_ALL, RW"), Ace(ALLOW, "OWNER@", 0, 0x1F)),
        (entry(acemask="READ_ALL, 0x20000"), Ace(ALLOW, "OWNER@", 0, 0x20009)),
        (
            entry(acemask="WRITE_RETENTION,WRITE_RETENTION_HOLD,WRITE_OWNER,SYNCHRONIZE"),
            Ace(ALLOW, "OWNER@", 0, 0x180600),
        ),
        (entry(identifier="Authenticated@"), Ace(ALLOW, "AUTHENTICATED@", 0, 1)),
        (entry(expiration="1970-01-01T00:00:01.500000Z"), Ace(ALLOW, "OWNER@", 0, 1, 1500)),
        (entry(acemask="LIST_CONTAINER,TRAVERSE_CONTAINER"), Ace(ALLOW, "OWNER@", 0, 0x21)),
        (entry(acemask="DELETE_OBJECT,DELETE_SUBCONTAINER"), Ace(ALLOW, "OWNER@", 0, 0x40)),
        (
            entry(acemask="READ_OBJECT,READ_ATTRIBUTES,READ_METADATA,READ_ACL"),
            Ace(ALLOW, "OWNER@", 0, 0x20089),
        ),
    ],
)
def test_cdmi_writes_words_or_hexadecimal(given: Any, ace: Ace) -> None:
    assert parse_cdmi_acl([given]) == (ace,)


def test_cdmi_is_answered_in_upper_case_hexadecimal() -> None:
    assert cdmi_acl((Ace(DENY, "u1", 0xC0, 0x7019B),), {"u1": "Ann"}) == [
        {"acetype": "0x1", "identifier": "Ann#u1", "aceflags": "0xC0", "acemask": "0x7019B"}
    ]


@pytest.mark.parametrize(
    "given",
    [
        *(None, 1, "text", {}, [1], [[]], [None], [{}]),
        [entry(expiration="2030-01-01")],
        [{name: value for name, value in entry().items() if name != "aceflags"}],
        [entry(acetype="ALARM")],
        [entry(acetype="0x3")],
        [entry(expiration="tomorrow")],
        [entry(expiration=1893456000)],
        [entry(expiration="2030-13-01T00:00:00Z")],
        [entry(acemask="READ_OBJECT,0x")],
        [entry(acetype=0)],
        [entry(acetype="ALLOW,DENY,x")],
        [entry(aceflags=0)],
        [entry(aceflags=["NO_FLAGS", 1])],
        [entry(aceflags="FLAG")],
        [entry(aceflags=None)],
        [entry(acemask="0x")],
        [entry(acemask="0x123456789")],
        [entry(acemask="ALL_POWERS")],
        [entry(acemask="")],
        [entry(acemask="DELETE_OBJECT")],
        [entry(acemask="DELETE_SUBCONTAINER,READ_OBJECT")],
        [entry(acemask={"READ_OBJECT": True})],
        [entry(identifier="")],
        [entry(identifier="Name#")],
        [entry(identifier=["u1"])],
    ],
)
def test_what_is_no_list_of_cdmi_is_refused_under_the_key_acl(given: Any) -> None:
    with pytest.raises(BadData) as caught:
        parse_cdmi_acl(given)
    assert caught.value.key == "acl"


@pytest.mark.parametrize(
    ("mask", "on_files", "on_directories"),
    [
        (0x1F07FF, True, True),
        (0x601DF, True, True),
        (0x1F, True, True),
        (0x7079B, True, True),
        (0x180000, True, True),
        (0x24, True, True),
        (0x40, False, True),
        (0x701FF, False, True),
        (0x1F07FE, False, True),
        (0x800, False, False),
        (0x200000, False, False),
    ],
)
def test_masks_may_hold_what_a_standard_has_for_the_type(
    mask: int, on_files: bool, on_directories: bool
) -> None:
    for is_directory, is_fine in ((False, on_files), (True, on_directories)):
        acl = (Ace(ALLOW, "OWNER@", 0, mask),)
        try:
            check_acl(acl, is_directory=is_directory, is_user=bool, is_group=bool)
        except Posix as error:
            assert error.errno is Errno.EINVAL and not is_fine
        else:
            assert is_fine


def test_too_many_entries_are_refused_before_they_are_looked_at() -> None:
    for parse in (parse_cdmi_acl, parse_rest_acl):
        with pytest.raises(Posix) as caught:
            parse([None] * 10_000)
        assert caught.value.errno is Errno.E2BIG


def test_a_group_flag_on_a_special_identifier_changes_nothing() -> None:
    acl = (Ace(ALLOW, "GROUP@", AceFlag.IDENTIFIER_GROUP.value, 1),)
    check_acl(acl, is_directory=False, is_user=lambda _: False, is_group=lambda _: False)
