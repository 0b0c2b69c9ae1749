"""How a storage helper enters the conformance suite: with its real server, and what it can do.

Each module of ``enrolled`` has a constant ``ENROLLED``. A test that names a power in ``needs`` does not apply
to helpers without it; one that names a word is skipped, with the reason, for those that lack it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from attrs import field, frozen

from op_worker.storage.helper import StorageHelper, StoragePath

WORDS: Mapping[str, str] = {
    "keeping": "what is written comes back",
    "writing": "anything can be written; without it ``Enrolled.puts`` brings the files",
    "writing in place": "a file that exists is changed at an offset, also behind its end",
    "cutting": "a file is cut to a size that is not zero",
    "extending": "a file is made longer without writing",
    "removing while open": "an open file outlives its removal through the same helper",
    "replacing while open": "an open file outlives another put in its place through the same helper",
    "files told from folders": "a file refuses to be a folder",
    "refusing paths": "paths that are none are refused with EINVAL",
    "unicode names": "names beyond ASCII",
    "line breaks in names": "names with line breaks",
    "odd characters in names": r"names with any of \ ? * # % & + ; : < > | and quotes",
    "spaces around names": "names that begin or end with a space or a dot",
    "names of dots": "names that begin with a dot, also in lists",
    "long names": "names of 255 bytes",
    "long directories": "thousands of files are made in a few seconds",
    "far offsets": "an offset of 5 GiB in a file with a hole before it",
    "parallel writes": "several writers of one file, each in its own range",
    "cancelling": "operations are given up midway",
    "telling its room": "how full the storage is can be asked",
    "owners": "files are given to other owners",
}
"""What the suite asks of helpers besides powers, and that an enrolment may lack."""

ReadBack = Callable[[Any, str, StoragePath], bytes]
"""Given the server, the name of the place and a path, reads a whole file by a client that is not ours."""

Put = Callable[[Any, str, StoragePath, bytes], None]
"""Given the server, the name of the place, a path and bytes, makes or replaces a file by a foreign client."""


def needs(*wanted: str | type) -> pytest.MarkDecorator:
    """Mark a test, or a value of a parameter, with words of ``WORDS`` and protocols."""
    return pytest.mark.needs.with_args(*wanted)


@frozen(kw_only=True)
class Enrolled:
    """A helper against its real server.

    Attributes:
        server: starts the server below a folder, once for all tests, and ends it. It skips loudly what cannot
            run. Helpers that share a server enrol the same function.
        make: makes a helper in an empty place of the server that has this name.
        powers: the optional protocols of ``op_worker.storage.helper`` that it has, exactly.
        lacks: words of ``WORDS`` that it cannot do, each with the reason.
        reads_back: reads by the storage's own client; ``None`` where the storage has none.
        puts: writes by the storage's own client; needed where the helper writes nothing.
        address: where the server listens, as host and port, for runs with a misbehaving proxy between;
            ``None`` where nothing speaks TCP.
        make_at: makes a helper that reaches the server at another host and port.
    """

    name: str
    server: Callable[[Path], AbstractContextManager[Any]]
    make: Callable[[Any, str], StorageHelper]
    powers: frozenset[type]
    lacks: dict[str, str] = field(factory=dict)
    reads_back: ReadBack | None = None
    puts: Put | None = None
    address: Callable[[Any], tuple[str, int]] | None = None
    make_at: Callable[[Any, str, str, int], StorageHelper] | None = None


@contextmanager
def no_server(folder: Path) -> Iterator[Path]:
    """The server of a helper that needs none: an empty folder."""
    yield folder
