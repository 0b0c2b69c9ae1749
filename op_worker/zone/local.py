"""A provider without a zone: tokens minted and verified with a secret of its own, nothing to register at."""

from __future__ import annotations

from collections.abc import Collection

from cluster_worker.runtime.clock import WallClock
from onedata.errors import (
    NotAnAccessToken,
    NotSupported,
    OnedataError,
    TokenInvalid,
    TokenSubjectInvalid,
    Unauthorized,
)
from onedata.ids import SpaceId, StorageId, TokenId, UserId
from onedata.tokens.identifier import NAMED, TokenIdentifier
from onedata.tokens.subjects import Service, ServiceKind, Subject, SubjectKind
from onedata.tokens.token import Token
from onedata.tokens.types import AccessToken
from onedata.tokens.verify import RequestContext, data_limits, effective_type, verify_caveats
from op_worker.auth.caller import Caller
from op_worker.auth.operations import refuse_limited_operations
from op_worker.zone.directory import StaticZone
from op_worker.zone.registering import RegistrationRequest
from op_worker.zone.registration import Registration

LOCATION = "localhost"
PROVIDER_ID = "local"


def mint_local_token(user_id: UserId, secret: str) -> str:
    """Return an access token of a local user; the same for the same secret."""
    identifier = TokenIdentifier(
        NAMED, Subject(SubjectKind.USER, user_id), AccessToken(), TokenId(f"local-{user_id}")
    )
    return Token.mint(LOCATION, identifier, secret).serialize()


class LocalAuthenticator:
    """Accepts tokens minted with ``secret`` for ``users``, confined in any way that can be checked here."""

    def __init__(self, secret: str, users: Collection[UserId], wall_clock: WallClock) -> None:
        self._secret, self._users, self._wall_clock = secret, frozenset(users), wall_clock

    async def authenticate(
        self,
        token: str,
        *,
        peer_ip: str | None,
        interface: str,
        consumer_token: str | None = None,
        service_token: str | None = None,
    ) -> Caller:
        """Return the caller that ``token`` stands for. Raises: Unauthorized."""
        try:
            return self._caller(token, peer_ip, interface)
        except OnedataError as error:
            raise Unauthorized(error) from None

    def _caller(self, text: str, peer_ip: str | None, interface: str) -> Caller:
        token = Token.deserialize(text)
        identifier, caveats = token.identifier, token.caveats
        if not token.has_valid_signature(self._secret):
            raise TokenInvalid
        kind = effective_type(identifier.type, caveats)
        if not isinstance(kind, AccessToken):
            raise NotAnAccessToken(kind.to_json())
        context = RequestContext(
            now_s=self._wall_clock(),
            peer_ip=peer_ip,
            interface=interface,
            service=Service(ServiceKind.OP_WORKER, PROVIDER_ID),
            data_access_allowed=True,
        )
        verify_caveats(kind, caveats, context)
        refuse_limited_operations(caveats)
        user_id = UserId(identifier.subject.id or "")
        if user_id not in self._users:
            raise TokenSubjectInvalid
        return Caller(
            user_id=user_id, limits=data_limits(caveats), token_id=identifier.token_id, caveats=caveats
        )


class NoZone:
    """Stands where an administrator would reach the zone; see ``AdministeredZone``."""

    registration: Registration | None = None

    def __init__(self, zone: StaticZone) -> None:
        self._zone = zone

    async def refresh(self) -> None:
        """Nothing here ever changes."""

    async def register(self, request: RegistrationRequest) -> Registration:
        """A provider with local users does not register. Raises: NotSupported."""
        raise NotSupported

    async def support_space(self, storage_id: StorageId, token: str, size_b: int) -> SpaceId:
        """Local spaces are supported by configuration. Raises: NotSupported."""
        raise NotSupported

    async def resize_support(self, space_id: SpaceId, storage_id: StorageId, size_b: int) -> None:
        """Local spaces are supported by configuration. Raises: NotSupported."""
        raise NotSupported

    async def cease_support(self, space_id: SpaceId) -> None:
        """Local spaces are supported by configuration. Raises: NotSupported."""
        raise NotSupported

    def supported_spaces(self) -> Collection[SpaceId]:
        """Return the local spaces."""
        return self._zone.supported_spaces()
