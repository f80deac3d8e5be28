"""Tables into files and folders: whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import ConflictError, InvalidArgumentError, MissingExtraError, TooLargeError
from kernel_tools.core.workspace import sync_folder
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources.columns import literal
from kernel_tools.wrangler.sources.formats import Format, checked_format, compression_of, format_of

if TYPE_CHECKING:
    import ibis.expr.types as ir

    from kernel_tools.wrangler.engine import Engine

MAX_PARTITIONS = 10_000
EXCEL_ROWS, EXCEL_COLUMNS, EXCEL_TEXT = 1_048_576, 16_384, 32_767
"""What a sheet holds at most: rows with the header, columns, characters of a cell."""
_COMPRESSIONS: dict[str, tuple[str, ...]] = {
    "parquet": ("zstd", "snappy", "gzip", "lz4", "none"),
    "csv": ("none", "gzip", "zstd"),
    "jsonl": ("none", "gzip", "zstd"),
    "arrow": ("none", "zstd", "lz4"),
    "excel": ("none",),
}
"""What each format can be compressed with; the first is the default."""


def write(
    table: ir.Table,
    engine: Engine,
    path: str | Path,
    *,
    format: str | None = None,
    partition_by: Sequence[str] = (),
    compression: str | None = None,
) -> Path:
    """Write a table; `path` appears whole or not at all, and replaces what was there.

    Parameters
    ----------
    path
        Of a file, or of a folder with `partition_by`; missing folders above it are made.
    format
        csv, parquet, jsonl, arrow or excel; None goes by the name, Parquet for a folder. In CSV a missing value is an
        empty field and an empty text ``""``; lists and structs are text there and in Excel. Excel has no time zones
        (times are UTC) and no infinity (a text).
    partition_by
        Columns whose values become folders ``column=value``, one below the other, of CSV, Parquet or JSON Lines.
    compression
        None goes by the name (``.csv.gz``), zstd for Parquet.

    Returns
    -------
    Path
        Where it is.

    Raises
    ------
    InvalidArgumentError
        If the format cannot be written, or not like this.
    ConflictError
        If a folder with other things is in the way.
    TooLargeError
        If a sheet or the number of partitions does not do.
    """
    path = Path(path).expanduser()
    chosen = _format(path, format, bool(partition_by))
    packed = compression or _compression_of(path, chosen)
    if packed not in _COMPRESSIONS[chosen]:
        raise InvalidArgumentError(
            f"{chosen} is not compressed with {packed}: take one of {', '.join(_COMPRESSIONS[chosen])}."
        )
    if partition_by:
        _write_folder(table, engine, path, chosen, list(partition_by), packed)
        return path
    if path.is_dir():
        raise ConflictError(f"{str(path)!r} is a folder: name a file in it, or choose columns to partition by.")
    with _appearing(path) as temporary:
        if chosen == "excel":
            _write_excel(table, engine, temporary)
        elif chosen == "arrow":
            _write_arrow(table, engine, temporary, packed)
        else:
            _copy(table, engine, temporary, chosen, packed)
    return path


def _format(path: Path, format: str | None, is_folder: bool) -> Format:
    chosen: Format
    if format:
        chosen = checked_format(format)
    elif is_folder and not path.suffix:
        chosen = "parquet"
    else:
        chosen = format_of(path.name)
        if chosen == "csv" and not any(one in path.name.lower() for one in (".csv", ".tsv", ".tab", ".txt")):
            raise InvalidArgumentError(
                f"{path.name!r} does not say its format: end it with .parquet, .csv, .jsonl, .arrow or .xlsx."
            )
    if chosen == "json":
        chosen = "jsonl"
    if chosen not in _COMPRESSIONS or path.suffix.lower() in (".xls", ".xlsb", ".ods"):
        raise InvalidArgumentError(
            f"{path.suffix or chosen} cannot be written: take parquet, csv, jsonl, arrow or xlsx."
        )
    if is_folder and chosen in ("arrow", "excel"):
        raise InvalidArgumentError(f"{chosen} cannot be partitioned: take parquet, csv or jsonl.")
    return chosen


def _compression_of(path: Path, format: Format) -> str:
    return compression_of(path.name) or _COMPRESSIONS[format][0]


def _copy(
    table: ir.Table, engine: Engine, path: Path, format: Format, compression: str, partition_by: Sequence[str] = ()
) -> None:
    options = [f"FORMAT {'json' if format == 'jsonl' else format}"]
    if format == "csv":
        delimiter = "\t" if path.name.split(".")[1:2] in (["tsv"], ["tab"]) else ","
        options += ["HEADER true", f"DELIMITER {literal(delimiter)}", "NULLSTR ''"]
    if format == "parquet":
        options.append(f"COMPRESSION {literal('uncompressed' if compression == 'none' else compression)}")
    elif compression != "none":
        options.append(f"COMPRESSION {literal(compression)}")
    if partition_by:
        options.append(f"PARTITION_BY ({', '.join(map(quoted, partition_by))})")
        ending: str = format
        ending += {"gzip": ".gz", "zstd": ".zst"}.get(compression, "") if format != "parquet" else ""
        options.append(f"FILE_EXTENSION {literal(ending)}")
    with engine.running():
        engine.connection.execute(f"COPY ({engine.sql(table)}) TO {literal(str(path))} ({', '.join(options)})")


def _write_folder(
    table: ir.Table, engine: Engine, path: Path, format: Format, partition_by: list[str], compression: str
) -> None:
    for column in partition_by:
        if column not in table.columns:
            raise InvalidArgumentError(f"There is no column {column!r} to partition by.")
    if len(partition_by) >= len(table.columns):
        raise InvalidArgumentError("At least one column must be left beside those to partition by.")
    partitions = engine.arrow(table.select(*partition_by).distinct().count().as_table())[0][0].as_py()
    if partitions > MAX_PARTITIONS:
        raise TooLargeError(
            f"Partitioning by {', '.join(partition_by)} makes {partitions:,} folders, more than {MAX_PARTITIONS:,}: "
            "choose columns with fewer values."
        )
    if path.exists() and not _is_partitioned(path, partition_by[0]):
        raise ConflictError(f"{str(path)!r} is there already and is no folder of partitions: choose another name.")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=f".{path.name[:40]}.") as place:
        made, old = Path(place) / "new", Path(place) / "old"
        made.mkdir()
        _copy(table, engine, made, format, compression, partition_by)
        if path.exists():
            os.replace(path, old)
        os.replace(made, path)
        sync_folder(path.parent)


def _is_partitioned(path: Path, column: str) -> bool:
    """Say whether a folder holds nothing but what `write` made, so that it may be replaced."""
    return path.is_dir() and all(child.is_dir() and child.name.startswith(f"{column}=") for child in path.iterdir())


def _write_arrow(table: ir.Table, engine: Engine, path: Path, compression: str) -> None:
    import pyarrow as pa

    data = engine.arrow(table)
    options = pa.ipc.IpcWriteOptions(compression=None if compression == "none" else compression)
    with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, data.schema, options=options) as writer:
        writer.write_table(data, max_chunksize=122_880)


def _write_excel(table: ir.Table, engine: Engine, path: Path) -> None:
    try:
        from openpyxl import Workbook
        from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE
    except ImportError as error:
        raise MissingExtraError("openpyxl", "wrangler") from error
    data = engine.arrow(table)
    if data.num_rows >= EXCEL_ROWS or data.num_columns > EXCEL_COLUMNS:
        raise TooLargeError(
            f"A sheet holds {EXCEL_ROWS - 1:,} rows and {EXCEL_COLUMNS:,} columns; the table has {data.num_rows:,} and "
            f"{data.num_columns:,}. Write Parquet or CSV."
        )

    def cell(value: Any) -> Any:
        if isinstance(value, datetime):
            return _excel_time(value)
        if isinstance(value, float) and value in (float("inf"), float("-inf")):
            return str(value)
        if value is None or isinstance(value, (bool, int, float, time)):
            return value
        if isinstance(value, date):
            return value if value.year >= 1900 else value.isoformat()
        text = ILLEGAL_CHARACTERS_RE.sub("\ufffd", str(value))
        if len(text) > EXCEL_TEXT:
            raise TooLargeError(
                f"A cell holds {EXCEL_TEXT:,} characters, a text of the table has {len(text):,}. Write Parquet or CSV."
            )
        return text

    workbook = Workbook(write_only=True)
    sheet = workbook.create_sheet("data")
    try:
        sheet.append([_plain(sheet, cell(name)) for name in data.column_names])
        for batch in data.to_batches(max_chunksize=10_000):
            for row in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                sheet.append([_plain(sheet, cell(value)) for value in row])
    except BaseException:
        sheet.close()
        raise
    workbook.save(path)


def _plain(sheet: Any, value: Any) -> Any:
    """Keep a text that begins like a formula a text."""
    if isinstance(value, str) and value.startswith("="):
        from openpyxl.cell import WriteOnlyCell

        cell = WriteOnlyCell(sheet, value)
        cell.data_type = "s"
        return cell
    return value


def _excel_time(value: datetime) -> datetime | str:
    value = value.replace(tzinfo=None)
    return value if value.year >= 1900 else value.isoformat(" ")


@contextmanager
def _appearing(path: Path) -> Iterator[Path]:
    """Give a name beside `path` with the same endings; what stands there at the end of the block becomes `path`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    place = Path(tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name[:40]}."))
    temporary = place / path.name
    try:
        yield temporary
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(temporary, path)
        sync_folder(path.parent)
    finally:
        shutil.rmtree(place, ignore_errors=True)
