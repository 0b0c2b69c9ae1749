"""The steps in which a cluster boots, in order."""

from __future__ import annotations

from enum import StrEnum


class BootStep(StrEnum):
    """A step that nodes run when the manager says so; all nodes end one before any begins the next."""

    START_DEFAULT_WORKERS = "start_default_workers"
    PREPARE_FOR_CUSTOM_WORKERS = "prepare_for_custom_workers"
    START_CUSTOM_WORKERS = "start_custom_workers"
    PREPARE_FOR_UPGRADE = "prepare_for_upgrade"
    UPGRADE_CLUSTER = "upgrade_cluster"
    START_LISTENERS = "start_listeners"

    @property
    def following(self) -> BootStep | None:
        """The next step, or ``None`` after the last."""
        return _FOLLOWING[self]


BOOT_STEPS = tuple(BootStep)
_FOLLOWING: dict[BootStep, BootStep | None] = dict(zip(BOOT_STEPS, (*BOOT_STEPS[1:], None), strict=True))

INIT_CONNECTION = "init_connection"
"""Before the first step: the manager waits for all nodes."""
CLUSTER_READY = "cluster_ready"
"""After the last step: the manager checks everybody's health."""
