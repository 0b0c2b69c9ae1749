"""Where persistence lives and how much it promises: the ``[redis]`` section of every daemon."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

from cluster_worker.persistence.address import RedisAddress, StoreAddress, parse_address

MEMORY_URL = "memory:"
PATIENCE_S = 1.5
FAILOVER_PATIENCE_S = 10.0


class Durability(StrEnum):
    """What an acknowledged commit survives; asked of the embedded server only."""

    PROCESS = "process"
    """kill -9 of any process of ours."""

    POWER = "power"
    """Also loss of power: each commit waits for the disk."""


def _check_url(_: object, __: object, url: str | None) -> None:
    if url is not None and url != MEMORY_URL:
        parse_address(url)


@frozen(kw_only=True)
class RedisConfig:
    """Where metadata is kept. Durations in seconds."""

    url: str | None = field(
        default=None,
        repr=False,
        validator=_check_url,
        metadata={
            "help": "redis://[user:password@]host:port/db, unix:///path, "
            "redis+sentinel://[user:password@]host:port,host:port/service/db, "
            "redis+cluster://[user:password@]host:port,host:port; rediss... = with TLS; "
            "nothing = an embedded server in the state folder; memory: = keep nothing"
        },
    )
    ca_file: str | None = field(
        default=None,
        validator=optional(instance_of(str)),
        metadata={"help": "PEM file of the authorities trusted with rediss://; nothing = the system's"},
    )
    durability: Durability = field(
        default=Durability.PROCESS,
        converter=Durability,
        metadata={
            "help": "of the embedded server: process (kill -9 loses nothing) or power (nor does a power cut)"
        },
    )
    sentinel_username: str | None = field(
        default=None,
        validator=optional(instance_of(str)),
        metadata={"help": "how to log in to the sentinels themselves, when they ask for it"},
    )
    sentinel_password: str | None = field(
        default=None,
        repr=False,
        validator=optional(instance_of(str)),
        metadata={"help": "its password"},
    )
    replicas_acknowledge: int = field(
        default=0,
        validator=ge(0),
        metadata={
            "help": "so many replicas must have a commit or a lease before it counts as done; 0 = the "
            "primary alone, whose death may then take the last ones with it"
        },
    )
    acknowledge_timeout_s: float = field(
        default=1.0,
        validator=gt(0),
        metadata={"help": "a commit that too few replicas have after so long counts as neither done nor not"},
    )
    patience_s: float | None = field(
        default=None,
        validator=optional(ge(0)),
        metadata={
            "help": "how long a request waits for a server that is away before it fails; nothing = "
            f"{PATIENCE_S} with one server, {FAILOVER_PATIENCE_S} with sentinels or a cluster"
        },
    )
    reply_timeout_s: float = field(
        default=5.0,
        validator=gt(0),
        metadata={"help": "a server that owes replies and sends nothing for so long is given up"},
    )
    ping_interval_s: float = field(
        default=15.0,
        validator=gt(0),
        metadata={"help": "an idle connection is tried so often"},
    )

    def __attrs_post_init__(self) -> None:
        if self.replicas_acknowledge and (self.url is None or self.is_memory):
            raise ValueError("replicas_acknowledge needs servers that have replicas: give their url")

    @property
    def address(self) -> StoreAddress | None:
        """Where the external servers are; ``None`` for the embedded one and for ``memory:``."""
        return None if self.url is None or self.is_memory else parse_address(self.url)

    def patience_with(self, address: StoreAddress) -> float:
        """Return how long a request to servers at ``address`` waits, in seconds."""
        if self.patience_s is not None:
            return self.patience_s
        return PATIENCE_S if isinstance(address, RedisAddress) else FAILOVER_PATIENCE_S

    @property
    def is_memory(self) -> bool:
        """Whether nothing is kept."""
        return self.url == MEMORY_URL


PersistenceConfig = RedisConfig
"""The name composition roots use."""
