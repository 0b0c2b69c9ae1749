"""Namespaces of our own for network, mounts and processes: what is made inside goes with the last of us."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence


def isolated(command: Sequence[str]) -> Sequence[str]:
    """Return ``command`` so that it runs in new namespaces and dies, with all it started, with its parent.

    A shell is the first process there: it collects the orphans.
    """
    user = [] if os.geteuid() == 0 else ["--user", "--map-root-user"]
    kinds = ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc"]
    inner = f"ip link set lo up && {shlex.join(command)}; exit $?"
    return ["setpriv", "--pdeathsig", "KILL", "unshare", *user, *kinds, "bash", "-c", inner]


def why_not() -> str | None:
    """Return why namespaces cannot be used on this machine; None when they can."""
    missing = [name for name in ("unshare", "setpriv", "nsenter", "ip", "bash") if shutil.which(name) is None]
    if missing:
        return f"not installed: {', '.join(missing)}"
    if not os.path.exists("/dev/net/tun"):
        return "this kernel has no tun devices"
    tried = subprocess.run(isolated(["true"]), capture_output=True, text=True, timeout=30, check=False)
    return None if tried.returncode == 0 else f"namespaces are refused: {tried.stderr.strip()}"
