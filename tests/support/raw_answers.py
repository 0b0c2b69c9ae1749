"""Answers of one connection, taken apart as HTTP/1.1 has it."""

from __future__ import annotations

import http.client
import io
from collections.abc import Mapping, Sequence

from attrs import frozen


@frozen
class RawAnswer:
    """One answer; names of headers in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Received(io.BytesIO):
    """What came over a connection; answers do not close it."""

    def makefile(self, mode: str) -> _Received:
        return self

    def close(self) -> None:
        """The next answer reads on."""


def answers(received: bytes, methods: Sequence[str]) -> list[RawAnswer]:
    """Return the answers to requests of these methods that came over one connection.

    Raises:
        http.client.HTTPException: what came is not HTTP.
        AssertionError: bytes are left over.
    """
    stream, found = _Received(received), []
    for method in methods:
        if stream.tell() == len(received):
            break
        answer = http.client.HTTPResponse(stream, method=method)  # type: ignore[arg-type]  # all it uses
        answer.begin()
        headers = {name.lower(): value for name, value in answer.getheaders()}
        found.append(RawAnswer(answer.status, headers, answer.read()))
    assert stream.tell() == len(received), received[stream.tell() :][:200]
    return found
