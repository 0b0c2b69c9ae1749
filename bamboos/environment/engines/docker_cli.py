"""The docker command line, which finds its engine as every user's does (``DOCKER_HOST``, contexts)."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass

from bamboos.environment.engines.engine import EngineFailed

COMMAND_LIMIT_S = 120.0
ANSWER_LIMIT_S = 10.0


@dataclass(frozen=True)
class Docker:
    """Runs ``docker`` and returns what it prints."""

    program: str = "docker"

    def problem(self) -> str | None:
        """Why no container engine can be used, in a few words; None when one answers."""
        if shutil.which(self.program) is None:
            return f"the command {self.program} is not installed"
        try:
            self("version", "--format", "{{.Server.Version}}", limit_s=ANSWER_LIMIT_S)
        except EngineFailed as error:
            return str(error).splitlines()[-1]
        return None

    def __call__(self, *words: str, content: bytes | None = None, limit_s: float = COMMAND_LIMIT_S) -> str:
        """Run ``docker WORDS`` with ``content`` as its input; return its output without the last line's end.

        Raises: EngineFailed with what it complained of, or when it takes too long.
        """
        try:
            done = subprocess.run(
                [self.program, *words],
                input=content or b"",
                capture_output=True,
                timeout=limit_s,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise EngineFailed(f"docker {words[0]} did not end within {limit_s:.0f} s") from None
        except OSError as error:
            raise EngineFailed(f"{self.program} cannot be run: {error.strerror}") from error
        if done.returncode != 0:
            raise EngineFailed(f"docker {words[0]}: {done.stderr.decode(errors='replace').strip()}")
        return done.stdout.decode().rstrip("\n")
