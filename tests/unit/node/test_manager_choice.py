"""Which manager a worker tries next."""

from __future__ import annotations

from cluster_worker.node.manager_choice import SHUN_S, ManagerChoice, Outcome
from cluster_worker.wire.connections import Address

ONE, TWO, THREE, OTHER = (Address(name, 5055) for name in ("one", "two", "three", "other"))


def test_managers_are_tried_in_order_when_none_can_be_reached() -> None:
    choice = ManagerChoice([ONE, TWO, THREE])
    tried = []
    for second in range(4):
        tried.append(choice.next(second))
        assert not choice.tried(tried[-1], Outcome.FAILED, None, second)
    assert tried == [ONE, TWO, THREE, ONE]


def test_leader_that_a_standby_names_is_tried_at_once_though_it_is_not_in_the_list() -> None:
    choice = ManagerChoice([ONE, TWO])
    assert choice.tried(choice.next(0), Outcome.STANDBY, OTHER, 0)
    assert choice.next(0) == OTHER


def test_named_leader_that_has_just_failed_is_not_followed() -> None:
    choice = ManagerChoice([ONE, TWO])
    assert choice.tried(ONE, Outcome.ENDED, None, 0)
    assert choice.next(0) == TWO
    assert not choice.follows(ONE, 0) and not choice.tried(TWO, Outcome.STANDBY, ONE, 0)
    assert choice.next(1) == TWO  # which may lead by now
    assert choice.follows(ONE, SHUN_S)


def test_managers_that_name_each_other_in_a_circle_are_given_a_rest() -> None:
    choice = ManagerChoice([ONE, TWO])
    followed = 0
    address = choice.next(0)
    while choice.tried(address, Outcome.STANDBY, TWO if address == ONE else ONE, 0):
        address, followed = choice.next(0), followed + 1
        assert followed < 10


def test_only_manager_is_tried_again_though_it_failed() -> None:
    choice = ManagerChoice([ONE])
    choice.tried(ONE, Outcome.FAILED, None, 0)
    assert choice.next(0) == ONE


def test_link_that_was_of_use_is_replaced_at_once_and_one_that_was_not_is_not() -> None:
    assert ManagerChoice([ONE, TWO]).tried(ONE, Outcome.ENDED, None, 0)
    assert not ManagerChoice([ONE, TWO]).tried(ONE, Outcome.BRIEF, None, 0)
