"""Imports of storages at the admin door."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import asdict, frozen

from cluster_worker.http.params import (
    Boolean,
    Choice,
    Integer,
    Kind,
    Param,
    Text,
    TextList,
    parse_query,
    sanitise,
)
from onedata.errors import BadData, BadValueFilePath
from onedata.ids import SpaceId
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.importing.charts import WINDOW_S, Period, Series
from op_worker.importing.configuration import DEEPEST, LONGEST_INTERVAL_S, ImportConfig, ImportMode
from op_worker.importing.looking import Looking
from op_worker.importing.records import NoticeStatus, ScanStatus
from op_worker.importing.service import Imports
from op_worker.importing.tallying import Counts

_OPTIONS: Mapping[str, tuple[str, Kind]] = {
    "maxDepth": ("max_depth", Integer(1, DEEPEST)),
    "continuousScan": ("continuous", Boolean()),
    "scanInterval": ("interval_s", Integer(1, LONGEST_INTERVAL_S)),
    "detectModifications": ("detect_modifications", Boolean()),
    "detectDeletions": ("detect_deletions", Boolean()),
    "changeNotices": ("notices", Boolean()),
}
_SCAN = tuple(Param(name, kind) for name, (_, kind) in _OPTIONS.items())
_MODE = Param("mode", Choice(tuple(mode.value for mode in ImportMode)))
_STATISTICS = (
    Param("period", Choice(tuple(period.value for period in Period)), required=True),
    Param("metrics", TextList()),
)
_AUDIT = (Param("limit", Integer(1, 1000), default=100), Param("token", Text()))
_PATH = (Param("path", Text(), required=True),)


@frozen(eq=False)
class ImportingPanel:
    """How storages of spaces are imported. What ``Imports`` raises is answered."""

    _imports: Imports
    _looking: Looking

    def routes(self) -> Sequence[PanelRoute]:
        """Return what is served."""
        base = "/provider/spaces/<space_id>/storage-import"
        return [
            PanelRoute(method="GET", path=base, answer=self._get),
            PanelRoute(method="PUT", path=base, answer=self._put),
            PanelRoute(method="POST", path=f"{base}/start-scan", answer=self._start, status=202),
            PanelRoute(method="POST", path=f"{base}/stop-scan", answer=self._stop, status=202),
            PanelRoute(method="POST", path=f"{base}/rescan", answer=self._rescan),
            PanelRoute(method="GET", path=f"{base}/info", answer=self._info),
            PanelRoute(method="GET", path=f"{base}/statistics", answer=self._statistics),
            PanelRoute(method="GET", path=f"{base}/audit", answer=self._audit),
        ]

    async def _get(self, call: PanelCall) -> dict[str, object]:
        return _config(await self._imports.config(_space(call)))

    async def _put(self, call: PanelCall) -> dict[str, object]:
        return _config(await self.choose(_space(call), await call.body()))

    async def choose(self, space_id: SpaceId, body: Mapping[str, Any]) -> ImportConfig:
        """Choose what a body names: ``mode`` and ``scanConfig``. Raises: OnedataError."""
        mode = sanitise([_MODE], body).get("mode")
        scan = body.get("scanConfig") or {}
        if not isinstance(scan, Mapping):
            raise BadData("scanConfig", "it is an object")
        if scan.get("syncAcl"):
            raise BadData("scanConfig.syncAcl", "access control lists of storages are not taken over")
        given = sanitise(_SCAN, scan)
        options = {_OPTIONS[name][0]: value for name, value in given.items() if value is not None}
        return await self._imports.choose(space_id, None if mode is None else ImportMode(mode), options)

    async def choose_first(self, space_id: SpaceId, wanted: object) -> None:
        """Choose how a space that is supported now is imported, if its storage is an imported one.

        Without a wish it is scanned once where that is possible, and else files are registered.

        Raises: OnedataError.
        """
        if not self._imports.is_imported(space_id):
            return
        if wanted is not None and not isinstance(wanted, Mapping):
            raise BadData("storageImport", "it is an object")
        body = wanted or {"mode": self._imports.usual_mode(space_id).value}
        await self.choose(space_id, body)

    async def _start(self, call: PanelCall) -> dict[str, object]:
        return {"scanId": await self._imports.start_scan(_space(call))}

    async def _stop(self, call: PanelCall) -> dict[str, object]:
        await self._imports.stop_scan(_space(call))
        return {}

    async def _rescan(self, call: PanelCall) -> dict[str, object]:
        path = sanitise(_PATH, await call.body())["path"]
        names = tuple(name for name in path.split("/") if name)
        if not names:
            raise BadValueFilePath
        return _counts(await self._looking.look_now(_space(call), names))

    async def _info(self, call: PanelCall) -> dict[str, object]:
        info = await self._imports.info(_space(call))
        return {
            "scan": None if info.scan is None else _scan(info.scan),
            "changeNotices": _notices(info.notices),
        }

    async def _statistics(self, call: PanelCall) -> dict[str, object]:
        given = sanitise(_STATISTICS, parse_query(call.query))
        period = Period(given["period"])
        wanted = [_series(name) for name in given["metrics"] or list(Series)]
        charts = await self._imports.charts(_space(call), period, wanted)
        values = {series.value: list(row) for series, row in charts.items()}
        return {"period": period.value, "windowSeconds": WINDOW_S[period], "values": values}

    async def _audit(self, call: PanelCall) -> dict[str, object]:
        given = sanitise(_AUDIT, parse_query(call.query))
        lines, token = await self._imports.audit(_space(call), given["token"], given["limit"])
        entries = [{"at": line.at_s, "message": line.text} for line in lines]
        return {"entries": entries, "nextPageToken": token}


def _space(call: PanelCall) -> SpaceId:
    return SpaceId(call.ids["space_id"])


def _series(name: str) -> Series:
    try:
        return Series(name)
    except ValueError:
        raise BadData("metrics", f"it is none of {', '.join(Series)}") from None


def _config(config: ImportConfig) -> dict[str, object]:
    if not config.is_auto:
        return {"mode": config.mode.value}
    values = asdict(config.options)
    scan: dict[str, object] = {name: values[field] for name, (field, _) in _OPTIONS.items()}
    return {"mode": config.mode.value, "scanConfig": {**scan, "syncAcl": False}}


def _counts(counts: Counts) -> dict[str, object]:
    return {
        "createdFiles": counts.created,
        "modifiedFiles": counts.modified,
        "deletedFiles": counts.deleted,
        "unmodifiedFiles": counts.unmodified,
        "failedFiles": counts.failed,
    }


def _scan(status: ScanStatus) -> dict[str, object]:
    return {
        "scanId": status.scan_id,
        "status": status.state.value,
        "start": status.started_s or None,
        "stop": status.ended_s or None,
        **_counts(status.counts),
        "postponedFiles": status.postponed,
        "reason": status.reason or None,
    }


def _notices(status: NoticeStatus) -> dict[str, object]:
    return {
        "status": status.state.value,
        "reason": status.reason or None,
        "watchedDirectories": status.watched,
        **_counts(status.counts),
    }
