"""What a node tells of itself: its greeting, the lengths of its queues, its health."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from cluster_worker.node.application import Application
from cluster_worker.node.calls import KEYED_CALLS
from cluster_worker.node.state import NodeState
from cluster_worker.wire.health_messages import ComponentStatuses
from cluster_worker.wire.link import Link
from cluster_worker.wire.link_messages import Hello, Role, VersionRange

VERSIONS = VersionRange(1, 1)


class NodeAccount:
    """The account that a node gives of itself to managers and to other nodes.

    Args:
        release: of the application.
        links: gives the open links to other nodes.
        random_bytes: the source of boot ids.
    """

    def __init__(
        self,
        node_name: str,
        application: Application,
        release: str,
        state: NodeState,
        links: Callable[[], Sequence[Link]],
        random_bytes: Callable[[int], bytes],
    ) -> None:
        self._node_name, self._application, self._release = node_name, application, release
        self._state, self._links, self._random_bytes = state, links, random_bytes
        self._watched: dict[str, Callable[[], int]] = {}
        self.start_over()

    def start_over(self) -> None:
        """The node has forgotten its boot: it greets with a new boot id from now on."""
        self._boot_id = self._random_bytes(16).hex()

    def hello(self) -> Hello:
        """What each link begins with."""
        capabilities = frozenset({KEYED_CALLS})
        app = self._application.name
        return Hello(VERSIONS, capabilities, Role.WORKER, self._node_name, app, self._release, self._boot_id)

    def watch_queue(self, name: str, length: Callable[[], int]) -> None:
        """Tell the length of one more queue."""
        self._watched[name] = length

    def queues(self) -> Iterable[tuple[str, int]]:
        """Names and lengths of the node's queues."""
        links = self._links()
        yield "calls_out", sum(link.waiting for link in links)
        yield "calls_in", sum(link.serving for link in links)
        for name, length in self._watched.items():
            yield name, length()

    async def health(self, booting: bool) -> ComponentStatuses:
        """The status of each component; ``booting`` says whether the cluster is."""
        own = (
            ("node_manager", self._state.node_manager_status(booting=booting)),
            ("dispatcher", self._state.dispatcher_status()),
        )
        return own + tuple((await self._application.healthcheck()).items())
