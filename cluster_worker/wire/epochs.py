"""Epochs: which manager speaks, and how much it has decided so far."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.wire.fields import Fields


@frozen(order=True)
class Epoch:
    """``[term, counter]``: a later manager has a greater term, a later decision a greater counter."""

    term: int
    counter: int = 0

    def next(self) -> Epoch:
        """The epoch of the next decision of the same manager."""
        return Epoch(self.term, self.counter + 1)

    def encode(self) -> list[int]:
        return [self.term, self.counter]

    @classmethod
    def decode(cls, fields: Fields) -> Epoch:
        return cls(fields.integer(0), fields.integer(1))


NO_EPOCH = Epoch(0, 0)
"""Before every epoch a manager uses."""


class EpochGate:
    """Lets messages of the newest epoch through and stops those that a later one has overtaken."""

    def __init__(self) -> None:
        self.latest = NO_EPOCH

    def admits(self, epoch: Epoch) -> bool:
        """Whether ``epoch`` is at least the newest one seen; it is the newest from now on."""
        if epoch < self.latest:
            return False
        self.latest = epoch
        return True


def optional_epoch(fields: Fields, index: int) -> Epoch | None:
    """An epoch or nothing at ``index``."""
    return None if fields.any(index) is None else Epoch.decode(fields.nested(index))
