"""Where sentinels say the primary is, and whom to believe."""

from __future__ import annotations

from collections.abc import Sequence

from cluster_worker.persistence.sentinel import Opinion, newest_opinion, read_opinion


def described(port: int, epoch: int) -> Sequence[bytes]:
    """Return what ``SENTINEL MASTER`` answers."""
    return [b"name", b"m1", b"ip", b"10.0.0.1", b"port", b"%d" % port, b"config-epoch", b"%d" % epoch]


def test_sentinel_that_does_not_know_the_service_has_no_opinion() -> None:
    assert read_opinion(None, []) is None
    assert newest_opinion([]) is None


def test_opinion_of_the_greater_epoch_is_believed() -> None:
    old = read_opinion([b"10.0.0.1", b"1"], described(1, 4))
    new = read_opinion([b"10.0.0.1", b"2"], described(2, 5))
    assert old is not None and new is not None
    assert newest_opinion([old, new, old]) == new == Opinion((5, False), "10.0.0.1", 2)


def test_only_a_newer_opinion_takes_us_elsewhere() -> None:
    old, moving, new = Opinion((4, False), "h", 1), Opinion((4, True), "h", 2), Opinion((5, False), "h", 2)
    assert moving.replaces(old) and new.replaces(old)
    assert not old.replaces(moving)  # of a sentinel that has not heard of it
    assert not new.replaces(moving)  # the same server, chosen for good


def test_leader_of_a_failover_is_believed_before_the_others_hear_of_it() -> None:
    others = read_opinion([b"10.0.0.1", b"1"], described(1, 4))
    leader = read_opinion([b"10.0.0.1", b"2"], described(1, 4))
    assert others is not None and leader is not None
    assert newest_opinion([others, leader, others]) == leader
