"""Small whole contents that were read lately, kept in memory. Pure."""

from __future__ import annotations

from collections import OrderedDict

LIMIT_B = 32 * 1024 * 1024


class SmallContents:
    """Contents by generation, the least recently used ones dropped above a total of ``limit_b`` bytes.

    A generation names one content that was written whole, for ever, at every node: as long as a file's
    committed location carries it together with a digest, these are the file's bytes. So nothing here can
    be out of date and nothing has to be told.
    """

    def __init__(self, limit_b: int = LIMIT_B) -> None:
        self._limit_b = limit_b
        self._contents: OrderedDict[bytes, bytes] = OrderedDict()
        self.held_b = 0

    def get(self, generation: bytes) -> bytes | None:
        """Return the content, which counts as a use."""
        data = self._contents.get(generation)
        if data is not None:
            self._contents.move_to_end(generation)
        return data

    def keep(self, generation: bytes, data: bytes) -> None:
        """Remember a content; whatever it pushes out is dropped."""
        if generation in self._contents or len(data) > self._limit_b:
            return
        self._contents[generation] = data
        self.held_b += len(data)
        while self.held_b > self._limit_b:
            _, dropped = self._contents.popitem(last=False)
            self.held_b -= len(dropped)
