"""Files that a storage does not show as their documents say: whoever can look at them anew says so here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import define

from op_worker.files.stored.nodes import Chain

Refresh = Callable[[Chain], Awaitable[bool]]
"""Looks at a file on its storage; tells whether the space knows more now, so that it is to be read anew."""


async def nobody_looks(chain: Chain) -> bool:
    """Nobody knows more."""
    return False


@define(eq=False)
class ChangedBehind:
    """What is done about contents that were changed behind our back; set once by who imports them."""

    refresh: Refresh = nobody_looks
