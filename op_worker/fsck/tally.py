"""What a check has seen so far, in a temporary file: memory does not grow with the space."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from attrs import frozen

_TABLES = """
CREATE TABLE waiting (id INTEGER PRIMARY KEY, key TEXT, path TEXT, place TEXT);
CREATE TABLE reached (key TEXT PRIMARY KEY, walked INTEGER) WITHOUT ROWID;
CREATE TABLE placed (path TEXT PRIMARY KEY, key TEXT, upper INTEGER) WITHOUT ROWID;
CREATE TABLE filed (key TEXT PRIMARY KEY, seq INTEGER, counts TEXT) WITHOUT ROWID;
"""


@frozen
class Folder:
    """A directory that is to be walked; ``path`` is where its bytes lie, empty for nowhere."""

    key: str
    path: str
    place: str


@frozen
class Placed:
    """A file whose bytes have to lie at ``path``, so many at least."""

    path: str
    key: str
    upper: int


class Tally:
    """Tables on disk. Every method blocks for a moment, so it is called where blocking calls are made."""

    def __init__(self) -> None:
        self._db = sqlite3.connect("", check_same_thread=False, isolation_level=None)
        self._db.executescript(_TABLES)
        self._db.execute("PRAGMA cache_size = -16000")

    def close(self) -> None:
        """Remove everything."""
        self._db.close()

    def add(self, folders: Iterable[Folder], reached: Iterable[str], placed: Iterable[Placed]) -> None:
        """Remember a page of a directory; directories that were walked or wait are not added again."""
        cursor = self._db.cursor()
        cursor.execute("BEGIN")
        for folder in folders:
            cursor.execute("INSERT OR IGNORE INTO reached VALUES (?, 0)", (folder.key,))
            if cursor.execute("SELECT walked FROM reached WHERE key = ?", (folder.key,)).fetchone()[0] == 0:
                cursor.execute("UPDATE reached SET walked = 1 WHERE key = ?", (folder.key,))
                row = (folder.key, folder.path, folder.place)
                cursor.execute("INSERT INTO waiting (key, path, place) VALUES (?, ?, ?)", row)
        cursor.executemany("INSERT OR IGNORE INTO reached VALUES (?, 0)", ((key,) for key in reached))
        rows = ((one.path, one.key, one.upper) for one in placed)
        cursor.executemany("INSERT OR REPLACE INTO placed VALUES (?, ?, ?)", rows)
        cursor.execute("COMMIT")

    def next_folder(self) -> Folder | None:
        """Take the directory that waits for the shortest time."""
        row = self._db.execute("SELECT id, key, path, place FROM waiting ORDER BY id DESC LIMIT 1").fetchone()
        if row is None:
            return None
        self._db.execute("DELETE FROM waiting WHERE id = ?", (row[0],))
        return Folder(*row[1:])

    def file(self, rows: Iterable[tuple[str, int, Mapping[str, int] | None]]) -> None:
        """Remember what the feed told: key, number, what the file counts (``None``: it is gone)."""
        self._db.execute("BEGIN")
        for key, seq, counts in rows:
            if counts is None:
                self._db.execute("DELETE FROM filed WHERE key = ?", (key,))
            else:
                row = (key, seq, json.dumps(counts) if counts else "")
                self._db.execute("INSERT OR REPLACE INTO filed VALUES (?, ?, ?)", row)
        self._db.execute("COMMIT")

    def sums(self) -> Counter[str]:
        """Return what all files count together."""
        total: Counter[str] = Counter()
        for (counts,) in self._db.execute("SELECT counts FROM filed WHERE counts != ''"):
            total.update(json.loads(counts))
        return total

    def reached_count(self) -> int:
        """Return how many files walks met."""
        return int(self._db.execute("SELECT count(*) FROM reached").fetchone()[0])

    def placed_count(self) -> int:
        """Return how many files have bytes on the storage."""
        return int(self._db.execute("SELECT count(*) FROM placed").fetchone()[0])

    def unreached(self, after: str, latest: int, limit: int) -> Sequence[str]:
        """Return files that no walk met and that did not change since ``latest``, in order of keys."""
        query = (
            "SELECT key FROM filed LEFT JOIN reached USING (key) "
            "WHERE filed.key > ? AND seq <= ? AND reached.key IS NULL ORDER BY key LIMIT ?"
        )
        return [key for (key,) in self._db.execute(query, (after, latest, limit))]

    def unfiled(self, after: str, limit: int) -> Sequence[str]:
        """Return files that a walk met and the feed did not tell of, in order of keys."""
        query = (
            "SELECT reached.key FROM reached LEFT JOIN filed USING (key) "
            "WHERE reached.key > ? AND filed.key IS NULL ORDER BY reached.key LIMIT ?"
        )
        return [key for (key,) in self._db.execute(query, (after, limit))]

    def placed_after(self, path: str, limit: int) -> Sequence[Placed]:
        """Return files by where their bytes have to lie, in order."""
        query = "SELECT path, key, upper FROM placed WHERE path > ? ORDER BY path LIMIT ?"
        return [Placed(*row) for row in self._db.execute(query, (path, limit))]

    def unplaced(self, paths: Sequence[str]) -> Sequence[str]:
        """Return those paths at which no file's bytes have to lie."""
        query = "SELECT 1 FROM placed WHERE path = ?"
        return [path for path in paths if self._db.execute(query, (path,)).fetchone() is None]
