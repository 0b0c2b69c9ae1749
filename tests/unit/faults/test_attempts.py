"""Figures of service: the longest pause of a client, and when everything was served again."""

from __future__ import annotations

from tests.faults.attempts import Attempt, Outcome, full_service_at, longest_pause

KINDS = ("read", "upload")


def attempt(
    at: float, *, client: str = "c", node: str = "n", kind: str = "read", outcome: Outcome = Outcome.DONE
) -> Attempt:
    return Attempt(client=client, node=node, kind=kind, invoked=at, completed=at + 0.1, outcome=outcome)


def test_longest_pause_is_between_two_operations_that_were_done() -> None:
    attempts = [attempt(1.0), attempt(2.0, outcome=Outcome.UNKNOWN), attempt(4.0), attempt(4.5)]
    assert round(longest_pause(attempts, 1.0, 5.0), 3) == 3.0


def test_longest_pause_counts_from_the_fault_and_to_the_end() -> None:
    assert round(longest_pause([attempt(4.0)], 1.0, 5.0), 3) == 3.1
    assert round(longest_pause([attempt(1.0)], 1.0, 5.0), 3) == 3.9


def test_worst_client_gives_the_longest_pause() -> None:
    busy = [attempt(at / 10, client="busy") for at in range(10, 50)]
    assert longest_pause([*busy, attempt(2.0, client="idle", outcome=Outcome.UNREACHABLE)], 1.0, 5.0) == 4.0


def test_full_service_begins_with_the_first_row_that_is_long_enough() -> None:
    attempts = [
        attempt(1.0),
        attempt(1.2, kind="upload", outcome=Outcome.UNKNOWN),
        attempt(2.0),
        attempt(2.2, kind="upload"),
        attempt(2.4),
        attempt(2.6, kind="upload"),
    ]
    assert full_service_at(attempts, ["n"], KINDS, 1.0, streak=2) == 2.1


def test_full_service_needs_every_kind_of_operation() -> None:
    assert full_service_at([attempt(at) for at in range(9)], ["n"], KINDS, 0.0, streak=2) is None


def test_full_service_needs_every_node() -> None:
    good = [attempt(at / 10, kind=kind) for at in range(9) for kind in KINDS]
    assert full_service_at(good, ["n"], KINDS, 0.0, streak=3) is not None
    assert full_service_at(good, ["n", "other"], KINDS, 0.0, streak=3) is None


def test_full_service_of_all_is_that_of_the_last_node() -> None:
    one = [attempt(at / 10, kind=kind) for at in range(9) for kind in KINDS]
    other = [attempt(5 + at / 10, node="other", kind=kind) for at in range(9) for kind in KINDS]
    assert full_service_at([*one, *other], ["n", "other"], KINDS, 0.0, streak=3) == 5.1


def test_what_was_done_before_the_moment_does_not_count() -> None:
    assert full_service_at([attempt(at / 10) for at in range(9)], ["n"], ["read"], 5.0, streak=1) is None


def test_refusal_for_good_reasons_is_service() -> None:
    assert full_service_at([attempt(1.0, outcome=Outcome.REFUSED)], ["n"], ["read"], 0.0, streak=1) == 1.1
