"""Configuration of op-worker; ``etc/op_worker.toml`` is printed from these classes."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import Attribute, field, frozen
from attrs.validators import ge, gt, le

from cluster_worker.http.config import HttpSection
from cluster_worker.http.metrics_page import MetricsSection
from cluster_worker.node.config import NodeConfig
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.runtime.log_files import LogSection
from op_worker.files.rules.offer import is_country
from op_worker.storage.config import StorageSection

ENVIRONMENT_PREFIX = "OP_WORKER"


@frozen(kw_only=True)
class ZoneSection:
    """How the zone is reached. Durations in seconds."""

    domain: str | None = field(
        default=None,
        metadata={
            "help": "Domain of the zone, with :port when it is not 443. Registration may name another one.",
            "example": "onezone.example.org",
        },
    )
    address: str | None = field(
        default=None,
        metadata={
            "help": "Connect to this host:port instead of resolving the domain; the certificate is verified"
            " against the domain all the same.",
            "example": "192.0.2.10:443",
        },
    )
    ca_file: str | None = field(
        default=None,
        metadata={
            "help": "PEM file of the authorities trusted with the zone's certificate; else the system's.",
            "example": "/etc/onedata/zone_ca.pem",
        },
    )
    reconnect_first_s: float = field(
        default=3.0, validator=gt(0), metadata={"help": "Pause before the first new try to connect."}
    )
    reconnect_factor: float = field(
        default=1.35, validator=ge(1), metadata={"help": "Each further pause is longer by this factor."}
    )
    reconnect_limit_s: float = field(default=20.0, validator=gt(0), metadata={"help": "The longest pause."})
    ping_interval_s: float = field(
        default=15.0, validator=gt(0), metadata={"help": "Time between two pings to the zone."}
    )
    ping_timeout_s: float = field(
        default=10.0,
        validator=gt(0),
        metadata={"help": "Without an answer to a ping for so long, reconnect."},
    )
    request_timeout_s: float = field(
        default=30.0, validator=gt(0), metadata={"help": "The zone has so long to answer a request."}
    )
    token_recheck_s: float = field(
        default=600.0,
        validator=gt(0),
        metadata={
            "help": "A token in use is looked at again by the zone so often, while the zone is there.",
            "reload": True,
        },
    )
    remembered_tokens: int = field(
        default=5000,
        validator=ge(1),
        metadata={"help": "Tokens that the zone vouched for and that are good without it."},
    )


@frozen(kw_only=True)
class LocalUser:
    """A user of a provider without a zone; NAME is the user's id."""

    full_name: str | None = field(
        default=None, metadata={"help": "Full name; otherwise the id.", "example": "Anna Adams"}
    )
    token_file: str | None = field(
        default=None,
        metadata={
            "help": "File (mode 0600) that gets an access token of the user at the first start; otherwise"
            " <state_dir>/tokens/NAME.",
            "example": "/home/anna/.onedata_token",
        },
    )


@frozen(kw_only=True)
class LocalSpace:
    """A space of a provider without a zone; NAME is the space's id."""

    name: str | None = field(default=None, metadata={"help": "Name; otherwise the id.", "example": "data"})
    owner: str = field(default="", metadata={"help": "Id of the local user who owns the space."})
    members: tuple[str, ...] = field(
        default=(), metadata={"help": "Ids of further local users, with the privileges of members."}
    )
    storage: str = field(
        default="", metadata={"help": "An absolute path: the folder of the POSIX storage with its files."}
    )
    size_b: int = field(
        default=10**12, validator=ge(0), metadata={"help": "The most bytes its files may have."}
    )


@frozen(kw_only=True)
class LocalSection:
    """Users and spaces of a provider without a zone. When there are users here, no zone is used."""

    users: Mapping[str, LocalUser] = field(factory=dict)
    spaces: Mapping[str, LocalSpace] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        for space_id, space in self.spaces.items():
            for user in (space.owner, *space.members):
                if user not in self.users:
                    raise ValueError(f"space {space_id} names {user!r}, who is no local user")
            if not space.storage.startswith("/"):
                raise ValueError(f"space {space_id} needs the absolute path of its storage")


def _codes(_: object, attribute: Attribute[tuple[str, ...]], codes: tuple[str, ...]) -> None:
    wrong = [code for code in codes if "-" in code or not is_country(code)]
    if wrong:
        raise ValueError(f"{attribute.name}: {wrong[0]!r} is no ISO 3166-1 code of two letters, such as PL")


@frozen(kw_only=True)
class ProviderSection:
    """What the operator says of this provider to its users."""

    countries: tuple[str, ...] = field(
        default=(),
        validator=_codes,
        metadata={
            "help": "ISO 3166-1 codes of the countries in which files may lie, such as PL; users may then"
            " demand where theirs do (cdmi_geographic_placement)."
        },
    )


@frozen(kw_only=True)
class ProviderMetricsSection(MetricsSection):
    """The page /metrics for Prometheus, and the time series of spaces."""

    users: bool = field(
        default=False,
        metadata={"help": "Tell Prometheus what each user reads and writes in each space; many series."},
    )
    flush_s: float = field(
        default=30.0,
        validator=[gt(0), le(120)],
        metadata={
            "help": "Seconds after which a node stores what it counted; a crash loses no more than that."
        },
    )
    user_usage_s: float = field(
        default=3600.0,
        validator=ge(60),
        metadata={
            "help": "Seconds after which a space is walked again to sum up what each of its users holds."
        },
    )


@frozen(kw_only=True)
class OpWorkerConfig:
    """Configuration of op-worker, the Oneprovider daemon (twistd op-worker --config FILE).

    Every line shows an option at its default. Overlays in op_worker.d/*.toml are read after this file, the
    environment last: OP_WORKER__HTTP__PORT=443 sets port in [http].
    """

    state_dir: str = field(
        default="var/op_worker",
        metadata={"help": "Folder of this node's state: data of the embedded Redis, certificate, logs."},
    )
    emergency_passphrase_file: str | None = field(
        default=None,
        metadata={
            "help": "File with the passphrase of the admin door (user onepanel). Otherwise one is made at the"
            " first start in <state_dir>/emergency_passphrase.",
            "example": "/etc/onedata/emergency_passphrase",
        },
    )
    blocking_threads: int = field(
        default=16, validator=ge(1), metadata={"help": "Threads for disk accesses; further ones wait."}
    )
    stop_timeout_s: float = field(
        default=10.0,
        validator=ge(0),
        metadata={"help": "Open requests have so long to end at a stop.", "reload": True},
    )
    node: NodeConfig = field(factory=NodeConfig)
    redis: RedisConfig = field(factory=RedisConfig)
    http: HttpSection = field(factory=HttpSection)
    metrics: ProviderMetricsSection = field(factory=ProviderMetricsSection)
    log: LogSection = field(factory=LogSection)
    provider: ProviderSection = field(factory=ProviderSection)
    storage: StorageSection = field(factory=StorageSection)
    zone: ZoneSection = field(factory=ZoneSection)
    local: LocalSection = field(factory=LocalSection)
