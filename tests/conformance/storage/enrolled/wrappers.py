"""Wrappers around helpers that need no server."""

from __future__ import annotations

from op_worker.storage.helper import SupportsUsers
from op_worker.storage.wrappers.measured import MeasuredHelper, StorageTally
from tests.conformance.storage.enrolled.local import POSIX_LACKS, POSIX_POWERS, posix, read_from_folder
from tests.conformance.storage.enrolment import Enrolled, no_server

ENROLLED = (
    Enrolled(
        name="measured posix",
        server=no_server,
        make=lambda server, name: MeasuredHelper(posix(server, name), StorageTally()),
        powers=POSIX_POWERS - {SupportsUsers},
        lacks=POSIX_LACKS,
        reads_back=read_from_folder,
    ),
)
