"""Programs that tests need from the operating system: installed where that is allowed, else said loudly."""

from __future__ import annotations

import os
import shutil
import subprocess
import warnings
from collections.abc import Sequence
from typing import NoReturn

import pytest

INSTALL_LIMIT_S = 240.0
SYSTEM_FOLDERS = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def require(programs: Sequence[str], packages: Sequence[str]) -> None:
    """Make sure that ``programs`` can be run, installing Debian ``packages`` when they cannot.

    They are installed by root on Debian only. Where that is impossible the test is skipped with a
    warning that names the packages; where it is possible but fails, the test is skipped likewise, and
    fails when the environment variable ``CI`` is set.
    """
    if not missing(programs):
        return
    wanted = f"{', '.join(missing(programs))} (packages: {' '.join(packages)})"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        skip_loudly(f"NOT TESTED: {wanted} cannot be installed by this user on this system")
    problem = _install(packages)
    if missing(programs):
        if os.environ.get("CI"):
            pytest.fail(f"{wanted} could not be installed: {problem}")
        skip_loudly(f"NOT TESTED: {wanted} could not be installed: {problem}")


def missing(programs: Sequence[str]) -> Sequence[str]:
    """Those of the programs that are not found on the path of administrators."""
    path = os.pathsep.join([os.environ.get("PATH", ""), *SYSTEM_FOLDERS])
    return [program for program in programs if shutil.which(program, path=path) is None]


def skip_loudly(reason: str) -> NoReturn:
    """Skip the test, and warn as well, because a skip alone is easily overlooked."""
    warnings.warn(reason, stacklevel=3)
    pytest.skip(reason)


def _install(packages: Sequence[str]) -> str:
    """Install; return what was complained of."""
    apt = ["apt-get", "--quiet", "--option", "DPkg::Lock::Timeout=120"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    complaint = ""
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *packages]):
        try:
            done = subprocess.run(
                [*apt, *words],
                capture_output=True,
                text=True,
                env=environment,
                timeout=INSTALL_LIMIT_S,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return f"apt-get {words[0]} took longer than {INSTALL_LIMIT_S:.0f} s"
        complaint = done.stderr.strip() or complaint
    return complaint
