"""What authentication needs of the zone."""

from __future__ import annotations

from typing import Protocol

from attrs import field, frozen

from onedata.ids import ProviderId, UserId
from onedata.tokens.subjects import Subject
from op_worker.zone.known import KnownZone
from op_worker.zone.records import UserInfo


@frozen(kw_only=True)
class Presented:
    """A token as it was presented, with the circumstances that its caveats may speak of."""

    token: str = field(repr=False)
    peer_ip: str | None
    interface: str
    consumer_token: str | None = field(default=None, repr=False)
    service_token: str | None = field(default=None, repr=False)

    @property
    def is_alone(self) -> bool:
        """Whether no other token came along, whose holder only the zone can tell."""
        return self.consumer_token is None and self.service_token is None


class TokenAuthority(Protocol):
    """What of the zone is needed to authenticate."""

    @property
    def known(self) -> KnownZone:
        """What is known now."""

    @property
    def provider_id(self) -> ProviderId | None:
        """Our id; ``None`` before registration."""

    async def user(self, user_id: UserId) -> UserInfo:
        """See ``Zone.user``."""

    async def verify_token(self, presented: Presented) -> Subject:
        """Have the zone verify a token with all its caveats; return whose it is. Raises: OnedataError."""
