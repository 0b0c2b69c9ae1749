"""Starts a program that does not outlive its parent; run as a script, before anything of ours is imported.

``python -I -S leash.py <pid of the parent> <program> <argument>...``: in a session of its own (so that
Ctrl-C in a terminal reaches the parent only), with files for our eyes only, and with SIGTERM on the day
the parent ends, where the system can promise that (Linux). The program keeps the process id.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys

_PR_SET_PDEATHSIG = 1


def main(parent: int, command: list[str]) -> None:
    """Become ``command``; return without it when the parent has ended already."""
    os.setsid()
    os.umask(0o077)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, int(signal.SIGTERM), 0, 0, 0)
    if os.getppid() == parent:
        os.execv(command[0], command)


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
