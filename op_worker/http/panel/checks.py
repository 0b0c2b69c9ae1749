"""Checks of spaces at the admin door."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping

from attrs import frozen

from cluster_worker.jobs.service import Jobs
from onedata.errors import BadValueBoolean, BadValueIdNotFound, BadValueInteger, BadValueNotAllowed
from onedata.ids import SpaceId
from op_worker.fsck.findings import Code
from op_worker.fsck.job import start_check
from op_worker.fsck.report import SAFE, Options
from op_worker.http.panel.table import PanelCall, PanelRoute

Json = Mapping[str, object]


@frozen(eq=False)
class ChecksPanel:
    """Begins checks as background jobs. ``_supported`` are the spaces that there are."""

    _jobs: Jobs
    _supported: Callable[[], Collection[SpaceId]]

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        return [PanelRoute(method="POST", path="/provider/fsck", answer=self._start, status=202)]

    async def _start(self, call: PanelCall) -> dict[str, object]:
        return await self.start(await call.body())

    async def start(self, body: Json) -> dict[str, object]:
        """Begin a check of each space asked for, of all when none is named.

        Raises: an OnedataError of a wrong parameter; PersistenceUnavailable.
        """
        options, spaces = check_options(body), self._spaces(body)
        return {"jobs": [str(await start_check(self._jobs, space_id, options)) for space_id in spaces]}

    def _spaces(self, body: Json) -> list[SpaceId]:
        supported = sorted(self._supported())
        wanted = body.get("spaceIds", supported)
        if not isinstance(wanted, list) or not all(one in supported for one in wanted):
            raise BadValueIdNotFound("spaceIds")
        return list(map(SpaceId, wanted))


def check_options(body: Json) -> Options:
    """Read what a check does besides looking."""
    rate_b = body.get("rate", 0)
    if not isinstance(rate_b, int) or isinstance(rate_b, bool) or rate_b < 0:
        raise BadValueInteger("rate")
    return Options(
        contents=_flag(body, "content"),
        repairs=_repairs(body.get("repair", False)),
        deletes_orphans=_flag(body, "deleteOrphans"),
        is_trial=_flag(body, "dryRun"),
        rate_b=rate_b,
    )


def _repairs(wanted: object) -> frozenset[Code]:
    if isinstance(wanted, bool):
        return SAFE if wanted else frozenset()
    known = [code.value for code in Code]
    if not isinstance(wanted, list) or not all(one in known for one in wanted):
        raise BadValueNotAllowed("repair", known)
    return frozenset(map(Code, wanted))


def _flag(body: Json, key: str) -> bool:
    value = body.get(key, False)
    if not isinstance(value, bool):
        raise BadValueBoolean(key)
    return value
