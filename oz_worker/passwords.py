"""Logging in with user name and password: argon2id on the blocking pool, throttled, briefly cached."""

from __future__ import annotations

import hmac
from collections import Counter, OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError
from attrs import frozen
from twisted.internet.interfaces import IReactorTime

from cluster_worker.runtime.locks import KeyedLocks
from cluster_worker.runtime.pool import Blocking
from oz_worker.records import User
from oz_worker.throttle import LoginThrottle

CACHE_S: Final = 60.0
CACHE_SIZE: Final = 10_000
LONGEST_USERNAME: Final = 64
LONGEST_PASSWORD: Final = 1024
MOST_WAITING: Final = 64


class WrongPassword(Exception):
    """The user name is unknown, the password does not fit, or the key is locked.

    ``retry_after_s`` tells how long the next try has to wait; 0 when it need not.
    """

    def __init__(self, retry_after_s: float = 0.0) -> None:
        super().__init__("wrong user name or password")
        self.retry_after_s = retry_after_s


@frozen
class _Proof:
    """A password that was right: for which stored hash, and until when that need not be computed again."""

    password_hash: str
    until_s: float


class Passwords:
    """Makes and checks password hashes.

    Tries from one address happen one after another, so that many at once gain nothing over the
    throttle; more than ``MOST_WAITING`` at a time are refused at once.

    Args:
        random_bytes: gives the key under which right passwords are remembered for ``CACHE_S`` seconds.
    """

    def __init__(
        self,
        clock: IReactorTime,
        blocking: Blocking,
        throttle: LoginThrottle,
        hasher: PasswordHasher,
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._clock, self._blocking, self._throttle, self._hasher = clock, blocking, throttle, hasher
        self._cache_key = random_bytes(32)
        self._proofs: OrderedDict[bytes, _Proof] = OrderedDict()
        self._locks = KeyedLocks()
        self._waiting: Counter[str] = Counter()
        self._decoy: str | None = None

    async def hash(self, password: str) -> str:
        """Return the argon2id hash to store."""
        return await self._blocking.run(self._hasher.hash, password)

    async def log_in(
        self, username: str, password: str, address: str | None, find: Callable[[str], User | None]
    ) -> User:
        """Return the user whose password this is.

        Args:
            find: looks a user up by name, again after every wait.

        Raises: WrongPassword.
        """
        place = address or "nowhere"
        if self._waiting[place] >= MOST_WAITING:
            raise WrongPassword(retry_after_s=1.0)
        self._waiting[place] += 1
        try:
            async with self._locks.hold(("address", place)), self._locks.hold(("user", username)):
                return await self._try(username, password, address, find)
        finally:
            self._waiting[place] -= 1
            if not self._waiting[place]:
                del self._waiting[place]

    async def _try(
        self, username: str, password: str, address: str | None, find: Callable[[str], User | None]
    ) -> User:
        name = username[:LONGEST_USERNAME]
        wait_s = self._throttle.wait_s(name, address, self._clock.seconds())
        if wait_s > 0:
            raise WrongPassword(wait_s)
        user = find(username)
        stored = None if user is None else user.password_hash
        if not await self._fits(username, password, stored):
            raise WrongPassword(self._throttle.failed(name, address, self._clock.seconds()))
        user = find(username)
        if user is None or user.password_hash != stored:
            raise WrongPassword
        self._throttle.succeeded(name)
        return user

    async def _fits(self, username: str, password: str, stored: str | None) -> bool:
        if len(password) > LONGEST_PASSWORD:
            return False
        proof_id = hmac.new(self._cache_key, f"{username}\0{password}".encode(), sha256).digest()
        proof = self._proofs.get(proof_id)
        if proof is not None and proof.password_hash == stored and proof.until_s > self._clock.seconds():
            return True
        fits = await self._blocking.run(self._verify, stored or await self._decoy_hash(), password)
        if fits and stored is not None:
            self._remember(proof_id, stored)
        return fits and stored is not None

    async def _decoy_hash(self) -> str:
        """A hash of nobody, so that unknown user names take as long as known ones."""
        if self._decoy is None:
            self._decoy = await self.hash(self._cache_key.hex())
        return self._decoy

    def _verify(self, stored: str, password: str) -> bool:
        try:
            return self._hasher.verify(stored, password)
        except (VerificationError, InvalidHashError):
            return False

    def _remember(self, proof_id: bytes, stored: str) -> None:
        self._proofs[proof_id] = _Proof(stored, self._clock.seconds() + CACHE_S)
        self._proofs.move_to_end(proof_id)
        while len(self._proofs) > CACHE_SIZE:
            self._proofs.popitem(last=False)


def make_hasher() -> PasswordHasher:
    """Return argon2id with 19 MiB and two passes, about 20 ms on one core."""
    return PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1, type=Type.ID)
