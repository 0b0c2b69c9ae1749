"""The search index of one space: an SQLite file that knows how far it has read the feed. Blocking.

Rows and position change in one transaction, so after a crash at any moment the index goes on exactly where it
was. What cannot be read is thrown away and made anew, as everything in it can be read from the feed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from pathlib import Path
from time import monotonic

from op_worker.search.compiling import Statement
from op_worker.search.schema import TABLES, VERSION, Indexed

_STEPS = 10_000
"""Steps of SQLite's machine between looks at the clock: about a millisecond."""
_INSERT = f"INSERT INTO files VALUES (NULL{', ?' * 16})"
_UPDATE = """UPDATE files SET parent = ?, name = ?, type = ?, size = ?, mode = ?, owner = ?, mtime = ?,
atime = ?, ctime = ?, created = ?, xattr = ?, json = ?, rdf = ? WHERE id = ?"""


class TooSlow(Exception):
    """A query took longer than it may."""


class Index:
    """Opened for one process; used by one thread at a time.

    Args:
        file: where it is kept; ``None`` keeps it in memory.

    Attributes:
        seq: the number up to which the feed is in the index.

    Any method may raise sqlite3.Error.
    """

    def __init__(self, file: Path | None) -> None:
        self._file = file
        self._connection = self._open()
        self.seq = self._position()

    def apply(self, seq: int, files: Mapping[str, Indexed | None]) -> None:
        """Take in what files are now, by uuid, ``None`` for gone; then ``seq`` is in the index."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            node: int = connection.execute("SELECT last_node FROM position").fetchone()[0]
            for uuid, indexed in files.items():
                node = self._replace(uuid, indexed, node)
            connection.execute("UPDATE position SET seq = ?, last_node = ?", (seq, node))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self.seq = seq

    def select(self, statement: Statement, limit_s: float) -> list[tuple[str | int | float, str, str]]:
        """Return the values that order, with uuids and links. Raises: TooSlow."""
        end_s = monotonic() + limit_s
        self._connection.set_progress_handler(lambda: int(monotonic() > end_s), _STEPS)
        try:
            return self._connection.execute(statement.sql, statement.parameters).fetchall()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT:
                raise TooSlow from None
            raise
        finally:
            self._connection.set_progress_handler(None, 0)

    def close(self) -> None:
        """Give the file back."""
        self._connection.close()

    def remove(self) -> None:
        """Close, and forget everything."""
        self.close()
        remove_files(self._file)

    def _replace(self, uuid: str, indexed: Indexed | None, last_node: int) -> int:
        """Replace the rows of one file; return the last node that is in use then."""
        connection = self._connection
        found = connection.execute("SELECT link, id, node, xattr OR json FROM files WHERE uuid = ?", (uuid,))
        old = {link: (id_, node, is_rich) for link, id_, node, is_rich in found.fetchall()}
        _, node, is_rich = next(iter(old.values()), (0, last_node + 1, 0))
        if is_rich:
            connection.execute("DELETE FROM fields WHERE node = ?", (node,))
        if indexed is not None:
            for link, *name in indexed.names:
                if link in old:
                    connection.execute(_UPDATE, (*name, *indexed.file, old.pop(link)[0]))
                else:
                    connection.execute(_INSERT, (node, uuid, link, *name, *indexed.file))
            if indexed.fields:
                rows = [(node, *row) for row in indexed.fields]
                connection.executemany("INSERT INTO fields VALUES (?, ?, ?, ?, ?)", rows)
        if old:
            connection.executemany("DELETE FROM files WHERE id = ?", [(id_,) for id_, _, _ in old.values()])
        return max(node, last_node)

    def _open(self) -> sqlite3.Connection:
        try:
            return self._connect()
        except sqlite3.DatabaseError:
            remove_files(self._file)
            return self._connect()

    def _connect(self) -> sqlite3.Connection:
        if self._file is not None:
            self._file.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(
            ":memory:" if self._file is None else self._file, isolation_level=None, check_same_thread=False
        )
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA cache_size = -16000")
            version = connection.execute("PRAGMA user_version").fetchone()[0]
            if version not in (0, VERSION):
                raise sqlite3.DatabaseError(f"an index of version {version}")
            if version == 0:
                connection.executescript(f"BEGIN; {TABLES} PRAGMA user_version = {VERSION}; COMMIT;")
            connection.execute("SELECT seq FROM position").fetchone()
        except BaseException:
            connection.close()
            raise
        return connection

    def _position(self) -> int:
        seq: int = self._connection.execute("SELECT seq FROM position").fetchone()[0]
        return seq


def remove_files(file: Path | None) -> None:
    """Remove an index that nobody has open; fine when there is none."""
    if file is not None:
        for suffix in ("", "-wal", "-shm"):
            file.with_name(file.name + suffix).unlink(missing_ok=True)
