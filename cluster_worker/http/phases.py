"""What a connection can wait for, and what it says when it does not want to wait any more. Pure."""

from __future__ import annotations

from enum import Enum

REFUSALS = {
    400: b"Bad Request",
    408: b"Request Timeout",
    414: b"URI Too Long",
    431: b"Request Header Fields Too Large",
}
"""The reason phrases of answers to what is not, or never became, a request."""


class Phase(Enum):
    """What the connection waits for."""

    IDLE = "the first byte of a request"
    HEADERS = "the rest of the headers"
    BODY = "the body"
    ANSWER = "our answer"
    DISCARDING = "the small rest of a body that was answered already"
    CLOSING = "the client, to take our last answer and go"
