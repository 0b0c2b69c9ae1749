"""Who asks, and caveats on operations."""

from __future__ import annotations

import pytest

from onedata.errors import TokenCaveatUnverified
from onedata.ids import UserId
from onedata.tokens.caveats import parse_caveat
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.auth.operations import refuse_limited_operations


def test_guest_has_no_user_and_no_limits() -> None:
    assert Caller.guest().is_guest
    assert not Caller.guest().is_limited


def test_any_data_caveat_makes_a_caller_limited() -> None:
    assert Caller(UserId("u"), DataLimits(readonly=True)).is_limited
    assert Caller(UserId("u"), DataLimits(paths=(frozenset({"/s"}),))).is_limited
    assert not Caller(UserId("u")).is_limited


@pytest.mark.parametrize(
    "text", ["api = all/all/*.*.*:*", "api = opw/all/*.*.*:*", "interface = rest", "time < 5"]
)
def test_caveats_that_leave_every_operation_pass(text: str) -> None:
    refuse_limited_operations([parse_caveat(text)])


@pytest.mark.parametrize(
    "text", ["api = all/get/*.*.*:*", "api = ozw/all/*.*.*:*", "api = all/all/space.*.*:*"]
)
def test_api_caveat_that_leaves_an_operation_out_is_refused(text: str) -> None:
    with pytest.raises(TokenCaveatUnverified):
        refuse_limited_operations([parse_caveat(text)])
