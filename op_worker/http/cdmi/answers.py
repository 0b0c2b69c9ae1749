"""What the operations give back to the door, which sends it."""

from __future__ import annotations

from typing import Protocol

from attrs import frozen

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import PreconditionNotMet
from op_worker.files.model import ContentReader, FileStat
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.request import CdmiRequest
from op_worker.http.conditions import NO_CONDITIONS, Conditions, Verdict


@frozen(kw_only=True)
class Answer:
    """A whole answer; without ``media_type`` it has no body.

    Attributes:
        written: the file whose content was.
        state: the file whose state is shown, or was not as the client knows it.
        location: of what was made, or is being made: its path below the CDMI root, percent-encoded.
    """

    status: int
    body: bytes = b""
    media_type: str | None = None
    written: FileStat | None = None
    state: FileStat | None = None
    location: str | None = None


class Held(Protocol):
    """What is open while an answer is sent."""

    @property
    def stat(self) -> FileStat:
        """The file that is shown."""

    async def close(self) -> None:
        """Give it back. Idempotent."""


@frozen(kw_only=True)
class ValueAnswer:
    """A representation whose value is streamed; ``length_b`` is ``None`` when it is not known before.

    ``reader`` is closed when it was sent.
    """

    reader: Held
    stream: ByteStream
    length_b: int | None
    media_type: str = Kind.OBJECT.value


@frozen(kw_only=True)
class RawAnswer:
    """The bytes of a data object, of which the client may have asked for ranges, or under conditions."""

    reader: ContentReader
    mimetype: str
    ranges: str | None
    conditions: Conditions


AnyAnswer = Answer | ValueAnswer | RawAnswer

CREATED = Answer(status=201)
NO_CONTENT = Answer(status=204)
NOT_ACCEPTABLE = Answer(status=406)


def representation(kind: Kind, body: bytes, status: int = 200, state: FileStat | None = None) -> Answer:
    """Return a CDMI representation as an answer."""
    return Answer(status=status, body=body, media_type=kind.value, state=state)


def not_modified(request: CdmiRequest, stat: FileStat) -> Answer | None:
    """Return the answer to a client who knows the state of a file already; ``None`` when he does not.

    The list of spaces has no state of its own.

    Raises:
        PreconditionNotMet: it is not the state that the client asked for.
    """
    if stat.parent is None or request.conditions is NO_CONDITIONS:
        return None
    verdict = request.conditions.of_state().verdict(stat)
    if verdict is Verdict.FAILED:
        raise PreconditionNotMet
    return Answer(status=304, state=stat) if verdict is Verdict.NOT_MODIFIED else None
