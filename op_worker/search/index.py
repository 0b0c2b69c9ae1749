"""The search index of one space: an SQLite file that knows how far it has read the feed. Blocking.

Rows and position change in one transaction, so after a crash at any moment the index goes on exactly where it
was. What cannot be read is thrown away and made anew, as everything in it can be read from the feed again.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from pathlib import Path
from time import monotonic

from op_worker.search.compiling import Statement
from op_worker.search.schema import TABLES, VERSION, Indexed

_STEPS = 10_000
"""Steps of SQLite's machine between looks at the clock: about a millisecond."""
_INSERT = f"INSERT INTO files VALUES (NULL{', ?' * 14})"
_UPDATE = """UPDATE files SET (uuid, parent, name, type, size, mode, owner, mtime, atime, ctime, created,
xattr, json, rdf) = (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) WHERE id = ?"""


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

    def apply(self, seq: int, present: Mapping[str, Indexed], gone: Sequence[str] = ()) -> None:
        """Take in what files are now, by uuid, and which are no more; then ``seq`` is in the index."""
        connection = self._connection
        connection.execute("BEGIN IMMEDIATE")
        try:
            self._replace(present)
            connection.executemany(
                "DELETE FROM fields WHERE file = (SELECT id FROM files WHERE uuid = ?)",
                [(uuid,) for uuid in gone],
            )
            connection.executemany("DELETE FROM files WHERE uuid = ?", [(uuid,) for uuid in gone])
            connection.execute("UPDATE position SET seq = ?", (seq,))
            connection.execute("COMMIT")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        self.seq = seq

    def select(self, statement: Statement, limit_s: float) -> list[tuple[str, str | int | float]]:
        """Return uuids with the values that order them. Raises: TooSlow."""
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

    def _replace(self, present: Mapping[str, Indexed]) -> None:
        connection = self._connection
        for uuid, indexed in present.items():
            found = connection.execute("SELECT id, xattr, json FROM files WHERE uuid = ?", (uuid,)).fetchone()
            if found is None:
                id_ = connection.execute(_INSERT, indexed.file).lastrowid
            else:
                id_ = found[0]
                connection.execute(_UPDATE, (*indexed.file, id_))
                if found[1] or found[2]:
                    connection.execute("DELETE FROM fields WHERE file = ?", (id_,))
            if indexed.fields:
                rows = [(id_, *row) for row in indexed.fields]
                connection.executemany("INSERT INTO fields VALUES (?, ?, ?, ?, ?)", rows)

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
