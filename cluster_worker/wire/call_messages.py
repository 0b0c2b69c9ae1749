"""Messages by which one node uses a worker of another."""

from __future__ import annotations

from typing import ClassVar

from attrs import frozen

from cluster_worker.runtime.request_ids import well_formed
from cluster_worker.wire.epochs import Epoch
from cluster_worker.wire.fields import Fields, Payload


@frozen
class Call:
    """``[worker, key or nil, timeout ms, payload, request id]``, a request.

    Replies: result, error, not-owner. ``key`` is set when the caller chose the node by it. ``timeout ms``
    is how long the caller waits from now on; the callee gives up the work when it has passed. The request
    id is that of the client's request for which the call is made; without one the field is left out.
    """

    TYPE: ClassVar[int] = 32
    worker: str
    key: str | None
    timeout_ms: int
    payload: Payload
    request_id: str | None = None

    def encode(self) -> list[object]:
        own: list[object] = [self.worker, self.key, self.timeout_ms, self.payload]
        return own if self.request_id is None else [*own, self.request_id]

    @classmethod
    def decode(cls, fields: Fields) -> Call:
        own = (fields.text(0), fields.optional_text(1), fields.integer(2), fields.any(3))
        return cls(*own, well_formed(fields.any_or_none(4)))


@frozen
class Cast:
    """``[worker, payload, request id]``, a notice: the work is done or not, nobody is told.

    The request id is as in ``Call``.
    """

    TYPE: ClassVar[int] = 33
    worker: str
    payload: Payload
    request_id: str | None = None

    def encode(self) -> list[object]:
        own: list[object] = [self.worker, self.payload]
        return own if self.request_id is None else [*own, self.request_id]

    @classmethod
    def decode(cls, fields: Fields) -> Cast:
        return cls(fields.text(0), fields.any(1), well_formed(fields.any_or_none(2)))


@frozen
class NotOwner:
    """``[[term, counter], owner]``, the reply to a call by key that went to the wrong node.

    The epoch is that of the callee's ring, ``owner`` the node responsible by it. Only sent to peers
    with the capability ``keyed_calls``; the caller asks the owner.
    """

    TYPE: ClassVar[int] = 131
    epoch: Epoch
    owner: str

    def encode(self) -> list[object]:
        return [self.epoch.encode(), self.owner]

    @classmethod
    def decode(cls, fields: Fields) -> NotOwner:
        return cls(Epoch.decode(fields.nested(0)), fields.text(1))
