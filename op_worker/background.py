"""The background work of a provider: which node does it, and how many share it."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from typing import Any

from cluster_worker.jobs.service import Jobs
from cluster_worker.node.cluster_node import ClusterNode
from cluster_worker.node.preference import Preference
from cluster_worker.persistence.engine import Engine, Scope
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.tenure.tenure import owner_text
from onedata.ids import SpaceId
from op_worker.metrics.service import Ownership


def make_jobs(
    reactor: Any, engine: Engine, node: ClusterNode, supported: Callable[[], Collection[SpaceId]]
) -> Jobs:
    """Return the jobs of a node; tasks may lie in the scope of each supported space."""
    preference = Preference(node.node_name, lambda: node.ring)
    return Jobs(
        engine,
        owner_text(node.node_name, os.urandom),
        lambda: [Scope(space_id) for space_id in supported()],
        clock=reactor,
        wall_clock=system_wall_clock,
        random_bytes=os.urandom,
        nodes=preference.sharing,
        wanted=preference.is_wanted,
        preference_s=preference.wait_s,
        home_of=preference.home_of,
    )


def make_ownership(node: ClusterNode) -> Ownership:
    """Return which series of spaces this node keeps."""
    preference = Preference(node.node_name, lambda: node.ring)
    return Ownership(
        owner=owner_text(node.node_name, os.urandom),
        wanted=preference.is_wanted,
        preference_s=preference.wait_s,
        home_of=preference.home_of,
    )
