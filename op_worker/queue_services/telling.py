"""Which queues are told of what happened to objects, and in which words."""

from __future__ import annotations

import json
from collections.abc import Sequence

from attrs import define, field, frozen

from cluster_worker.persistence.engine import Key
from cluster_worker.runtime.clock import WallClock
from onedata.errors import Forbidden, NotFound
from onedata.ids import SpaceId, UserId
from op_worker.auth.caller import Caller
from op_worker.files.finding.visit import Visit
from op_worker.files.model import Json
from op_worker.files.service import FileService
from op_worker.files.stored.documents import PARENT
from op_worker.files.stored.nodes import Chain, Node
from op_worker.queue_services.definitions import Definition
from op_worker.queue_services.events import RESULTS, USUAL_RESULT, Event, Sight
from op_worker.queue_services.gathering import Gathering, Representation
from op_worker.queue_services.records import Entry
from op_worker.queue_services.scope import Candidate, matches

_EVENT_FIELDS = ("cdmi_event", "cdmi_event_result", "cdmi_event_time", "cdmi_event_user")
_MADE = frozenset({Event.CREATE_PROCESSING, Event.CREATE_COMPLETE, Event.REFERENCE, Event.SNAPSHOT})


@frozen(eq=False)
class Happening:
    """What happened to one object, by one change of the feed.

    Attributes:
        chain: where it is now; ``None`` when it is not there any more.
    """

    seq: int
    events: Sequence[Event]
    before: Sight | None
    now: Sight | None
    chain: Chain | None


@frozen(eq=False)
class Telling:
    """Makes news for queues, with the rights that their creators have at this moment."""

    _files: FileService
    _representation: Representation
    _wall_clock: WallClock

    async def news(
        self, space_id: SpaceId, entry: Entry, happenings: Sequence[Happening]
    ) -> dict[int, list[bytes]]:
        """Return the values for one queue by the numbers of their changes; none to who left the space."""
        happenings = [one for one in happenings if one.seq > entry.after]
        wanted = [one for one in happenings if entry.definition.events.intersection(one.events)]
        visit = await self._visit(space_id, entry) if wanted else None
        if visit is None:
            return {}
        gathering = Gathering(self._files, self._representation, visit, entry.definition)
        witness = _Witness(self._files, gathering)
        seen = [(one, await witness.candidates(one)) for one in wanted]
        judged = await self._files.context.blocking.run(_judge, entry.definition, [some for _, some in seen])
        return {
            one.seq: [
                self._value(entry.definition, one, event, some[0])
                for event in one.events
                if event in entry.definition.events
            ]
            for (one, some), fits in zip(seen, judged, strict=True)
            if fits
        }

    async def _visit(self, space_id: SpaceId, entry: Entry) -> Visit | None:
        try:
            return await self._files.context.access.enter(Caller(UserId(entry.creator)), space_id)
        except (Forbidden, NotFound):
            return None

    def _value(
        self, definition: Definition, happening: Happening, event: Event, candidate: Candidate
    ) -> bytes:
        now = happening.now
        facts: dict[str, Json] = {
            "cdmi_event": event.value,
            "cdmi_event_result": RESULTS.get(event, USUAL_RESULT),
            "cdmi_event_time": self._representation.time(
                self._wall_clock() if now is None else now.node.times.ctime_ms / 1000
            ),
        }
        if event in _MADE and now is not None:
            facts["cdmi_event_user"] = now.node.meta.owner
        names = definition.results.names or {}
        asked = [name for name in _EVENT_FIELDS if name in names]
        shown = {name: value for name, value in facts.items() if not asked or name in (*asked, "cdmi_event")}
        result = {**shown, **definition.results.of(candidate.members)}
        return json.dumps(result, separators=(",", ":")).encode("ascii")


def _judge(definition: Definition, several: Sequence[Sequence[Candidate]]) -> list[bool]:
    """Return of each object whether it is, or was, in the scope. Takes time."""
    return [any(matches(definition.scope, one) for one in some) for some in several]


@define(eq=False)
class _Witness:
    """Sees objects for one user: as they are now, and as they were."""

    _files: FileService
    _gathering: Gathering
    _above: dict[tuple[str, ...], Chain] = field(factory=dict)

    async def candidates(self, happening: Happening) -> list[Candidate]:
        """Return how the user sees an object: now first, then as it was where that counts as well."""
        found: list[Candidate] = []
        chain, before = happening.chain, happening.before
        if chain is not None:
            if not await self._gathering.is_shown(chain):
                return []
            found += await self._gathering.found([chain])
        if before is not None and (chain is None or Event.RENAME in happening.events):
            found += await self._remembered(before)
        return found

    async def _remembered(self, before: Sight) -> list[Candidate]:
        """Return an object as it was; nothing when the user could not see it by what is there of its path."""
        if not before.names:
            return []
        above = await self._directory(before.names[:-1])
        space_id = self._gathering.visit.space_id
        if not await self._gathering.is_shown(above.child(before.node)):
            return []
        gone = [Node(Key(""), name, {}) for name in before.names[len(above.nodes) - 1 : -1]]
        if gone:
            gone[-1] = Node(_parent_key(before.node), gone[-1].name, {})
        chain = Chain(space_id, (*above.nodes, *gone, before.node))
        return [await self._gathering.remembered(chain, before.node.documents)]

    async def _directory(self, names: tuple[str, ...]) -> Chain:
        """Return what there still is along a path."""
        if names not in self._above:
            raw = tuple(name.encode() for name in names)
            found = await self._files.context.lookup.walk(self._gathering.visit.space_id, raw)
            self._above[names] = _directories(found.chain)
        return self._above[names]


def _directories(chain: Chain) -> Chain:
    """Return a chain up to before its first node that is no directory."""
    count = next((at for at, node in enumerate(chain.nodes) if not node.is_directory), len(chain.nodes))
    return Chain(chain.space_id, chain.nodes[:count])


def _parent_key(node: Node) -> Key:
    found = node.documents.get(PARENT)
    return Key("" if found is None else found.data.decode())
