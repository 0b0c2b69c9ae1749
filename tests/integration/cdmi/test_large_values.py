"""Memory of the server does not depend on the size of a value inside JSON, in either direction."""

from __future__ import annotations

import base64
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

ROOT = Path(__file__).resolve().parents[3]
MIB = 1024 * 1024
VALUE_B = int(os.environ.get("CDMI_LARGE_VALUE_MIB", "256")) * MIB
"""The tests were run with 2048 as well."""
GROWTH_B = 128 * MIB
HEADERS = {"X-Auth-Token": "owner", "X-CDMI-Specification-Version": "1.1.1"}
TYPED = {**HEADERS, "Content-Type": "application/cdmi-object"}
PATTERN = random.Random(4).randbytes(3 * 262144)
ENCODED = base64.b64encode(PATTERN)
TEXT = ('a line of \u017c\u00f3\u0142w, "quoted"\n' * 20000).encode()
ESCAPED = TEXT.replace(b'"', b'\\"').replace(b"\n", b"\\n")

pytestmark = pytest.mark.slow


@frozen
class Server:
    """A server in a process of its own."""

    process: subprocess.Popen[str]
    port: int

    def peak_b(self) -> int:
        """The most memory that the process had so far."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) * 1024

    def ask(self, method: str, headers: dict[str, str], body: Any = None, query: str = "") -> HTTPResponse:
        """Send a request for the object; a body that is an iterator is sent in chunks."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        is_cut = body is not None and not isinstance(body, bytes)
        connection.request(method, "/cdmi/Science/large" + query, body, headers, encode_chunked=is_cut)
        return connection.getresponse()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    command = [sys.executable, "-m", "tests.integration.cdmi.serving", str(tmp_path)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        yield Server(process, int(process.stdout.readline()))
    finally:
        process.kill()
        process.communicate()


def sent(before: bytes, pattern: bytes, count: int, after: bytes) -> Iterator[bytes]:
    yield before
    for _ in range(count):
        yield pattern
    yield after


def check(answer: HTTPResponse, pattern: bytes, count: int) -> None:
    """Demand that the body is a pattern so many times, and the end of JSON."""
    for _ in range(count):
        assert answer.read(len(pattern)) == pattern
    assert answer.read() == b'"}'


@pytest.mark.parametrize(
    ("pattern", "stored", "encoding"), [(ENCODED, PATTERN, "base64"), (ESCAPED, TEXT, "utf-8")]
)
@pytest.mark.parametrize("is_told_first", [True, False])
def test_large_value_in_json_takes_little_memory(
    server: Server, tmp_path: Path, pattern: bytes, stored: bytes, encoding: str, is_told_first: bool
) -> None:
    count = VALUE_B // len(stored)
    assert server.ask("PUT", TYPED, b'{"value":"x"}').status == 201
    before_b = server.peak_b()
    told = f'"valuetransferencoding":"{encoding}"'.encode()
    head, tail = b'{"value":"', b'",' + told + b"}"
    if is_told_first:
        head, tail = b"{" + told + b',"value":"', b'"}'
    chunked = {**TYPED, "Transfer-Encoding": "chunked"}
    assert server.ask("PUT", chunked, sent(head, pattern, count, tail)).status == 204
    assert server.peak_b() - before_b < GROWTH_B
    [found] = [path for path in (tmp_path / "storage").rglob("large") if path.is_file()]
    assert found.stat().st_size == count * len(stored)
    got = server.ask("GET", HEADERS, query="?valuetransferencoding;value")
    opening = b"{" + told + b',"value":"'
    assert (got.status, got.read(len(opening))) == (200, opening)
    check(got, pattern, count)
    assert server.peak_b() - before_b < GROWTH_B


def test_large_value_in_parts_takes_little_memory(server: Server) -> None:
    count = VALUE_B // len(PATTERN)
    head = b"--B\r\nContent-Type: application/cdmi-object\r\n\r\n{}\r\n--B"
    multipart = {**HEADERS, "Content-Type": "multipart/mixed; boundary=B", "Transfer-Encoding": "chunked"}
    assert server.ask("PUT", TYPED, b'{"value":"x"}').status == 201
    before_b = server.peak_b()
    for between in (b"\r\n\r\n", f"\r\nContent-Range: bytes 0-{count * len(PATTERN) - 1}/*\r\n\r\n".encode()):
        body = sent(head + between, PATTERN, count, b"\r\n--B--\r\n")
        assert server.ask("PUT", multipart, body).status == 204
        assert server.peak_b() - before_b < GROWTH_B
    got = server.ask("GET", {**HEADERS, "Accept": "multipart/mixed"}, query="?valuerange;value")
    lines = iter(got.readline, b"\r\n")
    assert got.status == 200 and list(lines) and b'{"valuerange"' in got.readline()
    assert b"Content-Length: %d\r\n" % (count * len(PATTERN)) in list(iter(got.readline, b"\r\n"))
    for _ in range(count):
        assert got.read(len(PATTERN)) == PATTERN
    assert got.read().endswith(b"--\r\n")
    assert server.peak_b() - before_b < GROWTH_B
