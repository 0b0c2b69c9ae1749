"""Locks after wrong passwords, with the time as an argument."""

from __future__ import annotations

from oz_worker.throttle import LoginThrottle, ThrottleLimits

LIMITS = ThrottleLimits(
    free_per_user=3, free_per_address=5, first_lock_s=1.0, longest_lock_s=8.0, forget_after_s=100.0
)


def fail(
    throttle: LoginThrottle, times: int, *, user: str = "anna", address: str = "a", now: float = 0.0
) -> float:
    wait_s = 0.0
    for _ in range(times):
        wait_s = throttle.failed(user, address, now)
    return wait_s


def test_free_allowance_locks_nobody_out() -> None:
    throttle = LoginThrottle(LIMITS)
    assert fail(throttle, 3) == 0
    assert throttle.wait_s("anna", "a", 0.0) == 0


def test_locks_double_up_to_the_longest() -> None:
    throttle = LoginThrottle(LIMITS)
    fail(throttle, 3)
    assert [fail(throttle, 1, address=f"a{n}") for n in range(6)] == [1, 2, 4, 8, 8, 8]


def test_lock_ends_when_its_time_has_passed() -> None:
    throttle = LoginThrottle(LIMITS)
    fail(throttle, 4)
    assert throttle.wait_s("anna", "b", 0.5) == 0.5
    assert throttle.wait_s("anna", "b", 1.0) == 0


def test_address_trying_many_names_is_locked_too() -> None:
    throttle = LoginThrottle(LIMITS)
    for number in range(6):
        throttle.failed(f"user{number}", "a", 0.0)
    assert throttle.wait_s("somebody else", "a", 0.0) == 1.0
    assert throttle.wait_s("somebody else", "b", 0.0) == 0


def test_right_password_clears_the_name_but_not_the_address() -> None:
    throttle = LoginThrottle(LIMITS)
    fail(throttle, 6)
    throttle.succeeded("anna")
    assert throttle.wait_s("anna", "b", 0.0) == 0
    assert throttle.wait_s("anna", "a", 0.0) == 1.0


def test_failures_are_forgotten_after_a_quiet_time() -> None:
    throttle = LoginThrottle(LIMITS)
    fail(throttle, 3)
    assert fail(throttle, 1, now=101.0) == 0


def test_only_so_many_keys_are_kept_in_memory() -> None:
    throttle = LoginThrottle(ThrottleLimits(free_per_user=1, tracked_keys=10))
    for number in range(1000):
        throttle.failed(f"user{number}", None, 0.0)
    fail(throttle, 2, user="user999")
    assert throttle.wait_s("user999", None, 0.0) > 0
    assert throttle.failed("user0", None, 0.0) == 0
