"""What lies around the helpers of a storage: the wrappers, and what those of all its users share."""

from __future__ import annotations

from typing import Any

from twisted.internet.interfaces import IReactorTime

from op_worker.storage.config import StorageSection
from op_worker.storage.helper import StorageHelper
from op_worker.storage.parameters import timeout_s
from op_worker.storage.records import StorageRecord
from op_worker.storage.types import Parameters, StorageType
from op_worker.storage.verdict import Verdict
from op_worker.storage.wrappers.buffered import BufferedHelper
from op_worker.storage.wrappers.guarded import Guard, GuardedHelper
from op_worker.storage.wrappers.measured import MeasuredHelper, StorageTally
from op_worker.storage.wrappers.prefix import SpaceRootHelper
from op_worker.storage.wrappers.readonly import ReadonlyHelper
from op_worker.storage.wrappers.wrapping import wrapped


class Stack:
    """Wraps the helpers of one storage, whoever they act for.

    Attributes:
        verdict: what the last check found; while that is bad every operation is refused.
        tally: what is counted.
    """

    def __init__(
        self,
        record: StorageRecord,
        type_: StorageType,
        parameters: Parameters,
        *,
        clock: IReactorTime,
        settings: StorageSection,
        tally: StorageTally,
        verdict: Verdict,
    ) -> None:
        self.tally, self.verdict = tally, verdict
        self._record, self._clock = record, clock
        self._guard = Guard(clock, timeout_s(parameters), tally, verdict=verdict)
        self._has_buffers = settings.buffers and type_.is_buffered

    def around(self, helper: StorageHelper) -> Any:
        """Return a ``StorageHelper`` that does what ``helper`` does as the storage is to be used.

        From inside: the root of an imported storage is that of its space; a readonly one refuses changes;
        operations have a time limit and are tried again; small ones are joined; all is counted.
        """
        outer: Any = helper
        if self._record.is_imported:
            outer = wrapped(SpaceRootHelper, outer)
        if self._record.is_readonly:
            outer = wrapped(ReadonlyHelper, outer)
        outer = wrapped(GuardedHelper, outer, self._guard)
        if self._has_buffers:
            outer = wrapped(BufferedHelper, outer, self._clock)
        return wrapped(MeasuredHelper, outer, self.tally)

    def close(self) -> None:
        """Stop its timer."""
        self._guard.close()
