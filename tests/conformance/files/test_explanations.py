"""Explanations of permissions say what the operations do, and why."""

from __future__ import annotations

import pytest
from pytest_twisted import ensureDeferred

from onedata.errors import BadValueNotAllowed, Errno, Forbidden, Posix, Unauthorized
from onedata.tokens.verify import DataLimits
from op_worker.auth.caller import Caller
from op_worker.files.acl import Ace, AceKind
from op_worker.files.model import CreateOptions
from op_worker.files.rights.verdicts import FactKind
from op_worker.files.service import FileService
from tests.support.spaces import (
    ALICE,
    BOB,
    OWNER,
    READER,
    SPACE,
    STRANGER,
    alice,
    bob,
    body,
    owner,
    path,
    reader,
)

UserKind = tuple[bool, FactKind]


async def make(files: FileService, text: str) -> None:
    """Make a file of Alice's, with the directories above."""
    create = CreateOptions(create_parents=True)
    await files.replace_content(alice, path(text), body(b"data"), expected_b=4, create=create)


async def why(files: FileService, caller: Caller, text: str, operation: str) -> UserKind:
    explained = await files.explanations.explain(caller, path(text), [operation])
    [(_, verdict)] = explained.operations
    return verdict.allowed, verdict.fact.kind


@ensureDeferred
async def test_every_operation_of_the_type_is_explained_by_default(files: FileService) -> None:
    await make(files, "d/f")
    explained = await files.explanations.explain(alice, path("d/f"))
    assert [name for name, _ in explained.operations] == [
        *("read_object", "write_object", "read_metadata", "write_metadata", "read_attributes"),
        *("write_attributes", "write_retention", "write_retention_hold", "delete", "read_acl", "write_acl"),
    ]
    assert [(step.path, step.verdict.allowed) for step in explained.ancestors] == [("/", True), ("/d", True)]
    explained = await files.explanations.explain(alice, path("d"))
    assert [name for name, _ in explained.operations][:4] == [
        *("list_container", "add_object", "add_subcontainer", "read_metadata")
    ]


@ensureDeferred
async def test_each_sort_of_fact_is_named(files: FileService) -> None:
    await make(files, "d/f")
    await make(files, "d/g")
    await files.acls.set(alice, path("d/g"), (Ace(AceKind.ALLOW, BOB, 0, 1),))
    await files.set_mode(alice, path("d"), 0o1775)
    assert await why(files, alice, "d/f", "read_object") == (True, FactKind.MODE)
    assert await why(files, alice, "d/f", "write_acl") == (True, FactKind.OWNERSHIP)
    assert await why(files, bob, "d/f", "write_acl") == (False, FactKind.OWNERSHIP)
    assert await why(files, bob, "d/f", "delete") == (False, FactKind.STICKY)
    assert await why(files, bob, "d/f", "read_acl") == (True, FactKind.ALWAYS)
    assert await why(files, bob, "d/g", "read_object") == (True, FactKind.ACL_ENTRY)
    assert await why(files, bob, "d/g", "read_acl") == (False, FactKind.ACL_END)
    assert await why(files, reader, "d/f", "write_object") == (False, FactKind.PRIVILEGE)
    assert await why(files, owner, "d/g", "write_object") == (True, FactKind.SPACE_OWNER)
    assert await why(files, owner, "", "write_acl") == (False, FactKind.OWNERSHIP)


@ensureDeferred
async def test_a_directory_that_may_not_be_passed_ends_the_explanation(files: FileService) -> None:
    await make(files, "d/e/f")
    await files.set_mode(alice, path("d"), 0o700)
    explained = await files.explanations.explain(bob, path("d/e/f"))
    assert [(step.path, step.verdict.allowed) for step in explained.ancestors] == [("/", True), ("/d", False)]
    texts = {verdict.text for _, verdict in explained.operations}
    assert texts == {"mode 700 of /d denies traverse by its group triplet"}
    inside = await files.explanations.explain(bob, path("d/e/f"))
    another = await files.explanations.explain(bob, path("d/e"))
    assert inside.operations == another.operations, "not even the type of what is behind it is told"


@ensureDeferred
async def test_others_are_explained_to_whom_may_see_privileges(files: FileService) -> None:
    await make(files, "d/f")
    explain = files.explanations.explain
    explained = await explain(owner, path("d/f"), ["write_object"], READER)
    assert explained.user_id == READER
    assert [verdict.text for _, verdict in explained.operations] == ["privilege space_write_data is missing"]
    explained = await explain(owner, path("d/f"), None, STRANGER)
    assert {verdict.fact.kind for _, verdict in explained.operations} == {FactKind.NOT_MEMBER}
    explained = await explain(owner, path("d/f"), None, f"space_owner_{SPACE}")  # type: ignore[arg-type]
    assert {verdict.fact.kind for _, verdict in explained.operations} == {FactKind.SPACE_OWNER}
    assert (await explain(alice, path("d/f"), None, ALICE)).user_id == ALICE
    with pytest.raises(Forbidden):
        await explain(alice, path("d/f"), None, BOB)


@ensureDeferred
async def test_limits_of_the_token_are_part_of_what_is_explained(files: FileService) -> None:
    await make(files, "d/f")
    await make(files, "x")
    readonly = Caller(OWNER, DataLimits(readonly=True, paths=(), object_ids=()))
    assert await why(files, readonly, "d/f", "write_object") == (False, FactKind.READONLY_TOKEN)
    assert await why(files, readonly, "d/f", "read_object") == (True, FactKind.SPACE_OWNER)
    confined = Caller(OWNER, DataLimits(readonly=False, paths=(frozenset({f"/{SPACE}/d/f"}),), object_ids=()))
    assert await why(files, confined, "d/f", "write_object") == (True, FactKind.SPACE_OWNER)
    assert await why(files, confined, "d", "add_object") == (False, FactKind.CONFINED_TOKEN)
    assert await why(files, confined, "d", "list_container") == (True, FactKind.SPACE_OWNER)
    with pytest.raises(Posix) as caught:
        await files.explanations.explain(confined, path("x"))
    assert caught.value.errno is Errno.EACCES
    with pytest.raises(Unauthorized):
        await files.explanations.explain(confined, path("d/f"), None, ALICE)


@ensureDeferred
async def test_an_operation_that_means_nothing_there_is_refused(files: FileService) -> None:
    await make(files, "d/f")
    for text, operation in (("d/f", "traverse"), ("d", "read_object"), ("d", "fly")):
        with pytest.raises(BadValueNotAllowed):
            await files.explanations.explain(alice, path(text), [operation])
