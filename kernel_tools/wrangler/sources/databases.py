"""Tables and SELECTs of databases: SQLite, DuckDB and PostgreSQL by their own drivers, all others by Ibis.

Each is opened for reading only. What is read goes into the engine as a table.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from kernel_tools.core.errors import (
    AtelierError,
    InvalidArgumentError,
    MissingExtraError,
    NotFoundError,
    UnavailableError,
)
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources.columns import described, normal_select, unique_names
from kernel_tools.wrangler.sources.frames import readable
from kernel_tools.wrangler.sources.inference import converted, infer
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.sources.locations import without_secrets
from kernel_tools.wrangler.sources.postgres import read_batches
from kernel_tools.wrangler.sources.queries import select_statement

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.wrangler.document import Source
    from kernel_tools.wrangler.engine import Engine

_DIALECTS = {
    "sqlite": "sqlite",
    "duckdb": "duckdb",
    "postgres": "postgres",
    "postgresql": "postgres",
    "redshift": "redshift",
    "mysql": "mysql",
    "snowflake": "snowflake",
    "bigquery": "bigquery",
    "trino": "trino",
    "athena": "athena",
}
"""The kinds of databases, by the scheme of their URL, and their dialect for sqlglot."""
_EXTRAS = {"postgresql": "postgres", "redshift": "postgres"}


def read_database(
    source: Source, url: str, engine: Engine, name: str, values: Mapping[str, Any], base: Path | None, limit: int | None
) -> Reading:
    """Make a table or the result of a SELECT a table of the engine.

    Parameters
    ----------
    url
        ``sqlite:///file.db``, ``duckdb:///file``, ``postgres://user@host/database``, or a URL that Ibis knows, with
        parameters put in; also the path of a SQLite or DuckDB file.
    values
        Of the parameters of the query.

    Raises
    ------
    InvalidArgumentError
        If the URL, or the query, is not usable.
    NotFoundError
        If there is no such file.
    MissingExtraError
        If the driver is not installed.
    UnavailableError
        If the database does not answer as it should.
    """
    if not source.query or not source.query.strip():
        raise InvalidArgumentError(f"The source {source.name or source.id!r} needs a query: a table or a SELECT.")
    scheme = _scheme(url)
    statement = select_statement(source.query, _DIALECTS[scheme], values)
    reading = Reading()
    if scheme == "sqlite":
        _read_sqlite(_file(url, base), statement, engine, name, limit, reading)
        return reading
    with _saying_what_fails(url, scheme):
        if scheme == "duckdb":
            _read_duckdb(_file(url, base), statement, engine, name, limit, reading)
        elif scheme in _EXTRAS or scheme == "postgres":
            _read_postgres(url, statement, engine, name, limit, reading)
        else:
            _read_by_ibis(url, statement, engine, name, limit, reading)
    return reading


def _scheme(url: str) -> str:
    if "://" not in url:
        return "duckdb" if url.lower().endswith((".duckdb", ".ddb")) else "sqlite"
    scheme = url.split("://", 1)[0].split("+", 1)[0].lower()
    if scheme not in _DIALECTS:
        raise InvalidArgumentError(
            f"{scheme}:// is not a database that can be read: take one of {', '.join(_DIALECTS)}."
        )
    return scheme


def _file(url: str, base: Path | None) -> Path:
    """Return the path of a database file: ``sqlite:///relative``, ``sqlite:////absolute`` or just a path."""
    text = unquote(url.split("://", 1)[1].split("?", 1)[0]).removeprefix("/") if "://" in url else url
    path = Path(text).expanduser()
    path = path if path.is_absolute() or base is None else base / path
    if not text or not path.is_file():
        raise NotFoundError(f"There is no database file {str(path)!r}.")
    return path


def _read_sqlite(path: Path, statement: str, engine: Engine, name: str, limit: int | None, reading: Reading) -> None:
    """Read SQLite, whose columns may hold anything: text of dates becomes dates, values of several types text."""
    import pyarrow as pa

    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as connection:
            connection.text_factory = lambda text: text.decode("utf-8", "replace")
            cursor = connection.execute(statement)
            names = unique_names((column[0] for column in cursor.description), reading)
            rows = cursor.fetchall() if limit is None else cursor.fetchmany(limit)
    except sqlite3.DatabaseError as error:
        raise InvalidArgumentError(f"{path.name!r} cannot be asked this: {error}.") from error
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
    arrays = [_sqlite_column(column, values, reading) for column, values in zip(names, columns, strict=True)]
    raw = engine.new_name("raw")
    with engine.running():
        engine.connection.register(raw, pa.Table.from_arrays(arrays, names=names))
    dated = [column for column, array in zip(names, arrays, strict=True) if pa.types.is_string(array.type)]
    kinds = {key: one for key, one in infer(engine, raw, dated).items() if one.type.startswith(("date", "time"))}
    parts = [
        f"{converted(column, kinds[column].type) if column in kinds else quoted(column)} AS {quoted(column)}"
        for column in names
    ]
    with engine.running():
        engine.connection.execute(f"CREATE TABLE {quoted(name)} AS SELECT {', '.join(parts)} FROM {quoted(raw)}")
        engine.connection.unregister(raw)
    reading.inferred_from.update({column: kind.values for column, kind in kinds.items()})


