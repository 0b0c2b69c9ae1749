"""A log event as a line: text for people, JSON for programs. Both name the request it belongs to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from twisted.logger import LogEvent, eventAsText, formatEvent, formatEventAsClassicLogText

from cluster_worker.runtime.request_ids import REQUEST_ID

_MOST_TEXT = 16_384
"""The longest message, field or traceback, in characters; the rest is cut off."""


def text_line(event: LogEvent) -> str | None:
    """Return ``time [namespace#level request-id] message``; ``None`` when there is nothing to say.

    Called while the event happens, so that the request's id is known.
    """
    request_id = REQUEST_ID.get()
    if request_id is not None:
        system = event.get("log_system")
        if system is None:
            level = event.get("log_level")
            system = f"{event.get('log_namespace', '-')}#{'-' if level is None else level.name}"
        event = {**event, "log_system": f"{system} {request_id}"}
    return formatEventAsClassicLogText(event)


def json_line(event: LogEvent, node: str) -> str:
    """Return the event as one line of JSON; see ``docs/observability.md`` for its members."""
    level = event.get("log_level")
    line: dict[str, Any] = {
        "time": _time(event.get("log_time")),
        "level": "info" if level is None else level.name,
        "namespace": event.get("log_namespace", "-"),
        "node": node,
    }
    request_id = REQUEST_ID.get()
    if request_id is not None:
        line["request_id"] = request_id
    line["message"] = _cut(formatEvent(event) or eventAsText(event, includeTimestamp=False))
    fields = {name: _plain(value) for name, value in event.items() if _is_field(name)}
    if fields:
        line["fields"] = fields
    if "log_failure" in event:
        line["failure"] = _failure(event["log_failure"])
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")) + "\n"


def _time(at_s: float | None) -> str | None:
    if at_s is None:
        return None
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _is_field(name: str) -> bool:
    """Whether an entry of an event was given by who logged, not by the logger itself."""
    return not name.startswith("log_") and name not in _OF_OLD_LOGGERS


_OF_OLD_LOGGERS = frozenset({"time", "system", "message", "format", "isError", "failure", "why", "logLevel"})


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float):
        return value
    try:
        return _cut(str(value))
    except Exception:  # noqa: BLE001 - a value that cannot be shown must not lose the line
        return f"<{type(value).__name__}>"


def _failure(failure: Any) -> dict[str, str]:
    kind = failure.type
    return {
        "type": f"{kind.__module__}.{kind.__qualname__}",
        "reason": _cut(failure.getErrorMessage()),
        "traceback": _cut(failure.getTraceback()),
    }


def _cut(text: str) -> str:
    return text if len(text) <= _MOST_TEXT else text[:_MOST_TEXT] + "…"
