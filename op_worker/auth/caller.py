"""Who asks, and within which limits of his token."""

from __future__ import annotations

from attrs import field, frozen

from onedata.ids import TokenId, UserId
from onedata.tokens.caveats import Caveat
from onedata.tokens.verify import NO_LIMITS, DataLimits


@frozen
class Caller:
    """The authenticated sender of a request.

    ``user_id`` is ``None`` for a guest, who may only use what is public. ``limits`` are the data caveats
    of the token; doors refuse operations that a limited token may not do at all, the file service
    enforces the rest. ``session_id`` tells apart what one user does through several sessions. ``caveats`` are
    those of the token, for ``onedata.tokens.operations.verify_operation``. ``share_proof`` shows that a guest
    knew the password of a share: it is the stored hash that the password was found to fit.
    """

    user_id: UserId | None
    limits: DataLimits = NO_LIMITS
    token_id: TokenId | None = None
    session_id: str | None = None
    caveats: tuple[Caveat, ...] = ()
    share_proof: str = field(default="", repr=False)

    @staticmethod
    def guest(share_proof: str = "") -> Caller:
        """Return the caller that sent no token."""
        return Caller(user_id=None, share_proof=share_proof) if share_proof else _GUEST

    @property
    def is_guest(self) -> bool:
        """Whether nobody vouched for this caller."""
        return self.user_id is None

    @property
    def is_limited(self) -> bool:
        """Whether the token has any data caveat."""
        return not self.limits.are_none


_GUEST = Caller(user_id=None)
