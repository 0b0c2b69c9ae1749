"""The metadata items by which the provider fills a queue: how they begin, end and stay as they are."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from attrs import frozen

from onedata.errors import BadData, Forbidden
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Json, Target
from op_worker.files.service import FileService
from op_worker.http.cdmi.representations.data_system_items import HOLD, PERIOD
from op_worker.http.cdmi.requests.queries import Query
from op_worker.queue_services.definitions import ITEMS, TYPE, Definition, parse_definition
from op_worker.queue_services.records import Entry
from op_worker.queue_services.service import QueueServices


@frozen
class Change:
    """What an update does to a queue: nothing, an end, or a beginning."""

    begins: Definition | None = None
    ends: bool = False


@frozen(eq=False)
class ServiceMetadata:
    """Queues that are filled, as requests speak of them."""

    _files: FileService
    _services: QueueServices

    def asked(self, sent: Mapping[str, Json] | None, *, is_empty: bool) -> Definition | None:
        """Return what is to fill a new queue; ``None`` for a plain one.

        Args:
            is_empty: the new queue is made from nothing.

        Raises:
            BadData: a queue that is copied or moved, or that is kept from its first moment, is to be filled
                (key ``cdmi_queue_type``).
            OnedataError: see ``parse_definition``.
        """
        if sent is None or TYPE not in sent:
            return None
        if not is_empty:
            raise BadData(TYPE, "what is filled begins empty")
        if HOLD in sent or PERIOD in sent:
            raise BadData(TYPE, "a queue that is kept from its first moment is not filled")
        return parse_definition(sent)

    async def begin(self, caller: Caller, stat: FileStat, definition: Definition | None) -> None:
        """Begin to fill a queue that was just made; it goes again when that cannot be."""
        if definition is None:
            return
        try:
            await self._services.begin(caller, stat.guid, definition)
        except Exception:  # whatever it was: what this request made goes again
            await self._files.discard(caller, Target(stat.guid))
            raise

    async def shown(self, stat: FileStat, members: Mapping[str, Json], query: Query) -> dict[str, Json]:
        """Return the members of a queue with what fills it among its metadata, if those are shown."""
        metadata = members.get("metadata")
        if not isinstance(metadata, Mapping):
            return dict(members)
        items = await self._services.items(stat.guid)
        chosen = {
            name: value
            for name, value in items.items()
            if not query.metadata or name.startswith(query.metadata)
        }
        return {**members, "metadata": {**metadata, **chosen}}

    async def change(self, stat: FileStat, sent: Mapping[str, Json] | None, names: Collection[str]) -> Change:
        """Return what an update does to a queue, which is not done yet.

        Raises: Forbidden for another value of an item that is frozen; as ``asked``.
        """
        items = {name: value for name, value in (sent or {}).items() if name in ITEMS}
        if names:
            items = {name: value for name, value in items.items() if name in names}
        removed = {name for name in names if name in ITEMS and name not in items}
        if not items and not removed:
            return Change()
        entry = await self._services.entry(stat.guid)
        if entry is None:
            return Change(parse_definition(items) if TYPE in items else None)
        _require_frozen(entry, items, removed)
        if TYPE in items and not entry.is_on:
            return Change(entry.definition)
        return Change(ends=TYPE in removed and entry.is_on)

    async def carry_out(self, caller: Caller, stat: FileStat, change: Change) -> None:
        """Do what an update does to a queue."""
        if change.begins is not None:
            await self._services.begin(caller, stat.guid, change.begins)
        if change.ends:
            await self._services.end(caller, stat.guid)


def _require_frozen(entry: Entry, items: Mapping[str, Json], removed: Collection[str]) -> None:
    """Raise Forbidden for a change of what stays as it was when the queue was made."""
    fixed = {TYPE: entry.definition.type.value, **entry.definition.given}
    for name in (*items, *removed):
        if name in removed and name != TYPE and name in fixed:
            raise Forbidden(f"{name} stays as it is")
        if name in items and items[name] != fixed.get(name):
            raise Forbidden(f"{name} stays as it is")
