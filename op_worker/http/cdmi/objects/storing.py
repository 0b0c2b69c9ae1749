"""What all writes of data objects have in common: ranges of new objects, changes that follow a write."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.files.stored.digests import Digest
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.queries import Span


@frozen
class Section:
    """Bytes for a range of a value; ``stream`` has exactly as many."""

    span: Span
    stream: ByteStream


@frozen(eq=False)
class Storing:
    """Writes what is known and whole."""

    _files: FileService

    async def create_with_gaps(
        self,
        caller: Caller,
        target: Target,
        sections: Sequence[Section],
        change: MetadataChange,
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
    ) -> FileStat:
        """Make an object of which only ranges are given; nothing is left of it when that fails."""
        condition.require(None)
        options, change = metadata.at_creation(change)
        stat = await self._files.create_file(caller, target, options)
        made = Target(stat.guid)
        try:
            stat = await self.write_sections(caller, stat, sections, digests)
            await self.change(caller, stat, change)
        except Exception:  # whatever it was: what this request made goes again
            await self._files.discard(caller, made)
            raise
        return stat

    async def write_sections(
        self,
        caller: Caller,
        stat: FileStat,
        sections: Sequence[Section],
        digests: Sequence[Digest] = (),
        condition: ContentCondition = NO_CONDITION,
    ) -> FileStat:
        """Write ranges of an object in place and return it as it is then.

        Args:
            condition: on the object before the first range is written.
        """
        for section in sections:
            stat = await self._files.write_content(
                caller,
                Target(stat.guid),
                section.span.first,
                section.stream,
                expected_b=section.span.length,
                digests=digests,
                condition=condition,
            )
            condition = NO_CONDITION
        return stat

    async def change(
        self,
        caller: Caller,
        stat: FileStat,
        change: MetadataChange,
        condition: ContentCondition = NO_CONDITION,
    ) -> None:
        """Change metadata and properties, when there is anything to change."""
        if not change.is_empty:
            await self._files.metadata.change(caller, Target(stat.guid), change, condition)
