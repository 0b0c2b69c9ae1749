"""What a node of a cluster runs: the seam between the framework and an application."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping
from typing import Protocol

from cluster_worker.wire.fields import Payload


class Application(Protocol):
    """An application such as the Oneprovider. One node runs one.

    Attributes:
        name: ``op_worker``, ``oz_worker`` or ``cluster_worker``; an element name in ``/nagios``.
    """

    @property
    def name(self) -> str: ...

    async def start_step(self, step: str) -> None:
        """Do this node's part of a boot step (a value of ``BootStep``).

        Each is called once in a boot, in order: in the first boot of a cluster by all nodes together, and
        by a node that joins or recovers alone, while the others serve. ``upgrade_cluster`` is called on
        one node only, and after the first boot only where no other node serves. Any exception ends the
        boot of all nodes together, or of the one that boots alone. May be cancelled by a forced stop.
        """

    def handle_call(self, worker: str, payload: Payload) -> Awaitable[Payload]:
        """Serve a call or cast for ``worker`` and return what msgpack can carry.

        It is cancelled when the caller's deadline has passed: work that must not stop half-way
        belongs to a task of its own. An ``OnedataError`` reaches the caller as it is.

        Raises:
            BadRequest: there is no such worker, or it cannot read the payload.
        """

    async def healthcheck(self) -> Mapping[str, str]:
        """Component → ``ok``, ``out_of_sync`` or ``error: reason``; workers first, then listeners."""

    def on_forced_stop(self, reason: str) -> Awaitable[None] | None:
        """The first boot failed, or this node has to begin again: stop serving at once.

        When this has returned, or what it returned has fired, the node registers again and the boot
        steps are called anew. An application that cannot start twice ends its process instead.
        """
