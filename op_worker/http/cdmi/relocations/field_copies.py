"""Copies of some fields: ``copy`` with a query in the URI of the source or of the destination."""

from __future__ import annotations

from attrs import frozen

from cluster_worker.runtime.streams import BytesStream, ByteStream
from onedata.errors import NotSupported
from op_worker.auth.caller import Caller
from op_worker.files.metadata.custom import following
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.files.stored.conditions import NO_CONDITION, ContentCondition
from op_worker.http.cdmi.locating import Locator, Source
from op_worker.http.cdmi.representations.copied_fields import copied_fields, with_defaults
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.content import Segment, SegmentStream

_NEW = CreateOptions()


@frozen(eq=False)
class _Part:
    """Bytes of a value, which began at ``first``."""

    stream: ByteStream
    first: int
    size_b: int


@frozen(eq=False)
class FieldCopies:
    """Copies values, metadata, mimetypes and encodings, each only where asked for."""

    _files: FileService
    _locator: Locator

    async def copy(
        self,
        caller: Caller,
        source: Source,
        target: Target,
        present: FileStat | None,
        change: MetadataChange,
        query: Query,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        """Copy the fields that the source's query or ``query``, the destination's, names.

        A range of the value in the source's URI becomes the whole value; one in the destination's is read
        from there and written there.

        Args:
            present: what is at the target; new objects get defaults for other fields.
            change: of the result, after what is copied.

        Returns: what is at the target now, and whether it was there before.
        """
        is_of_source = source.query.fields is not None
        asked = source.query if is_of_source else query
        xattrs = await self._locator.xattrs(caller, source.stat) if _needs_xattrs(asked) else {}
        copied = copied_fields(xattrs, asked, is_of_source=is_of_source)
        change = following(copied, change)
        if source.stat.is_directory:
            return await self._container(caller, target, present, change, asked, condition)
        if "value" not in (asked.fields or ()):
            return await self._without_value(caller, target, present, change, condition)
        reader = await self._files.open_content(caller, Target(source.stat.guid))
        try:
            size_b, span = reader.stat.size_b, asked.value
            first = 0 if span is None else min(span.first, size_b)
            count_b = size_b if span is None else min(span.last + 1, size_b) - first
            body = _Part(SegmentStream(reader, [Segment(b"", first, count_b)]), first, count_b)
            if span is None or is_of_source:
                return await self._whole(caller, target, present, change, body, condition)
            return await self._in_place(caller, target, present, change, body, condition)
        finally:
            await reader.close()

    async def _container(
        self,
        caller: Caller,
        target: Target,
        present: FileStat | None,
        change: MetadataChange,
        asked: Query,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        if asked.wants("children"):
            raise NotSupported
        stat = present or await self._files.create_directory(caller, target, _NEW)
        if not change.is_empty:
            await self._files.metadata.change(caller, Target(stat.guid), change, condition)
        return stat, present is not None

    async def _without_value(
        self,
        caller: Caller,
        target: Target,
        present: FileStat | None,
        change: MetadataChange,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        if present is None:
            nothing = _Part(BytesStream(b""), 0, 0)
            return await self._whole(caller, target, None, change, nothing, condition)
        await self._files.metadata.change(caller, Target(present.guid), change, condition)
        return present, True

    async def _whole(
        self,
        caller: Caller,
        target: Target,
        present: FileStat | None,
        change: MetadataChange,
        body: _Part,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        stat, created = await self._files.replace_content(
            caller,
            target if present is None else Target(present.guid),
            body.stream,
            expected_b=body.size_b,
            create=_NEW if present is None else None,
            metadata=change if present is not None else with_defaults(change),
            condition=condition,
        )
        return stat, not created

    async def _in_place(
        self,
        caller: Caller,
        target: Target,
        present: FileStat | None,
        change: MetadataChange,
        body: _Part,
        condition: ContentCondition,
    ) -> tuple[FileStat, bool]:
        """Write a part of the source's value where it was; nothing is left of a new object if that fails."""
        if present is None:
            condition.require(None)
            stat, condition = await self._files.create_file(caller, target, _NEW), NO_CONDITION
            change = with_defaults(change)
        else:
            stat = present
        made = Target(stat.guid)
        try:
            stat = await self._files.write_content(
                caller, made, body.first, body.stream, expected_b=body.size_b, condition=condition
            )
            if not change.is_empty:
                await self._files.metadata.change(caller, made, change)
        except Exception:  # whatever it was: what this request made goes again
            if present is None:
                await self._files.discard(caller, made)
            raise
        return stat, present is not None


def _needs_xattrs(asked: Query) -> bool:
    return any(map(asked.wants, ("metadata", "mimetype", "valuetransferencoding")))
