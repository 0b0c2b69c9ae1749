"""What a daemon has refused on its links: counted by reason, logged once for each peer and reason."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping
from enum import StrEnum

from twisted.logger import Logger

_REMEMBERED_PEERS = 4096


class Reason(StrEnum):
    """Why something was refused."""

    HALF_OPEN = "half_open"
    """Too many connections of one address, or of all, that have not greeted yet."""
    TLS = "tls"
    """The handshake failed: a foreign or missing certificate, an old version, no TLS at all."""
    NO_GREETING = "no_greeting"
    """No greeting in time."""
    IDENTITY = "identity"
    """A certificate that names no node, or another one than the greeting."""
    VERSION = "version"
    """No protocol version in common."""
    ROLE = "role"
    """A kind of node that is not spoken to here."""
    NODE = "node"
    """Another node than the one expected."""
    BAD_FRAME = "bad_frame"
    """Bytes that break the protocol; the link was dropped."""
    OVERSIZED = "oversized"
    """A frame beyond the limit; the link was dropped."""
    OVERLOADED = "overloaded"
    """More requests of one peer than are served at a time."""
    UNREGISTERED = "unregistered"
    """A member's message from a node that has not registered on this link."""
    EPOCH = "epoch"
    """A claim of an epoch that has not begun."""


class Refusals:
    """Counts refusals. ``counts`` has every reason, those that never happened with 0."""

    _log = Logger()

    def __init__(self) -> None:
        self._counts = dict.fromkeys(Reason, 0)
        self._logged: OrderedDict[tuple[Reason, str], None] = OrderedDict()

    @property
    def counts(self) -> Mapping[Reason, int]:
        """How many there have been since the start of the daemon, by reason."""
        return self._counts

    def count(self, reason: Reason, peer: str, text: str) -> None:
        """Something of ``peer``, a node or an address, was refused; ``text`` says what."""
        self._counts[reason] += 1
        key = (reason, peer)
        if key in self._logged:
            self._logged.move_to_end(key)
            return
        self._logged[key] = None
        if len(self._logged) > _REMEMBERED_PEERS:
            self._logged.popitem(last=False)
        self._log.warn(
            "refused {peer} ({reason}): {text}; more of this is counted only",
            peer=peer,
            reason=reason.value,
            text=text,
        )
