"""Passwords of shares: argon2id on the blocking pool, throttled by address, briefly remembered."""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final, ParamSpec, TypeVar

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from twisted.internet.defer import DeferredSemaphore
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.pool import Blocking
from op_worker.auth.throttle import FailureThrottle
from op_worker.files.stored.share_records import Share
from op_worker.shares.rules import LONGEST_PASSWORD

P = ParamSpec("P")
R = TypeVar("R")

REMEMBERED_S: Final = 60.0
MOST_REMEMBERED: Final = 10_000
MOST_AT_ONCE: Final = 2
"""The most passwords that are hashed at the same time, whoever asks."""


class WrongSharePassword(Exception):
    """The password does not fit, or the next try has to wait ``retry_after_s`` (0: it need not)."""

    def __init__(self, retry_after_s: float = 0.0) -> None:
        super().__init__("wrong password of a share")
        self.retry_after_s = retry_after_s


class SharePasswords:
    """Makes and checks password hashes of shares.

    Tries at one share from one address happen one after another, so that many at once gain nothing over
    the throttle.

    Args:
        random_bytes: gives the key under which right passwords are remembered for ``REMEMBERED_S``.
    """

    def __init__(
        self,
        clock: IReactorTime,
        blocking: Blocking,
        random_bytes: Callable[[int], bytes],
        hasher: PasswordHasher,
        throttle: FailureThrottle,
    ) -> None:
        self._clock, self._blocking, self._hasher, self._throttle = clock, blocking, hasher, throttle
        self._key = random_bytes(32)
        self._right: OrderedDict[bytes, float] = OrderedDict()
        self._locks = KeyedLocks()
        self._turns = DeferredSemaphore(MOST_AT_ONCE)

    async def hash(self, password: str) -> str:
        """Return the argon2id hash to store."""
        return await self._computed(self._hasher.hash, password)

    async def check(self, share: Share, password: str, address: str) -> None:
        """Return when this is the password of the share. Raises: WrongSharePassword."""
        mark = hmac.digest(self._key, f"{share.password_hash}\0{password}".encode("utf-8", "replace"), sha256)
        place = f"{address} {share.share_id}"
        async with self._locks.hold(place):
            if self._is_remembered(mark):
                return
            wait_s = self._throttle.wait_s(place, self._clock.seconds())
            if wait_s > 0:
                raise WrongSharePassword(wait_s)
            if not await self._fits(share.password_hash, password):
                self._throttle.failed(place, self._clock.seconds())
                raise WrongSharePassword
            self._throttle.succeeded(place)
            self._remember(mark)

    async def _fits(self, stored: str, password: str) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        return await self._computed(self._verify, stored, password)

    async def _computed(self, work: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
        await self._turns.acquire()
        try:
            return await self._blocking.run(work, *args, **kwargs)
        finally:
            self._turns.release()

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError, UnicodeEncodeError):
            return False

    def _is_remembered(self, mark: bytes) -> bool:
        return self._right.get(mark, 0.0) > self._clock.seconds()

    def _remember(self, mark: bytes) -> None:
        self._right[mark] = self._clock.seconds() + REMEMBERED_S
        self._right.move_to_end(mark)
        while len(self._right) > MOST_REMEMBERED:
            self._right.popitem(last=False)


def make_hasher() -> PasswordHasher:
    """Return argon2id with 19 MiB and two passes, about 20 ms on one core."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
