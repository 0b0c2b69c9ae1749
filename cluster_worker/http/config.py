"""The ``[http]`` section of a daemon's configuration."""

from __future__ import annotations

from pathlib import Path

from attrs import field, frozen
from attrs.validators import ge, gt, le

from cluster_worker.http.limits import HttpLimits


@frozen(kw_only=True)
class HttpSection:
    """The web doors. Durations in seconds, sizes in bytes."""

    address: str = field(default="127.0.0.1", metadata={"help": "Address to listen on; 0.0.0.0 for all."})
    port: int = field(
        default=8443,
        validator=[ge(0), le(65535)],
        metadata={"help": "Port of HTTPS. Clients expect 443, which needs the right to bind it."},
    )
    cert: str | None = field(
        default=None,
        metadata={
            "help": "PEM file of the certificate. Without one, a certificate for localhost is made in"
            " <state_dir>/web; clients trust ca.pem there.",
            "example": "/etc/onedata/web_cert.pem",
        },
    )
    key: str | None = field(
        default=None,
        metadata={
            "help": "PEM file of the certificate's private key.",
            "example": "/etc/onedata/web_key.pem",
        },
    )
    chain: str | None = field(
        default=None,
        metadata={"help": "PEM file of intermediate certificates.", "example": "/etc/onedata/web_chain.pem"},
    )
    header_timeout_s: float = field(
        default=30.0,
        validator=gt(0),
        metadata={"help": "A client has so long to send the head of a request.", "reload": True},
    )
    idle_timeout_s: float = field(
        default=75.0,
        validator=gt(0),
        metadata={"help": "A kept connection without requests is closed then.", "reload": True},
    )
    body_stall_timeout_s: float = field(
        default=60.0,
        validator=gt(0),
        metadata={"help": "The longest silence in the middle of an upload.", "reload": True},
    )
    response_stall_timeout_s: float = field(
        default=60.0,
        validator=gt(0),
        metadata={"help": "How long a client may take nothing of an answer.", "reload": True},
    )
    max_header_b: int = field(
        default=16384, validator=ge(1024), metadata={"help": "The longest head of a request.", "reload": True}
    )
    max_connections: int = field(
        default=10000,
        validator=ge(1),
        metadata={"help": "Connections beyond these are closed at once.", "reload": True},
    )

    def __attrs_post_init__(self) -> None:
        if (self.cert is None) != (self.key is None):
            raise ValueError("cert and key are given together or not at all")

    @property
    def limits(self) -> HttpLimits:
        """What one client may cost."""
        return HttpLimits(
            header_timeout_s=self.header_timeout_s,
            idle_timeout_s=self.idle_timeout_s,
            body_stall_timeout_s=self.body_stall_timeout_s,
            response_stall_timeout_s=self.response_stall_timeout_s,
            max_header_b=self.max_header_b,
            max_connections=self.max_connections,
        )

    @property
    def certificate_files(self) -> tuple[Path, ...]:
        """Certificate, key, and the chain if there is one; empty when none is configured."""
        if self.cert is None or self.key is None:
            return ()
        return tuple(Path(file) for file in (self.cert, self.key, self.chain) if file is not None)
