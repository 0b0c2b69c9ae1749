"""One entry of the route table of the admin door, and what its answer is made from."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from attrs import field, frozen

from cluster_worker.http.bodies import read_json_object
from cluster_worker.http.request import StreamingRequest

Json = Mapping[str, object]


@frozen(kw_only=True)
class PanelCall:
    """A request that was admitted; ``ids`` are the parts of its path that stand for something."""

    request: StreamingRequest
    ids: Mapping[str, str]

    @property
    def query(self) -> bytes:
        """The query as it was sent."""
        query: bytes = self.request.query
        return query

    async def body(self) -> Mapping[str, Any]:
        """Return the JSON object that was sent. Raises: MalformedData."""
        return await read_json_object(self.request)

    async def body_if_any(self) -> Mapping[str, Any]:
        """Return the JSON object that was sent, an empty one for no body. Raises: MalformedData."""
        return await read_json_object(self.request) if self.request.body_length != 0 else {}


Answering = Callable[[PanelCall], Awaitable[Json | None]]


@frozen(kw_only=True)
class PanelRoute:
    """One method on one path.

    ``path`` is below the door, with ``<name>`` for a part and ``<rest:name>`` for all that follows.
    ``answer`` gives the JSON of the answer; with ``None`` it has no body, and status 204 where the usual one
    is 200.
    """

    method: str
    path: str
    answer: Answering = field(eq=False)
    status: int = 200
