"""A client that knows every node: it stays with one while that answers, and tries again at another."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence

from attrs import define, field

from tests.faults.attempts import Attempt, Outcome
from tests.faults.connection import Connection, NoAnswer, Reply, Unreachable
from tests.faults.requesting import Ask, outcome

AVOID_S = 2.0
"""A node that failed is not asked again for so long while there are others."""
FIRST_PAUSE_S = 0.05
LONGEST_PAUSE_S = 0.5

Note = Callable[[Attempt], None]


@define
class Result:
    """The last attempt of an operation. ``is_doubtful`` when an earlier one may still take effect."""

    outcome: Outcome
    reply: Reply | None
    is_doubtful: bool = False

    @property
    def is_done(self) -> bool:
        """Whether it was acknowledged."""
        return self.outcome is Outcome.DONE


@define(eq=False)
class Client:
    """One thread's client.

    Args:
        nodes: where to ask, the preferred one first.
        note: gets every attempt.
        stopping: set when nobody should try any more.
    """

    name: str
    nodes: Sequence[str]
    connections: Mapping[str, Connection]
    note: Note
    stopping: threading.Event = field(factory=threading.Event)
    patience_s: float = 90.0
    _failed_at: dict[str, float] = field(factory=dict)

    def attempt(self, ask: Ask, node: str) -> Result:
        """Send a request once."""
        invoked, reply, detail = time.monotonic(), None, ""
        try:
            reply = self.connections[node].ask(ask.method, ask.path, ask.body, ask.headers)
            result = outcome(reply)
            detail = str(reply.status)
        except Unreachable as error:
            result, detail = Outcome.UNREACHABLE, str(error)
        except NoAnswer as error:
            result, detail = Outcome.UNKNOWN, str(error)
        completed = time.monotonic()
        self.note(
            Attempt(
                client=self.name,
                node=node,
                kind=ask.kind,
                invoked=invoked,
                completed=completed,
                outcome=result,
                detail=detail,
            )
        )
        if result not in (Outcome.DONE, Outcome.REFUSED):
            self._failed_at[node] = completed
        return Result(result, reply)

    def until_answered(self, ask: Ask) -> Result:
        """Try until a node tells what came of it, or patience or the load ends; the nodes take turns."""
        pause_s, is_doubtful = FIRST_PAUSE_S, False
        deadline = time.monotonic() + self.patience_s
        while True:
            result = self.attempt(ask, self.best_node())
            is_over = self.stopping.is_set() or time.monotonic() > deadline
            if result.outcome in (Outcome.DONE, Outcome.REFUSED) or is_over:
                return Result(result.outcome, result.reply, is_doubtful)
            is_doubtful = is_doubtful or result.outcome is Outcome.UNKNOWN
            self.stopping.wait(pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def best_node(self) -> str:
        """Return the first node that did not fail lately; of failed ones that which failed first."""
        horizon = time.monotonic() - AVOID_S
        return min(self.nodes, key=lambda node: max(self._failed_at.get(node, 0.0) - horizon, 0.0))

    def is_well(self, node: str) -> bool:
        """Whether a node did not fail lately."""
        return time.monotonic() - self._failed_at.get(node, 0.0) > AVOID_S

    def close(self) -> None:
        """Close the connections."""
        for connection in self.connections.values():
            connection.close()
