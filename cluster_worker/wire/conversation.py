"""What two nodes say to each other on one link: a machine without I/O, frames in, effects out.

The calling side, which opened the connection, greets first; the answering side greets back when it has
accepted the caller, so that a link that is open for the caller is open.

States and transitions:

============ ======================= ==================================== ===========
state        event                   effects                              next state
============ ======================= ==================================== ===========
CONNECTING   start, calling          SendBytes(HELLO)                     GREETING
CONNECTING   start, answering        none                                 GREETING
GREETING     HELLO fits, calling     LinkOpened                           OPEN
GREETING     HELLO fits, answering   SendBytes(HELLO), LinkOpened         OPEN
GREETING     HELLO that does not     SendBytes(REJECT), CloseLink         CLOSED
GREETING     REJECT                  CloseLink                            CLOSED
GREETING     any other frame         raises BadFrame                      CLOSED
OPEN         request, notice, reply  RequestCame, NoticeCame, ReplyCame   OPEN
OPEN         wrong request           SendBytes(error reply)               OPEN
OPEN         PING                    SendBytes(PONG)                      OPEN
OPEN         GOODBYE, REJECT         CloseLink                            CLOSED
OPEN         bad frame, HELLO again  raises BadFrame                      CLOSED
CLOSED       anything                none                                 CLOSED
============ ======================= ==================================== ===========
"""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum

from attrs import frozen

from cluster_worker.wire.errors import BadFrame, BadRequest
from cluster_worker.wire.frames import Frame
from cluster_worker.wire.link_messages import (
    OPERATOR_PREFIX,
    Failed,
    Goodbye,
    Hello,
    Ping,
    Pong,
    Reject,
    Role,
)
from cluster_worker.wire.messages import (
    FIRST_REPLY_TYPE,
    NO_CORRELATION,
    Message,
    decode_message,
    encode_message,
    is_request,
)

GREETING_VERSION = 0
"""The version byte of HELLO and REJECT, whose layout never changes."""


class State(Enum):
    CONNECTING = "connecting"
    GREETING = "greeting"
    OPEN = "open"
    CLOSED = "closed"


class Side(Enum):
    """Who opened the connection."""

    CALLING = "calling"
    ANSWERING = "answering"


@frozen
class Peer:
    """Who is at the other end: its greeting, and what both ends agreed on."""

    hello: Hello
    version: int
    capabilities: frozenset[str]

    @property
    def node(self) -> str:
        return self.hello.node


@frozen
class Expectation:
    """Whom this end talks to. ``node`` is ``None`` where any node of these roles will do."""

    roles: frozenset[Role]
    node: str | None = None


@frozen
class SendBytes:
    data: bytes


@frozen
class LinkOpened:
    peer: Peer


@frozen
class RequestCame:
    message: Message
    correlation: int


@frozen
class NoticeCame:
    message: Message


@frozen
class ReplyCame:
    message: Message
    correlation: int


@frozen
class CloseLink:
    reason: str


Effect = SendBytes | LinkOpened | RequestCame | NoticeCame | ReplyCame | CloseLink
Effects = tuple[Effect, ...]


@frozen
class _Refusal:
    code: str
    description: str


