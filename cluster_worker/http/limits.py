"""What one client may cost: sizes in bytes, waits in seconds."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class HttpLimits:
    """Limits of one site. Each has a default that suits a server on the open network."""

    header_timeout_s: float = 30.0
    """From the first byte of a request (or the connection) to the end of its headers."""
    idle_timeout_s: float = 75.0
    """How long a kept-alive connection may wait for its next request."""
    body_stall_timeout_s: float = 60.0
    """The longest silence in a body that we are ready to read."""
    response_stall_timeout_s: float = 60.0
    """How long a client may take nothing of an answer that waits for it."""
    linger_timeout_s: float = 5.0
    """After an answer that came before the end of its body: how long the rest is read and dropped."""
    linger_b: int = 16 * 1024 * 1024
    """And how much of it."""
    discard_b: int = 64 * 1024
    """The rest of an unread body up to this size is read and dropped to keep the connection."""
    max_header_b: int = 16384
    """Request line and headers together."""
    max_header_count: int = 100
    body_piece_b: int = 256 * 1024
    """A reader of a body gets at least this much at a time, but for the end of the body."""
    body_waiting_b: int = 512 * 1024
    """When this much of a body waits for its reader, the socket is not read any more."""
    max_connections: int = 10000
    """Further connections are closed at once."""
