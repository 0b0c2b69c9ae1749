"""Requests below ``cdmi_domains``: everything is read, nothing is made, changed or removed."""

from __future__ import annotations

from typing import NoReturn

from cluster_worker.runtime.streams import ByteStream
from onedata.errors import MissingRequiredValue, NotSupported
from op_worker.auth.caller import Caller
from op_worker.domains.service import Domains
from op_worker.http.cdmi.answers import NOT_ACCEPTABLE, Answer, representation
from op_worker.http.cdmi.containers.containers import children_span
from op_worker.http.cdmi.domains.nodes import MIMETYPE, Node, members_of
from op_worker.http.cdmi.domains.tree import DomainTree
from op_worker.http.cdmi.refusals import Redirected
from op_worker.http.cdmi.representations.representation import render
from op_worker.http.cdmi.requests.addresses import DOMAINS, path_text
from op_worker.http.cdmi.requests.negotiation import Kind
from op_worker.http.cdmi.requests.request import CdmiRequest, Form, accepts_kind, object_read_form


class DomainBranch:
    """Answers for domains; see ``BranchHandler``.

    Spaces, their names and their members are managed in Onezone, and statistics are made by us, so every
    change is refused: its capability is not advertised.
    """

    def __init__(self, domains: Domains) -> None:
        self._tree = DomainTree(domains)

    async def read(self, caller: Caller, request: CdmiRequest) -> Answer:
        """Answer a GET or HEAD.

        Raises:
            MissingRequiredValue: a domain or a container is asked for without a version (key ``version``).
            Redirected: the slash is missing, or is one too many.
            NotFound, Forbidden: as ``DomainTree.node``.
        """
        node = await self._tree.node(caller, request.address.names)
        if request.address.is_container is (node.kind is Kind.OBJECT):
            slash = "" if node.kind is Kind.OBJECT else "/"
            raise Redirected(path_text((DOMAINS, *node.names)) + slash)
        if node.kind is Kind.OBJECT:
            return _object_answer(node, request)
        if request.version is None:
            raise MissingRequiredValue("version")
        if not accepts_kind(request, node.kind):
            return NOT_ACCEPTABLE
        is_listed = request.query.wants("children")
        is_asked = is_listed or request.query.wants("childrenrange")
        asked = request.query.children
        span = children_span(asked, len(node.children), is_listed=is_listed) if is_asked else None
        return representation(node.kind, render(members_of(node, request.query, span)))

    async def write(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> NoReturn:
        """Raise NotSupported for a PUT."""
        raise NotSupported

    async def post(
        self, caller: Caller, request: CdmiRequest, body: ByteStream, length_b: int | None
    ) -> NoReturn:
        """Raise NotSupported for a POST."""
        raise NotSupported

    async def delete(self, caller: Caller, request: CdmiRequest) -> NoReturn:
        """Raise NotSupported for a DELETE."""
        raise NotSupported


def _object_answer(node: Node, request: CdmiRequest) -> Answer:
    form = object_read_form(request, MIMETYPE)
    if form is Form.PLAIN:
        return Answer(status=200, body=node.value, media_type=MIMETYPE)
    if form is not Form.CDMI:
        return NOT_ACCEPTABLE
    return representation(Kind.OBJECT, render(members_of(node, request.query, None)))
