"""Questions about one domain and their answers, as values. Pure.

The domain has addresses, name servers and nothing below it. Which address comes first is drawn anew for each
question, with a node's share as its chance: resolvers and clients mostly take the first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import IntEnum
from ipaddress import ip_address
from math import log

from attrs import frozen

MOST_ADDRESSES = 12
"""So many addresses of either family fit into 512 bytes, with which every resolver can do."""


class Code(IntEnum):
    """Response codes of DNS."""

    OK = 0
    SERVER_FAILURE = 2
    NO_SUCH_NAME = 3
    REFUSED = 5


class Kind(IntEnum):
    """Types of records, and the one of questions that asks for all."""

    A = 1
    NS = 2
    SOA = 6
    AAAA = 28
    ANY = 255


@frozen
class Record:
    """``value`` is an address or a host name; of SOA the host name of the primary."""

    kind: Kind
    value: str


@frozen
class Reply:
    """Records of the domain. ``authority`` tells how long it may be remembered that there are none."""

    code: Code
    answers: tuple[Record, ...] = ()
    authority: tuple[Record, ...] = ()


@frozen
class Zone:
    """The domain in small letters, without a dot at the end; the name servers, the primary first."""

    domain: str
    name_servers: tuple[str, ...]

    def reply(self, name: str, kind: int, addresses: Sequence[str] | None) -> Reply:
        """Answer a question.

        Args:
            addresses: of nodes in the order to be given; ``None`` when this server does not know them.
        """
        asked = name.strip(".").lower()
        if asked != self.domain and not asked.endswith(f".{self.domain}"):
            return Reply(Code.REFUSED)
        if addresses is None:
            return Reply(Code.SERVER_FAILURE)
        start = Record(Kind.SOA, self.name_servers[0])
        if asked != self.domain:
            return Reply(Code.NO_SUCH_NAME, authority=(start,))
        own = [start, *(Record(Kind.NS, server) for server in self.name_servers), *_addresses(addresses)]
        answers = tuple(record for record in own if kind in (record.kind, Kind.ANY))
        return Reply(Code.OK, answers, () if answers else (start,))


def weighted_order(shares: Mapping[str, float], uniform: Callable[[], float]) -> list[str]:
    """The nodes in an order drawn by chance, in which each is first as often as its share says.

    Args:
        uniform: gives numbers from 0 up to but not including 1.
    """
    drawn = {node: log(1.0 - uniform()) / share for node, share in shares.items() if share > 0}
    return sorted(drawn, key=lambda node: drawn[node], reverse=True)


def _addresses(texts: Sequence[str]) -> list[Record]:
    records = [Record(Kind.A if ip_address(text).version == 4 else Kind.AAAA, text) for text in texts]
    return [
        record
        for kind in (Kind.A, Kind.AAAA)
        for record in [one for one in records if one.kind is kind][:MOST_ADDRESSES]
    ]
