"""Bodies of requests for queues: what makes or changes one, and values to be enqueued."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from onedata.errors import BadData, BadValueNotAllowed, MalformedData, MissingRequiredValue, NotSupported
from op_worker.files.model import Json
from op_worker.files.queues.values import DEFAULT_ENCODING, DEFAULT_MIMETYPE, ValueType
from op_worker.http.cdmi.bodies.members import ContainerBody, Encoding, parse_container_body
from op_worker.http.cdmi.requests.negotiation import is_storable_mimetype

_ENCODINGS = (Encoding.UTF8.value, Encoding.BASE64.value)

_REFUSED = ("serialize", "snapshot", "exports")


@frozen
class EnqueueBody:
    """The members of a body that enqueues, without the values; ``None``: the member was not sent."""

    mimetypes: Sequence[str] | None = None
    encodings: Sequence[str] | None = None
    copy: str | None = None
    move: str | None = None

    def encoding(self, index: int) -> str:
        """Return how a value travels. Raises BadData when the array ends before it."""
        if self.encodings is None:
            return DEFAULT_ENCODING
        if index >= len(self.encodings):
            raise _unequal("valuetransferencoding")
        return self.encodings[index]

    def types(self, sent: Sequence[ValueType]) -> list[ValueType]:
        """Return the types of as many values as were sent; the arrays count before what ``sent`` says.

        Raises:
            BadData: an array has another length (key: its name).
        """
        mimetypes = _as_many("mimetype", self.mimetypes, [one.mimetype for one in sent])
        encodings = _as_many("valuetransferencoding", self.encodings, [one.encoding for one in sent])
        return [ValueType(*pair) for pair in zip(mimetypes, encodings, strict=True)]


def parse_enqueue_body(members: Mapping[str, Json], *, has_value: bool) -> EnqueueBody:
    """Check the members of a body that enqueues.

    Raises:
        MalformedData: more than one source of values.
        MissingRequiredValue: none (key ``value``).
        BadData, BadValueNotAllowed: a member that is no array of strings, or a string that cannot be.
    """
    if sum((has_value, "copy" in members, "move" in members)) > 1:
        raise MalformedData
    relocated = {name: _uri(members, name) for name in ("copy", "move")}
    if not has_value and not any(relocated.values()):
        raise MissingRequiredValue("value")
    mimetypes, encodings = _strings(members, "mimetype"), _strings(members, "valuetransferencoding")
    if mimetypes is not None and not all(map(is_storable_mimetype, mimetypes)):
        raise BadData("mimetype", "a mimetype is type/subtype in printable ASCII")
    if encodings is not None and not set(encodings) <= set(_ENCODINGS):
        raise BadValueNotAllowed("valuetransferencoding", list(_ENCODINGS))
    lowered = None if mimetypes is None else [one.lower() for one in mimetypes]
    return EnqueueBody(lowered, encodings, relocated["copy"], relocated["move"])


def parse_queue_body(members: Mapping[str, Json]) -> ContainerBody:
    """Check the members of a body that makes or changes a queue.

    Raises:
        BadData: values, which are enqueued by POST (key ``value``); as ``parse_container_body``.
        NotSupported: a member whose capability is not advertised.
    """
    if "value" in members:
        raise BadData("value", "values are enqueued by POST")
    if any(name in members for name in _REFUSED):
        raise NotSupported
    return parse_container_body(members)


def default_type() -> ValueType:
    """Return the type of a value of which nothing is said."""
    return ValueType(DEFAULT_MIMETYPE, DEFAULT_ENCODING)


def _as_many(name: str, given: Sequence[str] | None, otherwise: Sequence[str]) -> Sequence[str]:
    if given is None:
        return otherwise
    if len(given) != len(otherwise):
        raise _unequal(name)
    return given


def _unequal(name: str) -> BadData:
    return BadData(name, "there must be one for each value")


def _strings(members: Mapping[str, Json], name: str) -> list[str] | None:
    if name not in members:
        return None
    found = members[name]
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise BadData(name, "expected an array of strings")
    return [str(one) for one in found]


def _uri(members: Mapping[str, Json], name: str) -> str | None:
    found = members.get(name)
    if name in members and not isinstance(found, str):
        raise BadData(name, "expected a URI")
    return found if isinstance(found, str) else None
