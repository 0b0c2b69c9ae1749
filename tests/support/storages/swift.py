"""OpenStack Swift on one disk: its four servers, with logging in by ``tempauth`` (v1) or by a Keystone (v3).

The same proxy also speaks S3: the access key is ``account:user``, the secret is the user's key.
"""

from __future__ import annotations

import http.client
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.keystone import Keystone
from tests.support.storages.python_servers import server_environment
from tests.support.system_packages import require

REQUIREMENTS = ("swift == 2.38.*", "keystonemiddleware", "setuptools < 81")
PROXY_PORT, ACCOUNT_PORT, CONTAINER_PORT, OBJECT_PORT, CACHE_PORT = 8080, 6202, 6201, 6200, 11211
ACCOUNT, USER, KEY = "test", "tester", "testing"
"""Of ``tempauth``. ``USER`` may do everything in its account."""
GUEST, GUEST_KEY = "guest", "guesting"
"""Somebody of the same account who may do nothing."""
_BACKENDS: Mapping[str, int] = {"account": ACCOUNT_PORT, "container": CONTAINER_PORT, "object": OBJECT_PORT}
_COMMAND_LIMIT_S = 60.0

_COMMON = """
[DEFAULT]
bind_ip = {address}
bind_port = {port}
workers = 0
user = root
swift_dir = {folder}
devices = {folder}/srv
mount_check = false
disable_fallocate = true
recon_cache_path = {folder}/cache
log_address = {folder}/nolog
container_update_timeout = 30
"""
"""A busy machine is slow: no server is to give up another, or to put off telling it of an object."""
_HASH = """
[swift-hash]
swift_hash_path_prefix = p
swift_hash_path_suffix = s
[storage-policy:0]
name = gold
default = yes
"""
_BEFORE_LOG_IN = "catch_errors gatekeeper healthcheck cache listing_formats bulk"
_AFTER_LOG_IN = "copy container_quotas slo dlo versioned_writes symlink proxy-server"
_BACKEND = """
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
conn_timeout = 10
node_timeout = 60
"""
_PROXY = """
[pipeline:main]
pipeline = {first} {log_in} {rest}
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
conn_timeout = 10
node_timeout = 60
recoverable_node_timeout = 60
error_suppression_limit = 1000000
[filter:tempauth]
use = egg:swift#tempauth
token_life = {token_life_s}
user_{account}_{user} = {key} .admin
user_{account}_{guest} = {guest_key}
[filter:s3api]
use = egg:swift#s3api
location = us-east-1
[filter:versioned_writes]
use = egg:swift#versioned_writes
allow_versioned_writes = true
allow_object_versioning = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = {address}:{cache_port}
connect_timeout = 10
io_timeout = 10
error_suppression_limit = 1000000
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:gatekeeper]
use = egg:swift#gatekeeper
[filter:healthcheck]
use = egg:swift#healthcheck
[filter:listing_formats]
use = egg:swift#listing_formats
[filter:bulk]
use = egg:swift#bulk
[filter:copy]
use = egg:swift#copy
[filter:container_quotas]
use = egg:swift#container_quotas
[filter:slo]
use = egg:swift#slo
[filter:dlo]
use = egg:swift#dlo
[filter:symlink]
use = egg:swift#symlink
"""
_KEYSTONE_FILTERS = """
[filter:authtoken]
paste.filter_factory = keystonemiddleware.auth_token:filter_factory
www_authenticate_uri = {identity.url}
auth_url = {identity.url}
auth_type = password
username = {identity.service_user}
password = {identity.service_password}
project_name = service
project_domain_id = default
user_domain_id = default
delay_auth_decision = true
cache = swift.cache
[filter:keystoneauth]
use = egg:swift#keystoneauth
operator_roles = admin, member
"""


