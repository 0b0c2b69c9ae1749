"""Asks the managers of a cluster for something, from a terminal.

    python -m cluster_manager.operate --manager cm.example:5055 --tls certs/operator drain worker@w2.example

Exits with 0 when it is decided, with 1 and a sentence when it is declined or nobody leads.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import react

from cluster_manager.asking import NoLeader, ask_managers
from cluster_worker.wire.certificates import CA_CERT
from cluster_worker.wire.connections import Address
from cluster_worker.wire.errors import RemoteFailure
from cluster_worker.wire.health_messages import ClusterStatus, GetClusterStatus
from cluster_worker.wire.messages import Message
from cluster_worker.wire.operator_messages import DrainNode, LeaveNode, UndrainNode
from cluster_worker.wire.tls import BadCredentials, NodeCredentials, TlsFiles

_REQUESTS: dict[str, Callable[[str], Message]] = {
    "drain": DrainNode,
    "undrain": UndrainNode,
    "leave": LeaveNode,
}


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse, ask, print."""
    options = _parser().parse_args(arguments)
    return Deferred.fromCoroutine(_run(reactor, options))


async def _run(reactor: Any, options: argparse.Namespace) -> None:
    folder: Path = options.tls
    files = TlsFiles(
        ca=options.ca or folder / CA_CERT, cert=folder / "node_cert.pem", key=folder / "node_key.pem"
    )
    make = _REQUESTS.get(options.what)
    request: Message = GetClusterStatus() if make is None else make(options.node)
    try:
        answer = await ask_managers(
            reactor, options.manager, NodeCredentials(files), options.operator, request
        )
    except (RemoteFailure, NoLeader, BadCredentials) as problem:
        raise SystemExit(str(problem)) from None
    if isinstance(answer, ClusterStatus):
        for node, standing in answer.standings:
            sys.stdout.write(f"{node} {standing}\n")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        prog="cluster_manager.operate",
    )
    parser.add_argument(
        "--manager", action="append", required=True, type=Address.parse, help="host:port; may be repeated"
    )
    parser.add_argument("--tls", required=True, type=Path, help="folder with node_cert.pem and node_key.pem")
    parser.add_argument("--ca", type=Path, help=f"the cluster's authority, if not {CA_CERT} in that folder")
    parser.add_argument("--operator", default="operator@localhost", help="the name in the certificate")
    commands = parser.add_subparsers(dest="what", required=True)
    for what in _REQUESTS:
        commands.add_parser(what).add_argument("node", help="name of a worker, worker@host")
    commands.add_parser("nodes", help="print every member and what it does")
    return parser


if __name__ == "__main__":
    react(main, sys.argv[1:])
