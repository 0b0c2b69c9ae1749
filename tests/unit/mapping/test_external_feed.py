"""An external feed is asked over HTTP; whatever it does, the wait and the memory it takes are bounded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from pytest_twisted import ensureDeferred
from treq.testing import RequestTraversalAgent
from twisted.internet import reactor
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.python.failure import Failure
from twisted.web.http import Request
from twisted.web.resource import Resource
from twisted.web.server import NOT_DONE_YET

from op_worker.mapping.entries import Table
from op_worker.mapping.external import (
    MOST_ANSWER_B,
    MOST_AT_ONCE,
    MOST_WAITING,
    ExternalFeed,
    FeedUnavailable,
    feed_agent,
)
from op_worker.mapping.feeds import Feed, FeedSettings
from op_worker.zone.connection import load_trust
from tests.support.immediate import now

SETTINGS = FeedSettings(feed=Feed.EXTERNAL, url="http://feed.test/base/", key="s3cret")


class Server(Resource):
    """Answers as it is told to, and remembers what it was asked."""

    isLeaf = True

    def __init__(self, answer: Callable[[Request], Any]) -> None:
        super().__init__()
        self._answer = answer
        self.asked: list[tuple[bytes, bytes | None, object]] = []

    def render_POST(self, request: Request) -> Any:
        token = request.requestHeaders.getRawHeaders(b"X-Auth-Token", [None])[0]
        body = request.content.read() if request.content is not None else b""
        self.asked.append((request.path, token, json.loads(body)))
        return self._answer(request)


def coded(code: int, content: bytes = b"{}") -> Callable[[Request], bytes]:
    def answer(request: Request) -> bytes:
        request.setResponseCode(code)
        return content

    return answer


class World:
    """A feed and its server, in memory."""

    def __init__(self, answer: Callable[[Request], Any]) -> None:
        self.server, self.clock = Server(answer), Clock()
        self.agent = RequestTraversalAgent(self.server)
        self.feed = ExternalFeed(self.agent, self.clock)

    def ask(self, settings: FeedSettings = SETTINGS) -> list[Any]:
        """Begin to ask; the list gets the outcome."""
        outcome: list[Any] = []
        asking = self.feed.ask(settings, Table.OWNERS, {"uid": 1})
        Deferred.fromCoroutine(asking).addBoth(outcome.append)
        return outcome

    def settled(self) -> Any:
        outcome = self.ask()
        self.agent.flush()
        return outcome[0]


def refusal(outcome: object) -> str:
    assert isinstance(outcome, Failure)
    assert outcome.check(FeedUnavailable)
    return str(outcome.value)


def test_question_goes_to_the_address_of_its_table_with_the_key() -> None:
    world = World(coded(200, b'{"mappingScheme": "onedataUser"}'))
    assert world.settled() == {"mappingScheme": "onedataUser"}
    path = b"/base/storage_import/posix_compatible/uid_to_onedata_user"
    assert world.server.asked == [(path, b"s3cret", {"uid": 1})]


def test_without_a_key_no_token_is_sent() -> None:
    world = World(coded(200))
    world.ask(FeedSettings(feed=Feed.EXTERNAL, url="http://feed.test"))
    world.agent.flush()
    assert world.server.asked[0][1] is None


def test_what_is_not_found_is_known_to_be_missing() -> None:
    assert World(coded(404, b"no JSON")).settled() is None


@pytest.mark.parametrize("code", [302, 400, 401, 500, 503])
def test_other_refusals_are_failures_of_the_feed(code: int) -> None:
    assert str(code) in refusal(World(coded(code)).settled())


@pytest.mark.parametrize("content", [b"", b"<html>", b"\xff", b"[" * 60_000, b'{"uid": 1'])
def test_answers_that_are_no_json_are_failures_of_the_feed(content: bytes) -> None:
    assert "no JSON" in refusal(World(coded(200, content)).settled())


def test_answer_that_is_too_long_is_not_read_to_its_end() -> None:
    assert "too long" in refusal(World(coded(200, b" " * (MOST_ANSWER_B + 1))).settled())


def test_feed_that_does_not_answer_is_given_up_after_a_while() -> None:
    world = World(lambda request: NOT_DONE_YET)
    outcome = world.ask()
    world.clock.advance(9.9)
    assert outcome == []
    world.clock.advance(0.2)
    refusal(outcome[0])
    assert world.clock.getDelayedCalls() == []


def test_answer_that_never_ends_is_given_up_after_a_while() -> None:
    def drip(request: Request) -> Any:
        request.write(b"{")
        return NOT_DONE_YET

    world = World(drip)
    outcome = world.ask()
    world.agent.flush()
    world.clock.advance(10.1)
    refusal(outcome[0])


def test_few_questions_are_asked_at_once_and_too_many_are_refused() -> None:
    world = World(lambda request: NOT_DONE_YET)
    waiting = [world.ask() for _ in range(MOST_AT_ONCE + MOST_WAITING)]
    assert len(world.server.asked) == MOST_AT_ONCE
    assert "too many" in refusal(world.ask()[0])
    world.clock.advance(10.1)
    assert all(waiting), "nobody waits longer than that, in the queue or not"


@ensureDeferred
async def test_server_that_cannot_be_reached_is_a_failure_of_the_feed() -> None:
    feed = ExternalFeed(feed_agent(reactor, load_trust(None)), reactor)
    settings = FeedSettings(feed=Feed.EXTERNAL, url="http://127.0.0.1:9")
    with pytest.raises(FeedUnavailable):
        await feed.ask(settings, Table.OWNERS, {"uid": 1})


def test_address_that_is_none_is_a_failure_of_the_feed() -> None:
    world = World(coded(200))
    for url in ("", "not a url", "ftp://feed.test"):
        with pytest.raises(FeedUnavailable):
            now(world.feed.ask(FeedSettings(feed=Feed.EXTERNAL, url=url), Table.OWNERS, {"uid": 1}))