class SwiftServers:
    """Swift's servers and the cache that they share.

    Args:
        identity: the Keystone that tells who somebody is; ``tempauth`` when there is none.
        token_life_s: how long a token of ``tempauth`` is good for.
    """

    def __init__(
        self, folder: Path, address: str, identity: Keystone | None = None, token_life_s: int = 86400
    ) -> None:
        self.folder, self.address = folder, address
        self._identity, self._token_life_s = identity, token_life_s
        self._bin = server_environment("swift", REQUIREMENTS)
        cache = ["memcached", "-u", "root", "-l", address, "-p", str(CACHE_PORT), "-m", "16"]
        self.cache = Foreground(cache, folder / "cache.log", lambda: True)
        self.backends = {kind: self._server(kind, port) for kind, port in _BACKENDS.items()}
        self.proxy = self._server("proxy", PROXY_PORT)

    @property
    def url(self) -> str:
        """Where the proxy is."""
        return f"http://{self.address}:{PROXY_PORT}"

    @property
    def auth_url(self) -> str:
        """Where one logs in."""
        return f"{self.url}/auth/v1.0" if self._identity is None else self._identity.url

    def start(self) -> None:
        """Make the disk and its rings, and start everything."""
        for each in ("srv/d1", "cache"):
            (self.folder / each).mkdir(parents=True)
        (self.folder / "swift.conf").write_text(_HASH)
        for kind, port in _BACKENDS.items():
            self._make_ring(kind, port)
            self._write(kind, port, _BACKEND.format(kind=kind))
        self._write("proxy", PROXY_PORT, self._proxy_text())
        self.cache.start()
        with ThreadPoolExecutor(4) as threads:
            for started in [threads.submit(each.start) for each in (*self.backends.values(), self.proxy)]:
                started.result()

    def stop(self) -> None:
        """End everything at once: nothing in it is wanted any more. Idempotent."""
        for server in (self.proxy, *self.backends.values(), self.cache):
            server.kill()

    def forget_tokens(self) -> None:
        """Let every token that ``tempauth`` gave out be unknown from now on."""
        with socket.create_connection((self.address, CACHE_PORT), timeout=5) as cache:
            cache.sendall(b"flush_all\r\n")
            assert cache.recv(100) == b"OK\r\n"

    def _server(self, kind: str, port: int) -> Foreground:
        command = [str(self._bin / f"swift-{kind}-server"), str(self.folder / f"{kind}-server.conf")]
        return Foreground(command, self.folder / f"{kind}.log", lambda: self._speaks_http(port))

    def _make_ring(self, kind: str, port: int) -> None:
        builder = f"{kind}.builder"
        steps: Sequence[Sequence[str]] = (
            ("create", "1", "1", "0"),
            ("add", f"r1z1-{self.address}:{port}/d1", "1"),
            ("rebalance",),
        )
        for words in steps:
            command = [str(self._bin / "swift-ring-builder"), builder, *words]
            subprocess.run(
                command, cwd=self.folder, capture_output=True, check=True, timeout=_COMMAND_LIMIT_S
            )

    def _write(self, kind: str, port: int, text: str) -> None:
        common = _COMMON.format(address=self.address, port=port, folder=self.folder)
        (self.folder / f"{kind}-server.conf").write_text(common + text)

    def _proxy_text(self) -> str:
        text = _PROXY.format(
            first=_BEFORE_LOG_IN,
            rest=_AFTER_LOG_IN,
            log_in="s3api tempauth" if self._identity is None else "authtoken keystoneauth",
            token_life_s=self._token_life_s,
            account=ACCOUNT,
            user=USER,
            key=KEY,
            guest=GUEST,
            guest_key=GUEST_KEY,
            address=self.address,
            cache_port=CACHE_PORT,
        )
        return text if self._identity is None else text + _KEYSTONE_FILTERS.format(identity=self._identity)

    def _speaks_http(self, port: int) -> bool:
        connection = http.client.HTTPConnection(self.address, port, timeout=5)
        try:
            connection.request("GET", "/healthcheck")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def swift_servers(
    folder: Path, identity: Keystone | None = None, token_life_s: int = 86400
) -> Iterator[SwiftServers]:
    """Start Swift below ``folder`` at an address of its own for as long as the body runs."""
    require(["memcached"], ["memcached"])
    folder.mkdir(parents=True, exist_ok=True)
    address = own_address(PROXY_PORT, CACHE_PORT, *_BACKENDS.values())
    servers = SwiftServers(folder, address, identity, token_life_s)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
