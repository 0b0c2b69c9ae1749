"""The id of a client's request in the zone, which a provider asks for it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from pytest_twisted import ensureDeferred

from cluster_worker.runtime.request_ids import REQUEST_ID
from onedata.graphsync import (
    ErrorResponse,
    GraphRequest,
    Gri,
    HandshakeRequest,
    Operation,
    TokenAuth,
    decode,
    encode,
)
from onedata.tokens.subjects import Subject, SubjectKind
from oz_worker.graphsync.session import ProviderSession


class Zone:
    """Admits everybody; its operations have a bug."""

    def __init__(self) -> None:
        self.seen: list[str | None] = []
        self.sent: list[Any] = []
        subject = Subject(SubjectKind.ONEPROVIDER, "krk")
        self.asker = SimpleNamespace(provider_id="krk", subject=subject, demand_api=lambda *_: None)

    async def run(self, request: GraphRequest, asker: Any) -> Any:
        self.seen.append(REQUEST_ID.get())
        raise ZeroDivisionError

    def token(self, *_: Any) -> Any:
        return self.asker

    def came(self, provider_id: str) -> None:
        """It is online."""

    def send(self, text: str) -> None:
        self.sent.append(decode(text))

    def close(self) -> None:
        """The connection ends."""


@pytest.mark.parametrize(
    ("message_id", "request_id"), [("client-7.12", "client-7"), ("12", None), ("a b.1", None), (".1", None)]
)
@ensureDeferred
async def test_it_is_what_stands_before_the_last_dot_of_a_message_id(
    message_id: str, request_id: str | None
) -> None:
    zone = Zone()
    parts: Any = SimpleNamespace(authenticator=zone, online=zone, operations=zone, attributes={})
    session = ProviderSession(parts, zone, None, lambda: "made")
    session.received(encode(HandshakeRequest(id="1", auth=TokenAuth("t"))))
    gri = Gri.parse("space.s1.instance:private")
    session.received(encode(GraphRequest(id=message_id, gri=gri, operation=Operation.DELETE)))
    assert zone.seen == [request_id]
    answer = zone.sent[-1]
    assert isinstance(answer, ErrorResponse)
    assert (answer.id, answer.error.to_json().get("details")) == (
        message_id,
        {"reference": request_id or "made"},
    )
    assert REQUEST_ID.get() is None
