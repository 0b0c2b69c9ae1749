"""Storage servers that come as Python packages: each in a virtual environment of its own, made once."""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.support.system_packages import skip_loudly

INSTALL_LIMIT_S = 300.0
_STAMP = "complete"


def server_environment(name: str, requirements: Sequence[str]) -> Path:
    """Return the ``bin`` folder of an environment in which ``requirements`` are installed.

    It is made in the cache folder of the user at the first use, by one process at a time; other requirements
    or another interpreter make another one. Where it cannot be made the test is skipped with a warning, and
    fails when the environment variable ``CI`` is set.
    """
    recipe = "\n".join([sys.version, *requirements])
    fingerprint = hashlib.sha256(recipe.encode()).hexdigest()[:16]
    folder = _cache() / f"{name}-{fingerprint}"
    folder.mkdir(parents=True, exist_ok=True)
    with open(folder / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / _STAMP).exists():
            problem = _install(folder, requirements)
            if problem:
                _give_up(f"NOT TESTED: {name} ({' '.join(requirements)}) could not be installed: {problem}")
            (folder / _STAMP).touch()
    return folder / "bin"


def _cache() -> Path:
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(base) / "onedata-test-servers"


def _install(folder: Path, requirements: Sequence[str]) -> str:
    """Make the environment; return what went wrong."""
    venv.EnvBuilder(with_pip=True, symlinks=True).create(folder)
    pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    try:
        done = subprocess.run(
            [*pip, *requirements],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=INSTALL_LIMIT_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return f"it took longer than {INSTALL_LIMIT_S:.0f} s"
    return done.stderr.strip()[-2000:] if done.returncode else ""


def _give_up(reason: str) -> None:
    if os.environ.get("CI"):
        pytest.fail(reason)
    skip_loudly(reason)
