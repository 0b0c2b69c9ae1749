"""``cluster-manager status|drain|undrain|leave``, also as ``python -m cluster_manager.console``.

    cluster-manager status --config etc/cluster_manager.toml --watch
    cluster-manager drain worker@w2.example --url https://cm1.example:5057 --tls certs/operator --wait

Exits with 0 when it is done, 1 when it is declined, 2 when the command line is wrong, 3 when nobody leads,
4 when the wait was too long, 130 after Ctrl-C. A request that was accepted goes on after Ctrl-C.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from cluster_manager.console.client import BadFiles, Files, ManagerClient
from cluster_manager.console.command import INTERRUPTED, USAGE, Command
from cluster_worker.wire.certificates import CA_CERT


def main(arguments: Sequence[str] | None = None) -> int:
    """Parse, ask, print; return the exit code."""
    parser = _parser()
    options = parser.parse_args(arguments)
    urls, files = list(options.url), None
    if options.config is not None:
        configured, files = _configured(parser, options.config)
        urls = urls or [configured]
    if options.tls is not None:
        folder: Path = options.tls
        files = Files(ca=folder / CA_CERT, cert=folder / "node_cert.pem", key=folder / "node_key.pem")
    if not urls or files is None:
        parser.error("give --config, or --url and --tls")
    try:
        context = files.context()
    except BadFiles as problem:
        sys.stderr.write(f"{problem}\n")
        return USAGE
    command = Command(
        client=ManagerClient(urls, context),
        console=Console(),
        errors=sys.stderr,
        sleep=time.sleep,
        monotonic=time.monotonic,
    )
    try:
        return _run(command, options)
    except KeyboardInterrupt:
        return INTERRUPTED


def _run(command: Command, options: argparse.Namespace) -> int:
    if options.what != "status":
        return command.resize(options.node, options.what, options.timeout if options.wait else None)
    if options.watch:
        return command.watch(options.interval)
    return command.status(as_json=options.json)


def _configured(parser: argparse.ArgumentParser, path: str) -> tuple[str, Files]:
    """The door and the authority of the manager with this configuration file."""
    from cluster_manager.config import ENVIRONMENT_PREFIX, ClusterManagerConfig
    from cluster_manager.settings import reached_at
    from cluster_worker.runtime.configuration import ConfigurationError, load_configuration

    try:
        config = load_configuration(ClusterManagerConfig, path, os.environ, ENVIRONMENT_PREFIX)
    except ConfigurationError as error:
        parser.error("; ".join(error.problems))
    door = reached_at(config.http.address, config.http.port, config.cluster_manager.node_name)
    own = Path(config.state_dir) / "certs" / CA_CERT
    return f"https://{door}", Files(ca=Path(config.tls.ca) if config.tls.is_given else own)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="cluster-manager", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    shared = argparse.ArgumentParser(add_help=False)
    shared.add_argument(
        "--url", action="append", default=[], help="door of a manager, https://host:port; may be repeated"
    )
    shared.add_argument("--config", help="configuration file of a manager, for its door and authority")
    shared.add_argument(
        "--tls", type=Path, help=f"folder with {CA_CERT}, node_cert.pem and node_key.pem of an operator"
    )
    commands = parser.add_subparsers(dest="what", required=True)
    status = commands.add_parser("status", parents=[shared], help="show the cluster and its nodes")
    status.add_argument("--json", action="store_true", help="print what the leader answered")
    status.add_argument("--watch", action="store_true", help="show it until Ctrl-C")
    status.add_argument("--interval", type=float, default=1.0, help="seconds between two looks of --watch")
    for what, meaning in (
        ("drain", "a node gets nothing new and gives its work to the others"),
        ("undrain", "a draining node works as before"),
        ("leave", "a node drains, stops, and is no member any more"),
    ):
        resizing = commands.add_parser(what, parents=[shared], help=meaning)
        resizing.add_argument("node", help="name of a worker, worker@host")
        resizing.add_argument("--wait", action="store_true", help="return when it is done")
        resizing.add_argument("--timeout", type=float, default=600.0, help="seconds that --wait waits")
    return parser


if __name__ == "__main__":
    sys.exit(main())
