"""``./make.py run``: a readable summary, curl lines that work when pasted, Ctrl-C, data kept."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bamboos.environment import processes
from tests.support.environments import ROOT

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]


@contextmanager
def demo(state_dir: Path, *options: str) -> Iterator[str]:
    """Run the demonstration; give what it printed up to its last line before it waits; stop it by Ctrl-C."""
    command = [sys.executable, "-u", "make.py", "run", "--state-dir", str(state_dir), *options]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if "Ctrl-C" in line:
            break
    try:
        yield "".join(lines)
    finally:
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0, "".join(lines)
    assert processes.members(state_dir) == []


def pasted(line: str) -> bytes:
    """What a line prints when pasted into a shell in the repository's folder."""
    done = subprocess.run(["bash", "-c", line], cwd=ROOT, capture_output=True, timeout=30, check=True)
    return done.stdout


def test_printed_curl_lines_upload_download_and_delete(tmp_path: Path) -> None:
    with demo(tmp_path / "demo") as printed:
        upload, download, delete = re.findall(r"^ +(curl .*)$", printed, re.MULTILINE)
        assert "password" in printed
        pasted(upload)
        assert pasted(download) == (ROOT / "README.md").read_bytes()
        stored = tmp_path / "demo" / "storages" / "krk" / "mnt_alpha" / "s1" / "hello.txt"
        assert stored.read_bytes() == (ROOT / "README.md").read_bytes()
        pasted(delete)
        assert b"enoent" in pasted(download) or not pasted(download)
        assert not stored.exists()
        pasted(upload)
    with demo(tmp_path / "demo") as printed:
        _, download, _ = re.findall(r"^ +(curl .*)$", printed, re.MULTILINE)
        assert pasted(download) == (ROOT / "README.md").read_bytes()
    with demo(tmp_path / "demo", "--clean") as printed:
        _, download, _ = re.findall(r"^ +(curl .*)$", printed, re.MULTILINE)
        assert pasted(download) != (ROOT / "README.md").read_bytes()
