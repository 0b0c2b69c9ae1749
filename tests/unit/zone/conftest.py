"""A zone in memory that speaks Graph Sync over links without a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.task import Clock

from onedata.errors import Forbidden, NotFound, OnedataError
from onedata.graphsync import (
    DataFormat,
    ErrorResponse,
    GraphPush,
    GraphRequest,
    GraphResponse,
    HandshakeRequest,
    HandshakeResponse,
    Message,
    NosubPush,
    Operation,
    Subtype,
    TokenAuth,
    UnsubRequest,
    UnsubResponse,
    UpdateType,
    decode,
    encode,
)
from onedata.gri import Gri
from onedata.ids import ProviderId
from onedata.tokens.subjects import Subject
from op_worker.zone.registration import Registration

REGISTRATION = Registration(
    provider_id=ProviderId("p1"), name="One", domain="p1.test", zone_domain="zone.test", root_token="root"
)


@define
class FakeLink:
    """One end of an open connection."""

    zone: FakeZone
    on_text: Callable[[str], None]
    on_lost: Callable[[str], None]
    is_open: bool = True
    subscribed: set[str] = field(factory=set)

    def send(self, text: str) -> None:
        self.zone.received(self, decode(text))

    def close(self) -> None:
        if self.is_open:
            self.is_open = False
            self.zone.links.remove(self)
            self.on_lost("closed")

    def tell(self, message: Message) -> None:
        self.on_text(encode(message))


@define(eq=False)
class FakeZone:
    """Answers at once. ``tokens`` maps a token's text to its subject, or to the error it gets."""

    resources: dict[str, dict[str, Any]] = field(factory=dict)
    tokens: dict[str, Subject | OnedataError] = field(factory=dict)
    is_up: bool = True
    is_silent: bool = False
    identity: Subject = field(factory=lambda: Subject("oneprovider", "p1"))
    links: list[FakeLink] = field(factory=list)
    requests: list[Message] = field(factory=list)
    attempts: int = 0
    revision: int = 0

    async def connect(self, on_text: Callable[[str], None], on_lost: Callable[[str], None]) -> FakeLink:
        self.attempts += 1
        if not self.is_up:
            raise ConnectionRefusedError
        link = FakeLink(self, on_text, on_lost)
        self.links.append(link)
        return link

    def go_down(self) -> None:
        self.is_up = False
        for link in list(self.links):
            link.close()

    def put(self, gri: str, /, **resource: Any) -> None:
        """Set a resource and push it to its subscribers."""
        self.revision += 1
        self.resources[gri] = {**resource, "gri": gri, "revision": self.revision}
        for link in self.links:
            if gri in link.subscribed:
                link.tell(
                    GraphPush(gri=Gri.parse(gri), update_type=UpdateType.UPDATED, data=self.resources[gri])
                )

    def delete(self, gri: str) -> None:
        del self.resources[gri]
        for link in self.links:
            link.tell(GraphPush(gri=Gri.parse(gri), update_type=UpdateType.DELETED))

    def hide(self, gri: str) -> None:
        del self.resources[gri]
        for link in self.links:
            link.tell(NosubPush(gri=Gri.parse(gri)))

    def asked(self, operation: Operation) -> list[GraphRequest]:
        return [r for r in self.requests if isinstance(r, GraphRequest) and r.operation is operation]

    def received(self, link: FakeLink, message: Message) -> None:
        self.requests.append(message)
        if self.is_silent:
            return
        match message:
            case HandshakeRequest(auth=TokenAuth(token="root")):
                link.tell(HandshakeResponse(id=message.id, identity=self.identity))
            case UnsubRequest():
                link.tell(UnsubResponse(id=message.id))
            case GraphRequest():
                try:
                    data, kind = self.graph(link, message)
                except OnedataError as error:
                    link.tell(ErrorResponse(id=message.id, subtype=Subtype.GRAPH, error=error))
                else:
                    link.tell(GraphResponse(id=message.id, format=kind, data=data))

    def graph(self, link: FakeLink, request: GraphRequest) -> tuple[Any, DataFormat | None]:
        gri = request.gri.text
        if request.operation is Operation.GET:
            if gri not in self.resources:
                entity = f"{request.gri.type}.{request.gri.id}."
                raise Forbidden if any(each.startswith(entity) for each in self.resources) else NotFound
            if request.subscribe:
                link.subscribed.add(gri)
            return self.resources[gri], DataFormat.RESOURCE
        if request.gri.aspect == "verify_access_token":
            subject = self.tokens.get(request.data["token"], NotFound())
            if isinstance(subject, OnedataError):
                raise subject
            return {"subject": subject.to_json(), "ttl": None}, DataFormat.VALUE
        if request.gri.aspect == "support":
            self.put("provider.p1.instance:private", **provider(spaces=["s1", "s2"]))
            return {"spaceId": "s2"}, DataFormat.VALUE
        return None, None


def provider(spaces: list[str]) -> dict[str, Any]:
    return {"name": "One", "domain": "p1.test", "effectiveSpaces": spaces, "effectiveUsers": ["u1"]}


def space(name: str, **privileges: list[str]) -> dict[str, Any]:
    return {
        "name": name,
        "owners": ["u1"],
        "effectiveUsers": privileges or {"u1": ["space_view"]},
        "effectiveGroups": {},
        "providers": {"p1": 10**9},
        "providerNames": {"p1": "One"},
    }


def user(full_name: str, spaces: list[str], *, blocked: bool = False) -> dict[str, Any]:
    return {
        "fullName": full_name,
        "username": full_name.lower(),
        "blocked": blocked,
        "effectiveSpaces": spaces,
        "effectiveGroups": ["g1"],
    }


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def zone() -> FakeZone:
    """A zone with provider p1 supporting space s1, whose only member is u1."""
    fake = FakeZone()
    fake.put("provider.p1.instance:private", **provider(["s1"]))
    fake.put("provider.p1.token_events:private", revokedTokens=[], temporaryGenerations={})
    fake.put("space.s1.instance:private", **space("first"))
    fake.put("space.s2.instance:private", **space("second"))
    fake.put("user.u1.instance:protected", **user("Anna", ["s1"]))
    return fake


@pytest.fixture
def registration() -> Registration:
    return REGISTRATION
