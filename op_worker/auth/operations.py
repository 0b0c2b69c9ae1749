"""Caveats on operations that no door enforces yet, and so must not be waved through. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from onedata.errors import TokenCaveatUnverified
from onedata.tokens.caveats import ApiCaveat, Caveat
from onedata.tokens.subjects import ServiceKind


def refuse_limited_operations(caveats: Iterable[Caveat]) -> None:
    """Return when the token may be used for every operation of this service.

    Raises:
        TokenCaveatUnverified: for the first ``api`` caveat that leaves an operation out.
    """
    for caveat in caveats:
        if isinstance(caveat, ApiCaveat) and not _allows_everything(caveat):
            raise TokenCaveatUnverified(caveat.to_json())


def _allows_everything(caveat: ApiCaveat) -> bool:
    return any(
        rule.service in (None, ServiceKind.OP_WORKER)
        and rule.operation is None
        and rule.resource.text == "*.*.*:*"
        for rule in caveat.whitelist
    )
