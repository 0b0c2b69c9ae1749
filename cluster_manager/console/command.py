"""The subcommands: what they ask, what they print, with which code they exit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TextIO

from attrs import frozen
from rich.console import Console
from rich.live import Live
from rich.text import Text

from cluster_manager.console.client import Declined, ManagerClient, NoLeader
from cluster_manager.console.rendering import as_lines, as_table
from cluster_manager.console.waiting import progress

FINE, DECLINED, USAGE, NO_LEADER, NOT_DONE, INTERRUPTED = 0, 1, 2, 3, 4, 130
"""Exit codes."""
_LOOK_S = 0.5


@frozen(kw_only=True)
class Command:
    """Runs against one cluster; prints to ``console``, and problems to ``errors``."""

    client: ManagerClient
    console: Console
    errors: TextIO
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]

    def status(self, *, as_json: bool) -> int:
        """Print the state of the cluster once."""
        try:
            found, code = self.client.status(), FINE
        except Declined as problem:
            return self._fail(str(problem), DECLINED)
        except NoLeader as problem:
            self._fail(f"no manager leads: {problem}", NO_LEADER)
            if problem.standby is None:
                return NO_LEADER
            found, code = problem.standby, NO_LEADER
        if as_json:
            self.console.file.write(json.dumps(found, indent=2) + "\n")
        elif self.console.is_terminal:
            self.console.print(as_table(found))
        else:
            self._plain(*as_lines(found))
        return code

    def watch(self, every_s: float) -> int:
        """Show the state again and again until Ctrl-C; managers that are away are waited for."""
        if not self.console.is_terminal:
            while True:
                self.status(as_json=False)
                self.console.file.flush()
                self.sleep(every_s)
        with Live(Text("..."), console=self.console, auto_refresh=False, screen=True) as live:
            while True:
                try:
                    live.update(as_table(self.client.status()), refresh=True)
                except (NoLeader, Declined) as problem:
                    live.update(Text(f"no answer: {problem}"), refresh=True)
                self.sleep(every_s)

    def resize(self, node: str, what: str, wait_s: float | None) -> int:
        """Ask for ``drain``, ``undrain`` or ``leave``; with ``wait_s`` wait so long for it to be done."""
        try:
            state = self.client.resize(node, what)
        except Declined as problem:
            return self._fail(str(problem), DECLINED)
        except NoLeader as problem:
            return self._fail(f"no manager leads: {problem}", NO_LEADER)
        self._plain(f"{node}: {'removed' if state == 'stranger' else state}")
        if wait_s is None:
            return FINE
        try:
            return self._wait(node, what, wait_s)
        except KeyboardInterrupt:
            return self._fail(f"not waited for any longer; the {what} of {node} goes on", INTERRUPTED)

    def _wait(self, node: str, what: str, wait_s: float) -> int:
        """Print every change until it is done."""
        until, last = self.monotonic() + wait_s, ""
        while True:
            try:
                is_done, words = progress(self.client.status(), node, what)
            except (NoLeader, Declined) as problem:
                is_done, words = False, f"no answer: {problem}"
            if words != last:
                self._plain(f"{node}: {words}")
                last = words
            if is_done:
                return FINE
            if self.monotonic() >= until:
                return self._fail(f"{what} {node}: not done after {wait_s:g} s; it goes on", NOT_DONE)
            self.sleep(_LOOK_S)

    def _plain(self, *lines: str) -> None:
        for line in lines:
            self.console.file.write(f"{line}\n")
        self.console.file.flush()

    def _fail(self, text: str, code: int) -> int:
        self.errors.write(f"{text}\n")
        return code
