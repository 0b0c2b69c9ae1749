"""Queues and their values as doors see them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream
from op_worker.files.content.staging import Staged
from op_worker.files.model import ContentReader, FileStat, Json

MAX_VALUES = 1000
"""The most values that one request adds, takes, or reads."""
DEFAULT_MIMETYPE = "text/plain"
DEFAULT_ENCODING = "utf-8"


@frozen
class ValueType:
    """What a value is enqueued with, given back with it: its mimetype and how it travels in JSON."""

    mimetype: str = DEFAULT_MIMETYPE
    encoding: str = DEFAULT_ENCODING


@frozen(eq=False)
class NewValue:
    """A value to be enqueued; ``expected_b`` is its announced length, ``None`` when unknown."""

    body: ByteStream
    expected_b: int | None = None
    type: ValueType = ValueType()


@frozen
class StagedValue:
    """A value whose bytes came; with ``is_apart`` they will lie apart from its name."""

    staged: Staged
    xattrs: Mapping[str, Json]
    is_apart: bool = False


@frozen
class QueueView:
    """A queue as it is: ``lowest`` and ``highest`` are numbers of values, ``None`` when it is empty."""

    stat: FileStat
    lowest: int | None
    highest: int | None

    @property
    def numbers(self) -> tuple[int, int] | None:
        """The lowest and the highest number, ``None`` when it is empty."""
        if self.lowest is None or self.highest is None:
            return None
        return self.lowest, self.highest


@frozen(eq=False)
class QueuedValue:
    """A value in a queue. ``xattrs`` are its extended attributes, ``cdmi_mimetype`` among them."""

    number: int
    stat: FileStat
    xattrs: Mapping[str, Json]
    _open: Callable[[], Awaitable[ContentReader]]

    async def open(self) -> ContentReader:
        """Open the value; the queue's permissions were asked already. Close the reader.

        Raises: Posix(ENOENT) when it was taken meanwhile; as ``FileService.open_content``.
        """
        return await self._open()


@frozen(eq=False)
class Oldest:
    """A queue with the oldest of its values, the oldest first."""

    view: QueueView
    values: Sequence[QueuedValue]
