"""Who may use the admin door: the holder of the emergency passphrase, and nobody who keeps guessing."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable
from math import ceil

from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.http.credentials import basic_from, peer_ip
from cluster_worker.http.errors import HttpError
from cluster_worker.http.request import StreamingRequest
from onedata.errors import BadBasicCredentials, Unauthorized
from op_worker.auth.throttle import FailureThrottle

USERNAME = "onepanel"

_ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789"
_LENGTH = 24


def make_passphrase(random_bytes: Callable[[int], bytes]) -> str:
    """Return a new passphrase of 24 easily read letters and digits (about 139 bits)."""
    letters: list[str] = []
    while len(letters) < _LENGTH:
        letters += [_ALPHABET[byte] for byte in random_bytes(_LENGTH) if byte < len(_ALPHABET)]
    return "".join(letters[:_LENGTH])


class PanelGuard:
    """Basic authentication ``onepanel:<passphrase>``, throttled by address."""

    _log = Logger()

    def __init__(self, passphrase: str, clock: IReactorTime, throttle: FailureThrottle) -> None:
        self._digest = _digest(passphrase)
        self._clock = clock
        self._throttle = throttle

    def admit(self, request: StreamingRequest) -> None:
        """Return when the request may go on.

        Raises:
            Unauthorized: no credentials, or wrong ones.
            HttpError: 429 with ``Retry-After``, too many wrong ones came from this address.
        """
        credentials = basic_from(request)
        if credentials is None:
            request.setHeader(b"WWW-Authenticate", b'Basic realm="onepanel"')
            raise Unauthorized
        address, now_s = peer_ip(request) or "", self._clock.seconds()
        wait_s = self._throttle.wait_s(address, now_s)
        if wait_s > 0:
            raise HttpError(429, {b"Retry-After": b"%d" % ceil(wait_s)})
        is_right = hmac.compare_digest(_digest(credentials.password), self._digest)
        if credentials.username != USERNAME or not is_right:
            self._throttle.failed(address, now_s)
            self._log.warn("wrong passphrase at the admin door from {address}", address=address)
            raise Unauthorized(BadBasicCredentials())
        self._throttle.succeeded(address)


def _digest(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
