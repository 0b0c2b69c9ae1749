"""What a node is to become after a request, and how far it is. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


def progress(status: Json, node: str, what: str) -> tuple[bool, str]:
    """Whether ``drain``, ``undrain`` or ``leave`` of a node is done, and a few words on where it stands."""
    found = next((one for one in status["nodes"] if one["name"] == node), None)
    if found is None:
        return what == "leave", "no member of the cluster any more"
    queued = sum(found["queues"].values())
    words = f"{found['state']}, {found['slots']} slots, {queued} in its queues"
    if what == "leave":
        return False, words
    if what == "undrain":
        return found["state"] == "serving", words
    return found["state"] in ("draining", "away") and not queued and not found["slots"], words
