"""One question to a server, over a connection that is made for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from twisted.internet.defer import CancelledError, Deferred, DeferredList
from twisted.internet.defer import TimeoutError as TookTooLong
from twisted.internet.error import ConnectError, DNSLookupError
from twisted.internet.interfaces import IDelayedCall, IReactorTime, IStreamClientEndpoint

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.link import LinkEvents, LinkLost, RedisLink, RedisLinkFactory
from cluster_worker.persistence.resp import Reply, ReplyError

T = TypeVar("T")
_GRACE_S = 0.05


class NoAnswer(Exception):
    """The server was not reached, did not let us in, refused, or took too long."""


async def inquire(
    clock: IReactorTime,
    endpoint: IStreamClientEndpoint,
    login: RedisAddress,
    commands: Sequence[Sequence[bytes]],
    timeout_s: float,
) -> Sequence[Reply]:
    """Return the replies to some commands, all within ``timeout_s`` seconds. Raises: NoAnswer."""
    asking = Deferred.fromCoroutine(_ask(clock, endpoint, login, commands))
    try:
        return await asking.addTimeout(timeout_s, clock)
    except (ReplyError, LinkLost, ConnectError, DNSLookupError, TookTooLong, OSError) as exc:
        raise NoAnswer(str(exc) or type(exc).__name__) from exc


async def _ask(
    clock: IReactorTime,
    endpoint: IStreamClientEndpoint,
    login: RedisAddress,
    commands: Sequence[Sequence[bytes]],
) -> Sequence[Reply]:
    factory = RedisLinkFactory(clock, LinkEvents(lambda _link: None, lambda _link: None))
    link = await endpoint.connect(factory)
    assert isinstance(link, RedisLink)
    try:
        await link.log_in(login)
        return [await link.ask(*words) for words in commands]
    except CancelledError:
        raise LinkLost("no answer in time") from None
    finally:
        link.abandon("that was all")


async def gather_answers(clock: IReactorTime, asked: Sequence[Deferred[T | None]]) -> Sequence[T]:
    """Return the answers of those asked, ``None`` left out; failures of ``asked`` must not come.

    Waits for all, but when more than half have answered, only a little longer for the rest.
    """
    answers: list[T] = []
    enough: Deferred[None] = Deferred()
    calls: list[IDelayedCall] = []

    def take(answer: T | None) -> None:
        if answer is not None:
            answers.append(answer)
        if 2 * len(answers) > len(asked) and not calls:
            calls.append(clock.callLater(_GRACE_S, finish))

    def finish(_: object = None) -> None:
        if not enough.called:
            enough.callback(None)

    everybody = DeferredList([one.addCallback(take) for one in asked], consumeErrors=True)
    everybody.addCallback(finish)
    try:
        await enough
    finally:
        everybody.cancel()
        for call in calls:
            if call.active():
                call.cancel()
    return answers
