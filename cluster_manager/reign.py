"""What exists while this manager leads, made anew for each term: membership, loads, advice, health."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, MutableMapping

from attrs import frozen
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_manager.assignment import NodeLoad
from cluster_manager.decisions import Decisions
from cluster_manager.health_rounds import HealthRounds
from cluster_manager.load_advice import LoadAdvisor
from cluster_manager.membership.cluster_state import Phase
from cluster_manager.membership.events import (
    Accepted,
    CheckHealth,
    Declined,
    Effects,
    Event,
    HealthReported,
    NodeLeft,
    NodeRegistered,
    NodeSilent,
    Send,
    StepReported,
    Ticked,
)
from cluster_manager.membership.membership import Membership
from cluster_manager.membership.remembered import Remembered
from cluster_manager.operator_requests import OperatorRequests, Resizing
from cluster_manager.settings import ManagerSettings
from cluster_manager.sightings import Sightings
from cluster_manager.stored_state import ClusterMemory, LaterLeader, MemoryAway
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.broadcast import Broadcast
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed
from cluster_worker.wire.membership_messages import ForceStop, Heartbeat, Refused, RegisterNode, StepReport
from cluster_worker.wire.messages import Message
from cluster_worker.wire.refusals import Reason, Refusals

_RETRY_S = 0.1


@frozen(kw_only=True)
class ReignParts:
    """What a reign is made with.

    Attributes:
        links: node → the link it has registered on; the reign puts registered ones in.
        leads: whether the term still runs, by the clock of now; asked before every message.
        deposed: the store says that another manager has led since.
    """

    clock: IReactorTime
    settings: ManagerSettings
    links: MutableMapping[str, Link]
    memory: ClusterMemory
    refusals: Refusals
    leads: Callable[[], bool]
    deposed: Callable[[], None]


class Reign:
    """One term of this manager. Nothing is said any more once ``leads`` is false.

    Attributes:
        membership: for those who show the state of the cluster.
        sightings: what its members said of themselves last.
    """

    _log = Logger()

    def __init__(self, parts: ReignParts, term: int, remembered: Remembered | None) -> None:
        self._parts, self._clock, self._settings = parts, parts.clock, parts.settings
        self._tasks = TaskOwner()
        self.membership = Membership(parts.settings.rules, term)
        if remembered is not None:
            self.membership.recall(remembered, parts.clock.seconds())
        self._decisions = Decisions(
            remembered, self.membership.epoch, self._save, self._carry_out, self._tasks
        )
        self._operators = OperatorRequests(self.handle)
        self.sightings = Sightings()
        self._advisor = LoadAdvisor(parts.settings.heartbeat_interval_s)
        self._broadcasts: dict[type, Broadcast] = {}
        self._health = HealthRounds(
            parts.clock, parts.settings, self.membership, self._link_to, lambda: self._decisions.epoch
        )

    def begin(self) -> None:
        """Start what goes on for the whole reign."""
        self._tasks.spawn("ticks", self._tick())
        self._tasks.spawn("load advice", self._advise())

    async def close(self) -> None:
        """End everything that runs here."""
        self._operators.close()
        await self._tasks.close()

    async def resize(self, request: Resizing) -> Message:
        """Answer an operator, when it is decided, stored and told."""
        if not self._parts.leads():
            return Failed("notLeader", "this manager has ceased to lead")
        return await self._operators.ask(request)

    # What workers say.

    def register(self, link: Link, message: RegisterNode) -> None:
        """A worker asks to be a member on this link."""
        if link.peer is None or not self._parts.leads():
            return
        node = link.peer.node
        beyond = max(_claims(message))
        if beyond > self.membership.epoch:
            self._parts.refusals.count(Reason.EPOCH, node, f"epoch {beyond} has not begun")
            link.notify(Refused(self.membership.epoch, "no manager has said what this node claims"))
            link.close("an epoch that has not begun")
            return
        old = self._parts.links.get(node)
        self._parts.links[node] = link
        if old is not None and old is not link:
            old.close("another link of the same node took its place")
        self._advisor.forget(node)
        address = message.address_of(node)
        hello = link.peer.hello
        self.sightings.greeted(node, hello.release)
        self.handle(NodeRegistered(address, hello.app, hello.boot_id, message.incarnation, message.ring))

    def heard(self, node: str, message: Message) -> None:
        """A member sent a notice."""
        if isinstance(message, Heartbeat):
            now = self._clock.seconds()
            self._advisor.heard(node, NodeLoad(message.cpu, message.mem, now))
            self.sightings.heard(node, message, now)
        elif isinstance(message, StepReport):
            if message.epoch > self.membership.epoch:
                self._parts.refusals.count(Reason.EPOCH, node, f"epoch {message.epoch} has not begun")
                return
            self.handle(StepReported(node, message.epoch, message.step, message.error))

    def silent(self, node: str, boot_id: str) -> None:
        """The link of a member has ended."""
        self.handle(NodeSilent(node, boot_id))

    def left(self, node: str) -> None:
        """A member stops on purpose."""
        self._log.info("{node} leaves", node=node)
        self.handle(NodeLeft(node))

    # Decisions.

    def handle(self, event: Event) -> None:
        """Let membership decide, store what must be remembered, and carry the decision out."""
        if not self._parts.leads():
            return
        before = self.membership.phase
        effects = self.membership.handle(event, self._clock.seconds())
        if isinstance(event, Ticked) and not effects:
            return
        self._health.forget()
        if self.membership.phase is not before:
            self._log.info("the cluster is {phase}", phase=self.membership.phase.value)
        self._decisions.take(self.membership.remembered(), self.membership.epoch, effects)

    async def _save(self, remembered: Remembered | None) -> bool:
        while self._parts.leads():
            try:
                await self._parts.memory.save(remembered)
            except LaterLeader:
                self._parts.deposed()
                return False
            except MemoryAway:
                await sleep(self._clock, _RETRY_S)
            else:
                return self._parts.leads()
        return False

    def _carry_out(self, effects: Effects) -> None:
        for effect in effects:
            match effect:
                case Send():
                    self._send(effect)
                case CheckHealth():
                    self._tasks.spawn("health check", self._check_health(effect))
                case Accepted() | Declined():
                    self._operators.settle(effect)

    def _send(self, effect: Send) -> None:
        if isinstance(effect.message, ForceStop):
            self._log.error(
                "forced stop of {nodes}: {reason}", nodes=effect.nodes, reason=effect.message.reason
            )
        broadcast = self._broadcast(effect.message)
        for node in effect.nodes:
            link = self._link_to(node)
            if link is None:
                continue
            broadcast.send(link)
            if isinstance(effect.message, ForceStop | Refused):
                del self._parts.links[node]  # it comes back on a new link

    def _broadcast(self, message: Message) -> Broadcast:
        """What was sent last of this kind, if it is the same: a ring goes to one node after the other."""
        last = self._broadcasts.get(type(message))
        if last is None or last.message != message:
            self._broadcasts[type(message)] = last = Broadcast(message)
        return last

    def _link_to(self, node: str) -> Link | None:
        """The link of a member, if it has one and this manager still leads."""
        return self._parts.links.get(node) if self._parts.leads() else None

    async def _tick(self) -> None:
        while True:
            await sleep(self._clock, self._settings.tick_s)
            self.handle(Ticked())

    # Load.

    async def _advise(self) -> None:
        while True:
            await sleep(self._clock, self._settings.advice_interval_s)
            self._advise_once()

    def _advise_once(self) -> None:
        """Send advice to all nodes in service; a node learns from it that it may dispatch work."""
        if self.membership.phase is Phase.GATHERING or not self._parts.leads():
            return
        roster, now = self.membership.roster, self._clock.seconds()
        nodes, draining = roster.working or roster.present, roster.draining & set(roster.present)
        for node, advice in self._advisor.advise(nodes, self._decisions.epoch, now, draining):
            link = self._link_to(node)
            if link is None:
                self._advisor.forget(node)
            else:
                link.notify(advice)

    # Health.

    async def _check_health(self, wanted: CheckHealth) -> None:
        if self._health.is_booting:
            return
        self._advise_once()  # without advice no dispatcher is well
        problem = await self._health.problem_of_boot(wanted.nodes)
        self.handle(HealthReported(wanted.epoch, problem))

    async def cluster_status(self) -> Message:
        """The health of all nodes, or why there is none."""
        return await self._health.status()

    # What others are told.

    def loads(self) -> Mapping[str, float]:
        """The load of each node that is linked and to be given work; see ``assignment``."""
        roster, now = self.membership.roster, self._clock.seconds()
        if self.membership.phase is not Phase.READY:
            return {}
        return self._advisor.loads([node for node in roster.working if node not in roster.silent], now)

    def heartbeat_at(self, node: str) -> float:
        """When the last heartbeat of a node came; 0 when none did."""
        return self._advisor.heard_at(node) or 0.0

    @property
    def epoch(self) -> Epoch:
        """Of the latest decision that was carried out."""
        return self._decisions.epoch


def _claims(message: RegisterNode) -> Iterator[Epoch]:
    """Every epoch of which a node says that a manager has begun it."""
    yield message.latest
    if message.incarnation is not None:
        yield message.incarnation
    if message.ring is not None:
        yield message.ring.epoch
