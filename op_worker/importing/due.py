"""When a scan is due. Pure."""

from __future__ import annotations

from op_worker.importing.configuration import ImportConfig
from op_worker.importing.records import ScanState, ScanStatus


def is_scan_due(config: ImportConfig, last: ScanStatus | None, now_s: float) -> bool:
    """Whether a scan is to be begun: the first one, or the next of a continuous import.

    A clock that goes back puts it off by one interval at most.
    """
    if not config.is_auto:
        return False
    if last is None:
        return True
    if not last.state.is_over or not config.options.continuous:
        return False
    since_s = now_s - last.ended_s
    return since_s >= config.options.interval_s or since_s < 0


def is_waiting(last: ScanStatus | None) -> bool:
    """Whether a scan was wanted and has not begun."""
    return last is not None and last.state is ScanState.ENQUEUED
