"""Media types of requests and answers. Pure."""

from __future__ import annotations


def accepts(accept: str | None, produced: str) -> bool:
    """Whether an ``Accept`` header (``None`` when missing) takes the media type ``produced``."""
    if accept is None or not accept.strip() or accept == "*/*":
        return True
    wanted = (produced, f"{produced.partition('/')[0]}/*", "*/*")
    return any(part.partition(";")[0].strip().lower() in wanted for part in accept.split(","))
