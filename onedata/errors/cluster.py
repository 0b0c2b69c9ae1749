"""Errors of a cluster's manager."""

from __future__ import annotations

from typing import ClassVar

from attrs import define

from onedata.errors.base import OnedataError


@define(slots=False)
class NotLeader(OnedataError):
    text: ClassVar[str] = "This manager does not lead the cluster now."
    http_status = 503
    retryable = True

    leader: str | None = None
    """Where the leader's door is, when that is known."""


@define(slots=False)
class ClusterNotReady(OnedataError):
    text: ClassVar[str] = "The cluster is not ready: it is {phase}."
    http_status = 503
    retryable = True

    phase: str


@define(slots=False)
class NoSuchNode(OnedataError):
    text: ClassVar[str] = "The node {node} is not a member of the cluster."
    http_status = 404

    node: str


@define(slots=False)
class LastNode(OnedataError):
    text: ClassVar[str] = "No other node than {node} works; the cluster would serve nobody."
    http_status = 409

    node: str


@define(slots=False)
class NodeBusy(OnedataError):
    text: ClassVar[str] = "The node {node} cannot do this now: {reason}."
    http_status = 409
    retryable = True

    node: str
    reason: str
