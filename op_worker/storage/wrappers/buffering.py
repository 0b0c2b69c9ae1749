"""How much is read ahead, and what is kept back of what is written. Pure."""

from __future__ import annotations

from attrs import define, field, frozen

MIB = 1 << 20


@frozen(kw_only=True)
class BufferLimits:
    """Bounds of buffers, in bytes and seconds.

    ``most_b`` is the most that all files of a storage keep back at the same time.
    """

    read_least_b: int = 5 * MIB
    read_most_b: int = 10 * MIB
    read_growth: float = 1.3
    read_keeps_s: float = 2.0
    write_least_b: int = 20 * MIB
    write_most_b: int = 50 * MIB
    idle_s: float = 5.0
    most_b: int = 400 * MIB


@define
class ReadAhead:
    """Decides how much is read at once of one file, and keeps the last block."""

    limits: BufferLimits
    _next_b: int = -1
    _hits: int = 0
    _start_b: int = 0
    _block: bytes = b""
    _is_last: bool = False
    _since: float = 0.0

    def found(self, offset_b: int, size_b: int, now: float) -> bytes | None:
        """Return a range when the block has all of it, or its end is the end of the file."""
        first_b = offset_b - self._start_b
        if not self._block or first_b < 0 or now - self._since > self.limits.read_keeps_s:
            return None
        data = self._block[first_b : first_b + size_b]
        if len(data) < size_b and not (self._is_last and first_b <= len(self._block)):
            return None
        self._next_b = offset_b + len(data)
        return data

    def wanted_b(self, offset_b: int, size_b: int) -> int:
        """Return how many bytes to read for a range that is not there: more while the reading is in order."""
        if offset_b != self._next_b:
            self._hits = 0
            return size_b
        limits = self.limits
        ahead_b = min(limits.read_most_b, int(limits.read_least_b * limits.read_growth**self._hits))
        self._hits += 1
        return max(size_b, ahead_b)

    def keep(self, offset_b: int, block: bytes, size_b: int, wanted_b: int, now: float) -> bytes:
        """Take a block read when ``wanted_b`` were asked for; return the ``size_b`` bytes wanted first."""
        data = block[:size_b]
        self._next_b = offset_b + len(data)
        if wanted_b > size_b:
            self._start_b, self._block, self._since = offset_b, block, now
            self._is_last = len(block) < wanted_b
        else:
            self._block = b""
        return data

    def forget(self) -> None:
        """Drop the block, because the file was changed."""
        self._block = b""


@define
class KeptBack:
    """Bytes written one after another that have not reached the storage yet."""

    limits: BufferLimits
    offset_b: int = 0
    data: bytearray = field(factory=bytearray)
    _threshold_b: int = 0

    def __attrs_post_init__(self) -> None:
        self._threshold_b = self.limits.write_least_b

    def follows(self, offset_b: int) -> bool:
        """Whether a write at ``offset_b`` goes on where the last one ended."""
        return not self.data or offset_b == self.offset_b + len(self.data)

    def add(self, offset_b: int, data: bytes) -> None:
        """Take a write that follows."""
        if not self.data:
            self.offset_b = offset_b
        self.data += data

    @property
    def is_enough(self) -> bool:
        """Whether it is time to write."""
        return len(self.data) >= self._threshold_b

    def written(self, took_s: float) -> None:
        """All has reached the storage; the next block is what it takes in two seconds, within limits."""
        rate = len(self.data) / took_s if took_s > 0 else self.limits.write_most_b
        least_b, most_b = self.limits.write_least_b, self.limits.write_most_b
        self._threshold_b = int(min(most_b, max(least_b, 2 * rate)))
        self.data = bytearray()
