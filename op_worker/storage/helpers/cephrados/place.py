"""Where a pool of Ceph is, and who asks for it. Pure."""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Mapping

from attrs import field, frozen

from op_worker.storage.types import BadStorageError, Kind, Parameter, Parameters

_LAGGY_S = 10.0
_TICK_S = 5.0
"""The library's own: when an operation is late, and how often it looks for those."""
_CLIENT = "client."
_SMALLEST_KEY_B = 12
"""Of a secret of Ceph: two bytes of its type, eight of its time, two of its length."""

ARGUMENTS = (
    Parameter(name="monitorHostname"),
    Parameter(name="clusterName"),
    Parameter(name="poolName"),
)
CREDENTIALS = (Parameter(name="username"), Parameter(name="key", is_secret=True))
BLOCK_SIZE = Parameter(name="blockSize", kind=Kind.INTEGER, default="4194304", is_fixed=True)


@frozen(kw_only=True)
class CephPlace:
    """A pool and who asks for it.

    Attributes:
        monitors: addresses of monitors, separated by commas.
        user: with its kind, as in ``client.admin``.
        timeout_s: how long the cluster may take to answer anything.
    """

    monitors: str
    cluster: str
    pool: str
    user: str
    key: str = field(repr=False)
    timeout_s: float

    @classmethod
    def of(cls, parameters: Parameters, timeout_s: float) -> CephPlace:
        """Return what the parameters of a storage say. Raises: BadStorageError."""
        user = parameters.text("username")
        return cls(
            monitors=parameters.text("monitorHostname"),
            cluster=parameters.text("clusterName"),
            pool=parameters.text("poolName"),
            user=user if user.startswith(_CLIENT) else _CLIENT + user,
            key=_checked_key(parameters.text("key")),
            timeout_s=timeout_s,
        )

    @property
    def options(self) -> Mapping[str, str]:
        """The options of a client, all that matter: no file is read.

        An operation that nobody answers ends by itself, which it does not by default. Before it ends, the
        library asks the monitors for news: only so it learns that a server was started again. It is to make
        nobody wait because much is under way: that is for who calls it.
        """
        timeout = str(math.ceil(self.timeout_s))  # it takes whole seconds only
        return {
            "mon_host": self.monitors,
            "key": self.key,
            "keyring": "/dev/null",
            "rados_osd_op_timeout": timeout,
            "rados_mon_op_timeout": timeout,
            "client_mount_timeout": timeout,
            "objecter_timeout": str(min(_LAGGY_S, self.timeout_s / 4)),
            "objecter_tick_interval": str(min(_TICK_S, self.timeout_s / 4)),
            "objecter_inflight_ops": "0",
            "objecter_inflight_op_bytes": "0",
            "log_to_stderr": "false",
            "err_to_stderr": "false",
        }


def _checked_key(key: str) -> str:
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) < _SMALLEST_KEY_B:
        raise BadStorageError("key is no secret of Ceph: take what `ceph auth get-key` prints")
    return key
