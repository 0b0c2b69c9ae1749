"""One entry of the route table: what Klein routes, what is checked first, what OpenAPI tells."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum

from attrs import frozen

from cluster_worker.http.params import Param
from op_worker.http.rest.calls import Operation

JSON = "application/json"
OCTETS = "application/octet-stream"
NDJSON = "application/x-ndjson"
RDF = "application/rdf+xml"
XML = "application/xml"
EVENTS = "text/event-stream"


class Access(Enum):
    """Who may ask."""

    TOKEN = "a user with a token"
    SHARED = "a user with a token, or anybody when the file id is of a share"
    PUBLIC = "anybody"


class Body(Enum):
    """What the body of a request is."""

    IGNORED = "nothing"
    PARAMS = "a JSON object of parameters, which those of the query override"
    CONTENT = "data for the operation itself"


class Missing(Enum):
    """How a file that does not exist is reported."""

    ENOENT = "posix enoent, 400"
    NOT_FOUND = "notFound, 404"


@frozen(kw_only=True)
class Route:
    """One method on one path.

    ``path`` is below the door; ``{id}`` is a file id or space id, ``{sid}`` a space id, ``{path}`` the rest
    of the path, any other name the operation's own (``RestCall.ids``). ``also_produces`` are types that an
    ``Accept`` may choose instead. ``consumes`` is checked for PUT, POST and PATCH; ``status`` is the usual
    success.
    """

    method: str
    path: str
    operation: Operation
    status: int = 200
    access: Access = Access.TOKEN
    params: Sequence[Param] = ()
    body: Body = Body.IGNORED
    consumes: str | None = None
    produces: str = JSON
    also_produces: Sequence[str] = ()
    missing: Missing = Missing.ENOENT


FILE = "/data/{id}"
"""Where the routes of one file are."""
