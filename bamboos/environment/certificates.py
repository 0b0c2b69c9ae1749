"""Certificates of an environment: one web authority, and one authority inside each cluster."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bamboos.environment.cluster import Cluster
from bamboos.environment.interpreter import daemon_python

OPERATOR = "operator@environment"
"""The name under which the scripts ask managers for something."""


@dataclass(frozen=True)
class Certificates:
    """Files below ``folder``; those that exist already are kept."""

    folder: Path

    @property
    def web_ca(self) -> Path:
        """The authority that browsers and clients of this environment trust."""
        return self.folder / "web" / "ca.pem"

    def make(self, clusters: Sequence[Cluster], hosts: Mapping[str, str]) -> None:
        """Make what is missing, in one run of the daemons' own certificate command.

        Args:
            hosts: host name → address, both of which the certificates name.
        """
        self._carry_out(self._orders(clusters, hosts))

    def operator(self, cluster: Cluster) -> Path:
        """The folder of an operator's certificate for a cluster, made when it is missing."""
        folder, authority = self.folder / f"operator.{cluster.domain}", self.folder / cluster.domain
        order = ["node", "--ca", str(authority), "--node", OPERATOR, "--out", str(folder)]
        self._carry_out([order])
        shutil.copy(authority / "ca.pem", folder / "ca.pem")
        return folder

    def _carry_out(self, orders: Iterable[list[str]]) -> None:
        missing = [order for order in orders if not self._is_made(order)]
        if missing:
            command = [str(daemon_python()), "-m", "cluster_worker.wire.certificates", "batch"]
            subprocess.run(command, input=json.dumps(missing), text=True, check=True)

    def _orders(self, clusters: Sequence[Cluster], hosts: Mapping[str, str]) -> Iterator[list[str]]:
        web = str(self.folder / "web")
        yield ["ca", "--name", "Environment web authority", "--out", web]
        for cluster in clusters:
            inner = str(self.folder / cluster.domain)
            yield ["ca", "--name", f"Cluster {cluster.domain}"[:64], "--out", inner]
            for node, host in {**cluster.workers(), **cluster.managers()}.items():
                names = ["--host", host, "--host", hosts[host]]
                yield ["node", "--ca", inner, "--node", node, *names, "--out", str(self.folder / host)]
            for host in cluster.workers().values():
                names = ["--host", host, "--host", cluster.domain, "--host", hosts[host]]
                yield ["web", "--ca", web, *names, "--out", str(self.folder / host)]

    @staticmethod
    def _is_made(order: Sequence[str]) -> bool:
        product = {"ca": "ca.pem", "node": "node_cert.pem", "web": "web_cert.pem"}[order[0]]
        return (Path(order[order.index("--out") + 1]) / product).exists()
