"""Operations on spaces as wholes."""

from __future__ import annotations

from typing import Any

from cluster_worker.http.answers import send_json
from op_worker.files.settings import AccessTimes, SpaceSettings
from op_worker.http.rest.calls import RestCall


async def get_settings(call: RestCall) -> None:
    """What was chosen for a space."""
    send_json(call.request, _shown(await call.files.space_settings.settings(call.caller, call.space_id)))


async def change_settings(call: RestCall) -> None:
    """Change what is named of a space's settings."""
    given = {name: value for name, value in call.params.items() if value is not None}
    names = {"accessTimes": "access_times", "recycleDays": "recycle_days"}
    changes = {names.get(name, name): value for name, value in given.items()}
    if "access_times" in changes:
        changes["access_times"] = AccessTimes(changes["access_times"])
    changed = await call.files.space_settings.change_settings(call.caller, call.space_id, **changes)
    send_json(call.request, _shown(changed))


def _shown(settings: SpaceSettings) -> dict[str, Any]:
    return {
        "accessTimes": settings.access_times.value,
        "recycleDays": settings.recycle_days,
        "statistics": settings.statistics,
        "search": settings.search,
    }
