"""Images of nodes: one that borrows this machine's programs, or one that brings its own."""

from __future__ import annotations

import hashlib
import io
import json
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bamboos.environment.engines.docker_cli import Docker
from bamboos.environment.engines.engine import EngineFailed
from bamboos.environment.engines.image_build import HOME, build
from bamboos.environment.interpreter import ROOT, daemon_python
from bamboos.environment.node_command import Mount

FOLDERS = ("usr", "etc", "proc", "sys", "dev", "run", "var", "var/tmp", "tmp", "root", "opt", "home", "mnt")
LINKS = ("bin", "sbin", "lib", "lib64")
COPIED = ("etc/passwd", "etc/group", "etc/nsswitch.conf", "etc/ld.so.cache")
BORROWED = ("/usr", "/etc/alternatives", "/etc/ssl")

GIVEN_PYTHON = f"{HOME}/bin/python"
"""Where an image that brings its own programs has the interpreter with the daemons."""


@dataclass(frozen=True)
class Image:
    """An image, its interpreter with the daemons, and what of this machine it needs to see."""

    name: str
    python: str
    mounts: Sequence[Mount] = ()


BUILD = "build"
"""Stands for the image that ``image_build`` makes."""


def find_image(docker: Docker, name: str | None) -> Image:
    """The image of this name; ``None`` is the one that borrows. Raises: EngineFailed."""
    if name is None:
        return borrowing_image(docker)
    return given_image(docker, build(docker) if name == BUILD else name)


def given_image(docker: Docker, name: str) -> Image:
    """An image with everything inside. Raises: EngineFailed when the engine does not have it."""
    docker("image", "inspect", "--format", "{{.Id}}", name)
    return Image(name, GIVEN_PYTHON)


def borrowing_image(docker: Docker) -> Image:
    """An image of empty folders into which this machine's programs and this repository are mounted.

    It is made in a tenth of a second and has exactly the interpreter and the packages of this machine.

    Raises: EngineFailed.
    """
    if not all((Path("/") / link).is_symlink() for link in ("bin", "lib")):
        raise EngineFailed("/bin and /lib are not links into /usr here: give an image by --image")
    archive = _skeleton()
    name = f"onedata-borrowed:{hashlib.sha256(archive).hexdigest()[:12]}"
    if not docker("images", "--quiet", name):
        docker("import", "-", name, content=archive)
    folders = [*BORROWED, *_python_folders(), str(ROOT)]
    needed = [folder for folder in folders if Path(folder).exists() and not _is_below("/usr", folder)]
    mounts = [Mount.same(Path(folder)) for folder in dict.fromkeys(["/usr", *needed])]
    return Image(name, str(daemon_python()), mounts)


def _skeleton() -> bytes:
    """The archive of the empty folders; the same bytes as long as the copied files stay the same."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name in FOLDERS:
            folder = tarfile.TarInfo(name)
            folder.type, folder.mode = tarfile.DIRTYPE, 0o1777 if name.endswith("tmp") else 0o755
            archive.addfile(folder)
        for name in LINKS:
            link = tarfile.TarInfo(name)
            link.type, link.linkname = tarfile.SYMTYPE, f"usr/{name}"
            archive.addfile(link)
        for name in COPIED:
            source = Path("/") / name
            if source.exists():
                file = tarfile.TarInfo(name)
                file.size = source.stat().st_size
                archive.addfile(file, io.BytesIO(source.read_bytes()))
    return buffer.getvalue()


def _python_folders() -> Sequence[str]:
    """The folders in which the daemons' interpreter has its own files and its packages."""
    question = "import json, sys; print(json.dumps([sys.base_prefix, sys.prefix]))"
    answer = subprocess.run([daemon_python(), "-c", question], capture_output=True, text=True, check=True)
    folders: list[str] = json.loads(answer.stdout)
    return [*folders, *(str(Path(folder).resolve()) for folder in folders)]


def _is_below(folder: str, path: str) -> bool:
    return Path(path).is_relative_to(folder) and path != folder
