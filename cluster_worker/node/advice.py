"""Where work without a key is done, by the manager's advice."""

from __future__ import annotations

from cluster_worker.wire.membership_messages import LoadAdvice


def choose_node(advice: LoadAdvice | None, here: str, point: float) -> str:
    """The node that does the next piece of work; ``point`` is a random number from 0 up to below 1.

    Without advice, or when this node is not overloaded, it is done here.
    """
    if advice is None or not advice.should_delegate:
        return here
    reached = 0.0
    for node, frequency in advice.frequencies:
        reached += frequency
        if point < reached:
            return node
    return here
