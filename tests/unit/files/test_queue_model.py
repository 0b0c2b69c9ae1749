"""Two queues, used at random by two nodes and through other doors, against plain lists of numbered values."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from onedata.errors import BadData
from op_worker.files.model import CreateOptions, Existing
from op_worker.files.queues.values import NewValue
from op_worker.files.service import FileService
from op_worker.files.stored.queues import value_name
from tests.support.immediate import now
from tests.support.spaces import SPACE, Site, body, owner, path, read
from tests.support.store_checker import check_store

pytestmark = pytest.mark.slow

UPDATE = CreateOptions(existing=Existing.UPDATE)
queues = st.sampled_from(["p", "q"])
nodes = st.integers(0, 1)
counts = st.integers(0, 4)
contents = st.binary(max_size=5)
Model = list[tuple[int, bytes]]


class Queues(RuleBasedStateMachine):
    """Every rule does the same to both and compares what comes out."""

    @initialize()
    def begin(self) -> None:
        self.site = Site()
        self.nodes: list[FileService] = [now(self.site.process(f"n{i}")) for i in range(2)]
        self.model: dict[str, Model] = {"p": [], "q": []}
        self.next = {"p": 0, "q": 0}
        for name in self.model:
            now(self.nodes[0].queues.create(owner, path(name)))

    def put(self, queue: str, values: list[bytes]) -> range:
        given = range(self.next[queue], self.next[queue] + len(values))
        self.next[queue] = given.stop
        self.model[queue] += zip(given, values, strict=True)
        return given if values else range(0)

    def take(self, queue: str, count: int) -> list[bytes]:
        taken, self.model[queue] = self.model[queue][:count], self.model[queue][count:]
        return [value for _, value in taken]

    @rule(node=nodes, queue=queues, values=st.lists(contents, max_size=4))
    def enqueue(self, node: int, queue: str, values: list[bytes]) -> None:
        sent = [NewValue(body(value)) for value in values]
        assert now(self.nodes[node].queues.enqueue(owner, path(queue), sent)) == self.put(queue, values)

    @rule(node=nodes, queue=queues, count=counts)
    def dequeue(self, node: int, queue: str, count: int) -> None:
        taken = self.take(queue, count)
        assert now(self.nodes[node].queues.dequeue(owner, path(queue), count)) == len(taken)

    @rule(node=nodes, queue=queues, first=st.integers(0, 12), length=counts)
    def dequeue_range(self, node: int, queue: str, first: int, length: int) -> None:
        values = self.model[queue]
        work = self.nodes[node].queues.dequeue_range(owner, path(queue), first, first + length)
        if values and first > values[0][0]:
            try:
                now(work)
            except BadData:
                return
            raise AssertionError("a range above the lowest value was taken")
        kept = [(number, value) for number, value in values if number > first + length]
        assert now(work) == len(values) - len(kept)
        self.model[queue] = kept

    @rule(node=nodes, source=queues, goal=queues, count=counts)
    def move_values(self, node: int, source: str, goal: str, count: int) -> None:
        expected = self.put(goal, self.take(source, count))
        work = self.nodes[node].queues.move_values(owner, path(source), count, path(goal))
        assert now(work) == expected

    @rule(node=nodes, source=queues, goal=queues, count=counts)
    def copy_values(self, node: int, source: str, goal: str, count: int) -> None:
        expected = self.put(goal, [value for _, value in self.model[source][:count]])
        work = self.nodes[node].queues.copy_values(owner, path(source), count, path(goal))
        assert now(work) == expected

    @rule(node=nodes, queue=queues, value=contents)
    def move_object(self, node: int, queue: str, value: bytes) -> None:
        files = self.nodes[node]
        now(files.replace_content(owner, path("f"), body(value), expected_b=None, create=UPDATE))
        assert now(files.queues.move_object(owner, path("f"), path(queue))) == self.put(queue, [value])

    @rule(node=nodes, queue=queues, choice=st.integers(0, 9))
    def remove_one_elsewhere(self, node: int, queue: str, choice: int) -> None:
        values = self.model[queue]
        if values:
            number, _ = values.pop(choice % len(values))
            now(self.nodes[node].remove(owner, path(f"{queue}/{value_name(number)}")))

    @rule(node=nodes)
    def exchange_names(self, node: int) -> None:
        files = self.nodes[node]
        for source, target in (("p", "x"), ("q", "p"), ("x", "q")):
            now(files.move(owner, path(source), path(target)))
        self.model = {"p": self.model["q"], "q": self.model["p"]}
        self.next = {"p": self.next["q"], "q": self.next["p"]}

    @rule(node=nodes)
    def copy_whole(self, node: int) -> None:
        files = self.nodes[node]
        now(files.copy(owner, path("p"), path("copy")))
        assert values_of(files, "copy") == list(enumerate(value for _, value in self.model["p"]))
        now(files.remove(owner, path("copy")))

    @rule(queue=queues)
    def join(self, queue: str) -> None:
        files = self.nodes[0]
        now(files.queues.join(owner, path(queue), path("joined"), create=UPDATE))
        assert now(read(files, path("joined"))) == b"".join(value for _, value in self.model[queue])

    @invariant()
    def agree(self) -> None:
        for node in self.nodes:
            for queue, expected in self.model.items():
                assert values_of(node, queue) == expected
        for node in self.nodes:
            now(node.recover(SPACE))  # what a removed copy left in the trash
        now(check_store(self.site))


def values_of(files: FileService, queue: str) -> Model:
    """Return the numbers and contents of a queue, and demand that its ends are told right."""

    async def listed() -> Model:
        oldest = await files.queues.oldest(owner, path(queue), 1000)
        found: Model = []
        for value in oldest.values:
            reader = await value.open()
            found.append((value.number, await reader.read(0, 100)))
            await reader.close()
        ends = None if not found else (found[0][0], found[-1][0])
        assert oldest.view.numbers == ends
        return found

    return now(listed())


def test_queues_behave_like_lists_of_numbered_values() -> None:
    run_state_machine_as_test(
        Queues,
        settings=settings(
            max_examples=60,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
