"""The catalog: one SQLAlchemy engine per database, SQLite in WAL mode or PostgreSQL, migrated by exactly one process.

Rooms define their tables on `metadata`; the migrations below `migrations/` create them. What the tables mean is the
rooms' business.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import sqlalchemy as sa
from sqlalchemy.engine import URL, make_url

from kernel_tools.core.errors import AtelierError, IntegrityError, InvalidArgumentError, UnavailableError

if TYPE_CHECKING:
    from alembic.config import Config

REVISION = "0006"
"""The newest migration; a test holds it against the files in `migrations/versions`."""

BUSY_TIMEOUT_SECONDS = 60
CACHE_KIB = 32 * 1024
"""What a SQLite connection keeps in memory at most; its default, 2 MiB, reads most pages again and again."""
MIGRATION_LOCK_ID = 0x41544C52
"""PostgreSQL advisory lock that the migrating process holds ("ATLR")."""

metadata = sa.MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Database:
    """A catalog database.

    Parameters
    ----------
    url
        SQLAlchemy URL: ``sqlite:///path`` or ``postgresql://...`` (read by psycopg 3).
    lock_path
        Lock file that a migrating process holds; PostgreSQL uses an advisory lock besides.

    Raises
    ------
    InvalidArgumentError
        If the URL is not understood or names another kind of database.
    UnavailableError
        If the database cannot be reached.
    """

    def __init__(self, url: str, *, lock_path: Path) -> None:
        self.url = _parse(url)
        self._lock_path = lock_path
        self._ready = False
        self._opening = threading.Lock()
        self._engine = _create_engine(self.url)
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._forget_connections)

    def __repr__(self) -> str:
        return f"Database({self.url.render_as_string(hide_password=True)!r})"

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the SQLite file of a workspace."""
        return self.url.get_backend_name() == "sqlite"

    @contextlib.contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """Give a connection in a read transaction: a consistent view that blocks nobody."""
        with self._translate_errors():
            self.migrate()
            options: dict[str, Any] = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ"}
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection

    @contextlib.contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """Give a connection in a write transaction: committed at the end, rolled back by an exception.

        On SQLite the write lock is taken at once (BEGIN IMMEDIATE), so that two writers queue up instead of failing.
        """
        with self._translate_errors():
            self.migrate()
            options = {"atelier_begin": "BEGIN IMMEDIATE"}
            with self._engine.connect().execution_options(**options) as connection, connection.begin():
                yield connection

    def migrate(self) -> None:
        """Bring the schema to this version's revision, once; of many processes one does it and the others wait.

        Raises
        ------
        AtelierError
            If the catalog was written by a newer Atelier.
        """
        if self._ready:
            return
        with self._opening:
            if self._ready:
                return
            if self.revision() != REVISION:
                self._upgrade()
            self._ready = True

    def revision(self) -> str | None:
        """Return the revision of the schema as it stands, None for an empty database."""
        with self._translate_errors(), self._engine.connect() as connection:
            if not sa.inspect(connection).has_table("alembic_version"):
                return None
            return connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()

    def check(self) -> list[str]:
        """Return what is wrong with the database, in sentences; an empty list means healthy."""
        with self.read() as connection:
            if not self.is_sqlite:
                return []
            rows = [row[0] for row in connection.exec_driver_sql("PRAGMA quick_check(10)")]
            return [] if rows == ["ok"] else [f"The catalog is damaged: {row}" for row in rows]

    def dispose(self) -> None:
        """Close all pooled connections."""
        self._engine.dispose()

    def _upgrade(self) -> None:
        from alembic import command
        from filelock import FileLock

        self._lock_path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(self._lock_path), self._engine.connect() as connection:
            if not self.is_sqlite:
                connection.execute(sa.select(sa.func.pg_advisory_lock(MIGRATION_LOCK_ID)))
                connection.commit()
            try:
                found = self.revision()
                config = migration_config()
                self._refuse_newer(found, config)
                if found != REVISION:
                    config.attributes["connection"] = connection
                    with connection.execution_options(atelier_begin="BEGIN IMMEDIATE").begin():
                        command.upgrade(config, REVISION)
            finally:
                if not self.is_sqlite:
                    connection.execute(sa.select(sa.func.pg_advisory_unlock(MIGRATION_LOCK_ID)))
                    connection.commit()

    def _refuse_newer(self, found: str | None, config: Config) -> None:
        from alembic.script import ScriptDirectory

        known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
        if found is not None and found not in known:
            raise AtelierError(
                f"The catalog {self.url.render_as_string(hide_password=True)} has revision {found}, which this "
                "version of "
                "Atelier does not know. Install the newer Atelier that wrote it, or choose another workspace "
                "with ATELIER_HOME."
            )

    @contextlib.contextmanager
    def _translate_errors(self) -> Iterator[None]:
        try:
            yield
        except (sa.exc.OperationalError, sa.exc.InterfaceError) as error:
            shown = self.url.render_as_string(hide_password=True)
            raise UnavailableError(
                f"The catalog {shown} did not take the request: {error.orig}. {_advice(self.is_sqlite)}"
            ) from error
        except sa.exc.DatabaseError as error:
            if type(error) is not sa.exc.DatabaseError:
                raise
            raise IntegrityError(
                f"The catalog {self.url.render_as_string(hide_password=True)} cannot be read: {error.orig}. Move the "
                "file away and restore it from a backup; the folders of runs are not touched by this."
            ) from error

    def _forget_connections(self) -> None:
        self._engine.dispose(close=False)


