"""Whether a backup is what it was when it was made, and whether a server can load it."""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

from cluster_worker.persistence.address import RedisAddress
from cluster_worker.persistence.backup.contents import ContentDigest, Piece, visit
from cluster_worker.persistence.backup.errors import BackupDamaged
from cluster_worker.persistence.backup.manifest import FILE_NAME, Manifest, Part, read_manifest
from cluster_worker.persistence.backup.private_server import private_server
from cluster_worker.persistence.backup.servers import asking
from cluster_worker.persistence.backup.tools import Tools

_PIECE_B = 1 << 20


def open_backup(folder: Path) -> Manifest:
    """Return the manifest of a backup whose parts are all whole. Raises: BackupDamaged."""
    try:
        manifest = read_manifest((folder / FILE_NAME).read_bytes())
    except FileNotFoundError:
        raise BackupDamaged(f"{folder} is no backup: it has no {FILE_NAME}") from None
    for part in manifest.parts:
        _check_part(folder / part.file, part)
    return manifest


def _check_part(path: Path, part: Part) -> None:
    found = sha256()
    size_b = 0
    try:
        with open(path, "rb") as file:
            while piece := file.read(_PIECE_B):
                found.update(piece)
                size_b += len(piece)
    except FileNotFoundError:
        raise BackupDamaged(f"{path} is missing") from None
    if (size_b, found.hexdigest()) != (part.size_b, part.sha256):
        raise BackupDamaged(f"{path} was changed: {size_b} bytes where {part.size_b} were written, or others")


async def look_into(tools: Tools, folder: Path, parts: Sequence[Part], database: int) -> ContentDigest:
    """Load every part into a server and digest what it has. Raises: DumpUnreadable; UnknownContent."""
    digest = ContentDigest()
    for part in parts:
        tools.say(f"{part.file}: looking into it")
        async with private_server(tools.reactor, tools.program, folder / part.file, tools.config) as address:
            await digest_server(tools, address.in_database(database), digest)
    return digest


async def digest_server(tools: Tools, address: RedisAddress, digest: ContentDigest) -> None:
    """Add what a server has to ``digest``. Raises: NotReached; UnknownContent."""

    async def look(piece: Piece, is_first: bool) -> None:
        digest.add(piece, is_first=is_first)

    async with asking(tools.reactor, address, tools.config) as ask:
        await visit(ask, look)


def check_contents(manifest: Manifest, digest: ContentDigest) -> None:
    """Raise BackupDamaged when what was loaded is not what the manifest tells of."""
    if manifest.digest is not None and (manifest.keys, manifest.digest) != (digest.keys, digest.value):
        raise BackupDamaged(f"{digest.keys} keys were loaded where {manifest.keys} were stored, or others")
