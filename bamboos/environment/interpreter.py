"""The Python that has the daemons installed, which need not be the one that runs these scripts."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def daemon_python() -> Path:
    """``.venv`` of this repository where it was built, otherwise the running interpreter."""
    built = ROOT / ".venv" / "bin" / "python"
    return built if built.exists() else Path(sys.executable)
