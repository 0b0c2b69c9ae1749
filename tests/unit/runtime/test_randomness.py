"""Pooled random bytes: every byte of the source is given once, in order of need."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from cluster_worker.runtime.randomness import POOL_B, PooledRandom


class Counter:
    """A source whose bytes can be told apart by position."""

    def __init__(self) -> None:
        self.asked: list[int] = []
        self._next = 0

    def __call__(self, size_b: int) -> bytes:
        self.asked.append(size_b)
        data = b"".join((self._next + n).to_bytes(4, "big") for n in range(-(-size_b // 4)))[:size_b]
        self._next += size_b
        return data


@given(st.lists(st.integers(0, 3 * POOL_B), max_size=40))
def test_every_call_gets_its_length_and_no_byte_twice(sizes: list[int]) -> None:
    source = Counter()
    pooled = PooledRandom(source)
    given = [pooled(size) for size in sizes]
    assert [len(data) for data in given] == sizes
    words = [data[at : at + 4] for data in given for at in range(0, len(data) - 3, 4) if len(data) % 4 == 0]
    if all(size % 4 == 0 for size in sizes):
        assert len(words) == len(set(words))


def test_small_requests_share_one_call_to_the_source() -> None:
    source = Counter()
    pooled = PooledRandom(source)
    for _ in range(POOL_B // 16):
        pooled(16)
    assert source.asked == [POOL_B]
