"""How long a cluster waits, and how many nodes it needs."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen

from cluster_worker.wire.steps import BootStep

_ANY_STEP_TIMEOUT_S = 300.0


@frozen(kw_only=True)
class MembershipRules:
    """Durations in seconds.

    Attributes:
        worker_num: how many nodes the first boot waits for.
        owners: how many nodes are responsible for a key.
        grace_s: how long a node may be without link before it is lost.
        step_timeouts_s: of each boot step.
        ready_timeout_s: how long everybody may take to become well after the last step.
    """

    worker_num: int
    owners: int = 1
    grace_s: float = 10.0
    step_timeouts_s: Mapping[BootStep, float] = field(factory=dict)
    ready_timeout_s: float = 120.0

    def timeout_s(self, step: BootStep) -> float:
        return self.step_timeouts_s.get(step, _ANY_STEP_TIMEOUT_S)
