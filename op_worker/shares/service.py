"""The service of shares: what doors call, and the sweep that ends shares whose time has passed."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen
from twisted.logger import Logger

from cluster_worker.runtime.clock import WallClock
from cluster_worker.runtime.services import OrderedService
from cluster_worker.tenure.tenure import Tenure
from onedata.errors import OnedataError
from onedata.ids import FileGuid, ShareId, SpaceId
from op_worker.auth.caller import Caller
from op_worker.files.granting.sharing import Terms
from op_worker.files.model import Page
from op_worker.files.service import FileService
from op_worker.files.stored.share_records import Share
from op_worker.shares import rules
from op_worker.shares.passwords import SharePasswords

SWEEP_S = 60.0


@frozen(kw_only=True)
class Wishes:
    """What a request asks of a share; ``None`` asks nothing.

    ``expires_s`` in seconds since the epoch, 0 for never; an empty ``password`` is none.
    """

    name: str | None = None
    description: str | None = None
    expires_s: int | None = None
    password: str | None = None


class Shares(OrderedService):
    """Shares of this provider. Methods raise only ``onedata.errors``, but for ``admit``."""

    _log = Logger()

    def __init__(
        self,
        files: FileService,
        passwords: SharePasswords,
        *,
        wall_clock: WallClock,
    ) -> None:
        super().__init__()
        self._sharing, self._passwords = files.sharing, passwords
        self._wall_clock = wall_clock
        works = files.context.works
        works.one("sweep of shares", self._sweep_as_owner, SWEEP_S).setServiceParent(self)

    async def create(self, caller: Caller, root: FileGuid, name: str, wishes: Wishes) -> Share:
        """Share a file or a directory. See ``Sharing.add``.

        Raises: BadValueName, BadValueTextTooLarge, BadValueTooLow, BadValuePassword besides.
        """
        chosen = await self._chosen(evolve(wishes, name=name))
        return await self._sharing.add(caller, root, Terms(**chosen))

    async def get(self, caller: Caller, share_id: ShareId) -> Share:
        """Return a share to a member of its space. Raises: NotFound; Forbidden; Unauthorized."""
        return await self._sharing.get(caller, share_id)

    async def find(self, share_id: ShareId) -> Share | None:
        """Return a share to anybody, also one that is over; ``None`` when there is none."""
        return await self._sharing.find(share_id)

    async def leads_somewhere(self, share: Share) -> bool:
        """Whether the shared file still exists."""
        return await self._sharing.leads_somewhere(share)

    async def page(self, caller: Caller, space_id: SpaceId, limit: int, token: str | None) -> Page[Share]:
        """Return a page of a space's shares in order of their ids. Raises: Forbidden; Unauthorized."""
        return await self._sharing.page(caller, space_id, limit, token)

    async def change(self, caller: Caller, share_id: ShareId, wishes: Wishes) -> Share:
        """Change what is asked for. Raises: as ``create``; NotFound; Posix(EPERM); Forbidden."""
        return await self._sharing.change(caller, share_id, **await self._chosen(wishes))

    async def remove(self, caller: Caller, share_id: ShareId) -> None:
        """End a share and forget it. Raises: NotFound; Posix(EPERM); Forbidden."""
        await self._sharing.remove(caller, share_id)

    def is_over(self, share: Share) -> bool:
        """Whether nobody may use a share any more."""
        return share.is_over(self._wall_clock())

    async def admit(self, share_id: ShareId, password: str | None, address: str) -> Caller:
        """Return the guest that a request comes from, with the proof that he knew the password.

        A guest without a password gets no proof: where one is needed the file service refuses him.

        Raises: WrongSharePassword; onedata.errors.ServiceUnavailable.
        """
        if password is None:
            return Caller.guest()
        share = await self.find(share_id)
        if share is None or not share.password_hash or self.is_over(share):
            return Caller.guest()
        await self._passwords.check(share, password, address)
        return Caller.guest(share.password_hash)

    async def sweep(self) -> None:
        """End what expired and forget what ended long ago, in every supported space."""
        for space_id in self._sharing.space_ids():
            try:
                await self._sharing.sweep(space_id)
            except OnedataError as error:
                self._log.warn("shares of {space} are swept later: {error}", space=space_id, error=error)

    async def _chosen(self, wishes: Wishes) -> dict[str, Any]:
        """Return the fields of ``Terms`` that are asked for, checked; passwords as their hashes."""
        chosen: dict[str, Any] = {}
        if wishes.name is not None:
            chosen["name"] = rules.check_name(wishes.name)
        if wishes.description is not None:
            chosen["description"] = rules.check_description(wishes.description)
        if wishes.expires_s is not None:
            chosen["expires_s"] = rules.check_end(wishes.expires_s, self._wall_clock())
        if wishes.password is not None:
            chosen["password_hash"] = await self._hashed(wishes.password)
        return chosen

    async def _hashed(self, password: str) -> str:
        return await self._passwords.hash(rules.check_password(password)) if password else ""

    async def _sweep_as_owner(self, _: Tenure) -> None:
        await self.sweep()
