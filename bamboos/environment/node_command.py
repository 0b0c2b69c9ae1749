"""How a node is started, whatever starts it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Mount:
    """A folder or file of this machine that a node sees at ``target``, in a container."""

    source: str
    target: str
    readonly: bool = True

    @classmethod
    def same(cls, path: Path, *, readonly: bool = True) -> Mount:
        """The same path inside as outside."""
        return cls(source=str(path), target=str(path), readonly=readonly)


@dataclass(frozen=True, kw_only=True)
class NodeCommand:
    """How a node is started. ``folder`` holds its configuration, state and logs.

    ``mounts`` is what it sees of this machine besides its folder, where it has a file system of its own.
    """

    node: str
    argv: Sequence[str]
    folder: Path
    mounts: Sequence[Mount] = ()

    @property
    def host(self) -> str:
        """The host part of the node's name."""
        return self.node.partition("@")[2]

    def save(self) -> None:
        """Remember the command beside the node's files, so that the node can be started again."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "command.json").write_text(json.dumps({**asdict(self), "folder": None}, indent=2))


def load_command(folder: Path) -> NodeCommand:
    """The command that ``NodeCommand.save`` left in a node's folder."""
    saved = json.loads((folder / "command.json").read_text())
    mounts = [Mount(**mount) for mount in saved["mounts"]]
    return NodeCommand(**{**saved, "folder": folder, "mounts": mounts})


def saved_commands(environment_folder: Path) -> Sequence[NodeCommand]:
    """Every node of an environment that was ever started, the latest last."""
    files = (environment_folder / "nodes").glob("*/command.json")
    return [load_command(file.parent) for file in sorted(files, key=lambda file: file.stat().st_mtime_ns)]


def last_words(folder: Path, lines: int = 15) -> str:
    """The end of a node's console output, for the message that says why it did not come up."""
    log = folder / "console.log"
    if not log.exists():
        return "(no output)"
    return "\n".join(log.read_text(errors="replace").splitlines()[-lines:])
