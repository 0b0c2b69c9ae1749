"""Every fault there is, in the order of the table."""

from __future__ import annotations

from collections.abc import Sequence

from tests.faults.failover_faults import failover_faults
from tests.faults.fault import Fault, Needs
from tests.faults.host_faults import host_faults
from tests.faults.link_faults import link_faults
from tests.faults.process_faults import process_faults


def all_faults() -> Sequence[Fault]:
    """Return each single fault."""
    return [*process_faults(), *link_faults(), *host_faults(), *failover_faults()]


def store_for(faults: Sequence[Fault]) -> Needs:
    """Return where metadata must be kept for these faults: with sentinels only where they need them."""
    return Needs.SENTINEL if any(fault.needs is Needs.SENTINEL for fault in faults) else Needs.ONE_SERVER
