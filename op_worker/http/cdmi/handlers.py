"""What the parts that answer for a branch of the tree, or for a kind of resource, look like from outside."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.ids import FileGuid
from op_worker.auth.caller import Caller
from op_worker.files.model import FileStat, Target
from op_worker.http.cdmi.answers import AnyAnswer
from op_worker.http.cdmi.requests.request import CdmiRequest


class BranchHandler(Protocol):
    """Answers for everything below one fixed name of the tree.

    ``length_b`` is the announced length of a body, ``None`` without one; the same below.
    """

    async def read(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a GET or HEAD."""

    async def write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a PUT."""

    async def post(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST."""

    async def delete(self, caller: Caller, request: CdmiRequest) -> AnyAnswer:
        """Answer a DELETE."""


class KindHandler(Protocol):
    """Answers for a kind of resource that no slash tells, and that was found at the address."""

    async def read(self, caller: Caller, request: CdmiRequest, stat: FileStat) -> AnyAnswer:
        """Answer a GET or HEAD."""

    async def write(
        self,
        caller: Caller,
        request: CdmiRequest,
        stat: FileStat | None,
        body: ByteStream,
        length_b: int | None,
    ) -> AnyAnswer:
        """Answer a PUT of the kind's media type, or of any onto such a resource.

        Args:
            stat: what is there, of whatever kind.
        """

    async def post(
        self, caller: Caller, request: CdmiRequest, stat: FileStat, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer a POST."""

    async def delete(self, caller: Caller, request: CdmiRequest, stat: FileStat) -> AnyAnswer:
        """Answer a DELETE."""


@frozen
class Placed:
    """Where a POST makes something.

    Attributes:
        target: brings the id that it gets.
        location: its path below the CDMI root, percent-encoded.
    """

    target: Target
    location: str


class Place(Protocol):
    """The container that a POST was sent to, or the place of objects without a name."""

    async def take(self, domain_uri: str | None, moved: FileGuid | None = None, wish: str = "") -> Placed:
        """Return where a new object goes.

        Args:
            domain_uri: as the body has it; it decides where an object without a name goes.
            moved: an object that there is already, which keeps its id.
            wish: a name that the client would like, which it gets where there are names and it is free.

        Raises:
            BadData: there is no such domain (key ``domainURI``).
            Posix: the caller may not make anything there.
        """


class Maker(Protocol):
    """Makes resources of a media type that was sent by POST, with an id for a name or without a name."""

    async def make(
        self, caller: Caller, request: CdmiRequest, place: Place, body: ByteStream, length_b: int | None
    ) -> AnyAnswer:
        """Answer the POST: 201 with the location."""
