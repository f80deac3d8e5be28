"""The database of an endpoint's queue, `async/queue.db` in its folder: SQLite in WAL mode, gone with the endpoint.

What a caller was told is on the disk: those transactions are synchronised. A claim is not, for a claim that a power cut
takes back is only made again.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_tools.core.errors import IntegrityError, NotFoundError, UnavailableError

VERSION = 1
BUSY_SECONDS = 30.0

_SCHEMA = """
CREATE TABLE requests (
    sequence INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    state TEXT NOT NULL,
    created_at INTEGER NOT NULL, created_by TEXT NOT NULL,
    due_at INTEGER NOT NULL, expires_at INTEGER NOT NULL,
    started_at INTEGER, finished_at INTEGER,
    ttl_seconds INTEGER NOT NULL, timeout_seconds INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, losses INTEGER NOT NULL DEFAULT 0, retries INTEGER NOT NULL,
    lease TEXT, lease_until INTEGER, worker TEXT,
    input_path TEXT NOT NULL, input_digest TEXT NOT NULL, input_bytes INTEGER NOT NULL, owns_input INTEGER NOT NULL,
    output_path TEXT NOT NULL UNIQUE, failure_path TEXT NOT NULL,
    content_type TEXT NOT NULL, accept TEXT NOT NULL, custom_attributes TEXT NOT NULL, target_variant TEXT NOT NULL,
    notify TEXT NOT NULL, reply_type TEXT NOT NULL DEFAULT '', message TEXT NOT NULL DEFAULT ''
);
CREATE INDEX requests_state ON requests (state, due_at, sequence);
CREATE INDEX requests_listed ON requests (state, sequence);
CREATE INDEX requests_open ON requests (created_at) WHERE finished_at IS NULL;
CREATE INDEX requests_expiry ON requests (expires_at) WHERE state = 'Queued';
CREATE INDEX requests_lease ON requests (lease_until) WHERE lease IS NOT NULL;
CREATE TABLE totals (state TEXT PRIMARY KEY, count INTEGER NOT NULL) WITHOUT ROWID;
CREATE TRIGGER requests_made AFTER INSERT ON requests BEGIN
    INSERT INTO totals VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TRIGGER requests_changed AFTER UPDATE OF state ON requests WHEN old.state <> new.state BEGIN
    UPDATE totals SET count = count - 1 WHERE state = old.state;
    INSERT INTO totals VALUES (new.state, 1) ON CONFLICT DO UPDATE SET count = count + 1;
END;
CREATE TABLE notifications (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    target TEXT NOT NULL, message TEXT NOT NULL, created_at INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_at INTEGER, error TEXT NOT NULL DEFAULT ''
);
CREATE INDEX notifications_due ON notifications (due_at) WHERE due_at IS NOT NULL;
"""


class QueueDatabase:
    """One connection to the database of a queue, for any number of threads, one at a time.

    Parameters
    ----------
    folder
        The endpoint's folder; NotFoundError if it does not exist.
    """

    def __init__(self, folder: Path) -> None:
        self.path = folder / "async" / "queue.db"
        self._lock = threading.RLock()
        if not folder.is_dir():
            raise NotFoundError(f"There is no endpoint {folder.name!r}.")
        with self._translated():
            self.path.parent.mkdir(exist_ok=True)
            self._connection = _connect(self.path)

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            self._connection.close()

    @contextmanager
    def write(self, *, is_durable: bool = True) -> Iterator[sqlite3.Connection]:
        """Give the connection in a transaction that no other writer is in, committed unless the block raises.

        Raises
        ------
        UnavailableError
            If the disk is full or not writable, or another process holds the database for too long.
        """
        with self._lock, self._translated():
            connection = self._connection
            connection.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'NORMAL'}")
            _begin(connection)
            try:
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """Give the connection to read with."""
        with self._lock, self._translated():
            yield self._connection

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise UnavailableError(
                f"The queue {str(self.path)!r} did not take the request: {error}. Check that its disk is writable and "
                "not full; what was queued before is safe."
            ) from error
        except sqlite3.DatabaseError as error:
            if isinstance(error, sqlite3.IntegrityError | sqlite3.ProgrammingError):
                raise
            raise IntegrityError(f"The queue {str(self.path)!r} cannot be read ({error}). Move it away.") from error
        except OSError as error:
            raise UnavailableError(
                f"{error.filename or str(self.path)!r} cannot be written: {error.strerror or error}. Check that its "
                "disk is writable and not full."
            ) from error


def _begin(connection: sqlite3.Connection) -> None:
    """Begin to write, as soon as nobody else does: SQLite's own waiting sleeps up to 100 ms at a time."""
    end = time.monotonic() + BUSY_SECONDS
    connection.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                connection.execute("BEGIN IMMEDIATE")
                return
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                    raise
            time.sleep(random.uniform(0.0002, 0.002))  # noqa: S311  # no secret
    finally:
        connection.execute(f"PRAGMA busy_timeout = {int(1000 * BUSY_SECONDS)}")


def _connect(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=BUSY_SECONDS)
    connection.row_factory = sqlite3.Row
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        if _version(connection) == 0:
            connection.execute("BEGIN IMMEDIATE")
            if _version(connection) == 0:
                for statement in _statements():
                    connection.execute(statement)
                connection.execute(f"PRAGMA user_version = {VERSION}")
            connection.execute("COMMIT")
        if (version := _version(connection)) > VERSION:
            raise IntegrityError(
                f"The queue {str(path)!r} was written by a newer Atelier (format {version}, this one knows {VERSION}). "
                "Update Atelier."
            )
    except BaseException:
        connection.close()
        raise
    return connection


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return version


def _statements() -> Iterator[str]:
    """Give the statements of the schema one by one: `executescript` would commit in between."""
    statement = ""
    for line in _SCHEMA.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
