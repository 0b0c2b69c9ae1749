"""What a test of a storage tells, step by step. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen


class Outcome(Enum):
    """How a step ended."""

    OK = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


STEPS = ("resolve", "connect", "log in", "create", "write", "read", "remove")
"""The steps in their order: the name of the server, a connection, the storage's own check, and the probe."""


@frozen
class Step:
    """One step. ``words`` are the storage's own where it failed, or say why it was skipped."""

    name: str
    outcome: Outcome
    took_s: float = 0.0
    words: str = ""


@frozen
class Report:
    """All steps of a test, in order; after one that failed the others are skipped."""

    steps: Sequence[Step]

    @property
    def is_good(self) -> bool:
        """Whether nothing failed."""
        return all(step.outcome is not Outcome.FAILED for step in self.steps)

    @property
    def failed(self) -> Step | None:
        """The step that failed."""
        return next((step for step in self.steps if step.outcome is Outcome.FAILED), None)
