"""Who asks, and within which limits of his token."""

from __future__ import annotations

from attrs import frozen

from onedata.ids import TokenId, UserId
from onedata.tokens.verify import DataLimits

_UNLIMITED = DataLimits(readonly=False, paths=(), object_ids=())


@frozen
class Caller:
    """The authenticated sender of a request.

    ``user_id`` is ``None`` for a guest, who may only use what is public. ``limits`` are the data caveats
    of the token; doors refuse operations that a limited token may not do at all, the file service
    enforces the rest. ``session_id`` tells apart what one user does through several sessions.
    """

    user_id: UserId | None
    limits: DataLimits = _UNLIMITED
    token_id: TokenId | None = None
    session_id: str | None = None

    @staticmethod
    def guest() -> Caller:
        """Return the caller that sent no token."""
        return _GUEST

    @property
    def is_guest(self) -> bool:
        """Whether nobody vouched for this caller."""
        return self.user_id is None

    @property
    def is_limited(self) -> bool:
        """Whether the token has any data caveat."""
        return self.limits.readonly or bool(self.limits.paths) or bool(self.limits.object_ids)


_GUEST = Caller(user_id=None)
