"""Small disks that can be filled: a tmpfs for each, in the mount namespace of the suite."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

STORAGE_MB = 256
REDIS_MB = 192
_BALLAST = ".ballast"
_LARGEST_STEP_B = 1 << 24
_PAGE_B = 4096


def mount_small(folder: Path, size_mb: int) -> None:
    """Put a small disk at ``folder``."""
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size_mb}m", "tmpfs", str(folder)], check=True)


def fill(folder: Path) -> None:
    """Take every free page of the disk that was mounted at ``folder``."""
    ballast = os.open(folder / _BALLAST, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        size_b, step_b = 0, _LARGEST_STEP_B
        while step_b >= _PAGE_B:
            try:
                os.posix_fallocate(ballast, size_b, step_b)
                size_b += step_b
            except OSError:
                step_b //= 2
    finally:
        os.close(ballast)


def free(folder: Path) -> None:
    """Give the pages back."""
    (folder / _BALLAST).unlink()


def is_full(folder: Path) -> bool:
    """Whether nearly no page is free: those of files that are removed meanwhile are."""
    return os.statvfs(folder).f_bavail * _PAGE_B < _LARGEST_STEP_B
