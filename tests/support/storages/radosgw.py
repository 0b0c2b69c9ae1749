"""An S3 server: the gateway of Ceph, with a cluster of its own behind it."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.support.storages.ceph import CephCluster, ceph_cluster
from tests.support.storages.foreground import Foreground, own_address
from tests.support.storages.s3_client import s3_client
from tests.support.system_packages import require

PORT = 7480
ACCESS_KEY, SECRET_KEY = "AKTEST", "SKTEST"
"""Of a user who may make buckets and do everything in them."""
GUEST, GUEST_KEY, GUEST_SECRET = "guest", "AKGUEST", "SKGUEST"
"""Of somebody else, who may do what the policy of a bucket lets him."""
_CONFIGURATION = """
[client.rgw]
rgw frontends = beast endpoint={address}:{port} tcp_nodelay=1
rgw data = {folder}/rgw
rgw thread pool size = 16
rgw run sync thread = false
rgw enable quota threads = false
rgw bucket quota ttl = 0
rgw dns name = localhost
"""


class Radosgw:
    """A running gateway."""

    def __init__(self, cluster: CephCluster, address: str) -> None:
        self.cluster, self.address, self.port = cluster, address, PORT
        self._configuration = cluster.folder / "rgw.conf"
        self.process = Foreground(
            ["radosgw", "-n", "client.rgw", "-f"],
            cluster.folder / "rgw.out",
            self._speaks_http,
            {"CEPH_CONF": str(self._configuration)},
        )

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://{self.address}:{self.port}"

    def start(self) -> None:
        """Make its users, and start it."""
        (self.cluster.folder / "rgw").mkdir()
        own = _CONFIGURATION.format(address=self.address, port=self.port, folder=self.cluster.folder)
        self._configuration.write_text(self.cluster.configuration.read_text() + own)
        for name, key, secret in (("tester", ACCESS_KEY, SECRET_KEY), (GUEST, GUEST_KEY, GUEST_SECRET)):
            keys = (f"--access-key={key}", f"--secret-key={secret}")
            self.administer("user", "create", f"--uid={name}", f"--display-name={name}", *keys)
        self.process.start()

    def administer(self, *words: str) -> str:
        """Run the gateway's own command and return what it printed."""
        return self.cluster.run(
            "radosgw-admin", "--conf", str(self._configuration), "-n", "client.rgw", *words
        )

    def client(self) -> Any:
        """Return a client of somebody else's, with all rights."""
        return s3_client(self.url, ACCESS_KEY, SECRET_KEY)

    def make_bucket(self, name: str) -> None:
        """Make a bucket."""
        self.client().create_bucket(Bucket=name)

    def limit_bucket(self, name: str, most_b: int) -> None:
        """Let a bucket take no more than so many bytes."""
        what = ("--quota-scope=bucket", f"--bucket={name}")
        self.administer("quota", "set", *what, f"--max-size={most_b}")
        self.administer("quota", "enable", *what)

    def let_guest_read(self, name: str) -> None:
        """Let the guest read a bucket, and do nothing else."""
        statement = {
            "Effect": "Allow",
            "Principal": {"AWS": [f"arn:aws:iam:::user/{GUEST}"]},
            "Action": ["s3:GetObject", "s3:ListBucket"],
            "Resource": [f"arn:aws:s3:::{name}", f"arn:aws:s3:::{name}/*"],
        }
        policy = {"Version": "2012-10-17", "Statement": [statement]}
        self.client().put_bucket_policy(Bucket=name, Policy=json.dumps(policy))

    def _speaks_http(self) -> bool:
        connection = http.client.HTTPConnection(self.address, self.port, timeout=5)
        try:
            connection.request("GET", "/")
            return connection.getresponse().status > 0
        except OSError:
            return False
        finally:
            connection.close()


@contextmanager
def radosgw(folder: Path) -> Iterator[Radosgw]:
    """Start a cluster and a gateway below ``folder`` for as long as the body runs."""
    require(["radosgw", "radosgw-admin"], ["radosgw"])
    with ceph_cluster(folder) as cluster:
        gateway = Radosgw(cluster, own_address(PORT))
        try:
            gateway.start()
            yield gateway
        finally:
            gateway.process.kill()
