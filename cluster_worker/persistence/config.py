"""Where persistence lives and how much it promises: the ``[redis]`` section of every daemon."""

from __future__ import annotations

from enum import StrEnum

from attrs import field, frozen
from attrs.validators import ge, gt, instance_of, optional

from cluster_worker.persistence.address import RedisAddress, parse_address

MEMORY_URL = "memory:"


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
            "help": "redis://[user:password@]host:port/db, rediss://... (TLS), unix:///path; "
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
    patience_s: float = field(
        default=1.5,
        validator=ge(0),
        metadata={"help": "how long a request waits for a server that is away before it fails"},
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

    @property
    def address(self) -> RedisAddress | None:
        """Where the external server is; ``None`` for the embedded one and for ``memory:``."""
        return None if self.url is None or self.is_memory else parse_address(self.url)

    @property
    def is_memory(self) -> bool:
        """Whether nothing is kept."""
        return self.url == MEMORY_URL


PersistenceConfig = RedisConfig
"""The name composition roots use."""
