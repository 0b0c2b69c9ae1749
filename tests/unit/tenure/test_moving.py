"""When an owner lets go of what the ring gave to another node."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.tenure.moving import SETTLE_S, Home


def test_move_that_stays_for_a_while_is_followed() -> None:
    home = Home("a").seen("b", 10.0)
    assert not home.is_elsewhere("a", 10.0 + SETTLE_S / 2)
    assert home.seen("b", 11.0).is_elsewhere("a", 10.0 + SETTLE_S)


def test_move_to_oneself_or_back_is_none() -> None:
    assert not Home("a").seen("b", 0.0).seen("a", 1.0).is_elsewhere("a", 99.0)
    assert not Home("dead").seen("a", 0.0).is_elsewhere("a", 99.0)
    assert not Home("dead").seen(None, 0.0).is_elsewhere("a", 99.0)


@given(st.lists(st.tuples(st.sampled_from(["a", "b", "c", None]), st.floats(0.1, 5))))
def test_ring_that_does_not_come_to_rest_moves_nothing(looks: list[tuple[str | None, float]]) -> None:
    home, now_s, since_s = Home("a"), 0.0, 0.0
    last: str | None = "a"
    for seen, after_s in looks:
        now_s += after_s
        home = home.seen(seen, now_s)
        if seen != last:
            last, since_s = seen, now_s
        if home.is_elsewhere("a", now_s):
            assert seen not in ("a", None)
            assert now_s - since_s >= SETTLE_S
