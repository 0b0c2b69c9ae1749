"""Mappings of users at the admin door: the feed of a storage, and its records."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from onedata.errors import BadValueJSON, MissingRequiredValue
from op_worker.http.panel.table import PanelCall, PanelRoute
from op_worker.mapping.administration import MappingAdministration, Place
from op_worker.mapping.entries import Table

_LUMA = "/provider/storages/<sid>/luma"
_LOCAL = f"{_LUMA}/local_feed"
_USERS = f"{_LOCAL}/{Table.USERS.value}"


@frozen(eq=False)
class MappingsPanel:
    """Reads bodies and paths, asks the administration of mappings."""

    _mappings: MappingAdministration

    def routes(self) -> list[PanelRoute]:
        """Return the routes of this section."""
        kept, local = f"{_LUMA}/db/<rest:record>", f"{_LOCAL}/<rest:record>"
        return [
            PanelRoute(method="GET", path=f"{_LUMA}/config", answer=self._feed),
            PanelRoute(method="PUT", path=f"{_LUMA}/config", answer=self._choose_feed),
            PanelRoute(method="DELETE", path=f"{_LUMA}/db", answer=self._clear),
            PanelRoute(method="GET", path=kept, answer=self._get),
            PanelRoute(method="DELETE", path=kept, answer=self._delete),
            PanelRoute(method="POST", path=_USERS, answer=self._add_user, status=201),
            PanelRoute(method="GET", path=local, answer=self._get),
            PanelRoute(method="POST", path=local, answer=self._create, status=201),
            PanelRoute(method="PUT", path=local, answer=self._put),
            PanelRoute(method="PATCH", path=local, answer=self._merge),
            PanelRoute(method="DELETE", path=local, answer=self._delete),
        ]

    async def _feed(self, call: PanelCall) -> Mapping[str, object]:
        return await self._mappings.feed(call.ids["sid"])

    async def _choose_feed(self, call: PanelCall) -> Mapping[str, object]:
        return await self._mappings.choose_feed(call.ids["sid"], await call.body())

    async def _clear(self, call: PanelCall) -> None:
        await self._mappings.clear(call.ids["sid"])

    async def _get(self, call: PanelCall) -> Mapping[str, object]:
        return await self._mappings.get(_place(call))

    async def _create(self, call: PanelCall) -> Mapping[str, object]:
        place = _place(call)
        await self._mappings.create(place, await call.body())
        return await self._mappings.get(place)

    async def _put(self, call: PanelCall) -> None:
        await self._mappings.put(_place(call), await call.body())

    async def _merge(self, call: PanelCall) -> None:
        await self._mappings.merge(_place(call), await call.body())

    async def _delete(self, call: PanelCall) -> None:
        await self._mappings.delete(_place(call))

    async def _add_user(self, call: PanelCall) -> dict[str, object]:
        """Add a user by a body that names him: ``onedataUser`` and ``storageUser``."""
        body = await call.body()
        user, theirs = _object(body, "onedataUser"), _object(body, "storageUser")
        user_id = user.get("onedataUserId")
        if not isinstance(user_id, str):
            raise MissingRequiredValue("onedataUser.onedataUserId")
        await self._mappings.create(Place.of(call.ids["sid"], f"{Table.USERS.value}/{user_id}"), theirs)
        return {"onedataUserId": user_id}


def _place(call: PanelCall) -> Place:
    return Place.of(call.ids["sid"], call.ids["record"])


def _object(body: Mapping[str, object], key: str) -> Mapping[str, object]:
    value = body.get(key)
    if value is None:
        raise MissingRequiredValue(key)
    if not isinstance(value, Mapping):
        raise BadValueJSON(key)
    return value
