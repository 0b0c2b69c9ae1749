"""Writing data objects by plain HTTP."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import evolve, frozen

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from onedata.errors import BadData, Errno, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, Existing, FileStat, Json, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import CREATED, NO_CONTENT, Answer, AnyAnswer
from op_worker.http.cdmi.bodies.members import Encoding
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.objects.storing import Section, Storing
from op_worker.http.cdmi.representations import metadata
from op_worker.http.cdmi.requests.request import CdmiRequest, parse_content_range, write_condition


@frozen(eq=False)
class PlainWrites:
    """PUT of bytes: whole values and ranges."""

    _files: FileService
    _locator: Locator
    _storing: Storing
    _spools: Spools

    async def write(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a PUT; ``length_b`` is the body's announced length."""
        if request.content_range is None:
            return await self.write_whole(caller, request, target, body, length_b)
        span = parse_content_range(request.content_range, length_b)
        stat = await self._locator.present(caller, request.address, target)
        if length_b is not None:
            return await self._write_range(caller, request, target, stat, Section(span, body))
        await self._files.require_writable(caller, target)
        async with self._spools.new() as spool:
            if not await spool.fill(body, span.length) or spool.size_b != span.length:
                raise BadData("content-range", "the body has another length than the range")
            return await self._write_range(caller, request, target, stat, Section(span, spool.stream()))

    async def write_whole(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ByteStream, length_b: int | None
    ) -> Answer:
        """Write a whole value, of an object that is there or that is made."""
        change = _plain_change(request, {})
        existing = Existing.REFUSE if request.method == "POST" else Existing.UPDATE
        create = CreateOptions(existing=existing) if target.names else None
        try:
            stat, created = await self._files.replace_content(
                caller,
                target,
                body,
                expected_b=length_b,
                create=create,
                metadata=change,
                digests=request.digests.for_whole(),
                condition=write_condition(request),
            )
        except Posix as error:
            if error.errno in (Errno.EISDIR, Errno.EEXIST, Errno.ENOENT):
                await self._locator.present(caller, request.address, target)
            raise
        if created:
            return evolve(CREATED, written=stat)
        if stat.has_metadata:  # what an earlier writer set may differ from the defaults
            xattrs = (await self._locator.readable(caller, stat)).xattrs
            await self._storing.change(caller, stat, _plain_change(request, xattrs))
        return evolve(NO_CONTENT, written=stat)

    async def _write_range(
        self, caller: Caller, request: CdmiRequest, target: Target, stat: FileStat | None, section: Section
    ) -> AnyAnswer:
        digests, condition = request.digests.for_part(), write_condition(request)
        if stat is None:
            change = _plain_change(request, {})
            await self._storing.create_with_gaps(caller, target, [section], change, digests, condition)
            return CREATED
        stat = await self._storing.write_sections(caller, stat, [section], digests, condition)
        xattrs = (await self._locator.readable(caller, stat)).xattrs
        change = metadata.written(is_partial=request.is_partial, xattrs=xattrs)
        if request.content_type is not None and request.content_type.says_utf8:
            change = metadata.with_properties(change, encoding=Encoding.UTF8)
        await self._storing.change(caller, stat, change)
        return evolve(NO_CONTENT, written=stat)


def _plain_change(request: CdmiRequest, xattrs: Mapping[str, Json]) -> MetadataChange:
    """Return what a plain write does to the properties of an object with these attributes."""
    return metadata.merged(
        metadata.retyped(request.content_type, xattrs),
        metadata.written(is_partial=request.is_partial, xattrs=xattrs),
    )
