"""Finds what lies below ``cdmi_domains`` for a caller."""

from __future__ import annotations

from collections.abc import Sequence

from attrs import frozen

from onedata.errors import NotFound
from op_worker.auth.caller import Caller
from op_worker.domains.service import Domains
from op_worker.domains.summaries import Period, Point
from op_worker.http.cdmi.domains.nodes import MEMBERS, SUMMARY, Node, member_value, summary_value
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.zone.records import SpaceInfo

ENABLED = "cdmi_domain_enabled"
SPACE_NAME = "onedata_space_name"
_CUMULATIVE = "cumulative"
_PERIODS = {"daily": Period.DAILY, "monthly": Period.MONTHLY, "yearly": Period.YEARLY}


@frozen(eq=False)
class DomainTree:
    """The nodes of the tree, made when they are asked for."""

    _domains: Domains

    async def node(self, caller: Caller, names: tuple[str, ...]) -> Node:
        """Return what is at a path below ``cdmi_domains``.

        Raises:
            NotFound: nothing is there, or it is of no space of the caller.
            Forbidden: members of a space, for who may not view it.
        """
        if not names:
            spaces = await self._domains.all(caller)
            children = [f"{space.space_id}/" for space in spaces]
            return Node(names=(), kind=Kind.DOMAIN, metadata={ENABLED: "true"}, children=children)
        space = await self._domains.find(caller, names[0])
        match names[1:]:
            case ():
                return self._domain(caller, space)
            case (part, *below) if part == MEMBERS:
                return await self._member(caller, space, tuple(below))
            case (part, *below) if part == SUMMARY:
                return await self._summary(caller, space, tuple(below))
        raise NotFound()

    def _domain(self, caller: Caller, space: SpaceInfo) -> Node:
        parts = [MEMBERS] if self._domains.may_see_members(caller, space) else []
        metadata = {ENABLED: "true", SPACE_NAME: space.name}
        children = [f"{part}/" for part in (*parts, SUMMARY)]
        return Node(names=(space.space_id,), kind=Kind.DOMAIN, metadata=metadata, children=children)

    async def _member(self, caller: Caller, space: SpaceInfo, below: tuple[str, ...]) -> Node:
        names = (space.space_id, MEMBERS, *below)
        if not below:
            return Node(names=names, kind=Kind.CONTAINER, children=self._domains.principals(caller, space))
        if len(below) > 1:
            raise NotFound()
        member = await self._domains.member(caller, space, below[0])
        return Node(names=names, kind=Kind.OBJECT, value=member_value(member))

    async def _summary(self, caller: Caller, space: SpaceInfo, below: tuple[str, ...]) -> Node:
        names = (space.space_id, SUMMARY, *below)
        course = await self._domains.course(caller, space)
        if not below:
            children = [] if course is None else [_CUMULATIVE, *(f"{each}/" for each in _PERIODS)]
            return Node(names=names, kind=Kind.CONTAINER, children=children)
        if course is None:
            raise NotFound()
        if below == (_CUMULATIVE,):
            value = summary_value(names[:1], self._domains.cumulative(course))
            return Node(names=names, kind=Kind.OBJECT, value=value)
        return self._of_period(names, course, below)

    def _of_period(self, names: tuple[str, ...], course: Sequence[Point], below: tuple[str, ...]) -> Node:
        period = _PERIODS.get(below[0])
        if period is None or len(below) > 2:
            raise NotFound()
        if len(below) == 1:
            return Node(names=names, kind=Kind.CONTAINER, children=self._domains.periods(course, period))
        summary = self._domains.summary(course, period, below[1])
        return Node(names=names, kind=Kind.OBJECT, value=summary_value(names[:1], summary))
