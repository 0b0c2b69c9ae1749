"""Wall clocks of single processes, set while they run: by libfaketime, which every node is started with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

LIBRARIES = (
    "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1",
    "/usr/lib64/faketime/libfaketimeMT.so.1",
)
"""Where packages of distributions put it (``apt-get install libfaketime``)."""

FILE = "clock"
CACHE_S = 1
"""A process takes a new offset within so many seconds."""


def library() -> str | None:
    """Return libfaketime's path; None where it is not installed."""
    return next((path for path in LIBRARIES if Path(path).exists()), None)


def settable(folder: Path) -> Mapping[str, str]:
    """Return variables to start a process with, so that ``set_offset`` on ``folder`` moves its wall clock.

    Steady time and the times of files stay as they are.
    """
    if (found := library()) is None:
        return {}
    set_offset(folder, 0)
    return {
        "LD_PRELOAD": found,
        "FAKETIME_TIMESTAMP_FILE": str(folder / FILE),
        "FAKETIME_CACHE_DURATION": str(CACHE_S),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def set_offset(folder: Path, offset_s: int) -> None:
    """Set the clock of the process that was started with ``settable`` so far from the machine's."""
    folder.mkdir(parents=True, exist_ok=True)
    fresh = folder / f"{FILE}.new"
    fresh.write_text(f"{offset_s:+d}\n")
    fresh.replace(folder / FILE)
