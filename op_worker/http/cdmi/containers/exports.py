"""The member ``exports`` of containers: their public shares, under the protocol ``Network/HTTP``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from onedata.errors import BadData, BadValueString
from onedata.ids import FileGuid, ShareId
from op_worker.auth.caller import Caller
from op_worker.files.granting.share_sets import WantedShare
from op_worker.files.model import FileStat, Json, Target
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import Share
from op_worker.http.cdmi.representations.metadata import timestamp
from op_worker.http.cdmi.requests.queries import Query
from op_worker.shares.rules import check_description, check_name

MEMBER = "exports"
PROTOCOL = "Network/HTTP"
EVERYBODY = "EVERYONE@"
_SETTINGS = frozenset({"identifier", "permissions", "description", "share_id"})
_FILLED = frozenset({"url", "expires", "has_password"})
_DISCOVERY = frozenset({"protocol", "user", "verbose"})


@frozen(eq=False)
class ContainerExports:
    """What containers have to do with exports."""

    _files: FileService

    async def wanted(
        self, caller: Caller, target: Target, present: FileStat | None, sent: Mapping[str, Json] | None
    ) -> Sequence[WantedShare] | None:
        """Return the shares that a container is to have; ``None`` when nothing was sent, and they stay.

        Args:
            present: the container, when there is one already.

        Raises: as ``wanted_shares`` and ``ShareSets.require``; BadData for an id of another share.
        """
        if sent is None:
            return None
        wanted = wanted_shares(sent)
        known = () if present is None else present.shares
        if any(one.share_id is not None and one.share_id not in known for one in wanted):
            raise BadData(MEMBER, "no share of this container has that share_id")
        await self._files.share_sets.require(caller, target)
        return wanted

    async def replace(self, caller: Caller, root: FileGuid, wanted: Sequence[WantedShare] | None) -> None:
        """Let a container have these shares. Raises: as ``ShareSets.replace``."""
        if wanted is not None:
            await self._files.share_sets.replace(caller, root, wanted)

    async def members(self, caller: Caller, stat: FileStat, query: Query, origin: str) -> dict[str, Json]:
        """Return the member ``exports``, if it is wanted and there is anything to tell.

        Args:
            origin: scheme and host by which the client speaks to us.

        Raises:
            BadData: an export is looked for in an unknown way (key ``query string``).
        """
        if stat.parent is None or not query.wants(MEMBER):
            return {}
        asked = _discovery(query.exports)
        if asked.get("protocol", PROTOCOL).lower() != PROTOCOL.lower():
            return {}
        shares = await self._files.share_sets.of(caller, stat)
        entries = [_shown(share, origin, in_full=asked.get("verbose") != "false") for share in shares]
        if not entries:
            return {}
        return {MEMBER: {PROTOCOL: entries[0] if len(entries) == 1 else entries}}


def wanted_shares(sent: Mapping[str, Json]) -> list[WantedShare]:
    """Return the shares that a member ``exports`` means: of each protocol one object, or an array of them.

    Raises:
        BadData: a protocol or a setting that is not supported (key ``exports``).
        BadValueString, BadValueName, BadValueTextTooLarge: a setting of the wrong type or length.
    """
    wanted: list[WantedShare] = []
    for protocol, entries in sent.items():
        if protocol != PROTOCOL:
            raise BadData(MEMBER, f"the only protocol is {PROTOCOL}")
        wanted.extend(_wanted(entry) for entry in (entries if isinstance(entries, list) else [entries]))
    named = [one.share_id or one.name for one in wanted]
    if len(set(named)) < len(named):
        raise BadData(MEMBER, "an export is named twice")
    return wanted


def _wanted(entry: Json) -> WantedShare:
    if not isinstance(entry, Mapping) or not entry.keys() <= _SETTINGS | _FILLED:
        raise BadData(MEMBER, f"an export is an object with: {', '.join(sorted(_SETTINGS))}")
    name, description, share_id = (_text(entry, key) for key in ("identifier", "description", "share_id"))
    if name is None:
        raise BadData(MEMBER, "an export has an identifier")
    if entry.get("permissions", EVERYBODY) not in (EVERYBODY, [EVERYBODY]):
        raise BadData(MEMBER, f"what is shared is for {EVERYBODY}")
    return WantedShare(
        name=check_name(name),
        share_id=None if share_id is None else ShareId(share_id),
        description=None if description is None else check_description(description),
    )


def _text(entry: Mapping[str, Json], key: str) -> str | None:
    value = entry.get(key)
    if key in entry and not isinstance(value, str):
        raise BadValueString(key)
    return value if isinstance(value, str) else None


def _shown(share: Share, origin: str, *, in_full: bool) -> dict[str, Json]:
    shown: dict[str, Json] = {"identifier": share.name, "url": f"{origin}/share/{share.share_id}"}
    if not in_full:
        return shown
    shown["permissions"] = [EVERYBODY]
    if share.description:
        shown["description"] = share.description
    shown["share_id"] = share.share_id
    if share.expires_s is not None:
        shown["expires"] = timestamp(share.expires_s)
    shown["has_password"] = "true" if share.password_hash else "false"
    return shown


def _discovery(argument: str | None) -> dict[str, str]:
    """Parse ``protocol=P,user=U,verbose="B"``; whatever user is meant, he may use what everybody may."""
    if argument is None:
        return {}
    pairs = [part.partition("=") for part in argument.split(",")]
    found = {name.strip(): value.strip().strip('"') for name, _, value in pairs}
    verbose = found.get("verbose", "true").lower()
    if not found.keys() <= _DISCOVERY or verbose not in ("true", "false"):
        raise BadData("query string", 'exports are looked for by protocol=P,user=U,verbose="true"')
    return {**found, "verbose": verbose}
