"""Which operations the caveats of a token leave allowed."""

from __future__ import annotations

import pytest

from onedata.errors import TokenCaveatUnverified
from onedata.gri import Gri
from onedata.ids import FileGuid, FileUuid, SpaceId
from onedata.tokens import Operation, ServiceKind, parse_caveat, verify_operation

FILE = FileGuid(FileUuid("f1"), SpaceId("s1")).object_id()


def _allowed(service: str, operation: str, gri: str, *caveats: str) -> bool:
    try:
        verify_operation(
            map(parse_caveat, caveats), ServiceKind(service), Operation(operation), Gri.parse(gri)
        )
    except TokenCaveatUnverified:
        return False
    return True


def test_token_without_caveats_allows_every_operation() -> None:
    assert _allowed("oz_worker", "delete", "user.u1.instance:private")
    assert _allowed("oz_worker", "delete", "user.u1.instance:private", "time < 5", "interface = rest")


@pytest.mark.parametrize(
    ("service", "operation", "gri", "allowed"),
    [
        ("oz_worker", "get", "space.s1.instance:protected", True),
        ("oz_worker", "update", "space.s1.instance:protected", False),
        ("op_worker", "get", "space.s1.instance:protected", False),
        ("oz_worker", "get", "group.g1.instance:protected", False),
    ],
)
def test_api_caveat_allows_what_its_rules_cover(
    service: str, operation: str, gri: str, allowed: bool
) -> None:
    assert _allowed(service, operation, gri, "api = ozw/get/space.*.instance:*") is allowed


@pytest.mark.parametrize("caveat", ["data.readonly", "interface = oneclient"])
@pytest.mark.parametrize(
    ("service", "operation", "gri", "allowed"),
    [
        ("op_worker", "create", "op_file.f1.rdf_metadata:private", True),
        ("op_worker", "get", "op_space.null.list:private", True),
        ("op_worker", "get", "op_space.s2.instance:private", True),
        ("op_worker", "update", "op_space.s2.instance:private", False),
        ("op_worker", "create", "op_transfer.null.instance:private", False),
        ("oz_worker", "get", "user.u1.instance:private", True),
        ("oz_worker", "update", "user.u1.instance:private", False),
        ("oz_worker", "get", "space.s2.instance:protected", True),
        ("op_panel", "get", "op_panel.null.users:private", False),
    ],
)
def test_data_caveats_leave_files_and_looking_up_spaces(
    caveat: str, service: str, operation: str, gri: str, allowed: bool
) -> None:
    assert _allowed(service, operation, gri, caveat) is allowed


@pytest.mark.parametrize("caveat", ["data.path = L3MxL2E=", f"data.objectid = {FILE}"])
def test_data_caveats_on_files_leave_only_their_spaces(caveat: str) -> None:
    assert _allowed("op_worker", "get", "op_space.s1.instance:private", caveat)
    assert not _allowed("op_worker", "get", "op_space.s2.instance:private", caveat)
    assert not _allowed("oz_worker", "get", "space.s2.instance:private", caveat)
    assert _allowed("op_worker", "update", "op_file.f1.instance:private", caveat)


def test_every_caveat_has_to_allow_the_operation() -> None:
    narrow = ("api = opw/get/*.*.*:*", "data.readonly")
    assert _allowed("op_worker", "get", "op_file.f1.instance:private", *narrow)
    assert not _allowed("op_worker", "update", "op_file.f1.instance:private", *narrow)
    assert not _allowed("op_worker", "get", "op_transfer.t1.instance:private", *narrow)
