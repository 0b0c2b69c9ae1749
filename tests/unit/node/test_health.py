"""The health page: its exact bytes, and its answers."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import capturedLogs
from twisted.web.test.requesthelper import DummyRequest

from cluster_worker.health import NagiosResource, nagios_xml, worst_status
from cluster_worker.node.errors import ClusterUnavailable

NOW_S = 1733047200.0  # 2024-12-01 10:00:00 UTC


class Node:
    app_name = "op_worker"

    def __init__(self, status: Mapping[str, Mapping[str, str]] | Exception | Deferred[None]) -> None:
        self.status = status

    async def cluster_status(self) -> Mapping[str, Mapping[str, str]]:
        if isinstance(self.status, Exception):
            raise self.status
        if isinstance(self.status, Deferred):
            await self.status
            return {}
        return self.status


def answer(node: Node, method: bytes = b"GET") -> tuple[int, bytes, DummyRequest]:
    request = DummyRequest([b"nagios"])
    request.method = method
    direct = NagiosResource(node, lambda: NOW_S).render(request)  # type: ignore[arg-type]  # a double
    body = direct if isinstance(direct, bytes) else b"".join(request.written)
    return request.responseCode or 200, body, request


def test_page_has_the_exact_format_of_the_original() -> None:
    components = {
        "https_listener": "ok",
        "datastore_worker": "ok",
        "fslogic_worker": "ok",
        "dispatcher": "ok",
        "node_manager": "ok",
    }
    page = nagios_xml("op_worker", {"worker@worker1.p1.1700000000.test": components}, NOW_S)
    assert page == (
        b'<?xml version="1.0"?><healthdata date="2024/12/01 10:00:00" status="ok">'
        b'<op_worker name="worker@worker1.p1.1700000000.test" status="ok">'
        b'<node_manager status="ok"/><dispatcher status="ok"/>'
        b'<datastore_worker status="ok"/><fslogic_worker status="ok"/>'
        b'<https_listener status="ok"/></op_worker></healthdata>'
    )


def test_nodes_are_sorted_and_the_worst_status_wins() -> None:
    page = nagios_xml(
        "oz_worker", {"b@x": {"dispatcher": "out_of_sync"}, "a@x": {"w": "error: timeout"}}, NOW_S
    )
    assert page.index(b'name="a@x" status="error"') < page.index(b'name="b@x" status="out_of_sync"')
    assert b'<healthdata date="2024/12/01 10:00:00" status="error">' in page
    assert b'<w status="error: timeout"/>' in page


def test_statuses_are_ordered_ok_out_of_sync_error() -> None:
    assert worst_status([]) == worst_status(["ok"]) == "ok"
    assert worst_status(["ok", "out_of_sync"]) == "out_of_sync"
    assert worst_status(["out_of_sync", "error: x", "ok"]) == worst_status(["what?"]) == "error"


def test_reasons_are_escaped_in_the_page() -> None:
    assert b'"error: &lt;a&gt; &amp; b"' in nagios_xml("op_worker", {"n": {"w": "error: <a> & b"}}, NOW_S)


def test_sick_cluster_is_still_answered_with_ok_and_xml() -> None:
    code, body, request = answer(Node({"n@h": {"node_manager": "error: nodedown"}}))
    assert code == 200 and b'status="error"' in body
    assert request.responseHeaders.getRawHeaders(b"content-type") == [b"application/xml"]


@pytest.mark.parametrize("method", [b"POST", b"HEAD", b"PUT", b"DELETE"])
def test_other_methods_than_get_are_not_allowed(method: bytes) -> None:
    code, body, request = answer(Node({}), method)
    assert (code, body) == (405, b"")
    assert request.responseHeaders.getRawHeaders(b"allow") == [b"GET"]


def test_unreachable_manager_is_an_empty_error() -> None:
    code, body, _ = answer(Node(ClusterUnavailable("no manager")))
    assert (code, body) == (500, b"")


def test_bug_in_the_status_is_an_empty_error_and_logged() -> None:
    with capturedLogs() as logs:
        code, body, _ = answer(Node(ValueError("bug")))
    assert (code, body) == (500, b"") and len(logs) == 1
