"""Writing data objects by multi-part MIME: members in the first part, the value raw in the others."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import evolve, frozen

from cluster_worker.runtime.spool import Spools
from cluster_worker.runtime.streams import ByteStream
from op_worker.auth.caller import Caller
from op_worker.files.model import CreateOptions, FileStat, MetadataChange, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.bodies.members import ObjectBody
from op_worker.http.cdmi.bodies.value_parts import ValueParts
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.objects import changes
from op_worker.http.cdmi.objects.storing import Section, Storing
from op_worker.http.cdmi.representations.metadata import DEFAULT_MIMETYPE
from op_worker.http.cdmi.requests.queries import Span
from op_worker.http.cdmi.requests.request import CdmiRequest, write_condition


@frozen(eq=False)
class PartWrites:
    """Writes whole values as they come, and ranges when all of them are here."""

    _files: FileService
    _locator: Locator
    _storing: Storing
    _spools: Spools

    async def create(
        self, caller: Caller, request: CdmiRequest, target: Target, body: ObjectBody, values: ValueParts
    ) -> FileStat:
        """Make an object.

        Raises:
            as ``ValueParts``; as ``FileService.replace_content`` and ``write_content``.
        """

        async def change() -> MetadataChange:
            told = _completed(body, values)
            return changes.of_new(request, told, changes.encoding_for(told, {}))

        condition = write_condition(request, of_state=True)
        if not values.are_ranges:
            stat, _ = await self._files.replace_content(
                caller,
                target,
                values,
                expected_b=None,
                create=CreateOptions(),
                metadata=change,
                condition=condition,
            )
            return stat
        await self._files.require_writable(caller, target)
        async with self._spools.new() as spool:
            sections = _sections(await values.receive(spool), spool.stream())
            return await self._storing.create_with_gaps(
                caller, target, sections, await change(), condition=condition
            )

    async def update(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ObjectBody, values: ValueParts
    ) -> None:
        """Replace the value of an object, or ranges of it; raises as ``create``."""
        xattrs = (await self._locator.readable(caller, stat)).xattrs
        condition = write_condition(request, of_state=True)

        async def change() -> MetadataChange:
            return changes.of_present(request, _completed(body, values), xattrs)

        if not values.are_ranges:
            await self._files.replace_content(
                caller, Target(stat.guid), values, expected_b=None, metadata=change, condition=condition
            )
            return
        await self._files.require_writable(caller, Target(stat.guid))
        async with self._spools.new() as spool:
            sections = _sections(await values.receive(spool), spool.stream())
            late = changes.of_present(
                request, evolve(body, encoding=body.encoding or values.encoding), xattrs
            )
            stat = await self._storing.write_sections(caller, stat, sections, condition=condition)
        await self._storing.change(caller, stat, late)


def _completed(body: ObjectBody, values: ValueParts) -> ObjectBody:
    """Return a body with what the value parts tell where it says nothing."""
    mimetype = body.mimetype or values.mimetype or DEFAULT_MIMETYPE
    return evolve(body, mimetype=mimetype, encoding=body.encoding or values.encoding)


def _sections(spans: Sequence[Span], stream: ByteStream) -> list[Section]:
    joined = _Joined(stream)
    return [Section(span, _Share(joined, span.length)) for span in spans]


class _Joined:
    """Bytes that lie one after the other, taken in shares."""

    def __init__(self, stream: ByteStream) -> None:
        self._stream, self._rest = stream, b""

    async def take(self, most_b: int) -> bytes:
        data = self._rest or await self._stream.read()
        self._rest = data[most_b:]
        return data[:most_b]


class _Share:
    """A ``ByteStream`` of the next ``size_b`` bytes."""

    def __init__(self, joined: _Joined, size_b: int) -> None:
        self._joined, self._left_b = joined, size_b

    async def read(self) -> bytes:
        """Return the next bytes. Raises Posix(EIO)."""
        if not self._left_b:
            return b""
        data = await self._joined.take(self._left_b)
        self._left_b -= len(data)
        return data
