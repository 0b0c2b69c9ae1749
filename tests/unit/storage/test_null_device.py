"""The null device: latency, timeouts, generated trees, verification."""

from __future__ import annotations

import errno
from collections.abc import Coroutine
from random import Random
from typing import Any

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from cluster_worker.runtime.pool import Inline
from op_worker.storage.helper import StorageError, StoragePath, StorageUnavailable
from op_worker.storage.helpers.nulldevice.contents import first_difference, patterned
from op_worker.storage.helpers.nulldevice.helper import NULLDEVICE
from op_worker.storage.helpers.nulldevice.simulation import GeneratedTree
from op_worker.storage.helpers.nulldevice.troubles import filtered
from op_worker.storage.parameters import checked
from op_worker.storage.types import BadStorageError, Durability, HelperSurroundings

A = StoragePath("a")


def made(clock: Clock, **arguments: str) -> Any:
    surroundings = HelperSurroundings(Inline(), Durability.PROCESS, clock, lambda size_b: b"7" * size_b)
    return NULLDEVICE.make(checked(NULLDEVICE, arguments, {}), surroundings)


def result(work: Coroutine[Any, Any, Any]) -> Any:
    """Return what work comes to that waits for nothing."""
    found: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(found.append)
    value = found[0]
    if hasattr(value, "raiseException"):
        value.raiseException()
    return value


def test_an_operation_takes_between_the_shortest_and_the_longest_latency() -> None:
    clock = Clock()
    helper = made(clock, latencyMin="10", latencyMax="20")
    done: list[Any] = []
    Deferred.fromCoroutine(helper.stat(A)).addBoth(done.append)
    clock.advance(0.0099)
    assert not done
    clock.advance(0.0102)
    assert done
    assert clock.getDelayedCalls() == []


def test_operations_that_the_filter_does_not_name_do_not_wait() -> None:
    clock = Clock()
    helper = made(clock, latencyMin="10", latencyMax="20", filter="read, unlink")
    file = result(helper.open_read(A))
    waiting = Deferred.fromCoroutine(file.read(0, 1))
    assert not waiting.called
    clock.advance(1)
    assert waiting.called


def test_a_timeout_is_told_as_one_that_may_pass() -> None:
    with pytest.raises(StorageUnavailable) as caught:
        result(made(Clock(), timeoutProbability="1").stat(A))
    assert caught.value.errno == errno.EAGAIN


def test_the_check_of_a_null_device_never_fails() -> None:
    result(made(Clock(), timeoutProbability="1", latencyMax="9").check())


@pytest.mark.parametrize(
    "arguments",
    [
        {"latencyMin": "2", "latencyMax": "1"},
        {"timeoutProbability": "1.5"},
        {"filter": "dance"},
        {"simulatedFilesystemParameters": "1-2-3"},
        {"simulatedFilesystemParameters": "1-x"},
        {"simulatedFilesystemParameters": "1"},
        {"simulatedFilesystemParameters": "1-99999999999"},
        {"simulatedFilesystemParameters": "1-1", "simulatedFilesystemGrowSpeed": "-1"},
    ],
)
def test_parameters_that_make_no_sense_are_refused_with_a_sentence(arguments: dict[str, str]) -> None:
    with pytest.raises(BadStorageError, match=r"[a-z]{4}"):
        made(Clock(), **arguments)


def test_a_filter_takes_the_names_of_old_file_systems() -> None:
    assert filtered("getattr, rmdir,read") == {"stat", "remove_directory", "read"}


def test_a_generated_tree_has_the_directories_and_files_that_its_levels_say() -> None:
    tree = GeneratedTree.parse("2-1:0-3:77")
    assert list(tree.names("")) == ["0", "1", "2"]
    assert list(tree.names("1")) == ["0", "1", "2"]
    kinds = {path: tree.node(path) for path in ("", "0", "2", "0/0", "1/2")}
    assert [each is not None and each.is_directory for each in kinds.values()] == [
        True,
        True,
        False,
        False,
        False,
    ]
    last = kinds["1/2"]
    assert last is not None and last.size_b == 77
    for nowhere in ("3", "2/0", "0/3", "0/0/0", "00", "x"):
        assert tree.node(nowhere) is None


@pytest.mark.parametrize("text", ["2-1:0-3", "3-2:2-2:1-5", "0-4", "1-1:1-1:1-1:1-1"])
def test_nodes_of_a_generated_tree_are_numbered_without_gaps(text: str) -> None:
    tree = GeneratedTree.parse(text)
    numbers, level = [0], [""]
    while level:
        inner = [f"{path}/{name}".lstrip("/") for path in level for name in tree.names(path)]
        found = [tree.node(path) for path in inner]
        numbers += [node.number for node in found if node is not None]
        level = [
            path for path, node in zip(inner, found, strict=True) if node is not None and node.is_directory
        ]
    assert numbers == list(range(len(numbers)))


def test_a_generated_tree_is_read_only_and_scanned_with_sizes() -> None:
    helper = made(Clock(), simulatedFilesystemParameters="1-2:0-1500:10")

    async def scanned(path: str) -> list[Any]:
        return [each async for batch in helper.scan(StoragePath(path)) for each in batch]

    assert [(each.name, each.stat.is_directory) for each in result(scanned(""))] == [
        ("0", True),
        ("1", False),
        ("2", False),
    ]
    assert len(result(scanned("0"))) == 1500
    file = result(helper.open_read(StoragePath("0/7")))
    assert result(file.read(4, 100)) == bytes(6)
    for refused in (helper.open_write(A), helper.remove(A), helper.open_update(A), file.write(0, b"x")):
        with pytest.raises(StorageError) as caught:
            result(refused)
        assert caught.value.errno == errno.EROFS


def test_a_tree_that_grows_shows_more_with_time() -> None:
    clock = Clock()
    helper = made(clock, simulatedFilesystemParameters="0-10", simulatedFilesystemGrowSpeed="2")
    assert result(helper.list_directory(StoragePath(""))) == []
    clock.advance(2)
    assert result(helper.list_directory(StoragePath(""))) == ["0", "1", "2", "3"]
    clock.advance(100)
    assert len(result(helper.list_directory(StoragePath("")))) == 10


def test_verification_takes_the_pattern_and_refuses_what_differs() -> None:
    helper = made(Clock(), enableDataVerification="true")
    file = result(helper.open_write(A))
    data = result(file.read(1000, 700))
    result(file.write(1000, data))
    with pytest.raises(StorageError) as caught:
        result(file.write(1000, data[:500] + bytes([data[500] ^ 1]) + data[501:]))
    assert caught.value.errno == errno.EIO
    assert "1500" in str(caught.value)


def test_any_part_of_the_pattern_is_what_the_whole_has_there() -> None:
    random = Random(3)
    whole = patterned(0, 5000)
    for _ in range(50):
        start = random.randrange(5000)
        size = random.randrange(5000 - start)
        assert patterned(start, size) == whole[start : start + size]
        assert first_difference(start, whole[start : start + size]) is None
