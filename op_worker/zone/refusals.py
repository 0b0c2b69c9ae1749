"""Tokens that the zone refused a moment ago, so that a broken client does not load the zone. Pure."""

from __future__ import annotations

from collections import OrderedDict

from onedata.errors import OnedataError


class Refusals:
    """Remembers each refusal for ``keep_s`` seconds, and the newest ``most`` of them."""

    def __init__(self, keep_s: float, most: int = 1000) -> None:
        self._keep_s, self._most = keep_s, most
        self._refusals: OrderedDict[str, tuple[float, OnedataError]] = OrderedDict()

    def note(self, token: str, refusal: OnedataError, now_s: float) -> None:
        """Remember that a token was refused."""
        self._refusals[token] = (now_s + self._keep_s, refusal)
        self._refusals.move_to_end(token)
        while len(self._refusals) > self._most:
            self._refusals.popitem(last=False)

    def find(self, token: str, now_s: float) -> OnedataError | None:
        """Return why a token was refused lately; ``None`` when it may be asked about."""
        until_s, refusal = self._refusals.get(token, (now_s, None))
        if now_s < until_s:
            return refusal
        self._refusals.pop(token, None)
        return None
