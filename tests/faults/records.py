"""What the clients of a load were told."""

from __future__ import annotations

from attrs import define, field

from tests.faults.attempts import Attempt, Outcome
from tests.faults.ledger import Ledger
from tests.support.linearizability import Operation


@define(eq=False)
class Records:
    """What all clients were told. Appending is atomic; read it when the clients have stopped."""

    attempts: list[Attempt] = field(factory=list)
    ledger: Ledger = field(factory=Ledger)
    histories: dict[str, list[Operation]] = field(factory=dict)
    wrong_answers: list[str] = field(factory=list)

    def acknowledged(self) -> int:
        """Return how many operations were."""
        return sum(one.outcome is Outcome.DONE for one in self.attempts)
