"""The interactive command line that INDIGO published as ``cdmi-client``, as people typed at it.

It is written in Python 2. Where the machine has one, it runs as published; with today's Python it runs
after the translator of the language's authors, and nothing else, has been over it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pexpect

_MAIN = "from cdmi_cli.command_line import main; main()"
_READY = r"\x1b\[\?2004h"
"""What the terminal is told when the client waits for a command."""
_ANSWERED = r"\x1b\[\?2004l(.*?)(?:\x1b\[\?1l)?" + _READY
_PIP = ("-m", "pip", "install", "--quiet", "--disable-pip-version-check")


def interpreters() -> dict[str, str]:
    """Return what can run the client here, by a name for each."""
    found = {"translated": sys.executable}
    installed = map(str, Path.home().glob(".pyenv/versions/2.7*/bin/python2.7"))
    for candidate in filter(None, (shutil.which("python2.7"), *installed)):
        if subprocess.run([candidate, "-c", "import ssl"], capture_output=True, check=False).returncode == 0:
            return {**found, "python2.7": candidate}
    return found


def install(python: str, folder: Path) -> None:
    """Put the client into a folder, from the package index, so that this interpreter can run it."""
    is_ours = python == sys.executable
    command = [python, *_PIP, *(["--no-deps"] if is_ours else []), "--target", str(folder), "cdmi-client"]
    _run(command)
    if is_ours:
        _run([python, "-m", "fissix", "--write", "--nobackups", str(folder / "cdmi_cli")])


class CdmiCli:
    """A running client, with a terminal of its own."""

    def __init__(self, python: str, folder: Path, options: Sequence[str] = ()) -> None:
        surroundings = {**os.environ, "PYTHONPATH": str(folder), "PYTHONWARNINGS": "ignore"}
        self._child = pexpect.spawn(
            python,
            ["-c", _MAIN, *options],
            env={**surroundings, "PROMPT_TOOLKIT_NO_CPR": "1"},
            encoding="utf-8",
            timeout=20,
            dimensions=(50, 1000),
        )
        self._child.expect(_READY)

    def type(self, line: str) -> str:
        """Return what the client prints after a command."""
        self._child.send(line + "\r")
        self._child.expect(_ANSWERED)
        printed: str = self._child.match.group(1)
        return printed.replace("\r\n", "\n")

    def sign_in(self, user: str, password: str) -> None:
        """Answer the questions of ``auth basic``."""
        self._child.send("auth basic\r")
        self._child.expect("Enter username: ")
        self._child.sendline(user)
        self._child.expect("Enter password: ")
        self._child.sendline(password)
        self._child.expect(_READY)

    def leave(self, line: str) -> int:
        """Return with which code it ends after a command."""
        self._child.send(line + "\r")
        self._child.expect(pexpect.EOF)
        self._child.close()
        code: int = self._child.exitstatus
        return code

    def kill(self) -> None:
        """End it, whatever it does."""
        self._child.close(force=True)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=100, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
