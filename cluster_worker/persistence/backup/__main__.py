"""``python -m cluster_worker.persistence.backup``: takes backups of metadata, puts them back, checks them.

Ends with 0 when all is well, 1 when nothing came of it (one sentence says why), 2 for a wrong command line,
and 3 when a backup is damaged.
"""

from __future__ import annotations

import sys
import tomllib
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any

from attrs import evolve
from twisted.internet.defer import Deferred
from twisted.internet.task import react

from cluster_worker.persistence.backup.checking import check_contents, look_into, open_backup
from cluster_worker.persistence.backup.creating import create_backup
from cluster_worker.persistence.backup.errors import BackupDamaged, BackupError
from cluster_worker.persistence.backup.manifest import Manifest
from cluster_worker.persistence.backup.restoring import restore_to_folder, restore_to_servers
from cluster_worker.persistence.backup.tools import Tools
from cluster_worker.persistence.borrowed import borrowed_store
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.embedded import StateFolderBusy
from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.persistence.resp import ReplyError
from cluster_worker.persistence.server_program import ServerProgramMissing, find_server
from cluster_worker.runtime.clock import system_wall_clock

_PATIENCE_S = 30.0
_REPLY_TIMEOUT_S = 60.0


def parser() -> ArgumentParser:
    """Return the command line."""
    command_line = ArgumentParser(
        prog="python -m cluster_worker.persistence.backup",
        description="Backups of metadata; see docs/backup.md.",
    )
    commands = command_line.add_subparsers(dest="command", required=True)
    create = commands.add_parser("create", help="write a new backup, while daemons run")
    create.add_argument("backup", type=Path, help="the folder to make")
    create.add_argument(
        "--unchecked", action="store_true", help="do not load it into a server to see that it can be"
    )
    restore = commands.add_parser("restore", help="put a backup where nothing is, while no daemon runs")
    restore.add_argument("backup", type=Path, help="the folder of the backup")
    for command in (create, restore):
        store = command.add_mutually_exclusive_group(required=True)
        store.add_argument("--config", type=Path, help="file of a daemon, for its [redis] and state_dir")
        store.add_argument("--url", help="of external servers, as in [redis] url")
        store.add_argument("--state-dir", type=Path, help="state folder of a daemon with an embedded server")
        command.add_argument("--ca-file", help="PEM file of the authorities trusted with TLS")
    verify = commands.add_parser("verify", help="see whether a backup is as it was made")
    verify.add_argument("backup", type=Path, help="the folder of the backup")
    verify.add_argument(
        "--load", action="store_true", help="also load it into a server and look at every key"
    )
    for command in (create, restore, verify):
        command.add_argument("--server", help="program that loads dumps; the embedded server by default")
    return command_line


def _store(options: Namespace) -> tuple[RedisConfig, Path | None]:
    """Return how servers are reached and, without external ones, the state folder."""
    table: dict[str, Any] = {}
    state_dir = options.state_dir
    if options.config is not None:
        told = tomllib.loads(options.config.read_text(encoding="utf-8"))
        table = dict(told.get("redis", {}))
        state_dir = Path(told["state_dir"]) if "state_dir" in told else None
    elif options.url is not None:
        table = {"url": options.url}
    if options.ca_file is not None:
        table["ca_file"] = options.ca_file
    table.setdefault("patience_s", _PATIENCE_S)
    config = evolve(RedisConfig(**table), reply_timeout_s=_REPLY_TIMEOUT_S)
    if config.address is None and (state_dir is None or config.is_memory):
        raise ValueError("neither a url of servers nor a state folder is told: give --url or --state-dir")
    return config, None if config.address is not None else state_dir


def _tools(reactor: Any, config: RedisConfig, options: Namespace) -> Tools:
    return Tools(reactor, config, system_wall_clock, options.server or find_server(), _say)


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


async def _create(reactor: Any, options: Namespace) -> Manifest:
    config, state_dir = _store(options)
    look = None if options.unchecked else look_into
    async with borrowed_store(reactor, config, state_dir, _say) as address:
        return await create_backup(_tools(reactor, config, options), address, options.backup, look)


async def _restore(reactor: Any, options: Namespace) -> Manifest:
    config, state_dir = _store(options)
    tools = _tools(reactor, config, options)
    if state_dir is not None:
        return await restore_to_folder(tools, options.backup, state_dir)
    assert config.address is not None
    return await restore_to_servers(tools, options.backup, config.address)


async def _verify(reactor: Any, options: Namespace) -> Manifest:
    manifest = open_backup(options.backup)
    if options.load:
        tools = _tools(reactor, RedisConfig(reply_timeout_s=_REPLY_TIMEOUT_S), options)
        check_contents(manifest, await look_into(tools, options.backup, manifest.parts, manifest.database))
    return manifest


_COMMANDS = {"create": _create, "restore": _restore, "verify": _verify}
_EXPECTED = (
    BackupError,
    PersistenceError,
    ReplyError,
    ServerProgramMissing,
    StateFolderBusy,
    OSError,
    ValueError,
    TypeError,
)


async def perform(reactor: Any, options: Namespace) -> Manifest:
    """Do what the command line says, and return the manifest of the backup."""
    return await _COMMANDS[options.command](reactor, options)


async def run(reactor: Any, options: Namespace) -> None:
    """Do what the command line says; raise SystemExit when nothing comes of it."""
    try:
        manifest = await perform(reactor, options)
    except _EXPECTED as exc:
        _say(f"{options.command} failed: {exc}")
        raise SystemExit(3 if isinstance(exc, BackupDamaged) else 1) from exc
    size_b = sum(part.size_b for part in manifest.parts)
    keys = "unchecked" if manifest.keys is None else f"{manifest.keys} keys, digest {manifest.digest}"
    sys.stdout.write(f"{options.backup}: {len(manifest.parts)} parts, {size_b} bytes, {keys}\n")


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and run."""
    return Deferred.fromCoroutine(run(reactor, parser().parse_args(arguments)))


if __name__ == "__main__":
    react(main, sys.argv[1:])
