"""Nodes with clocks of their own over one store, so that a node can sleep while the others go on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from attrs import define, field
from twisted.application.service import Service
from twisted.internet.task import Clock

from cluster_worker.persistence.engine import Engine, OutcomeUnknown, PersistenceUnavailable
from cluster_worker.persistence.memory import MemoryEngine
from cluster_worker.runtime.clock import sleep

STEP_S = 0.05


class LaggingEngine:
    """An engine as one node sees it: calls take time of the node's clock before and after their effect.

    Attributes:
        lag_s: how long a call is under way in each direction.
        is_away: whether calls fail.
    """

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine, self._clock = engine, clock
        self.lag_s = 0.0
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._engine, name)
        if name == "watch":
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            await self._travel()
            if self.is_away:
                raise PersistenceUnavailable("away")
            result = await method(*args, **kwargs)
            await self._travel()
            if self.is_away:
                raise OutcomeUnknown("away")
            return result

        return call

    async def _travel(self) -> None:
        if self.lag_s:
            await sleep(self._clock, self.lag_s)


@define(eq=False)
class Node:
    """One node: its clock, and the store as it sees it."""

    name: str
    clock: Clock
    engine: LaggingEngine
    slept_s: float = 0.0


@define(eq=False)
class Surroundings:
    """A store in memory, and nodes that are made when they are first named."""

    clock: Clock = field(factory=Clock)
    store: MemoryEngine = field(init=False)
    nodes: dict[str, Node] = field(factory=dict)
    asleep: set[str] = field(factory=set)

    def __attrs_post_init__(self) -> None:
        self.store = MemoryEngine(self.clock)

    services: list[Service] = field(factory=list)

    def start(self, service: Service) -> None:
        """Start a service that is stopped at the end."""
        self.services.append(service)
        service.startService()

    def end(self) -> None:
        """Stop what was started; nothing stays behind."""
        for node in self.nodes.values():
            self.wake(node.name)
            node.engine.lag_s, node.engine.is_away = 0.0, False
        for service in self.services:
            if service.running:
                service.stopService()
        self.advance(2000 if any(node.clock.getDelayedCalls() for node in self.nodes.values()) else STEP_S)
        assert not any(node.clock.getDelayedCalls() for node in self.nodes.values())

    def node(self, name: str) -> Node:
        """The node of this name."""
        if name not in self.nodes:
            clock = Clock()
            clock.rightNow = self.clock.rightNow
            self.nodes[name] = Node(name, clock, LaggingEngine(self.store, clock))
        return self.nodes[name]

    def advance(self, duration_s: float, look: Callable[[], None] = lambda: None) -> None:
        """Let time go on in small steps; nodes that are asleep do nothing meanwhile."""
        for _ in range(max(1, round(duration_s / STEP_S))):
            self.clock.advance(STEP_S)
            for node in list(self.nodes.values()):
                if node.name in self.asleep:
                    node.slept_s += STEP_S
                else:
                    node.clock.advance(STEP_S)
            look()

    def sleep(self, name: str) -> None:
        """Stop a process, as SIGSTOP does."""
        self.asleep.add(name)

    def wake(self, name: str) -> None:
        """Let a process go on: its clock jumps, and whatever it waited for comes at once."""
        self.asleep.discard(name)
        node = self.nodes[name]
        slept_s, node.slept_s = node.slept_s, 0.0
        if slept_s:
            node.clock.advance(slept_s)
