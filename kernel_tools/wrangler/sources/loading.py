"""From a source of a recipe to a table of the engine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources import fingerprints, sampling
from kernel_tools.wrangler.sources.arrow_files import read_arrow, read_orc, read_parquet
from kernel_tools.wrangler.sources.csv_files import read_csv
from kernel_tools.wrangler.sources.encodings import read_head
from kernel_tools.wrangler.sources.excel import read_excel
from kernel_tools.wrangler.sources.formats import checked_format, format_of
from kernel_tools.wrangler.sources.json_files import read_json, read_json_lines
from kernel_tools.wrangler.sources.loaded import Loaded, Reading
from kernel_tools.wrangler.sources.locations import Located, located
from kernel_tools.wrangler.sources.parameters import addresses

if TYPE_CHECKING:
    from kernel_tools.wrangler.engine import Engine

_READERS: dict[str, Callable[..., Reading]] = {
    "csv": read_csv,
    "parquet": read_parquet,
    "arrow": read_arrow,
    "orc": read_orc,
    "json": read_json,
    "jsonl": read_json_lines,
    "excel": read_excel,
}


def load(
    source: Source,
    engine: Engine,
    *,
    parameters: Mapping[str, Any] | None = None,
    name: str,
    base: Path | None = None,
    limit: int | None = None,
) -> Loaded:
    """Make a source a table of the engine.

    Parameters
    ----------
    parameters
        Values for ``${name}`` in the address and the query.
    name
        Of the table; one that is there is replaced.
    base
        The folder that relative paths start from, that of the recipe; None takes the current one.
    limit
        A quick look: take only the first rows, and do not sample.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidArgumentError
        If the source does not say what it has to, or an option or parameter is not usable.
    InvalidDataError
        If the file is broken as a whole; single broken rows are kept in the rejects.
    MissingExtraError
        If a library for the format, store or database is not installed.
    UnavailableError
        If a store, site or database does not answer as it should.
    """
    if limit is not None and limit < 0:
        raise InvalidArgumentError(f"limit must be a number of rows, not {limit}.")
    _remove(engine, name)
    if not source.uri:
        raise NotFoundError(
            f"The source {source.name or source.id!r} has no address: it was a frame in memory. Give the frame again."
        )
    places = addresses(source.uri, parameters or {})
    if source.kind == "database":
        reading, parts = _from_database(source, places, engine, name, parameters or {}, base, limit)
    else:
        reading, parts = _from_files(source, places, engine, name, base, limit)
    if limit is None:
        sampling.take(engine, name, source.sampling)
    return Loaded(
        table=name,
        rows=_count(engine, name) if limit is None else None,
        columns=reading.columns(engine, name),
        fingerprint=fingerprints.of_parts(source, parts),
        rejected=reading.rejected,
        rejects_table=reading.rejects_table,
        warnings=tuple(reading.warnings),
    )


def _from_database(
    source: Source,
    places: list[str],
    engine: Engine,
    name: str,
    values: Mapping[str, Any],
    base: Path | None,
    limit: int | None,
) -> tuple[Reading, list[str]]:
    from kernel_tools.wrangler.sources.databases import read_database

    if len(places) > 1:
        raise InvalidArgumentError(f"A database has one address, but the parameters make {len(places)}.")
    reading = read_database(source, places[0], engine, name, values, base, limit)
    with engine.running():
        table = engine.connection.sql(f"SELECT * FROM {quoted(name)}").to_arrow_table()
    return reading, [fingerprints.of_table(table)]


def _from_files(
    source: Source, places: list[str], engine: Engine, name: str, base: Path | None, limit: int | None
) -> tuple[Reading, list[str]]:
    with located(places, base, is_quick=limit is not None) as files:
        reading = _read(source, files, engine, name, limit)
        reading.warnings[:0] = files.warnings
        return reading, [file.digest for file in files.files]


def _read(source: Source, files: Located, engine: Engine, name: str, limit: int | None) -> Reading:
    if source.format:
        format = checked_format(source.format)
    else:
        format = format_of(files.files[0].path.name, read_head(files.files[0].path, 4096))
    return _READERS[format](files, engine, name, source.options, limit=limit)


def _remove(engine: Engine, name: str) -> None:
    """Remove a table or view of this name: DuckDB replaces neither by the other."""
    with engine.running():
        rows = engine.connection.execute(
            "SELECT table_type FROM information_schema.tables WHERE table_name = ?", [name]
        ).fetchall()
        for (kind,) in rows:
            engine.connection.execute(f"DROP {'VIEW' if kind == 'VIEW' else 'TABLE'} IF EXISTS {quoted(name)}")


def _count(engine: Engine, name: str) -> int:
    with engine.running():
        rows = engine.connection.execute(f"SELECT count(*) FROM {quoted(name)}").fetchall()
    return int(rows[0][0])