class Conversation:
    """One end of a link.

    Args:
        hello: how this end introduces itself.
        expectation: whom it accepts.
        side: which end this is.

    Attributes:
        refused: the code of the REJECT that this end has sent, if it has.
    """

    def __init__(self, hello: Hello, expectation: Expectation, side: Side) -> None:
        self.state = State.CONNECTING
        self.version = GREETING_VERSION
        self._hello, self._expectation, self._side = hello, expectation, side
        self._identity = ""
        self.refused: str | None = None

    def start(self, identity: str) -> Effects:
        """The transport is secured and the peer's certificate names the node ``identity``."""
        self._identity = identity
        self.state = State.GREETING
        return (self._greeting(),) if self._side is Side.CALLING else ()

    def receive(self, frame: Frame) -> Effects:
        """Take the next frame.

        Raises:
            BadFrame: the peer broke the protocol; the machine is closed.
        """
        try:
            return _RECEIVE[self.state](self, frame)
        except BadFrame:
            self.state = State.CLOSED
            raise

    def _greet(self, frame: Frame) -> Effects:
        if frame.version != GREETING_VERSION or frame.correlation != NO_CORRELATION:
            raise BadFrame("the first frame is no greeting")
        message = decode_message(frame)
        if isinstance(message, Reject):
            return self._rejected(message)
        if not isinstance(message, Hello):
            raise BadFrame(f"{type(message).__name__} before HELLO")
        return self._judge(message)

    def _judge(self, hello: Hello) -> Effects:
        version = self._hello.versions.agree(hello.versions)
        if version is None:
            ranges = f"this node speaks versions {self._hello.versions}, the peer {hello.versions}"
            return self._reject(hello, _Refusal("version", ranges))
        if refusal := self._refusal(hello):
            return self._reject(hello, refusal)
        self.state, self.version = State.OPEN, version
        opened = LinkOpened(Peer(hello, version, self._hello.capabilities & hello.capabilities))
        return (opened,) if self._side is Side.CALLING else (self._greeting(), opened)

    def _refusal(self, hello: Hello) -> _Refusal | None:
        if hello.node != self._identity:
            return _Refusal("identity", f"{hello.node!r} came with the certificate of {self._identity!r}")
        if hello.role not in self._expectation.roles:
            return _Refusal("role", f"a {hello.role.value} is not spoken to here")
        if (hello.role is Role.OPERATOR) is not hello.node.startswith(OPERATOR_PREFIX):
            return _Refusal("role", f"{hello.node!r} is not the name of a node of role {hello.role.value}")
        if self._expectation.node not in (None, hello.node):
            return _Refusal("node", f"{self._expectation.node!r} was expected, not {hello.node!r}")
        return None

    def _reject(self, hello: Hello, refusal: _Refusal) -> Effects:
        self.state, self.refused = State.CLOSED, refusal.code
        reject = Reject(refusal.code, refusal.description, self._hello.versions, hello.versions)
        data = encode_message(reject, NO_CORRELATION, GREETING_VERSION)
        return SendBytes(data), CloseLink(f"peer rejected ({refusal.code}): {refusal.description}")

    def _rejected(self, reject: Reject) -> Effects:
        self.state = State.CLOSED
        return (CloseLink(f"rejected by the peer ({reject.code}): {reject.description}"),)

    def _greeting(self) -> SendBytes:
        return SendBytes(encode_message(self._hello, NO_CORRELATION, GREETING_VERSION))

    def _converse(self, frame: Frame) -> Effects:
        if frame.version == GREETING_VERSION and frame.kind == Reject.TYPE:
            return self._late_reject(frame)
        if frame.version != self.version:
            raise BadFrame(f"version {frame.version} in a frame, {self.version} was agreed on")
        try:
            message = decode_message(frame)
        except BadRequest as problem:
            return (self._answer(Failed("badRequest", str(problem)), frame.correlation),)
        if frame.kind >= FIRST_REPLY_TYPE:
            return (ReplyCame(message, frame.correlation),)
        if type(message) in _OF_THE_LINK:
            return self._keep(message, frame)
        return (RequestCame(message, frame.correlation) if is_request(frame) else NoticeCame(message),)

    def _keep(self, message: Message, frame: Frame) -> Effects:
        if isinstance(message, Ping) and is_request(frame):
            return (self._answer(Pong(), frame.correlation),)
        if isinstance(message, Goodbye):
            self.state = State.CLOSED
            return (CloseLink(f"the peer said goodbye: {message.reason}"),)
        raise BadFrame(f"{type(message).__name__} has no place on an open link")

    def _late_reject(self, frame: Frame) -> Effects:
        """The caller did not accept this end's greeting."""
        message = decode_message(frame)
        return self._rejected(message) if isinstance(message, Reject) else ()

    def _answer(self, message: Message, correlation: int) -> SendBytes:
        return SendBytes(encode_message(message, correlation, self.version))

    def _ignore(self, frame: Frame) -> Effects:
        return ()


_OF_THE_LINK: frozenset[type] = frozenset((Hello, Reject, Ping, Goodbye))

_RECEIVE: dict[State, Callable[[Conversation, Frame], Effects]] = {
    State.CONNECTING: Conversation._ignore,
    State.GREETING: Conversation._greet,
    State.OPEN: Conversation._converse,
    State.CLOSED: Conversation._ignore,
}
