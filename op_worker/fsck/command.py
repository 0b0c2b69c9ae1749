"""The command that checks the spaces of a provider, beside its daemon or while that does not run.

Ends with 0 when all is well or was repaired, with 1 when something is wrong, with 2 when not everything could
be checked, also when it was stopped.
"""

from __future__ import annotations

import json
import os
import sys
import tomllib
from argparse import ArgumentParser, Namespace
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from attrs import define
from twisted.internet.defer import CancelledError, Deferred

from cluster_worker.persistence.borrowed import borrowed_store
from cluster_worker.persistence.config import RedisConfig
from cluster_worker.persistence.engine import PersistenceError
from cluster_worker.persistence.lives import Lives
from cluster_worker.persistence.redis import RedisEngine
from cluster_worker.persistence.server_program import ServerProgramMissing
from cluster_worker.runtime.clock import system_wall_clock
from cluster_worker.runtime.pool import BlockingPool
from onedata.errors import ServiceUnavailable
from onedata.ids import SpaceId
from op_worker.files.committing.journal import Journal
from op_worker.files.committing.path_locks import PathLocks
from op_worker.fsck.check import Check, Tell
from op_worker.fsck.findings import Code
from op_worker.fsck.report import SAFE, Options, Report
from op_worker.fsck.tools import Tools
from op_worker.storage.helper import StorageError
from op_worker.storage.registry import Storages

_TELL_S = 1.0
_EXPECTED = (
    *(PersistenceError, StorageError, ServiceUnavailable, ServerProgramMissing),
    *(OSError, ValueError, TypeError),
)


def parser() -> ArgumentParser:
    """Return the command line."""
    codes = [code.value for code in Code]
    line = ArgumentParser(prog="python -m op_worker.fsck", description="See docs/fsck.md.")
    line.add_argument("--config", type=Path, required=True, help="configuration file of op-worker")
    line.add_argument("--space", action="append", help="only this space (id); may be given several times")
    line.add_argument("--content", action="store_true", help="read contents and compare their digests")
    line.add_argument("--rate", type=int, default=0, help="bytes of content read a second at most")
    line.add_argument(
        "--repair", nargs="*", choices=codes, metavar="CODE", help="repair these, or all that is safe"
    )
    line.add_argument("--dry-run", action="store_true", help="only tell what --repair would do")
    line.add_argument(
        "--delete-orphans", action="store_true", help="remove unknown files of storages, not adopt them"
    )
    line.add_argument("--json", action="store_true", help="print a line of JSON for each finding and space")
    return line


def options_of(line: Namespace) -> Options:
    """Return what the command line asks for."""
    repairs = frozenset() if line.repair is None else frozenset(map(Code, line.repair)) or SAFE
    return Options(
        contents=line.content,
        repairs=repairs,
        deletes_orphans=line.delete_orphans,
        is_trial=line.dry_run,
        rate_b=line.rate,
    )


@define
class Progress:
    """Tells on standard error how far a check is, about once a second."""

    _clock: Any
    _told_s: float = 0.0
    _told: int = 0
    _phase: str = ""

    def tell(self, phase: str, done: int, total: int) -> None:
        """Tell, unless that was just done."""
        now_s = self._clock.seconds()
        if phase != self._phase:
            self._phase, self._told, self._told_s = phase, 0, now_s
        elif now_s - self._told_s >= _TELL_S:
            rate = (done - self._told) / (now_s - self._told_s)
            share = f", {100 * done // total} %" if total else ""
            say(f"{phase}: {done} files, {rate:.0f}/s{share}")
            self._told, self._told_s = done, now_s


