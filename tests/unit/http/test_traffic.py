"""What is counted of requests, and that labels stay few whatever is asked for."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from prometheus_client import CollectorRegistry

from cluster_worker.http.traffic import Traffic


def request(
    place: tuple[bytes, ...] = (b"api", b"v3", b"x"),
    method: bytes = b"GET",
    code: int = 200,
    received_b: int = 0,
    sent_b: int = 0,
) -> Any:
    body = SimpleNamespace(received_b=received_b)
    return SimpleNamespace(prepath=list(place), method=method, code=code, body=body, sentLength=sent_b)


def counted(traffic: Traffic) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(traffic)
    return registry


def test_requests_are_counted_by_door_method_and_status() -> None:
    traffic = Traffic({"api/v3/x": "rest", "cdmi": "cdmi"})
    for code in (200, 201, 404):
        traffic.record(request(code=code, received_b=10, sent_b=100), 0.002)
    traffic.record(request((b"cdmi",), b"PUT", 500, received_b=1), 20.0)
    registry = counted(traffic)
    labels = {"door": "rest", "method": "GET"}
    requests = "onedata_http_requests_total"
    assert registry.get_sample_value(requests, {**labels, "status": "2xx"}) == 2
    assert registry.get_sample_value(requests, {**labels, "status": "4xx"}) == 1
    assert registry.get_sample_value("onedata_http_received_bytes_total", {"door": "rest"}) == 30
    assert registry.get_sample_value("onedata_http_sent_bytes_total", {"door": "rest"}) == 300
    bucket = "onedata_http_request_seconds_bucket"
    assert registry.get_sample_value(bucket, {**labels, "le": "0.001"}) == 0
    assert registry.get_sample_value(bucket, {**labels, "le": "0.0025"}) == 3
    slow = {"door": "cdmi", "method": "PUT"}
    assert registry.get_sample_value(bucket, {**slow, "le": "10.0"}) == 0
    assert registry.get_sample_value(bucket, {**slow, "le": "+Inf"}) == 1
    assert registry.get_sample_value("onedata_http_request_seconds_sum", slow) == 20.0


def test_hostile_paths_and_methods_make_no_labels_of_their_own() -> None:
    traffic = Traffic({"cdmi": "cdmi"})
    for number in range(1000):
        traffic.record(request((b"%d" % number,), b"X%d" % number, 404), 0.001)
        traffic.aborted(request((b"%d" % number,)))
    registry = counted(traffic)
    labels = {"door": "other", "method": "other", "status": "4xx"}
    assert registry.get_sample_value("onedata_http_requests_total", labels) == 1000
    assert registry.get_sample_value("onedata_http_requests_aborted_total", {"door": "other"}) == 1000
    assert sum(len(family.samples) for family in registry.collect()) < 50
