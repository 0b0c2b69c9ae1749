"""A CDMI request as a value, and which form of reading or writing it asks for. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from enum import Enum

from attrs import evolve, field, frozen

from onedata.errors import BadData, BadValueIdentifier, MissingRequiredValue, NotSupported
from op_worker.files.stored.conditions import ANY, NO_CONDITION, ContentCondition
from op_worker.http.cdmi.requests.addresses import Address, parse_address
from op_worker.http.cdmi.requests.negotiation import (
    MUST_EXIST_HEADER,
    NO_CLOBBER_HEADER,
    PARTIAL_HEADER,
    VERSION_HEADER,
    Kind,
    MediaType,
    choose_offer,
    choose_version,
    names_cdmi_type,
    parse_media_type,
)
from op_worker.http.cdmi.requests.queries import Query, Span, parse_query
from op_worker.http.conditions import NO_CONDITIONS, Conditions, parse_conditions
from op_worker.http.digests import NO_DIGESTS, SentDigests, sent_digests

_CONTENT_RANGE = re.compile(r"bytes[ \t]+([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18}|\*)")
_HOST = re.compile(r"[A-Za-z0-9._\-]+(:[0-9]+)?|\[[0-9A-Fa-f:.]+\](:[0-9]+)?")
RAW_TYPES = ("application/binary", "application/octet-stream")
"""Media types under which every data object can be read as bytes."""

MULTIPART = "multipart/mixed"
"""The media type of a representation whose value travels in parts of its own."""


class Form(Enum):
    """How a resource is read or written."""

    CDMI = "as a JSON representation"
    MULTIPART = "as a JSON representation whose value is in parts of its own"
    PLAIN = "as bytes, or without a body"


@frozen(kw_only=True)
class CdmiRequest:
    """Everything of a request but its body.

    Attributes:
        version: the negotiated one; ``None`` for a plain request.
        is_partial: the value is to stay ``Processing``.
        ranges: the ``Range`` header; ``content_range``: the ``Content-Range`` header.
        conditions: on the content, for plain reads and writes; for others on the whole state.
        must_exist, no_clobber: headers of CDMI 1.0: only update, only create.
        digests: that came with a plain body.
        host: the ``Host`` header, "" when there is none.
        scheme: ``https`` over TLS.
        is_gone: whether the client went away; asked now and then by what takes long.
    """

    method: str
    address: Address
    query: Query
    version: str | None = None
    content_type: MediaType | None = None
    accept: str | None = None
    is_partial: bool = False
    ranges: str | None = None
    content_range: str | None = None
    conditions: Conditions = NO_CONDITIONS
    must_exist: bool = False
    no_clobber: bool = False
    digests: SentDigests = NO_DIGESTS
    host: str = ""
    scheme: str = "http"
    is_gone: Callable[[], bool] = field(default=lambda: False, eq=False)

    def known_origin(self) -> str:
        """Return ``origin``, or "" when nothing tells it: paths are meant to begin at our root then."""
        return f"{self.scheme}://{self.host}" if _HOST.fullmatch(self.host) else ""

    def origin(self) -> str:
        """Scheme and host by which the client speaks to us.

        Raises:
            BadData: there is no ``Host`` that could be one (key ``Host``).
        """
        if not _HOST.fullmatch(self.host):
            raise BadData("Host", "a relative URI needs a Host to begin with")
        return f"{self.scheme}://{self.host}"


def parse_request(
    method: str,
    raw_path: bytes,
    raw_query: bytes,
    header: Callable[[str], str | None],
    scheme: str = "http",
    is_gone: Callable[[], bool] = lambda: False,
) -> CdmiRequest:
    """Parse what precedes the body.

    Args:
        raw_path: percent-encoded, below the CDMI root.
        header: returns a header's value by name.
        is_gone: whether the client went away.

    Raises:
        BadVersion: no common version.
        BadData: path, query, an entity tag or a digest cannot be understood.
    """
    return CdmiRequest(
        method=method,
        version=choose_version(header(VERSION_HEADER)),
        address=parse_address(raw_path),
        query=parse_query(raw_query),
        content_type=parse_media_type(header("Content-Type")),
        accept=header("Accept"),
        is_partial=_is_true(header(PARTIAL_HEADER)),
        ranges=header("Range"),
        content_range=header("Content-Range"),
        conditions=parse_conditions(header),
        must_exist=_is_true(header(MUST_EXIST_HEADER)),
        no_clobber=_is_true(header(NO_CLOBBER_HEADER)),
        digests=sent_digests(header),
        host=header("Host") or "",
        scheme=scheme,
        is_gone=is_gone,
    )


def _is_true(header: str | None) -> bool:
    return header is not None and header.strip().lower() == "true"


def write_condition(request: CdmiRequest, *, of_state: bool = False) -> ContentCondition:
    """Return what must hold of the resource that a PUT or DELETE meets; POST meets nothing.

    Args:
        of_state: of a CDMI write: tags and times are those of the whole state.
    """
    if request.method == "POST":
        return NO_CONDITION
    condition = request.conditions.content
    if request.must_exist:
        condition = evolve(condition, match=condition.match or ANY)
    if request.no_clobber:
        condition = evolve(condition, none_match=ANY)
    if condition is NO_CONDITION or not of_state:
        return condition
    return evolve(condition, of_state=True)


def write_form(request: CdmiRequest) -> Form:
    """Return how a PUT writes, by its media type.

    Raises:
        MissingRequiredValue: a CDMI type without a version (key ``version``).
        BadValueIdentifier: the type does not fit the slash (key ``path``).
        NotSupported: a kind of resource that is not advertised.
    """
    sent = request.content_type
    kind = sent.kind if sent is not None else None
    if kind is None:
        if not _is_multipart(request):
            return Form.PLAIN
        if request.address.is_container:
            raise BadValueIdentifier("path")
        return Form.MULTIPART
    if request.version is None:
        raise MissingRequiredValue("version")
    if kind in (Kind.DOMAIN, Kind.QUEUE):
        raise NotSupported
    if kind is not (Kind.CONTAINER if request.address.is_container else Kind.OBJECT):
        raise BadValueIdentifier("path")
    return Form.CDMI


def post_form(request: CdmiRequest) -> Form:
    """Return how a POST of a data object into a container writes, by its media type.

    Raises:
        MissingRequiredValue: a CDMI type without a version (key ``version``).
        NotSupported: a kind of resource that no POST makes.
    """
    sent = request.content_type
    if _is_multipart(request):
        return Form.MULTIPART
    if sent is None or sent.kind is None:
        return Form.PLAIN
    if sent.kind is not None and request.version is None:
        raise MissingRequiredValue("version")
    if sent.kind is not Kind.OBJECT:
        raise NotSupported
    return Form.CDMI


def is_upload(request: CdmiRequest) -> bool:
    """Whether a browser's form with a file was sent (RFC 1867)."""
    return request.content_type is not None and request.content_type.essence == "multipart/form-data"


