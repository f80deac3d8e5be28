"""Parquet, Arrow and ORC files, which say their types themselves; local Parquet and Arrow are read in place."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.wrangler.engine import first_line, quoted
from kernel_tools.wrangler.sources.columns import described, literal, normal_select
from kernel_tools.wrangler.sources.frames import readable, show_arrow
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.sources.locations import Located
from kernel_tools.wrangler.sources.partitions import partition_types

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.wrangler.engine import Engine


def read_parquet(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make Parquet files a table: a view on the files, so that only what a step needs is read.

    Columns of several files are matched by name. Folders named ``key=value`` become columns.

    Raises
    ------
    InvalidDataError
        If a file is broken.
    """
    import duckdb

    refuse_options(options, "Parquet")
    reading = Reading()
    many = len(located.files) > 1
    partitions = partition_types(located)
    folders = f"true, hive_types = {literal(partitions)}" if partitions else "false"
    origin = f"read_parquet({literal(located.paths)}, union_by_name = {literal(many)}, hive_partitioning = {folders})"
    try:
        columns = described(engine, f"SELECT * FROM {origin}")
        select = normal_select(columns, origin, reading)
        make(engine, name, select, limit, is_lazy=not located.is_temporary)
    except (duckdb.Error, InvalidDataError) as error:
        raise InvalidDataError(f"{located.files[0].shown!r} cannot be read as Parquet: {first_line(error)}") from error
    return reading


def read_arrow(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make Arrow files or streams (Feather 2) a table: mapped into memory where they are not compressed."""
    refuse_options(options, "Arrow")
    return _read_tables(located, engine, name, limit, "Arrow", _arrow)


def read_orc(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make ORC files a table."""
    refuse_options(options, "ORC")
    return _read_tables(located, engine, name, limit, "ORC", _orc)


def make(engine: Engine, name: str, select: str, limit: int | None, *, is_lazy: bool) -> None:
    """Make a SELECT the table `name`: a view if it stays valid, a table if not or if only the first rows are asked."""
    if limit is not None:
        select = f"{select} LIMIT {limit}"
    kind = "TEMP VIEW" if is_lazy and limit is None else "TABLE"
    with engine.running():
        engine.connection.execute(f"CREATE OR REPLACE {kind} {quoted(name)} AS {select}")


def refuse_options(options: Mapping[str, Any], format: str) -> None:
    """Refuse options of a format that has none.

    Raises
    ------
    InvalidArgumentError
    """
    if options:
        raise InvalidArgumentError(f"{next(iter(options))!r} is no option of {format} files: they need none.")


def _read_tables(located: Located, engine: Engine, name: str, limit: int | None, format: str, read: Any) -> Reading:
    import pyarrow as pa

    reading = Reading()
    tables = []
    for file in located.files:
        try:
            tables.append(read(file.path, limit))
        except (pa.ArrowException, OSError) as error:
            raise InvalidDataError(f"{file.shown!r} cannot be read as {format}: {error}.") from error
    table: pa.Table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    table = readable(table if limit is None else table.slice(0, limit), reading)
    show_arrow(table, engine, name, reading)
    return reading


def _arrow(path: Path, limit: int | None) -> pa.Table:
    import pyarrow as pa

    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _orc(path: Path, limit: int | None) -> pa.Table:
    import pyarrow as pa
    from pyarrow import orc

    file = orc.ORCFile(str(path))
    if limit is None or file.nstripes == 0:
        return file.read()
    return pa.Table.from_batches([file.read_stripe(0)])
