"""Brute-force protection of the admin door."""

from __future__ import annotations

from op_worker.auth.throttle import FailureThrottle


def failing(times: int, now_s: float = 0.0) -> FailureThrottle:
    throttle = FailureThrottle(free=3, first_s=1.0, longest_s=8.0, forget_after_s=100.0, most_addresses=2)
    for _ in range(times):
        throttle.failed("10.0.0.1", now_s)
    return throttle


def test_first_failures_cost_no_wait() -> None:
    assert failing(3).wait_s("10.0.0.1", 0.0) == 0.0


def test_further_failures_double_the_wait_up_to_a_limit() -> None:
    assert [failing(times).wait_s("10.0.0.1", 0.0) for times in (4, 5, 6, 7, 20)] == [1.0, 2.0, 4.0, 8.0, 8.0]


def test_wait_of_one_address_does_not_touch_others() -> None:
    assert failing(9).wait_s("10.0.0.2", 0.0) == 0.0


def test_wait_ends_by_itself() -> None:
    assert failing(4).wait_s("10.0.0.1", 0.4) == 0.6
    assert failing(4).wait_s("10.0.0.1", 5.0) == 0.0


def test_success_forgets_earlier_failures() -> None:
    throttle = failing(9)
    throttle.succeeded("10.0.0.1")
    throttle.failed("10.0.0.1", 0.0)
    assert throttle.wait_s("10.0.0.1", 0.0) == 0.0


def test_quiet_time_forgets_earlier_failures() -> None:
    throttle = failing(9)
    throttle.failed("10.0.0.1", 200.0)
    assert throttle.wait_s("10.0.0.1", 200.0) == 0.0


def test_number_of_remembered_addresses_is_bounded() -> None:
    throttle = failing(9)
    throttle.failed("10.0.0.2", 0.0)
    throttle.failed("10.0.0.3", 0.0)
    assert throttle.wait_s("10.0.0.1", 0.0) == 0.0
