"""Files in objects, over stores in memory: in blocks and as single objects."""

from __future__ import annotations

from op_worker.storage.helper import (
    SupportsClosing,
    SupportsOpenWithFirst,
    SupportsScanning,
    SupportsWholeWrites,
)
from op_worker.storage.objects.helper import object_helper
from op_worker.storage.objects.memory_store import MemoryObjects, MemoryRandomAccessObjects
from tests.conformance.storage.enrolment import Enrolled, no_server

OBJECT_POWERS = frozenset({SupportsOpenWithFirst, SupportsWholeWrites, SupportsClosing})
SINGLE_OBJECT_POWERS = OBJECT_POWERS | {SupportsScanning}
NO_FOLDERS = {"files told from folders": "there are no folders, only keys"}
AT_ONCE = {"cancelling": "nothing it does takes any time"}
WHOLE_IN_MEMORY = {"far offsets": "an object that is written is in memory as a whole"}
BLOCK_B = 100_000

ENROLLED = (
    Enrolled(
        name="objects in blocks",
        server=no_server,
        make=lambda server, name: object_helper(MemoryObjects(), BLOCK_B),
        powers=OBJECT_POWERS,
        lacks={**NO_FOLDERS, **AT_ONCE},
    ),
    Enrolled(
        name="objects in blocks, written inside",
        server=no_server,
        make=lambda server, name: object_helper(MemoryRandomAccessObjects(), BLOCK_B),
        powers=OBJECT_POWERS,
        lacks={**NO_FOLDERS, **AT_ONCE},
    ),
    Enrolled(
        name="objects, one a file",
        server=no_server,
        make=lambda server, name: object_helper(MemoryObjects(), 0),
        powers=SINGLE_OBJECT_POWERS,
        lacks={**NO_FOLDERS, **AT_ONCE, **WHOLE_IN_MEMORY},
    ),
)
