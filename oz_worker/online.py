"""Which providers are connected to this node over Graph Sync right now."""

from __future__ import annotations

from collections import Counter


class Online:
    """Counts the connections of each provider; a provider is online while it has one."""

    def __init__(self) -> None:
        self._connections: Counter[str] = Counter()

    def __contains__(self, provider_id: object) -> bool:
        return provider_id in self._connections

    def came(self, provider_id: str) -> None:
        """A connection of the provider is up."""
        self._connections[provider_id] += 1

    def went(self, provider_id: str) -> None:
        """A connection of the provider is gone."""
        self._connections[provider_id] -= 1
        if self._connections[provider_id] <= 0:
            del self._connections[provider_id]
