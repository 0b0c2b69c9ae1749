"""``python -m cluster_worker.persistence.serve``: owns one Redis server, for several daemons to share.

Keeps the server running and brings it back when it ends; SIGTERM and SIGINT stop both.
"""

from __future__ import annotations

import ipaddress
import sys
from argparse import ArgumentParser, ArgumentTypeError
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import react
from twisted.logger import globalLogBeginner, textFileLogObserver

from cluster_worker.persistence.config import Durability
from cluster_worker.persistence.embedded import EmbeddedRedis, StateFolderBusy, TcpListen


def listen_address(text: str) -> TcpListen:
    """Parse ``address:port``."""
    host, _, port = text.rpartition(":")
    try:
        listen = TcpListen(str(ipaddress.IPv4Address(host)), int(port))
    except ValueError:
        raise ArgumentTypeError(f"{text!r} is not an address and a port") from None
    if not 0 < listen.port < 65536:
        raise ArgumentTypeError("ports are 1 to 65535")
    return listen


def protected(listen: TcpListen | None, password_file: str | None) -> TcpListen | None:
    """Give a listener its password. Raises: SystemExit when others could reach one that has none."""
    if listen is None:
        return None
    if password_file is not None:
        return evolve(listen, password=Path(password_file).read_text(encoding="utf-8").strip())
    if not ipaddress.IPv4Address(listen.host).is_loopback:
        raise SystemExit("without a password it listens on loopback addresses only")
    return listen


def _parser() -> ArgumentParser:
    parser = ArgumentParser(
        prog="python -m cluster_worker.persistence.serve", description="Own a Redis server."
    )
    parser.add_argument("--state-dir", required=True, help="folder of its data, log and pid file")
    parser.add_argument("--unix-socket", help="where it listens; redis.sock in the folder by default")
    parser.add_argument("--listen", type=listen_address, help="address:port to listen on as well")
    parser.add_argument(
        "--password-file", help="file with the password that all clients need; else loopback addresses only"
    )
    parser.add_argument("--pid-file", help="gets the server's process id at each start, as does redis.pid")
    parser.add_argument(
        "--durability",
        type=Durability,
        choices=list(Durability),
        default=Durability.PROCESS,
        help="see RedisConfig",
    )
    return parser


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Run until the reactor stops."""
    options = _parser().parse_args(arguments)
    globalLogBeginner.beginLoggingTo([textFileLogObserver(sys.stderr)], redirectStandardIO=False)
    server = EmbeddedRedis(
        reactor,
        options.state_dir,
        durability=options.durability,
        unix_socket=options.unix_socket,
        listen=protected(options.listen, options.password_file),
        pid_file=options.pid_file,
    )
    try:
        server.startService()
    except StateFolderBusy as exc:
        raise SystemExit(str(exc)) from None
    reactor.addSystemEventTrigger("before", "shutdown", server.stopService)
    return Deferred()


if __name__ == "__main__":
    react(main, sys.argv[1:])
