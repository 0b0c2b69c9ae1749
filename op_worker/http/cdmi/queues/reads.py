"""Reading queues: their members, then the oldest values as JSON or as parts."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence

from onedata.errors import BadData, Errno, MissingRequiredValue, Posix
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Json, Target
from op_worker.files.queues.values import Oldest, QueueView
from op_worker.files.service import FileService
from op_worker.http.cdmi.answers import NOT_ACCEPTABLE, AnyAnswer, ValueAnswer, not_modified, representation
from op_worker.http.cdmi.locating import Locator
from op_worker.http.cdmi.queues.service_metadata import ServiceMetadata
from op_worker.http.cdmi.queues.shown_values import OpenValues, in_json, in_parts, open_values
from op_worker.http.cdmi.representations.metadata import mimetype_of
from op_worker.http.cdmi.representations.permitted import Readable, permitted
from op_worker.http.cdmi.representations.representation import queue_members, range_text, render
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.queries import Query
from op_worker.http.cdmi.requests.request import CdmiRequest, Form, queue_read_form

_OF_VALUES = ("mimetype", "valuetransferencoding", "valuerange", "value")
_READ = frozenset({*_OF_VALUES, "queueValues", "values"})


class QueueReads:
    """GET and HEAD of queues."""

    def __init__(self, files: FileService, locator: Locator, filled: ServiceMetadata) -> None:
        self._files, self._locator, self._filled = files, locator, filled

    async def read(self, caller: Caller, request: CdmiRequest, stat: FileStat) -> AnyAnswer:
        """Answer a GET.

        Raises:
            MissingRequiredValue: a request without a version (key ``version``).
            BadData: a range of values, or ranges of the oldest value (keys ``values``, ``range``).
            BadValueTooHigh: more values than one request may read (key ``values``).
        """
        if request.version is None:
            raise MissingRequiredValue("version")
        form = queue_read_form(request)
        if form is None:
            return NOT_ACCEPTABLE
        known = not_modified(request, stat)
        if known is not None:
            return known
        query = request.query
        readable = await self._locator.wanted(caller, stat, query, ("metadata",))
        oldest = await self._oldest(caller, stat, query)
        if oldest is None:
            members = queue_members(stat, readable.xattrs, None, query)
            members.pop("queueValues", None)
            members = await self._filled.shown(stat, members, query)
            hidden = tuple(name for name in _READ if query.wants(name))
            return representation(Kind.QUEUE, render(permitted(members, readable, hidden)), 200, stat)
        return await self._shown(oldest, readable, query, form)

    async def created(self, caller: Caller, stat: FileStat) -> bytes:
        """Return the representation of a queue that was just made, without its values."""
        readable = await self._locator.readable(caller, stat)
        try:
            view = await self._files.queues.view(caller, Target(stat.guid))
        except Posix as error:
            if error.errno is not Errno.EACCES:
                raise
            return render(permitted(queue_members(stat, readable.xattrs, None, Query()), readable))
        members = queue_members(view.stat, readable.xattrs, view.numbers, Query())
        members = await self._filled.shown(view.stat, members, Query())
        return render(permitted(members, readable))

    async def _oldest(self, caller: Caller, stat: FileStat, query: Query) -> Oldest | None:
        """Return what is to be shown of the values; ``None`` when the caller may not read them."""
        wants_values = query.values is not None or any(map(query.wants, _OF_VALUES))
        if not wants_values and not query.wants("queueValues"):
            return Oldest(QueueView(stat, None, None), ())
        try:
            if not wants_values:
                return Oldest(await self._files.queues.view(caller, Target(stat.guid)), ())
            return await self._files.queues.oldest(caller, Target(stat.guid), _count(query))
        except Posix as error:
            if error.errno is not Errno.EACCES or (query.fields is not None and query.fields <= _READ):
                raise
            return None

    async def _shown(self, oldest: Oldest, readable: Readable, query: Query, form: Form) -> AnyAnswer:
        stat = oldest.view.stat
        members = queue_members(stat, readable.xattrs, oldest.view.numbers, query)
        members = await self._filled.shown(stat, members, query)
        values = await open_values(stat, oldest.values, query.value)
        try:
            members.update(_arrays(values, query))
            members = permitted(members, readable, has_more=bool(values.shown))
            answer = _with_values(members, values, query, form)
        except BaseException:
            await values.close()
            raise
        if not isinstance(answer, ValueAnswer):
            await values.close()
        return answer


def _with_values(members: Mapping[str, Json], values: OpenValues, query: Query, form: Form) -> AnyAnswer:
    if form is Form.MULTIPART:
        return in_parts(members, values, os.urandom(16).hex())
    if values.shown and _wants(query, "value"):
        return in_json(members, values)
    return representation(Kind.QUEUE, render(members), 200, values.stat)


def _arrays(values: OpenValues, query: Query) -> dict[str, Json]:
    """Return the members with something of each value, which are not there without values."""
    shown = values.shown
    arrays: dict[str, Sequence[str]] = {
        "mimetype": [mimetype_of(one.value.xattrs) for one in shown],
        "valuetransferencoding": [one.encoding.value for one in shown],
        "valuerange": [range_text(one.first_b, one.size_b) for one in shown],
    }
    return {name: list(array) for name, array in arrays.items() if shown and _wants(query, name)}


def _wants(query: Query, name: str) -> bool:
    """Whether a member of values is asked for; who asks for ``values:COUNT`` asks for all of them."""
    return query.wants(name) or query.values is not None


def _count(query: Query) -> int:
    if query.values is None:
        return 1
    if not isinstance(query.values, int):
        raise BadData("values", "a number of values is read, not a range")
    if query.value_ranges:
        raise BadData("values", "a range is read of the oldest value only")
    return query.values
