"""What a token is for: access, identity, or one of the kinds of invitations."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any

from attrs import field, frozen
from attrs.validators import matches_re

from onedata.errors import BadValueTokenType
from onedata.tokens.subjects import is_plain_id


class InviteType(StrEnum):
    """The kinds of invitations, as in JSON."""

    USER_JOIN_GROUP = "userJoinGroup"
    GROUP_JOIN_GROUP = "groupJoinGroup"
    USER_JOIN_SPACE = "userJoinSpace"
    GROUP_JOIN_SPACE = "groupJoinSpace"
    SUPPORT_SPACE = "supportSpace"
    HARVESTER_JOIN_SPACE = "harvesterJoinSpace"
    REGISTER_ONEPROVIDER = "registerOneprovider"
    USER_JOIN_CLUSTER = "userJoinCluster"
    GROUP_JOIN_CLUSTER = "groupJoinCluster"
    USER_JOIN_HARVESTER = "userJoinHarvester"
    GROUP_JOIN_HARVESTER = "groupJoinHarvester"
    SPACE_JOIN_HARVESTER = "spaceJoinHarvester"
    USER_JOIN_ATM_INVENTORY = "userJoinAtmInventory"
    GROUP_JOIN_ATM_INVENTORY = "groupJoinAtmInventory"


_INVITES: Mapping[InviteType, tuple[str, str]] = MappingProxyType(
    {
        InviteType.USER_JOIN_GROUP: ("ujg", "groupId"),
        InviteType.GROUP_JOIN_GROUP: ("gjg", "groupId"),
        InviteType.USER_JOIN_SPACE: ("ujs", "spaceId"),
        InviteType.GROUP_JOIN_SPACE: ("gjs", "spaceId"),
        InviteType.SUPPORT_SPACE: ("ssp", "spaceId"),
        InviteType.HARVESTER_JOIN_SPACE: ("hjs", "spaceId"),
        InviteType.REGISTER_ONEPROVIDER: ("rop", "adminUserId"),
        InviteType.USER_JOIN_CLUSTER: ("ujc", "clusterId"),
        InviteType.GROUP_JOIN_CLUSTER: ("gjc", "clusterId"),
        InviteType.USER_JOIN_HARVESTER: ("ujh", "harvesterId"),
        InviteType.GROUP_JOIN_HARVESTER: ("gjh", "harvesterId"),
        InviteType.SPACE_JOIN_HARVESTER: ("sjh", "harvesterId"),
        InviteType.USER_JOIN_ATM_INVENTORY: ("uji", "atmInventoryId"),
        InviteType.GROUP_JOIN_ATM_INVENTORY: ("gji", "atmInventoryId"),
    }
)
_BY_CODE = {code: invite for invite, (code, _) in _INVITES.items()}


def _need_plain_id(instance: object, attribute: object, value: Any) -> None:
    if value is not None and not is_plain_id(value):
        raise ValueError(f"not an id: {value!r}")


@frozen
class AccessToken:
    """Lets its holder act as the subject; with a session it belongs to one session of a browser."""

    session_id: str | None = field(default=None, validator=_need_plain_id)

    @property
    def text(self) -> str:
        """``act`` or ``act:<sessionId>``."""
        return "act" if self.session_id is None else f"act:{self.session_id}"

    def to_json(self) -> dict[str, object]:
        """``{"accessToken": {}}``, with ``sessionId`` when there is one."""
        return {"accessToken": {} if self.session_id is None else {"sessionId": self.session_id}}


@frozen
class IdentityToken:
    """Proves who its holder is and allows nothing."""

    @property
    def text(self) -> str:
        """``idn``."""
        return "idn"

    def to_json(self) -> dict[str, object]:
        """``{"identityToken": {}}``."""
        return {"identityToken": {}}


@frozen
class InviteToken:
    """Invites its consumer to a target; ``parameters`` is a text that older zones wrote and nobody reads."""

    invite_type: InviteType = field(converter=InviteType)
    target_id: str = field(validator=_need_plain_id)
    parameters: str = field(default="", validator=matches_re(r"[^/\ud800-\udfff]*"))

    @property
    def text(self) -> str:
        """``<code>:<target id>:<parameters>``."""
        return f"{_INVITES[self.invite_type][0]}:{self.target_id}:{self.parameters}"

    def to_json(self) -> dict[str, object]:
        """``{"inviteToken": {"inviteType": …, "<target>Id": …}}``."""
        return {
            "inviteToken": {
                "inviteType": self.invite_type.value,
                _INVITES[self.invite_type][1]: self.target_id,
            }
        }


TokenType = AccessToken | IdentityToken | InviteToken


def parse_token_type(text: str) -> TokenType:
    """Read the form inside a token's identifier; raises ValueError when it is not one."""
    code, *rest = text.split(":", 2)
    if code == "act" and len(rest) < 2:
        return AccessToken(*rest)
    if code == "idn" and not rest:
        return IdentityToken()
    if code in _BY_CODE and len(rest) == 2:
        return InviteToken(_BY_CODE[code], *rest)
    raise ValueError("not a token type")


def token_type_from_json(obj: object, key: str = "type") -> TokenType:
    """Read the JSON form.

    Raises:
        BadValueTokenType: ``obj``, the value of ``key`` in a request, is not one.
    """
    try:
        return _from_json(obj)
    except (KeyError, TypeError, ValueError) as bad:
        raise BadValueTokenType(key) from bad


def _from_json(obj: object) -> TokenType:
    if not isinstance(obj, dict) or len(obj) != 1:
        raise ValueError("not one token type")
    [(name, body)] = obj.items()
    if not isinstance(body, dict):
        raise ValueError("not a token type")
    if name == "accessToken":
        return AccessToken(body.get("sessionId"))
    if name == "identityToken":
        return IdentityToken()
    if name != "inviteToken":
        raise ValueError("unknown token type")
    invite_type = InviteType(body["inviteType"])
    return InviteToken(invite_type, body[_INVITES[invite_type][1]])
