"""Connecting and logging in to an SSH server, with Twisted's own implementation of SSH."""

from __future__ import annotations

import errno
from typing import Any

from attrs import field, frozen
from twisted.conch.ssh import keys
from twisted.conch.ssh.connection import SSHConnection
from twisted.conch.ssh.transport import DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE, SSHClientTransport
from twisted.conch.ssh.userauth import SSHUserAuthClient
from twisted.internet.defer import Deferred, TimeoutError, fail, succeed
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.error import ConnectError, ConnectionClosed, DNSLookupError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Factory, connectionDone
from twisted.python.failure import Failure

from op_worker.storage.helper import StorageError, StorageUnavailable
from op_worker.storage.helpers.sftp.channel import SftpChannel
from op_worker.storage.helpers.sftp.host_keys import HostKey, fingerprint
from op_worker.storage.types import BadStorageError

TROUBLE = (ConnectError, ConnectionClosed, DNSLookupError, TimeoutError)
"""What goes wrong between us and a server."""


@frozen(kw_only=True)
class Login:
    """Who logs in; one of password and key is there."""

    username: str
    password: str = field(default="", repr=False)
    key: Any = field(default=None, repr=False)


@frozen(kw_only=True)
class Server:
    """Where an SSH server is and what it must show. Durations in seconds."""

    host: str
    port: int
    host_key: HostKey
    timeout_s: float


def private_key(text: str, passphrase: str) -> Any:
    """Read a private key. Raises: BadStorageError."""
    try:
        return keys.Key.fromString(text.encode(), passphrase=passphrase.encode() or None)
    except (keys.BadKeyError, keys.EncryptedKeyError, ValueError, TypeError) as error:
        raise BadStorageError(f"privateKey cannot be read: {error}") from error


async def connect(reactor: Any, server: Server, login: Login) -> SftpChannel:
    """Return a new SFTP session.

    Raises: StorageUnavailable when the server cannot be reached; StorageError(EACCES) when it shows another
        key than it must, or refuses the log-in.
    """
    transport = _Transport(reactor, server, login)
    endpoint = HostnameEndpoint(reactor, server.host, server.port, timeout=server.timeout_s)
    try:
        await endpoint.connect(Factory.forProtocol(lambda: transport))
        return await transport.session.addTimeout(server.timeout_s, reactor)
    except TROUBLE as error:
        raise trouble(error, "") from error
    finally:
        if not transport.is_ready and transport.transport is not None:
            transport.transport.loseConnection()


def trouble(error: BaseException, path: str) -> StorageError:
    """Return the error of a storage for something of ``TROUBLE``."""
    is_late = isinstance(error, TimeoutError)
    words = "no answer in time" if is_late else str(error) or "the connection is lost"
    return StorageUnavailable(errno.ETIMEDOUT if is_late else errno.EIO, path, words)


class _Transport(SSHClientTransport):
    """One connection; ``session`` fires with its SFTP session, or fails with why there is none."""

    def __init__(self, clock: IReactorTime, server: Server, login: Login) -> None:
        self._clock, self._server, self._login = clock, server, login
        self.session: Deferred[SftpChannel] = Deferred()
        self.is_ready = False
        self._channel: SftpChannel | None = None
        if server.host_key.algorithms:
            self.supportedPublicKeys = list(server.host_key.algorithms)

    def connectionMade(self) -> None:
        connection: Any = self.transport
        connection.setTcpNoDelay(True)  # requests are small, and somebody waits for each
        super().connectionMade()

    def verifyHostKey(self, hostKey: bytes, fingerprint_: bytes) -> Deferred[bool]:  # noqa: N803
        shown = fingerprint(hostKey)
        if shown == self._server.host_key.fingerprint:
            return succeed(True)
        self._fail(StorageError(errno.EACCES, "", f"the host shows another key than hostKey: {shown}"))
        return fail(StorageError(errno.EACCES, "", "host key"))

    def connectionSecure(self) -> None:
        self._channel = SftpChannel(self._clock, self._server.timeout_s)
        self._channel.ready.addCallbacks(self._ready, self._failed)
        self.requestService(_Authentication(self._login, _Connection(self._channel)))

    def sendDisconnect(self, reason: int, desc: bytes) -> None:
        if reason == DISCONNECT_NO_MORE_AUTH_METHODS_AVAILABLE:
            self._fail(StorageError(errno.EACCES, "", "the server refuses the log-in"))
        super().sendDisconnect(reason, desc)

    def receiveError(self, reasonCode: int, description: bytes) -> None:  # noqa: N803 - Twisted's name
        words = description.decode("utf-8", "replace")
        self._fail(StorageError(errno.EACCES, "", f"the server says {words}"))

    def connectionLost(self, reason: Failure | None = connectionDone) -> None:
        super().connectionLost(reason)
        self._fail(StorageUnavailable(errno.EIO, "", "the connection is lost"))
        if self._channel is not None:
            self._channel.closed()

    def _ready(self, channel: SftpChannel) -> None:
        self.is_ready = True
        self.session.callback(channel)

    def _failed(self, reason: Failure) -> None:
        self._fail(StorageUnavailable(errno.EIO, "", str(reason.value)))

    def _fail(self, error: StorageError) -> None:
        if not self.session.called:
            self.session.errback(error)


class _Connection(SSHConnection):
    """Opens the one channel that we need."""

    def __init__(self, channel: SftpChannel) -> None:
        super().__init__()
        self._channel = channel

    def serviceStarted(self) -> None:
        super().serviceStarted()
        self.openChannel(self._channel)


class _Authentication(SSHUserAuthClient):
    """Offers the one thing that a login has, once."""

    def __init__(self, login: Login, connection: SSHConnection) -> None:
        super().__init__(login.username.encode(), connection)
        self._login, self._is_offered = login, False
        self.preferredOrder = (
            [b"publickey"] if login.key is not None else [b"password", b"keyboard-interactive"]
        )

    def getPublicKey(self) -> Any:
        if self._login.key is None or self._is_offered:
            return None
        self._is_offered = True
        return self._login.key.public()

    def getPrivateKey(self) -> Deferred[Any]:
        return succeed(self._login.key)

    def getPassword(self, prompt: bytes | None = None) -> Deferred[bytes] | None:
        if not self._login.password or self._is_offered:
            return None
        self._is_offered = True
        return succeed(self._login.password.encode())

    def getGenericAnswers(
        self, name: bytes, instruction: bytes, prompts: Any
    ) -> Deferred[list[bytes]] | None:
        if len(prompts) != 1:
            return succeed([]) if not prompts else None
        password = self.getPassword()
        return None if password is None else succeed([self._login.password.encode()])
