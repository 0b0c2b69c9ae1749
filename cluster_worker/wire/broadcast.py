"""One notice for many links, put into bytes once."""

from __future__ import annotations

from cluster_worker.wire.link import Link
from cluster_worker.wire.messages import NO_CORRELATION, Message, encode_message


class Broadcast:
    """A message and its frames, one for each protocol version that is spoken.

    A ring of 1 000 nodes takes milliseconds to encode; for each of them anew it would take seconds.
    """

    def __init__(self, message: Message) -> None:
        self.message = message
        self._frames: dict[int, bytes] = {}

    def send(self, link: Link) -> None:
        """Send it on ``link``; on a link that is not open it is lost. Raises: BadRequest."""
        version = link.conversation.version
        frame = self._frames.get(version)
        if frame is None:
            self._frames[version] = frame = encode_message(self.message, NO_CORRELATION, version)
        link.notify_frame(frame)
