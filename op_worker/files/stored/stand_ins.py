"""Empty directories that stand for snapshots until these are complete. Pure."""

from __future__ import annotations

from op_worker.files.stored.nodes import Chain

TAKING = "snap"
"""The document of a snapshot that is being made, or could not be made: of the directory that shows it."""
MODE = 0
"""Of a directory that stands for a snapshot: nobody takes it for one."""


def may_stand_in(chain: Chain) -> bool:
    """Whether a file may stand for a snapshot; it does if it has the document ``TAKING``."""
    if len(chain.nodes) < 2 or not chain.parent.holds_snapshots:
        return False
    return chain.file.is_directory and chain.file.meta.mode == MODE
