"""Which of some objects lie in a scope, and what is told of these. Pure, but it takes time."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence

from op_worker.files.model import Json
from op_worker.queue_services.definitions import Definition
from op_worker.queue_services.scope import Candidate, matches


def judge(definition: Definition, candidates: Sequence[Candidate]) -> list[dict[str, Json] | None]:
    """Return the result of each object that matches, ``None`` for the others."""
    return [
        definition.results.of(one.members) if matches(definition.scope, one) else None for one in candidates
    ]


def encoded(result: Mapping[str, Json]) -> bytes:
    """Return a result as the value of a queue."""
    return json.dumps(result, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
