"""Custom metadata that come along with a file, in one look."""

from __future__ import annotations

from pytest_twisted import ensureDeferred

from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import CreateOptions, FileStat, Follow, Json, MetadataChange, Target
from op_worker.files.operations import Operation
from op_worker.files.service import FileService
from tests.support.spaces import ALICE, BOB, OWNER, SPACE, alice, at, bob, body, owner, path

CHANGE = MetadataChange(set_xattrs={"k": 1}, json={"a": [2]}, rdf=b"<r/>")
ALL: dict[str, Json] = {"k": 1, "onedata_json": {"a": [2]}, "onedata_rdf": "<r/>"}


async def make(files: FileService, text: str, change: MetadataChange | None = CHANGE) -> FileStat:
    """Make a file of Alice's with metadata."""
    stat, _ = await files.replace_content(
        alice,
        path(text),
        body(b"data"),
        expected_b=4,
        create=CreateOptions(create_parents=True),
        metadata=change,
    )
    return stat


async def both(files: FileService, caller: Caller, target: Target) -> FileStat:
    """Return what a look and an opening tell, which is the same."""
    reader = await files.open_content(caller, target, Follow.NO, custom=True)
    assert await reader.read(0, 9) == b"data"
    await reader.close()
    stat = await files.stat(caller, target, custom=True)
    assert stat.custom == reader.stat.custom
    return stat


@ensureDeferred
async def test_all_metadata_come_along_by_path_and_by_id(files: FileService) -> None:
    stat = await make(files, "d/f")
    assert (await both(files, alice, path("d/f"))).custom == ALL
    assert (await both(files, alice, Target(stat.guid))).custom == ALL
    directory = await files.stat(alice, path("d"))
    assert (await both(files, alice, at("f", base=directory.guid))).custom == ALL
    assert ALL == await files.metadata.xattrs(alice, path("d/f"), internal=True)


@ensureDeferred
async def test_metadata_come_along_through_a_link_and_by_another_name(files: FileService) -> None:
    await make(files, "d/f")
    await files.create_symlink(alice, path("l"), CreateOptions(symlink_target="d"))
    assert (await both(files, alice, path("l/f"))).custom == ALL
    guid = (await files.stat(alice, path("d/f"))).guid
    other = await files.create_link(alice, path("other"), guid, CreateOptions())
    assert (await both(files, alice, path("other"))).custom == ALL
    assert (await both(files, alice, Target(other.guid))).custom == ALL


@ensureDeferred
async def test_nothing_comes_along_unasked_or_where_there_is_nothing(files: FileService) -> None:
    await make(files, "f")
    assert (await files.stat(alice, path("f"))).custom is None
    await make(files, "bare", None)
    assert (await both(files, alice, path("bare"))).custom is None
    assert (await files.stat(alice, path(""), custom=True)).custom is None


@ensureDeferred
async def test_nothing_comes_along_that_the_caller_may_not_read(files: FileService) -> None:
    await make(files, "f")
    reads = int(Operation.READ_OBJECT | Operation.READ_ATTRIBUTES)
    await files.acls.set(
        alice,
        path("f"),
        (
            Ace(AceKind.ALLOW, ALICE, 0, reads | int(Operation.READ_METADATA)),
            Ace(AceKind.ALLOW, BOB, 0, reads),
        ),
    )
    assert (await both(files, bob, path("f"))).custom is None
    assert (await both(files, alice, path("f"))).custom == ALL  # without the list, which she may not read
    shown = (await both(files, owner, path("f"))).custom
    assert shown is not None and set(shown) == {*ALL, "cdmi_acl"}


@ensureDeferred
async def test_confined_tokens_are_given_nothing_along(files: FileService) -> None:
    await make(files, "d/f")
    await files.metadata.change(owner, path("d"), CHANGE)
    confined = Caller(OWNER, DataLimits(False, (frozenset({f"/{SPACE}/d/f"}),), ()))
    assert (await files.stat(confined, path("d"), custom=True)).custom is None
    assert (await both(files, confined, path("d/f"))).custom is None