def say(text: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


@asynccontextmanager
async def provider_tools(reactor: Any, config: Path) -> AsyncIterator[Tools]:
    """Yield what checks stand on, for the store that a configuration file names.

    Raises: ValueError for a store in memory, which no other process can look into.
    """
    told = tomllib.loads(config.read_text(encoding="utf-8"))
    redis = RedisConfig(**told.get("redis", {}))
    if redis.is_memory:
        raise ValueError("the store is in the memory of the daemon")
    state_dir = None if redis.address is not None else Path(told.get("state_dir", "var/op_worker"))
    async with borrowed_store(reactor, redis, state_dir, say) as address:
        engine = RedisEngine(reactor, address, redis)
        pool = BlockingPool(reactor, 4)
        lives = Lives(engine, f"fsck-{os.getpid()}", os.urandom, reactor)
        services = (engine, pool, lives)
        for service in services:
            service.startService()
        try:
            storages = Storages(engine, pool, reactor)
            await storages.load()
            locks = PathLocks()
            journal = Journal(engine, storages, locks, reactor, system_wall_clock, os.urandom, lives)
            yield Tools(engine, storages, journal, pool, reactor, system_wall_clock, os.urandom)
        finally:
            await lives.stopService()
            pool.stopService()
            await engine.stopService()


def spaces_of(tools: Tools, wanted: Collection[str] | None) -> list[SpaceId]:
    """Return the spaces to check. Raises: ValueError for one that the provider does not support."""
    supported = sorted(support.space_id for support in tools.storages.supported())
    unknown = set(wanted or ()) - set(supported)
    if unknown:
        raise ValueError(f"not supported by this provider: {', '.join(sorted(unknown))}")
    return [space_id for space_id in supported if wanted is None or space_id in wanted]


async def check_space(tools: Tools, space_id: SpaceId, options: Options, tell: Tell) -> Report:
    """Check a space. Raises: StorageUnavailable when its storage cannot be used."""
    support = tools.storages.for_space(space_id)
    if support is not None:
        await support.storage.helper.check()
    return await Check(tools, space_id, options, tell).run()


def print_report(report: Report, options: Options, *, as_json: bool, write: Callable[[str], object]) -> None:
    """Write findings and the outcome, as lines of JSON or for people."""
    for finding in report.findings:
        if as_json:
            write(json.dumps({"spaceId": report.space_id, **finding.told()}) + "\n")
            continue
        where = " ".join(part for part in (finding.place, finding.name.decode("utf-8", "replace")) if part)
        will = finding.code in options.repairs and options.is_trial
        would = f"; a repair {finding.kind.repair}" if will else ""
        write(f"{finding.code}: {finding.key} {where} {finding.detail}{would}\n")
    if as_json:
        write(json.dumps(report.told()) + "\n")
        return
    found, repaired = report.counts.total(), report.repaired.total()
    unsettled = "" if report.is_settled else "; counters could not be compared"
    write(f"{report.space_id}: {found} findings, {repaired} repaired{unsettled}\n")


async def run(reactor: Any, line: Namespace) -> int:
    """Do what the command line says; return how the process ends."""
    options, outcome = options_of(line), 0
    async with provider_tools(reactor, line.config) as tools:
        for space_id in spaces_of(tools, line.space):
            report = await check_space(tools, space_id, options, Progress(reactor).tell)
            print_report(report, options, as_json=line.json, write=sys.stdout.write)
            outcome = max(outcome, 0 if report.is_settled else 2, 0 if report.is_clean else 1)
    return outcome


async def _ended(reactor: Any, line: Namespace) -> None:
    try:
        outcome = await run(reactor, line)
    except CancelledError:
        say("stopped")
        outcome = 2
    except _EXPECTED as error:
        say(f"could not check: {error}")
        outcome = 2
    if outcome:
        raise SystemExit(outcome)


def main(reactor: Any, *arguments: str) -> Deferred[None]:
    """Parse the command line and run; a signal to stop lets the check end between two steps."""
    line = parser().parse_args(arguments)
    work = Deferred.fromCoroutine(_ended(reactor, line))
    ended: Deferred[None] = Deferred()

    def end(result: Any) -> Any:
        ended.callback(None)
        return result

    work.addBoth(end)

    def stop() -> Deferred[None]:
        work.cancel()
        return ended

    reactor.addSystemEventTrigger("before", "shutdown", stop)
    return work
