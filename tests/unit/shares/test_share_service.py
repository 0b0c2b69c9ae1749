"""The service of shares: its sweep, and whom it admits."""

from __future__ import annotations

from typing import Any

import pytest
from argon2 import PasswordHasher
from attrs import define, evolve
from pytest_twisted import ensureDeferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from cluster_worker.persistence.engine import PersistenceUnavailable
from cluster_worker.runtime.pool import Inline
from onedata.errors import BadValueName
from onedata.ids import ShareId
from op_worker.auth.caller import Caller
from op_worker.auth.throttle import FailureThrottle
from op_worker.files.model import CreateOptions
from op_worker.shares.passwords import SharePasswords, WrongSharePassword
from op_worker.shares.service import SWEEP_S, Shares, Wishes
from tests.support.spaces import ROOT, Site, owner, path

HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@define(eq=False)
class Fragile:
    """An engine whose directories cannot be read while it is broken."""

    engine: Any
    is_broken: bool = False

    def __getattr__(self, name: str) -> Any:
        if self.is_broken and name == "page":
            raise PersistenceUnavailable
        return getattr(self.engine, name)


def pass_time(site: Site, seconds: float) -> None:
    """In steps that leave owned work its lease."""
    assert isinstance(site.clock, Clock)
    for _ in range(int(seconds) + 1):
        site.clock.advance(1.0)


async def make(site: Site) -> Shares:
    """The shares of a provider with a file ``f``."""
    files = await site.process()
    await files.create_file(owner, path("f"), CreateOptions())
    clock: Any = site.clock
    passwords = SharePasswords(clock, Inline(), bytes, HASHER, FailureThrottle())
    return Shares(files, passwords, wall_clock=site.wall_clock)


@ensureDeferred
async def test_expired_shares_are_ended_within_a_minute_also_after_an_outage() -> None:
    engine = Fragile(Site().engine)
    site = Site(engine=engine)
    shares = await make(site)
    share = await shares.create(owner, ROOT, "Share", Wishes(expires_s=int(site.now_s) + 100))
    assert isinstance(site.clock, Clock)
    shares.startService()
    site.now_s += 200
    engine.is_broken = True
    with capturedLogs() as logs:
        pass_time(site, SWEEP_S)
    assert [log for log in logs if "swept later" in (log.get("log_format") or "")]
    engine.is_broken = False
    pass_time(site, SWEEP_S)
    assert (await shares.get(owner, share.share_id)).ended_s is not None
    await shares.stopService()
    assert site.clock.getDelayedCalls() == []


@ensureDeferred
async def test_a_guest_gets_a_proof_for_the_right_password_only() -> None:
    site = Site()
    shares = await make(site)
    share = await shares.create(owner, ROOT, "Share", Wishes(password="correct horse"))
    share_id = share.share_id
    assert await shares.admit(share_id, None, "a") == Caller.guest()
    assert await shares.admit(share_id, "correct horse", "a") == Caller.guest(share.password_hash)
    with pytest.raises(WrongSharePassword):
        await shares.admit(share_id, "wrong horse", "a")
    assert await shares.admit(ShareId("unknown"), "correct horse", "a") == Caller.guest()


@ensureDeferred
async def test_passwords_are_not_tried_where_none_helps() -> None:
    site = Site()
    shares = await make(site)
    wishes = Wishes(expires_s=int(site.now_s) + 100)
    public = await shares.create(owner, ROOT, "Share", wishes)
    over = await shares.create(owner, ROOT, "Share", evolve(wishes, password="correct horse"))
    site.now_s += 200
    for share in (public, over):
        assert await shares.admit(share.share_id, "any password", "a") == Caller.guest()


@ensureDeferred
async def test_a_refused_wish_changes_nothing() -> None:
    site = Site()
    shares = await make(site)
    share = await shares.create(owner, ROOT, "Share", Wishes(description="old"))
    with pytest.raises(BadValueName):
        await shares.change(owner, share.share_id, Wishes(description="new", name="/"))
    assert await shares.get(owner, share.share_id) == share
    changed = await shares.change(owner, share.share_id, Wishes(description="new"))
    assert changed == evolve(share, description="new") == await shares.find(share.share_id)
