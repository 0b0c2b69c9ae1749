"""Where an NFS export is. Pure."""

from __future__ import annotations

from attrs import frozen

from op_worker.storage.types import BadStorageError

_MOST_PORT = 65535
_DEFAULT_PORT = 2049


@frozen(kw_only=True)
class ExportAddress:
    """A server with one of its exports. A port of 0 is the one that the server's port mapper tells."""

    host: str
    volume: str
    port: int = 0
    mount_port: int = 0

    @classmethod
    def parse(cls, host: str, volume: str) -> ExportAddress:
        """Read the parameters ``host``, as ``name[:port[:mountPort]]``, and ``volume``.

        Raises: BadStorageError.
        """
        if ";" in volume:
            raise BadStorageError("volume names one export; several of them joined by ; are not supported")
        if not volume.startswith("/") or "\0" in volume:
            raise BadStorageError("volume has to be an absolute path, as the server exports it")
        name, bracket, ports = host.partition("]") if host.startswith("[") else (host, "", "")
        if bracket:
            name = name[1:]
        else:
            name, _, ports = host.partition(":")
            ports = f":{ports}" if ports else ""
        numbers = ports.split(":")[1:]
        if (
            not name
            or len(numbers) > 2
            or not all(map(_is_port, numbers))
            or not set(name).isdisjoint("/?@\0 ")
        ):
            raise BadStorageError("host has to be name, name:port or name:port:mountPort")
        port, mount_port = map(int, (numbers + numbers[-1:] * 2)[:2]) if numbers else (0, 0)
        return cls(host=name, volume=volume, port=port, mount_port=mount_port)

    def url(self, version: int) -> str:
        """Return what makes libnfs use these ports and this version of the protocol."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        ports = f"&nfsport={self.port or _DEFAULT_PORT}" if self.port or version == 4 else ""
        mount_port = f"&mountport={self.mount_port}" if self.mount_port else ""
        return f"nfs://{host}/?version={version}{ports}{mount_port}"


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and 0 < int(text) <= _MOST_PORT
