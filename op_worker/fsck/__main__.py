"""``python -m op_worker.fsck``: see ``op_worker.fsck.command``."""

from __future__ import annotations

import sys

from twisted.internet.task import react

from op_worker.fsck.command import main

react(main, sys.argv[1:])