def migration_config() -> Config:
    """Return Alembic's configuration for the migrations of this package."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.set_main_option("path_separator", "os")
    return config


def insert_or_update(connection: sa.Connection, table: sa.Table, rows: list[dict[str, Any]]) -> None:
    """Insert rows; where the primary key exists, update the other columns given."""
    if rows:
        statement = _insert(connection, table)
        keys = [column.name for column in table.primary_key.columns]
        changed = {name: statement.excluded[name] for name in rows[0] if name not in keys}
        connection.execute(statement.on_conflict_do_update(index_elements=keys, set_=changed), rows)


def insert_missing(connection: sa.Connection, table: sa.Table, row: dict[str, Any]) -> None:
    """Insert a row unless its primary key exists."""
    connection.execute(_insert(connection, table).on_conflict_do_nothing(), row)


def _insert(connection: sa.Connection, table: sa.Table) -> Any:
    if connection.dialect.name == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as insert_sqlite

        return insert_sqlite(table)
    from sqlalchemy.dialects.postgresql import insert as insert_postgresql

    return insert_postgresql(table)


def _parse(url: str) -> URL:
    try:
        parsed = make_url(url)
    except sa.exc.ArgumentError as error:
        raise InvalidArgumentError(
            "ATELIER_DATABASE_URL is not a database URL. Use sqlite:///path/catalog.db or "
            "postgresql://user:password@host:5432/database."
        ) from error
    backend = parsed.get_backend_name()
    if backend == "postgresql" and parsed.drivername == "postgresql":
        return parsed.set(drivername="postgresql+psycopg")
    if backend not in ("sqlite", "postgresql"):
        raise InvalidArgumentError(f"The catalog cannot live in {backend!r}: use SQLite or PostgreSQL.")
    return parsed


def _create_engine(url: URL) -> sa.Engine:
    if url.get_backend_name() != "sqlite":
        try:
            return sa.create_engine(url, pool_pre_ping=True, pool_size=5, max_overflow=10)
        except ImportError as error:
            from kernel_tools.core.errors import MissingExtraError

            raise MissingExtraError("psycopg", "postgres") from error
    if url.database and url.database != ":memory:":
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = sa.create_engine(_readable(url), connect_args={"timeout": BUSY_TIMEOUT_SECONDS, "isolation_level": None})
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _readable(url: URL) -> URL:
    """Return a URL with which a catalog on a read-only disk opens: as a file that nobody changes, without its WAL."""
    path = Path(url.database or ":memory:")
    if url.database in (None, "", ":memory:") or not path.exists() or os.access(path.parent, os.W_OK):
        return url
    return url.set(database=f"file:{quote(str(path))}", query={"mode": "ro", "immutable": "1", "uri": "true"})


def _prepare_sqlite(connection: Any, record: object) -> None:
    cursor = connection.cursor()
    cursor.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_SECONDS * 1000}")
    cursor.execute("PRAGMA journal_mode = WAL")
    cursor.execute("PRAGMA synchronous = FULL")
    cursor.execute("PRAGMA foreign_keys = ON")
    cursor.execute("PRAGMA case_sensitive_like = ON")  # as in PostgreSQL
    cursor.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    connection.exec_driver_sql(connection.get_execution_options().get("atelier_begin", "BEGIN"))


def _advice(is_sqlite: bool) -> str:
    if is_sqlite:
        return "Check that the workspace is writable and that its disk is not full; `atelier doctor` tests both."
    return "Check that the server runs and that ATELIER_DATABASE_URL names the right host, user and database."