def object_read_form(request: CdmiRequest, mimetype: str | None = None) -> Form | None:
    """Return how a data object is read, by version and ``Accept``; ``None`` when nothing suits.

    Args:
        mimetype: the object's own, under which its bytes are offered as well.

    Raises:
        MissingRequiredValue: a CDMI type is asked for without a version (key ``version``).
    """
    plain = RAW_TYPES if mimetype is None else (mimetype.partition(";")[0].strip(), *RAW_TYPES)
    if request.version is None:
        if request.accept is None:
            return Form.PLAIN
        if names_cdmi_type(request.accept) and choose_offer(request.accept, plain) is None:
            raise MissingRequiredValue("version")
        return Form.PLAIN if choose_offer(request.accept, plain) is not None else None
    offer = choose_offer(request.accept, (*_cdmi_offers(Kind.OBJECT), *plain, MULTIPART))
    if offer is None:
        return None
    if offer == MULTIPART:
        return Form.MULTIPART
    return Form.CDMI if offer in _cdmi_offers(Kind.OBJECT) else Form.PLAIN


def queue_read_form(request: CdmiRequest) -> Form | None:
    """Return how a queue is read, by ``Accept``; ``None`` when nothing suits."""
    offer = choose_offer(request.accept, (*_cdmi_offers(Kind.QUEUE), MULTIPART))
    if offer is None:
        return None
    return Form.MULTIPART if offer == MULTIPART else Form.CDMI


def accepts_kind(request: CdmiRequest, kind: Kind) -> bool:
    """Whether ``Accept`` allows the representation of a resource of this kind."""
    return choose_offer(request.accept, _cdmi_offers(kind)) is not None


def parse_content_range(header: str, length_b: int | None) -> Span:
    """Parse ``bytes A-B/(T or *)``.

    Args:
        length_b: of the body; ``None`` when it is not announced.

    Raises:
        BadData: anything else, a reversed range, one beyond T, or of another length (``content-range``).
    """
    match = _CONTENT_RANGE.fullmatch(header.strip())
    if match is None:
        raise BadData("content-range", "expected: bytes FIRST-LAST/SIZE, one range")
    span = Span(int(match[1]), int(match[2]))
    if span.first > span.last or (match[3] != "*" and span.last >= int(match[3])):
        raise BadData("content-range", "the range is reversed or ends beyond the size")
    if length_b is not None and length_b != span.length:
        raise BadData("content-range", "the body has another length than the range")
    return span


def _is_multipart(request: CdmiRequest) -> bool:
    sent = request.content_type
    return sent is not None and sent.essence == MULTIPART and request.version is not None


def _cdmi_offers(kind: Kind) -> tuple[str, str]:
    return kind.value, kind.value + "+json"
