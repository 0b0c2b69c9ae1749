"""A check of a space that is used meanwhile finds nothing wrong."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred, gatherResults

from onedata.errors import OnedataError
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.service import FileService
from op_worker.fsck.check import Check
from op_worker.fsck.report import Options, Report
from op_worker.fsck.tools import Tools
from tests.support.real_sites import redis_and_posix
from tests.support.spaces import SPACE, body, owner, path

pytestmark = pytest.mark.slow
CLIENTS = 6
CHECKS = 2
NEW = CreateOptions(create_parents=True, existing=Existing.UPDATE)


class Load:
    """Clients that do anything to a few names, until they are stopped."""

    def __init__(self, files: FileService) -> None:
        self._files = files
        self.is_over = False
        self.done = 0

    async def client(self, seed: int) -> None:
        chance = random.Random(seed)
        while not self.is_over:
            try:
                await self._one(chance)
            except OnedataError:
                pass  # another client was faster
            self.done += 1

    async def _one(self, chance: random.Random) -> None:
        files = self._files
        one, other = _name(chance), _name(chance)
        match chance.randrange(7):
            case 0 | 1 | 2:
                data = bytes(chance.randrange(3000))
                await files.replace_content(owner, path(one), body(data), expected_b=len(data), create=NEW)
            case 3:
                await files.move(owner, path(one), path(other))
            case 4:
                await files.remove(owner, path(one))
            case 5:
                await files.create_link(owner, path(other), (await files.stat(owner, path(one))).guid, NEW)
            case 6:
                folder, into = one.rpartition("/")[0], chance.choice(("x", "y/x", "a/x"))
                await files.move(owner, path(folder or one), path(into))


def _name(chance: random.Random) -> str:
    folders = ("", "a/", "a/b/", "x/", "y/", "y/x/b/")
    return chance.choice(folders) + chance.choice("fghi")


async def check(files: FileService, options: Options) -> Report:
    return await Check(Tools.of(files.context), SPACE, options).run()


@ensureDeferred
async def test_a_check_finds_nothing_while_clients_change_everything(tmp_path: Path) -> None:
    async with redis_and_posix(tmp_path) as site:
        files = await site.process()
        files.startService()
        load = Load(files)
        clients = [Deferred.fromCoroutine(load.client(seed)) for seed in range(CLIENTS)]
        reports = [await check(files, Options(contents=True)) for _ in range(CHECKS)]
        load.is_over = True
        await gatherResults(clients)
        assert load.done > 50
        assert [report.findings for report in reports if report.findings] == []
        assert any(report.is_settled for report in reports)
        last = await check(files, Options(contents=True))
        assert (last.findings, last.is_settled) == ([], True)
        await files.stopService()
