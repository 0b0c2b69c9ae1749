"""How far the removal of trees is."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.persistence.engine import Key, Scope
from cluster_worker.runtime.clock import sleep
from onedata.errors import Forbidden
from onedata.ids import trash_uuid
from op_worker.files.model import CreateOptions
from op_worker.files.service import FileService
from tests.conformance.files.test_file_service import put
from tests.support.spaces import OWNER, SPACE, Site, owner, path, stranger

PARENTS = CreateOptions(create_parents=True)


@ensureDeferred
async def test_a_purged_tree_leaves_no_record_of_its_removal(files: FileService, site: Site) -> None:
    await files.create_directory(owner, path("d/sub"), PARENTS)
    await put(files, "d/sub/x", b"1")
    await files.remove(owner, path("d"))
    while await site.engine.count(Scope(SPACE), Key(trash_uuid(SPACE))):
        shown = await files.removals.of(owner, SPACE)
        assert [(one.path, one.removed_by) for one in shown] in ([], [("d", OWNER)])
        await sleep(site.clock, 0.001)
    assert await files.removals.of(owner, SPACE) == []


@ensureDeferred
async def test_removals_are_shown_to_members_only(files: FileService) -> None:
    with pytest.raises(Forbidden):
        await files.removals.of(stranger, SPACE)
