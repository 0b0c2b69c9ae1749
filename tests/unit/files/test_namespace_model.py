"""Random operations against a namespace and against a dictionary; they must agree, crashes included."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import Any

from attrs import define, field
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

from onedata.errors import Errno, Posix
from op_worker.files.model import CreateOptions, Existing, FileType
from op_worker.files.service import FileService
from tests.support.spaces import SPACE, Site, body, names_in, owner, path, read

UPDATE = CreateOptions(existing=Existing.UPDATE)


@define
class ModelFile:
    data: bytearray = field(factory=bytearray)


Tree = dict[str, Any]


class Refused(Exception):
    """The model refuses with an errno."""

    def __init__(self, errno: Errno) -> None:
        super().__init__(errno)
        self.errno = errno


def walk(tree: Tree, names: list[str]) -> Tree | ModelFile:
    node: Tree | ModelFile = tree
    for name in names:
        if isinstance(node, ModelFile):
            raise Refused(Errno.ENOTDIR)
        if name not in node:
            raise Refused(Errno.ENOENT)
        node = node[name]
    return node


def folder(tree: Tree, names: list[str]) -> Tree:
    node = walk(tree, names)
    if isinstance(node, ModelFile):
        raise Refused(Errno.ENOTDIR)
    return node


def file(tree: Tree, names: list[str]) -> ModelFile:
    node = walk(tree, names)
    if not isinstance(node, ModelFile):
        raise Refused(Errno.EISDIR)
    return node


def model_move(tree: Tree, source: list[str], target: list[str]) -> None:
    node = walk(tree, source)
    above = folder(tree, target[:-1])
    if source == target:
        return
    if target[: len(source)] == source and not isinstance(node, ModelFile):
        raise Refused(Errno.EINVAL)
    present = above.get(target[-1])
    if present is not None:
        if isinstance(node, ModelFile) and not isinstance(present, ModelFile):
            raise Refused(Errno.EISDIR)
        if not isinstance(node, ModelFile) and isinstance(present, ModelFile):
            raise Refused(Errno.ENOTDIR)
        if not isinstance(present, ModelFile) and present:
            raise Refused(Errno.ENOTEMPTY)
    del folder(tree, source[:-1])[source[-1]]
    above[target[-1]] = node


def outcome(work: Awaitable[object]) -> object:
    """Return the result of work that waits for nothing, or its errno."""
    results: list[object] = []
    Deferred.fromCoroutine(work).addBoth(results.append)  # type: ignore[arg-type]  # a coroutine
    (result,) = results
    if isinstance(result, Failure):
        if isinstance(result.value, Posix):
            return result.value.errno
        result.raiseException()
    return result


paths = st.lists(st.sampled_from(["a", "b", "c"]), min_size=1, max_size=3)
data = st.binary(max_size=12)


class Namespace(RuleBasedStateMachine):
    """Every rule does the same to both and compares the errors."""

    def __init__(self) -> None:
        super().__init__()
        self.site = Site()
        self.files: FileService = outcome(self.site.process())  # type: ignore[assignment]
        self.tree: Tree = {}

    def both(self, work: Awaitable[object], change: Any) -> None:
        try:
            change()
            expected: object = None
        except Refused as refusal:
            expected = refusal.errno
        found = outcome(work)
        assert (found if isinstance(found, Errno) else None) == expected

    @rule(names=paths)
    def make_directory(self, names: list[str]) -> None:
        def change() -> None:
            above = folder(self.tree, names[:-1])
            if names[-1] in above:
                raise Refused(Errno.EEXIST)
            above[names[-1]] = {}

        self.both(self.files.create_directory(owner, path("/".join(names)), CreateOptions()), change)

    @rule(names=paths, content=data)
    def put(self, names: list[str], content: bytes) -> None:
        def change() -> None:
            above = folder(self.tree, names[:-1])
            if names[-1] in above:
                file(self.tree, names).data[:] = content
            else:
                above[names[-1]] = ModelFile(bytearray(content))

        target = path("/".join(names))
        self.both(
            self.files.replace_content(owner, target, body(content), expected_b=len(content), create=UPDATE),
            change,
        )

    @rule(names=paths, offset_b=st.integers(0, 20), content=data.filter(bool))
    def write(self, names: list[str], offset_b: int, content: bytes) -> None:
        def change() -> None:
            present = file(self.tree, names).data
            present.extend(bytes(max(0, offset_b - len(present))))
            present[offset_b : offset_b + len(content)] = content

        target = path("/".join(names))
        self.both(self.files.write_content(owner, target, offset_b, body(content), expected_b=None), change)

    @rule(names=paths, size_b=st.integers(0, 25))
    def truncate(self, names: list[str], size_b: int) -> None:
        def change() -> None:
            present = file(self.tree, names).data
            del present[size_b:]
            present.extend(bytes(size_b - len(present)))

        self.both(self.files.truncate(owner, path("/".join(names)), size_b), change)

    @rule(source=paths, goal=paths)
    def move(self, source: list[str], goal: list[str]) -> None:
        work = self.files.move(owner, path("/".join(source)), path("/".join(goal)))
        self.both(work, lambda: model_move(self.tree, source, goal))

    @rule(names=paths)
    def remove(self, names: list[str]) -> None:
        def change() -> None:
            walk(self.tree, names)
            del folder(self.tree, names[:-1])[names[-1]]

        self.both(self.files.remove(owner, path("/".join(names))), change)

    @rule(names=paths)
    def remove_empty(self, names: list[str]) -> None:
        def change() -> None:
            node = walk(self.tree, names)
            if not isinstance(node, ModelFile) and node:
                raise Refused(Errno.ENOTEMPTY)
            del folder(self.tree, names[:-1])[names[-1]]

        self.both(self.files.remove_empty(owner, path("/".join(names))), change)

    @rule()
    def restart(self) -> None:
        self.files = outcome(self.site.process())  # type: ignore[assignment]
        outcome(self.files.recover(SPACE))

    @invariant()
    def everything_is_listed_and_read_as_the_model_says(self) -> None:
        page: Any = outcome(self.files.list_recursive(owner, path(""), limit=999, include_directories=True))
        found = {name: stat for name, stat in page.items}
        expected = dict(flat(self.tree))
        assert list(found) == sorted(expected, key=lambda name: name.split("/"))
        for name, node in expected.items():
            if isinstance(node, ModelFile):
                assert found[name].size_b == len(node.data)
                assert outcome(read(self.files, path(name))) == bytes(node.data)
            else:
                assert found[name].type is FileType.DIR
                assert outcome(names_in(self.files, path(name))) == sorted(node)


def flat(tree: Tree, above: str = "") -> Any:
    for name, node in tree.items():
        yield above + name, node
        if not isinstance(node, ModelFile):
            yield from flat(node, f"{above}{name}/")


TestNamespace = Namespace.TestCase
TestNamespace.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
