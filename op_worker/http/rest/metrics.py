"""Operations on time series of spaces, told like exports of round-robin databases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from xml.etree.ElementTree import Element, SubElement, tostring

from cluster_worker.http.answers import send_bytes, send_json
from onedata.errors import NotSupported
from onedata.ids import UserId
from op_worker.http.rest.calls import RestCall
from op_worker.http.rest.negotiation import accepts
from op_worker.http.rest.table import JSON, XML
from op_worker.metrics.answers import Export, MetricAnswers, ProviderExport
from op_worker.metrics.kinds import KINDS

_ABOUT = "RRDtool graph JSON output"


async def get_space_metric(call: RestCall) -> None:
    """A time series of a space, as each supporting provider gathered it."""
    kind = KINDS[call.params["metric"]]
    _send(call, await _answers(call).space(call.caller, call.space_id, kind, call.params["step"]))


async def get_user_metric(call: RestCall) -> None:
    """A time series of a user in a space, as each supporting provider gathered it."""
    kind, user_id = KINDS[call.params["metric"]], UserId(call.ids["uid"])
    _send(call, await _answers(call).user(call.caller, call.space_id, user_id, kind, call.params["step"]))


def _answers(call: RestCall) -> MetricAnswers:
    if call.services.metrics is None:
        raise NotSupported()
    return call.services.metrics


def _send(call: RestCall, found: Sequence[ProviderExport]) -> None:
    accept = call.request.getHeader(b"accept")
    wanted = None if accept is None else accept.decode("latin-1")
    if accepts(wanted, JSON):
        send_json(call.request, [{"providerId": one.provider_id, "rrd": _shown(one)} for one in found])
    else:
        send_bytes(call.request, _xml(found), [XML.encode()])


def _shown(one: ProviderExport) -> dict[str, Any] | str:
    export = one.export
    if export is None:
        return ""
    meta = {
        "start": export.start_s,
        "end": export.end_s,
        "step": export.step_s,
        "legend": list(export.legend),
    }
    return {"about": _ABOUT, "meta": meta, "data": [list(row) for row in export.data]}


def _xml(found: Sequence[ProviderExport]) -> bytes:
    root = Element("metrics")
    for one in found:
        provider = SubElement(root, "provider", id=one.provider_id)
        if one.export is not None:
            _add_export(provider, one.export)
    document: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return document


def _add_export(parent: Element, export: Export) -> None:
    xport = SubElement(parent, "xport")
    meta = SubElement(xport, "meta")
    numbers = (("start", export.start_s), ("end", export.end_s), ("step", export.step_s))
    for name, number in (*numbers, ("rows", len(export.data)), ("columns", len(export.legend))):
        SubElement(meta, name).text = str(number)
    legend = SubElement(meta, "legend")
    for text in export.legend:
        SubElement(legend, "entry").text = text
    data = SubElement(xport, "data")
    for number, values in enumerate(export.data, 1):
        row = SubElement(data, "row")
        SubElement(row, "t").text = str(export.start_s + number * export.step_s)
        for value in values:
            SubElement(row, "v").text = "NaN" if value is None else repr(value)
