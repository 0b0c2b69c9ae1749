"""A node's side of the talk with its manager: registering, booting, heartbeats, starting over."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.node.application import Application
from cluster_worker.node.boot import (
    BecomeReady,
    Effect,
    EndProcess,
    Joined,
    NodeBoot,
    Report,
    Restart,
    RunStep,
    TryLater,
    UseAdvice,
    UseRing,
)
from cluster_worker.node.load import LoadMeter
from cluster_worker.node.state import NodeState
from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.pool import Blocking
from cluster_worker.runtime.services import TaskOwner
from cluster_worker.wire.connections import Address
from cluster_worker.wire.epochs import EpochGate
from cluster_worker.wire.errors import WireError
from cluster_worker.wire.health_messages import ComponentStatuses, Health, Healthcheck
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Failed
from cluster_worker.wire.membership_messages import Heartbeat, Leave, NotLeader, RingUpdate
from cluster_worker.wire.messages import Message
from cluster_worker.wire.steps import BootStep

LEAVE_TIMEOUT_S = 2.0


@frozen(kw_only=True)
class JoiningHooks:
    """What the node around a ``Joining`` does for it.

    Attributes:
        node_name: the name of this node.
        address: where other nodes reach this one.
        ring_changed: other nodes came, went or moved.
        removed: this node is no member any more; it has to stop for good.
        started_over: this node has forgotten its boot and needs a new boot id.
        link_closed: the link to the manager ended.
        redirected: the manager on a link does not lead; the address is the leader's, if it is known.
        joined: a manager counts this node as a member.
        health: the status of each component; the argument says whether the cluster is booting.
        queues: names and lengths of this node's queues.
    """

    node_name: str
    address: Callable[[], Address]
    ring_changed: Callable[[RingUpdate], None]
    removed: Callable[[str], None]
    started_over: Callable[[], None]
    link_closed: Callable[[Link], None]
    redirected: Callable[[Link, Address | None], None]
    joined: Callable[[], None]
    health: Callable[[bool], Awaitable[ComponentStatuses]]
    queues: Callable[[], Iterable[tuple[str, int]]]


class Joining:
    """The handler of links to managers. ``link`` is the one in use, if any."""

    _log = Logger()

    def __init__(
        self, clock: IReactorTime, application: Application, state: NodeState, hooks: JoiningHooks
    ) -> None:
        self._clock, self._application, self._state, self._hooks = clock, application, state, hooks
        self.link: Link | None = None
        self._gate = EpochGate()
        self._boot = NodeBoot(self._gate)
        self._steps = TaskOwner()
        self._tasks = TaskOwner()
        self._restarting = False

    async def beat(self, meter: LoadMeter, blocking: Blocking, interval_s: float) -> None:
        """Send heartbeats while this node is a member; never returns."""
        while True:
            if self._state.joined and self.link is not None:
                load = await blocking.run(meter.measure)
                self.link.notify(Heartbeat(load.cpu, load.mem, load.net, tuple(self._hooks.queues())))
            await sleep(self._clock, interval_s)

    async def leave(self) -> None:
        """Tell the manager that this node stops on purpose; short, and silent when there is no manager."""
        if self._state.joined and self.link is not None:
            try:
                await self.link.request(Leave(), LEAVE_TIMEOUT_S)
            except WireError as problem:
                self._log.warn("the manager was not told of leaving: {problem}", problem=problem)
        self._state.joined = False

    async def close(self) -> None:
        """End everything that runs here."""
        await self._steps.close()
        await self._tasks.close()

    def link_opened(self, link: Link) -> None:
        self.link = link
        if not self._restarting:
            self._register(link)

    def link_closed(self, link: Link, reason: str) -> None:
        if link is self.link:
            self.link, self._state.joined = None, False
            self._log.info("the link to the manager ended: {reason}", reason=reason)
        self._hooks.link_closed(link)

    async def handle_request(self, link: Link, message: Message) -> Message:
        if not isinstance(message, Healthcheck):
            return Failed("badRequest", f"a worker does not serve {type(message).__name__}")
        if not self._gate.admits(message.epoch):
            return Failed("staleEpoch", "a later manager or decision has been heard of")
        return Health(await self._hooks.health(message.booting))

    def handle_notice(self, link: Link, message: Message) -> None:
        if isinstance(message, NotLeader):
            self._redirected(link, message)
        elif link is self.link and not self._restarting:
            self._perform(self._boot.on_manager(message))

    def _redirected(self, link: Link, message: NotLeader) -> None:
        """Follow the manager's word, unless the leader it knows has had a successor since."""
        is_known = bool(message.host) and message.epoch.term >= self._gate.latest.term
        self._hooks.redirected(link, Address(message.host, message.port) if is_known else None)

    def _register(self, link: Link) -> None:
        address = self._hooks.address()
        link.notify(self._boot.registration(address.host, address.port))

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            match effect:
                case RunStep(step):
                    self._steps.spawn(step.value, self._run_step(step))
                case Report(report):
                    if self.link is not None:
                        self.link.notify(report)
                case Restart(reason):
                    self._restarting = True
                    self._tasks.spawn("restart", self._start_over(reason))
                case EndProcess(reason):
                    self._log.warn("this node leaves the cluster: {reason}", reason=reason)
                    self._hooks.removed(reason)
                case TryLater(reason):
                    self._log.warn("the manager refused this node: {reason}", reason=reason)
                    self._close_link("refused")
                case _:
                    self._take_notice(effect)

    def _take_notice(self, effect: Joined | UseRing | UseAdvice | BecomeReady) -> None:
        match effect:
            case Joined():
                self._state.joined = True
                self._hooks.joined()
                self._log.info("a member of the cluster")
            case UseRing(update):
                self._state.use_ring(update, self._hooks.node_name)
                self._hooks.ring_changed(update)
            case UseAdvice(advice):
                self._state.use_advice(advice)
            case BecomeReady():
                self._log.info("the cluster is ready")
                self._state.become_ready()

    async def _run_step(self, step: BootStep) -> None:
        error: str | None = None
        self._log.info("boot step {step}", step=step.value)
        try:
            if step is not BootStep.UPGRADE_CLUSTER or self._is_upgrader():
                await self._application.start_step(step.value)
        except CancelledError:
            raise
        except Exception as problem:  # noqa: BLE001 - whatever it is, the manager has to know
            self._log.failure("boot step {step} failed", step=step.value)
            error = f"{type(problem).__name__}: {problem}"
        self._perform(self._boot.on_step_ended(step, error))

    def _is_upgrader(self) -> bool:
        """One node of the cluster upgrades what is stored; all agree on which by the ring.

        Where nobody serves, a node that boots alone has to do it; the manager lets only one at a time.
        """
        return self._state.ring.owner(BootStep.UPGRADE_CLUSTER.value) in (self._hooks.node_name, None)

    async def _start_over(self, reason: str) -> None:
        self._log.critical("forced stop: {reason}", reason=reason)
        self._state.start_over()
        self._boot = NodeBoot(self._gate)
        self._hooks.started_over()
        self._close_link("starting over")
        await self._steps.close()
        await stop_application(self._application, reason, self._log)
        self._restarting = False
        if self.link is not None and self.link.is_open:
            self._register(self.link)

    def _close_link(self, reason: str) -> None:
        if self.link is not None:
            self.link.close(reason)


async def stop_application(application: Application, reason: str, log: Logger) -> None:
    """Force the application to stop; a failure to do so is logged."""
    try:
        stopping = application.on_forced_stop(reason)
        if stopping is not None:
            await stopping
    except CancelledError:
        raise
    except Exception:  # noqa: BLE001 - the node has to go on in any case
        log.failure("the application did not stop cleanly")
