"""DuckDB as the wrangler uses it: one database, its Ibis backend, a limit of memory, a way to stop.

All tables of recipes live in one; missing values are NULL there: the NaN of a frame or file becomes NULL when it comes
in (`kernel_tools.wrangler.sources`).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidDataError, TooLargeError
from kernel_tools.core.progress import StoppedError

if TYPE_CHECKING:
    import duckdb
    import ibis.expr.types as ir
    import pyarrow as pa
    from ibis.backends.duckdb import Backend


class Engine:
    """A DuckDB database.

    Parameters
    ----------
    path
        Its file; None keeps it in memory, and what does not fit there in temporary files.
    memory_limit
        How much memory DuckDB may use, as in ``"1GB"``; None leaves it at DuckDB's 80 % of the machine's.
    threads
        None uses every core.
    """

    def __init__(self, path: Path | None = None, *, memory_limit: str | None = None, threads: int | None = None):
        import duckdb

        settings: dict[str, Any] = {"autoinstall_known_extensions": False}
        if memory_limit:
            settings["memory_limit"] = memory_limit
        if threads:
            settings["threads"] = threads
        self.connection: duckdb.DuckDBPyConnection = duckdb.connect(str(path) if path else ":memory:", config=settings)
        self.connection.execute("SET TimeZone = 'UTC'")
        self._backend: Backend | None = None
        self._names: Iterator[int] = itertools.count(1)
        self._lock = threading.RLock()

    def fork(self) -> Engine:
        """Return an engine on the same database that works at the same time, for another thread.

        Tables are seen by both; what was registered is seen by the one that it was registered with.
        """
        other = Engine.__new__(Engine)
        other.connection = self.connection.cursor()
        other._backend, other._names, other._lock = None, self._names, threading.RLock()
        return other

    @property
    def backend(self) -> Backend:
        """The Ibis backend on this database; Ibis is imported when it is first asked for."""
        if self._backend is None:
            from ibis.backends.duckdb import Backend

            from kernel_tools.wrangler.compiler import compiler

            self._backend = Backend.from_connection(self.connection)
            self._backend.compiler = compiler
        return self._backend

    @property
    def version(self) -> str:
        """The engine as a recipe names it, for example ``duckdb-2.0.0``."""
        import duckdb

        return f"duckdb-{duckdb.__version__}"

    def new_name(self, what: str) -> str:
        """Return a name for a table that no other has."""
        return f"{what}_{next(self._names)}"

    def table(self, name: str) -> ir.Table:
        """Return a table or view of this database as an Ibis expression."""
        return self.backend.table(name)

    def materialize(self, expression: ir.Table, name: str | None = None) -> ir.Table:
        """Compute `expression` once into a table of this database, in the order of its rows."""
        name = name or self.new_name("table")
        with self.running():
            self._drop(name)
            self.connection.sql(self.sql(expression)).create(name)
        return self.table(name)

    def is_stored(self, name: str) -> bool:
        """Return whether a table has rows of its own that every `fork` sees; a view or registered data has none."""
        query = "SELECT count(*) FROM duckdb_tables() WHERE table_name = ? AND NOT temporary"
        with self.running():
            return bool(self.connection.execute(query, [name]).fetchall()[0][0])

    def drop(self, name: str) -> None:
        """Remove a table that nobody looks at any more."""
        with self.running():
            self._drop(name)

    def _drop(self, name: str) -> None:
        import sqlglot
        from sqlglot import exp

        statement = sqlglot.parse_one("DROP TABLE IF EXISTS name", dialect="duckdb")
        for placeholder in statement.find_all(exp.Identifier):
            placeholder.replace(exp.to_identifier(name, quoted=True))
        self.connection.execute(statement.sql("duckdb"))

    def named(self, expression: ir.Table) -> ir.Table:
        """Give an expression a name, as a view: what is built on it is compiled without compiling it again."""
        import ibis.expr.operations as ops

        if isinstance(expression.op(), ops.DatabaseTable):
            return expression
        name = self.new_name("view")
        with self.running():
            self.connection.sql(self.sql(expression)).create_view(name)
        return ops.DatabaseTable(
            name=name, schema=expression.schema(), source=self.backend, namespace=ops.Namespace()
        ).to_expr()

    def count(self, name: str) -> int:
        """Return the number of rows of a table."""
        with self.running():
            return int(self.connection.table(name).count("*").fetchall()[0][0])

    def register(self, data: pa.Table, name: str | None = None) -> ir.Table:
        """Make an Arrow table readable here without a copy."""
        name = name or self.new_name("frame")
        self.connection.register(name, data)
        return self.table(name)

    def sql(self, expression: ir.Table) -> str:
        """Return the SELECT of an expression in DuckDB's dialect."""
        return str(self.backend.compile(expression))

    def arrow(self, expression: ir.Table) -> pa.Table:
        """Compute an expression as an Arrow table."""
        with self.running():
            return self.connection.sql(self.sql(expression)).to_arrow_table()

    def interrupt(self) -> None:
        """Stop what runs now, from another thread: it raises `StoppedError` where it was called."""
        self.connection.interrupt()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Run statements, one caller at a time, and say in Atelier's words what DuckDB refuses.

        Raises
        ------
        StoppedError
            If `interrupt` was called.
        TooLargeError
            If the limit of memory does not do.
        InvalidDataError
            If a value cannot be computed.
        """
        import duckdb

        with self._lock:
            try:
                yield
            except duckdb.InterruptException as error:
                raise StoppedError("The computation was stopped.") from error
            except duckdb.OutOfMemoryException as error:
                raise TooLargeError(
                    f"The step needs more memory than it may use: {first_line(error)} Raise the limit, or take fewer "
                    "rows or columns."
                ) from error
            except duckdb.DataError as error:
                raise InvalidDataError(f"A value could not be computed: {first_line(error)}") from error

    def close(self) -> None:
        """Close the database; a second call changes nothing."""
        self.connection.close()

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, *details: object) -> None:
        self.close()


def quoted(name: str) -> str:
    """Return `name` as an SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def first_line(error: BaseException) -> str:
    """Return what an engine says, without its prefix and its excerpt of the statement."""
    text = str(error).split("\n", 1)[0]
    return text.split("Error: ", 1)[-1].rstrip(".") + "."
