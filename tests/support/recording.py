"""Which methods of a class were used."""

from __future__ import annotations

from typing import Any

OF_ALL_CLASSES = {"walker_class", "transaction_type"}
"""Classes that stand as attributes; there is nothing of ours behind them."""


def recording(client: type) -> tuple[Any, set[str]]:
    """Return a subclass that notes which public methods are looked up, and what it noted."""
    used: set[str] = set()

    class Recording(client):  # type: ignore[misc]  # a class made of a value
        def __getattribute__(self, name: str) -> Any:
            if not name.startswith("_"):
                used.add(name)
            return super().__getattribute__(name)

    return Recording, used


def public_methods(client: type) -> set[str]:
    """Return the names of the public methods of a class and its bases."""
    return {
        name
        for name in dir(client)
        if not name.startswith("_") and callable(getattr(client, name, None)) and name not in OF_ALL_CLASSES
    }
