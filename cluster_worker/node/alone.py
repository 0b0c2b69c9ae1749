"""A node without managers: it boots by itself, at once."""

from __future__ import annotations

from twisted.internet.defer import CancelledError
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.node.application import Application
from cluster_worker.node.joining import stop_application
from cluster_worker.node.manager_link import RetryPolicy
from cluster_worker.node.slots import even_table
from cluster_worker.node.state import NodeState
from cluster_worker.runtime.clock import sleep
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.membership_messages import LoadAdvice, NodeAddress, RingUpdate
from cluster_worker.wire.steps import BOOT_STEPS

_log = Logger()
_ONLY_EPOCH = Epoch(1, 1)


async def boot_alone(
    clock: IReactorTime, node_name: str, application: Application, state: NodeState, retry: RetryPolicy
) -> None:
    """Run every boot step; when one fails, stop the application and try again after a pause."""
    failures = 0
    while not await _boot_once(node_name, application, state):
        failures += 1
        await sleep(clock, retry(failures))


async def _boot_once(node_name: str, application: Application, state: NodeState) -> bool:
    here = (NodeAddress(node_name, "", 0),)
    state.use_ring(RingUpdate(_ONLY_EPOCH, _ONLY_EPOCH, 1, here, (), (), even_table([node_name])), node_name)
    try:
        for step in BOOT_STEPS:
            await application.start_step(step.value)
    except CancelledError:
        raise
    except Exception as problem:  # noqa: BLE001 - whatever it is, the boot is tried again
        if isinstance(problem, CannotListenError):
            _log.error("the node could not boot: {problem}; trying on", problem=problem)
        else:
            _log.failure("the node could not boot")
        await stop_application(application, f"{type(problem).__name__}: {problem}", _log)
        return False
    state.joined = True
    state.use_advice(LoadAdvice(_ONLY_EPOCH, False, ((node_name, 1.0),)))
    state.become_ready()
    _log.info("ready, without a cluster")
    return True
