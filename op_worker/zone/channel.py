"""The standing connection to the zone: opened again and again, with growing pauses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from attrs import frozen
from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from cluster_worker.runtime.clock import sleep
from cluster_worker.runtime.services import TaskService
from onedata.errors import NoConnectionToOnezone
from onedata.graphsync import GraphRequest, GraphResponse, Gri, Operation, UnsubRequest
from onedata.tokens.subjects import SubjectKind
from op_worker.zone.backoff import Backoff
from op_worker.zone.link import Connect
from op_worker.zone.registration import Registration
from op_worker.zone.session import GraphSession, OnPush


@frozen(kw_only=True)
class ChannelTimes:
    """Durations in seconds."""

    handshake_timeout_s: float = 10.0
    reply_timeout_s: float = 30.0


class ChannelRefusedError(Exception):
    """The zone took us for somebody else."""


class ZoneChannel(TaskService):
    """Keeps one session with the zone open while it runs.

    Args:
        on_ready: prepares a new session (subscribes to everything); requests work meanwhile. When it
            fails the session is closed and a new one is tried.
        on_push: told of changes.
    """

    _log = Logger()

    def __init__(
        self,
        connect: Connect,
        registration: Registration,
        *,
        clock: IReactorTime,
        backoff: Backoff,
        on_ready: Callable[[], Awaitable[None]],
        on_push: OnPush,
        times: ChannelTimes,
    ) -> None:
        super().__init__()
        self._connect, self._registration = connect, registration
        self._clock, self._backoff, self._times = clock, backoff, times
        self._on_ready, self._on_push = on_ready, on_push
        self._session: GraphSession | None = None
        self._is_ready = False
        self._last_problem = ""

    def startService(self) -> None:
        super().startService()
        self.spawn("keep the connection to the zone", self._keep_connected())

    @property
    def is_connected(self) -> bool:
        """Whether the zone can be asked now."""
        return self._session is not None

    @property
    def is_ready(self) -> bool:
        """Whether, besides, everything that we follow has been brought up to date."""
        return self._is_ready

    async def graph(
        self, gri: Gri, operation: Operation, data: object = None, *, subscribe: bool = False
    ) -> object:
        """Run an operation on a resource; return its data.

        Raises:
            OnedataError: the zone refused.
            NoConnectionToOnezone; Timeout.
        """
        session = self._session
        if session is None:
            raise NoConnectionToOnezone(self._registration.zone_domain)
        request = GraphRequest(
            id=session.next_id(), gri=gri, operation=operation, data=data, subscribe=subscribe
        )
        answer = await session.ask(request)
        assert isinstance(answer, GraphResponse)
        return answer.data

    async def unsubscribe(self, gri: Gri) -> None:
        """Ask not to be told of a resource any more; nothing happens without a connection."""
        session = self._session
        if session is not None:
            await session.ask(UnsubRequest(id=session.next_id(), gri=gri))

    async def _keep_connected(self) -> None:
        while True:
            session = GraphSession(self._on_push, self._clock, reply_timeout_s=self._times.reply_timeout_s)
            try:
                await self._open(session)
                self._backoff.reset()
                reason = await session.ended
                self._report("the connection to the zone was lost: {problem}", reason)
            except CancelledError:
                raise
            except Exception as error:  # noqa: BLE001 - whatever it was, it is told and tried again
                if not self.running:  # cancelled while connecting, which Twisted reports as a failure
                    return
                self._report("the zone cannot be used: {problem}", f"{type(error).__name__}: {error}")
            finally:
                self._session, self._is_ready = None, False
                session.close()
            await sleep(self._clock, self._backoff.next_delay_s())

    async def _open(self, session: GraphSession) -> None:
        link = await self._connect(session.text_received, session.lost)
        session.start(link)
        identity = await session.handshake(
            self._registration.root_token, timeout_s=self._times.handshake_timeout_s
        )
        if (identity.kind, identity.id) != (SubjectKind.ONEPROVIDER, self._registration.provider_id):
            raise ChannelRefusedError(f"the zone takes us for {identity.text}")
        self._session = session
        await self._on_ready()
        self._is_ready = True
        self._last_problem = ""
        self._log.info("connected to the zone {domain}", domain=self._registration.zone_domain)

    def _report(self, template: str, problem: str) -> None:
        """Say it once, not at each attempt."""
        if problem != self._last_problem:
            self._last_problem = problem
            self._log.warn(template, problem=problem)
