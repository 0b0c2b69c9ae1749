"""One conversation with the zone over one link."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import capturedLogs

from cluster_worker.runtime.request_ids import REQUEST_ID
from onedata.errors import NoConnectionToOnezone, NotFound, Timeout
from onedata.graphsync import (
    Batch,
    ErrorPush,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    Gri,
    HandshakeResponse,
    NosubPush,
    Operation,
    RpcRequest,
    Subtype,
    UpdateType,
    decode,
    encode,
)
from onedata.tokens.subjects import Subject
from op_worker.zone.session import GraphSession

GRI = Gri.parse("space.s1.instance:private")


class Wire:
    """Remembers what is sent."""

    def __init__(self) -> None:
        self.sent: list[Any] = []
        self.is_closed = False

    def send(self, text: str) -> None:
        self.sent.append(decode(text))

    def close(self) -> None:
        self.is_closed = True


class Talk:
    """A session with its wire and clock."""

    def __init__(self) -> None:
        self.clock, self.wire = Clock(), Wire()
        self.pushes: list[Any] = []
        self.session = GraphSession(self.pushes.append, self.clock)
        self.session.start(self.wire)

    def ask(self) -> tuple[str, Deferred[Any]]:
        request = GraphRequest(id=self.session.next_id(), gri=GRI, operation=Operation.GET)
        return request.id, Deferred.fromCoroutine(self.session.ask(request))


@ensureDeferred
async def test_answers_find_their_requests_in_any_order() -> None:
    talk = Talk()
    (first_id, first), (second_id, second) = talk.ask(), talk.ask()
    talk.session.text_received(encode(GraphResponse(id=second_id, data={"n": 2})))
    talk.session.text_received(encode(GraphResponse(id=first_id, data={"n": 1})))
    assert ((await first).id, (await second).id) == (first_id, second_id)
    assert talk.clock.getDelayedCalls() == []


@ensureDeferred
async def test_error_answer_is_raised_as_the_error() -> None:
    talk = Talk()
    request_id, answer = talk.ask()
    error = ErrorResponse(id=request_id, subtype=Subtype.GRAPH, error=NotFound())
    talk.session.text_received(encode(error))
    with pytest.raises(NotFound):
        await answer


@ensureDeferred
async def test_answer_that_does_not_come_times_out() -> None:
    talk = Talk()
    request_id, answer = talk.ask()
    talk.clock.advance(30.0)
    with pytest.raises(Timeout):
        await answer
    talk.session.text_received(encode(GraphResponse(id=request_id)))


@ensureDeferred
async def test_lost_link_fails_all_who_wait() -> None:
    talk = Talk()
    _, first = talk.ask()
    _, second = talk.ask()
    talk.session.lost("gone")
    for answer in (first, second):
        with pytest.raises(NoConnectionToOnezone):
            await answer
    with pytest.raises(NoConnectionToOnezone):
        await talk.ask()[1]
    assert await talk.session.ended == "gone"


@ensureDeferred
async def test_handshake_tells_whom_the_zone_takes_us_for() -> None:
    talk = Talk()
    identity = Deferred.fromCoroutine(talk.session.handshake("root"))
    (request,) = talk.wire.sent
    assert request.auth.token == "root"
    answer = HandshakeResponse(id=request.id, identity=Subject("oneprovider", "p1"))
    talk.session.text_received(encode(answer))
    assert await identity == Subject("oneprovider", "p1")


def test_pushes_are_handed_on_also_from_a_batch() -> None:
    talk = Talk()
    updated = GraphPush(gri=GRI, update_type=UpdateType.UPDATED, data={"name": "x"})
    talk.session.text_received(encode(Batch((updated, NosubPush(gri=GRI)))))
    assert talk.pushes == [updated, NosubPush(gri=GRI)]


def test_what_cannot_be_understood_is_logged_and_left_out() -> None:
    talk = Talk()
    with capturedLogs() as logs:
        talk.session.text_received("no json")
        talk.session.text_received(encode(ErrorPush(error=NotFound())))
        talk.session.text_received(encode(RpcRequest(id="1", function="f")))
    assert len(logs) == 3
    assert talk.pushes == []


def test_closing_closes_the_link() -> None:
    talk = Talk()
    talk.session.close()
    assert talk.wire.is_closed


@ensureDeferred
async def test_what_is_asked_for_a_request_carries_its_id() -> None:
    talk = Talk()

    async def serve() -> str:
        REQUEST_ID.set("client.7")
        return talk.session.next_id()

    assert await Deferred.fromCoroutine(serve()) == "client.7.1"
    assert talk.session.next_id() == "2"