def _sqlite_column(name: str, values: tuple[Any, ...], reading: Reading) -> pa.Array:
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        reading.note(name, "No value is known: kept as text.")
        return pa.array(values, type=pa.string())
    if kinds == {int, float}:
        return pa.array([None if value is None else float(value) for value in values])
    if len(kinds) == 1:
        return pa.array(values)
    words = sorted({int: "whole numbers", float: "numbers", str: "text", bytes: "bytes"}[kind] for kind in kinds)
    reading.note(name, f"Values of several types ({', '.join(words)}): kept as text.")
    return pa.array([None if value is None else _text(value) for value in values], type=pa.string())


def _text(value: str | float | bytes) -> str:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)


def _read_duckdb(path: Path, statement: str, engine: Engine, name: str, limit: int | None, reading: Reading) -> None:
    import duckdb

    with closing(duckdb.connect(str(path), read_only=True)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        relation = connection.sql(statement)
        table = (relation if limit is None else relation.limit(limit)).to_arrow_table()
    _keep(_readable(table.to_reader(), reading), engine, name, reading)


def _read_postgres(url: str, statement: str, engine: Engine, name: str, limit: int | None, reading: Reading) -> None:
    import pyarrow as pa

    batches = read_batches(url, statement, limit, reading)
    first = next(batches)
    _keep(pa.RecordBatchReader.from_batches(first.schema, chain([first], batches)), engine, name, reading)


def _read_by_ibis(url: str, statement: str, engine: Engine, name: str, limit: int | None, reading: Reading) -> None:
    import ibis

    backend = ibis.connect(url)
    try:
        expression = backend.sql(statement)
        batches = (expression if limit is None else expression.limit(limit)).to_pyarrow_batches()
        _keep(_readable(batches, reading), engine, name, reading)
    finally:
        backend.disconnect()


@contextmanager
def _saying_what_fails(url: str, scheme: str) -> Iterator[None]:
    """Say without secrets what goes wrong in the block."""
    try:
        yield
    except AtelierError:
        raise
    except ImportError as error:
        raise MissingExtraError(f"The driver for {scheme}://", _EXTRAS.get(scheme, scheme)) from error
    except Exception as error:
        shown, reason = repr(without_secrets(url)), _without(str(error), url)
        if any(kind.__name__ == "ProgrammingError" for kind in type(error).__mro__):
            raise InvalidArgumentError(f"The query cannot be run by {shown}: {reason}") from None
        raise UnavailableError(
            f"{shown} cannot be read: {type(error).__name__}: {reason} Check the address and the credentials."
        ) from None


def _without(text: str, url: str) -> str:
    """Remove the password of a URL, and the URL itself, from what a driver says."""
    password = urlsplit(url).password
    text = text.replace(url, without_secrets(url))
    for secret in {password, unquote(password)} if password else ():
        text = text.replace(secret, "***")
    return " ".join(text.split())[:500].rstrip(".") + "."


def _readable(batches: Any, reading: Reading) -> Any:
    """Return batches with unique names and types that DuckDB knows."""
    import pyarrow as pa

    names = unique_names(batches.schema.names, reading)
    first = readable(batches.schema.empty_table().rename_columns(names), reading)

    def changed() -> Iterator[pa.RecordBatch]:
        quiet = Reading()
        for batch in batches:
            table = readable(pa.Table.from_batches([batch]).rename_columns(names), quiet)
            yield from table.cast(first.schema).to_batches()

    return pa.RecordBatchReader.from_batches(first.schema, changed())


def _keep(batches: Any, engine: Engine, name: str, reading: Reading) -> None:
    incoming = engine.new_name("incoming")
    with engine.running():
        engine.connection.register(incoming, batches.schema.empty_table())
    select = normal_select(described(engine, f"SELECT * FROM {quoted(incoming)}"), quoted(incoming), reading)
    with engine.running():
        engine.connection.unregister(incoming)
        engine.connection.register(incoming, batches)
        engine.connection.execute(f"CREATE TABLE {quoted(name)} AS {select}")
        engine.connection.unregister(incoming)
