"""The domains of a caller: his spaces, their members and summaries of their use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    DirStatsDisabledForSpace,
    DirStatsNotReady,
    Errno,
    Forbidden,
    NotFound,
    OnedataError,
    Posix,
    SpaceNotSupportedBy,
)
from onedata.ids import GroupId, SpaceId, UserId, space_root_guid
from op_worker.auth.caller import Caller
from op_worker.domains.members import Member, group_member, principals_of, user_member
from op_worker.domains.summaries import Period, Point, Summary, course_of, names_of, span_of, summary_of
from op_worker.files.model import Target
from op_worker.files.service import FileService
from op_worker.statistics.service import Statistics
from op_worker.zone.directory import Zone
from op_worker.zone.records import SpaceInfo

VIEW = "space_view"
VIEW_PRIVILEGES = "space_view_privileges"
MOST_PERIODS = 1000
"""The most periods of a kind that are listed; older ones can still be read."""


@frozen(eq=False)
class Domains:
    """Answers questions about domains. Raises what ``FileService`` raises besides what is said."""

    _files: FileService
    _zone: Zone
    _statistics: Statistics
    _wall_clock: WallClock

    async def all(self, caller: Caller) -> Sequence[SpaceInfo]:
        """Return the spaces of a caller in order of their ids."""
        return sorted(await self._files.spaces(caller), key=lambda space: space.space_id)

    async def find(self, caller: Caller, name: str) -> SpaceInfo:
        """Return a space of the caller by its id, its name, or ``Name@Id``. Raises: NotFound."""
        spaces = {space.space_id: space for space in await self.all(caller)}
        found = spaces.get(SpaceId(name))
        if found is None:
            try:
                found = spaces.get((await self._files.find_space(caller, name)).space_id)
            except Posix as error:
                if error.errno is not Errno.ENOENT:
                    raise
        if found is None:
            raise NotFound()
        return found

    # -- members ----------------------------------------------------------------------------------

    def may_see_members(self, caller: Caller, space: SpaceInfo) -> bool:
        """Whether a caller may know who belongs to a space."""
        return _holds(caller, space, VIEW)

    def principals(self, caller: Caller, space: SpaceInfo) -> list[str]:
        """Return the ids of the members of a space. Raises: Forbidden without ``space_view``."""
        if not self.may_see_members(caller, space):
            raise Forbidden(f"privilege {VIEW} is missing")
        return principals_of(space)

    async def member(self, caller: Caller, space: SpaceInfo, principal: str) -> Member:
        """Return a member of a space by its id. Raises: NotFound; Forbidden without ``space_view``."""
        if principal not in self.principals(caller, space):
            raise NotFound()
        if principal in space.groups:
            return group_member(space, GroupId(principal))
        user_id = UserId(principal)
        try:
            user = await self._zone.user(user_id)
        except OnedataError:  # a user who never came here, or the zone is away
            user = None
        shows = user_id == caller.user_id or _holds(caller, space, VIEW_PRIVILEGES)
        return user_member(space, user_id, user, shows_privileges=shows)

    # -- summaries --------------------------------------------------------------------------------

    async def course(self, caller: Caller, space: SpaceInfo) -> Sequence[Point] | None:
        """Return the known course of a space's totals; ``None`` when no statistics are kept here.

        A space in which nothing ever was has one point, now.
        """
        try:
            root = Target(space_root_guid(space.space_id))
            windows = await self._statistics.windows(caller, root)
        except (DirStatsDisabledForSpace, DirStatsNotReady, SpaceNotSupportedBy):
            return None
        return course_of(windows) or [Point(int(self._wall_clock()), 0, 0)]

    def cumulative(self, course: Sequence[Point]) -> Summary:
        """Return the summary of all that is known of a space."""
        found = summary_of(course, course[0].at_s, self._end_s(course))
        assert found is not None
        return found

    def periods(self, course: Sequence[Point], period: Period) -> list[str]:
        """Return the names of the periods of which something is known, up to the present one."""
        return names_of(period, course[0].at_s, self._end_s(course), MOST_PERIODS)

    def summary(self, course: Sequence[Point], period: Period, name: str) -> Summary:
        """Return the summary of a period. Raises: NotFound for one of which nothing is known."""
        span = span_of(period, name)
        end_s = self._end_s(course)
        found = None
        if span is not None and span[0] <= end_s and span[1] > course[0].at_s:
            found = summary_of(course, span[0], min(span[1], end_s))
        if found is None:
            raise NotFound()
        return found

    def _end_s(self, course: Sequence[Point]) -> int:
        """Return the present, or the last change when the clock went back since."""
        return max(int(self._wall_clock()), course[-1].at_s)


def _holds(caller: Caller, space: SpaceInfo, privilege: str) -> bool:
    if caller.user_id is None or caller.is_limited:
        return False
    held: Mapping[UserId, frozenset[str]] = space.user_privileges
    return caller.user_id in space.owners or privilege in held.get(caller.user_id, frozenset())
