"""Documents of environments made smaller, to parts that come up alone, or larger by a node; pure."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

Document = Mapping[str, Any]

APPLICATIONS = {
    "zone_domains": "oz_worker",
    "provider_domains": "op_worker",
    "cluster_domains": "cluster_worker",
}
"""Key of a document → the worker application of the clusters below it."""


def zones_alone(document: Document) -> Document:
    """The zones, empty."""
    return _without(document, "provider_domains", "cluster_domains", "global_setup")


def providers_alone(document: Document) -> Document:
    """The providers with their storages, registered nowhere."""
    part = _without(document, "zone_domains", "cluster_domains", "global_setup")
    for provider in part.get("provider_domains", {}).values():
        for worker in provider.get("op_worker", {}).values():
            settings = worker.get("sys.config", {})
            for section in (settings, settings.get("op_worker", {})):
                section.pop("oz_domain", None)
    return part


def clusters_alone(document: Document) -> Document:
    """The bare clusters."""
    return _without(document, "zone_domains", "provider_domains", "global_setup")


PARTS = {
    "zone_domains": zones_alone,
    "provider_domains": providers_alone,
    "cluster_domains": clusters_alone,
}
"""Key of a document → the part that it describes."""


def with_worker(document: Document, instance: str, node: str) -> Document:
    """The document with one more worker in a cluster, set up as the first one is.

    Raises: KeyError when there is no such cluster; ValueError when it has a node of that name.
    """
    larger = copy.deepcopy(dict(document))
    workers, managers = _nodes(larger, instance)
    if node in workers or node in managers:
        raise ValueError(f"{instance} has a node {node} already")
    workers[node] = copy.deepcopy(next(iter(workers.values())))
    return larger


def without_worker(document: Document, instance: str, node: str) -> Document:
    """The document without one of the workers of a cluster.

    Raises: KeyError when there is no such cluster; ValueError when it has no such worker.
    """
    smaller = copy.deepcopy(dict(document))
    workers, _ = _nodes(smaller, instance)
    if node not in workers:
        raise ValueError(f"{instance} has no worker {node}")
    del workers[node]
    return smaller


def free_name(document: Document, instance: str) -> str:
    """The first of ``worker1``, ``worker2``, … that no node of the cluster has. Raises: KeyError."""
    workers, managers = _nodes(document, instance)
    taken = {*workers, *managers}
    return next(name for number in range(1, len(taken) + 2) if (name := f"worker{number}") not in taken)


def _nodes(document: Document, instance: str) -> tuple[dict[str, Any], Document]:
    """The workers and the managers of a cluster."""
    for key, application in APPLICATIONS.items():
        cluster = document.get(key, {}).get(instance)
        if cluster is not None:
            return cluster[application], cluster.get("cluster_manager", {})
    raise KeyError(instance)


def _without(document: Document, *keys: str) -> dict[str, Any]:
    return {key: copy.deepcopy(value) for key, value in document.items() if key not in keys}
