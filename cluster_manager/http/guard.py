"""Who may use the manager's door: known networks read, operators with a certificate of the cluster act."""

from __future__ import annotations

from twisted.logger import Logger

from cluster_manager.http.config import HttpSection
from cluster_worker.http.credentials import peer_ip
from cluster_worker.http.networks import Networks
from cluster_worker.http.request import StreamingRequest
from cluster_worker.wire.tls import BadCredentials, certified_node
from onedata.errors import Forbidden, Unauthorized

_OPERATOR = "operator@"


class Guard:
    """Judges by address and by the certificate that a client has shown; TLS has verified that one."""

    _log = Logger()

    def __init__(self, section: HttpSection) -> None:
        self._allowed = Networks.parse(section.allowed)

    def use(self, section: HttpSection) -> None:
        """Take another section into use at once."""
        self._allowed = Networks.parse(section.allowed)

    def admit_reader(self, request: StreamingRequest) -> None:
        """Return when the request may read. Raises: Forbidden."""
        if not self._allowed.hold(peer_ip(request)) and _certified(request) is None:
            raise Forbidden("Reading needs an allowed address or a certificate of the cluster.")

    def admit_operator(self, request: StreamingRequest, what: str) -> None:
        """Return when the request may change the cluster; ``what`` it wants is logged with who wants it.

        Raises:
            Unauthorized: no certificate was shown.
            Forbidden: the certificate is of a node.
        """
        name = _certified(request)
        if name is None:
            raise Unauthorized
        if not name.startswith(_OPERATOR):
            raise Forbidden("This needs a certificate for a name operator@….")
        request.user_id = name
        self._log.info("{name} asks to {what}", name=name, what=what)


def _certified(request: StreamingRequest) -> str | None:
    """The name in the client's certificate; ``None`` when it has shown none that names somebody."""
    try:
        return certified_node(request.channel.transport)
    except BadCredentials:
        return None
