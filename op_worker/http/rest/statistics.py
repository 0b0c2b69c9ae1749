"""Operations on statistics of directories, and what other operations show of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from attrs import evolve

from cluster_worker.http.answers import send_json
from onedata.errors import (
    BadValueJSON,
    DirStatsDisabledForSpace,
    DirStatsNotReady,
    MissingRequiredValue,
)
from op_worker.files.model import FileStat, Json
from op_worker.http.rest.calls import RestCall
from op_worker.statistics.service import Layout, Span, Statistics, Value


async def get_dir_size_stats(call: RestCall) -> None:
    """Sizes and counts of a directory: which series there are, or a slice of them."""
    statistics, params = _statistics(call), call.params
    if params["mode"] == "layout":
        layout = await statistics.layout(call.caller, call.target)
        send_json(call.request, {"layout": layout})
        return
    span = Span(start_s=params["startTimestamp"], stop_s=params["stopTimestamp"], limit=params["windowLimit"])
    found = await statistics.slice(call.caller, call.target, _layout(params["layout"]), span)
    render = _extended if params["extendedInfo"] else _plain
    shown = {
        series: {metric: [render(one) for one in values] for metric, values in metrics.items()}
        for series, metrics in found.items()
    }
    send_json(call.request, {"slice": shown})


async def with_directory_sizes(call: RestCall, stats: Sequence[FileStat]) -> list[FileStat]:
    """Return files with the logical sizes of directories, where they are known."""
    statistics = call.services.statistics
    sizes = {} if statistics is None else await statistics.logical_sizes(stats)
    return [
        evolve(stat, below_b=sizes[stat.guid.uuid]) if stat.guid.uuid in sizes else stat for stat in stats
    ]


async def with_directory_distribution(call: RestCall, distribution: Mapping[str, Json]) -> Mapping[str, Json]:
    """Return the distribution of a file with the sizes of a directory filled in, where they are known."""
    statistics = call.services.statistics
    if distribution["type"] != "DIR" or statistics is None:
        return distribution
    try:
        sizes = await statistics.sizes(call.caller, call.target)
    except (DirStatsDisabledForSpace, DirStatsNotReady):
        return distribution
    provider_id = call.services.zone.provider_id or ""
    filled: Json = {
        "success": True,
        "virtualSize": sizes.virtual_b,
        "logicalSize": sizes.logical_b,
        "distributionPerStorage": {
            storage_id: {"physicalSize": held_b} for storage_id, held_b in sizes.physical_b.items()
        },
    }
    return {**distribution, "distributionPerProvider": {provider_id: filled}}


def _statistics(call: RestCall) -> Statistics:
    if call.services.statistics is None:
        raise DirStatsDisabledForSpace()
    return call.services.statistics


def _layout(given: dict[str, Any] | None) -> Layout:
    if given is None:
        raise MissingRequiredValue("layout")
    if not all(isinstance(names, list) and all(map(_is_text, names)) for names in given.values()):
        raise BadValueJSON("layout")
    return given


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _plain(one: Value) -> dict[str, int]:
    return {"timestamp": one.start_s, "value": one.value}


def _extended(one: Value) -> dict[str, int]:
    return {
        **_plain(one),
        "firstMeasurementTimestamp": one.first_s,
        "lastMeasurementTimestamp": one.last_s,
    }
