"""Some rows out of a file that holds a table: Parquet, CSV, TSV, JSON. Nothing in the file is executed."""

from __future__ import annotations

import functools
import io
import json
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any, Protocol

from kernel_tools.core.errors import InvalidDataError, TooLargeError

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.experiments.records import ArtifactRecord

MAX_TEXT_BYTES = 32 * 1024 * 1024
"""Largest CSV, TSV or JSON file: these are read whole."""
MAX_GROUP_BYTES = 512 * 1024 * 1024
"""Largest row group of a Parquet file, uncompressed: one of them is held in memory."""
MAX_COLUMNS = 500
"""Columns that are read; the rest is counted."""
MAX_CELL = 500
"""Characters of a cell; a longer one is cut and ends with an ellipsis."""
SUFFIXES = (".parquet", ".csv", ".tsv", ".json")


class Files(Protocol):
    """Where tables are read from: a run, or anything else that keeps files."""

    def artifact(self, path: str) -> ArtifactRecord:
        """Return what is known of a file; NotFoundError if there is none."""

    def open_artifact(self, path: str) -> IO[bytes]:
        """Open a file for reading."""


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column: its name and what Arrow calls its type."""

    name: str
    type: str


@dataclass(frozen=True, slots=True)
class TableWindow:
    """Rows of a table from `start` on. A cell is a number, a text, a truth value or None; anything else is a text.

    `column_count` counts also the columns that were left out.
    """

    columns: list[TableColumn]
    rows: list[list[object]]
    start: int
    row_count: int
    column_count: int


def read_table_window(files: Files, path: str, start: int, limit: int) -> TableWindow:
    """Return some rows of a table.

    Parameters
    ----------
    files
        What keeps it, such as a run.
    path
        The file, whose name ends in one of `SUFFIXES`.
    start, limit
        The first row, from 0, and how many.

    Raises
    ------
    NotFoundError
        If there is no such file.
    InvalidDataError
        If the file is not a table.
    TooLargeError
        If it is too large to be read by parts.
    """
    record = files.artifact(path)
    suffix = path[path.rfind(".") :].lower()
    if suffix not in SUFFIXES:
        raise InvalidDataError(f"{path!r} is not known to be a table. Tables end in {', '.join(SUFFIXES)}.")
    if suffix == ".parquet":
        with files.open_artifact(path) as file:
            return _read_parquet(file, path, start, limit)
    if record.size > MAX_TEXT_BYTES:
        raise TooLargeError(
            f"{path!r} has {record.size:,} bytes; tables as text are shown up to {MAX_TEXT_BYTES:,}. Download it, or "
            "log it as Parquet: run.log_table(table, 'name.parquet')."
        )
    return _window(_parse(files, record, suffix), start, limit)


def _read_parquet(file: IO[bytes], path: str, start: int, limit: int) -> TableWindow:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        parquet = pq.ParquetFile(file)
        schema = parquet.schema_arrow
        names = schema.names[:MAX_COLUMNS]
        rows: list[list[object]] = []
        before = 0
        for index in range(parquet.num_row_groups):
            group = parquet.metadata.row_group(index)
            offset, before = start - before, before + group.num_rows
            if before <= start:
                continue
            if group.total_byte_size > MAX_GROUP_BYTES:
                raise TooLargeError(
                    f"{path!r} has a row group of {group.total_byte_size:,} bytes; up to {MAX_GROUP_BYTES:,} are "
                    "shown. Download it, or write it with a smaller row_group_size."
                )
            rows += _rows_of(parquet, index, names, max(0, offset), limit - len(rows))
            if len(rows) >= limit:
                break
    except (pa.ArrowException, OSError, ValueError) as error:
        raise InvalidDataError(f"{path!r} is not a Parquet file that can be read: {_first_line(error)}.") from error
    columns = [TableColumn(name, str(schema.field(index).type)) for index, name in enumerate(names)]
    return TableWindow(columns, rows, start, parquet.metadata.num_rows, len(schema.names))


def _rows_of(parquet: Any, group: int, names: list[str], offset: int, limit: int) -> list[list[object]]:
    """Return rows of one row group, batch by batch."""
    import pyarrow as pa

    rows: list[list[object]] = []
    for batch in parquet.iter_batches(batch_size=8192, row_groups=[group], columns=names, use_threads=False):
        part = batch.slice(min(offset, batch.num_rows), limit - len(rows))
        offset = max(0, offset - batch.num_rows)
        rows += _cells(pa.Table.from_batches([part]))
        if len(rows) >= limit:
            break
    return rows


@functools.lru_cache(maxsize=2)
def _parsed(sha256: str, suffix: str, read: Callable[[], bytes]) -> pa.Table:
    """Return a parsed file; the last two are kept, because windows follow each other."""
    import pyarrow as pa
    import pyarrow.csv

    data = read()
    if suffix == ".json":
        return _table_of_json(data)
    options = pyarrow.csv.ParseOptions(delimiter="\t" if suffix == ".tsv" else ",", newlines_in_values=True)
    if not data.strip():
        return pa.table({})
    return pyarrow.csv.read_csv(io.BytesIO(data), parse_options=options)


class _Content:
    """The bytes of an artifact, read when they are asked for; equal to every other, so that it is no part of a key."""

    def __init__(self, files: Files, path: str) -> None:
        self._files, self._path = files, path

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Content)

    def __hash__(self) -> int:
        return 0

    def __call__(self) -> bytes:
        with self._files.open_artifact(self._path) as file:
            return file.read()


def _parse(files: Files, record: ArtifactRecord, suffix: str) -> pa.Table:
    import pyarrow as pa

    try:
        return _parsed(record.sha256, suffix, _Content(files, record.path))
    except (pa.ArrowException, ValueError, RecursionError) as error:
        raise InvalidDataError(f"{record.path!r} is not a table: {_first_line(error)}. Download it instead.") from error


def _table_of_json(data: bytes) -> pa.Table:
    """Return the table of MLflow's split orientation, of a list of records, or of lines of records."""
    import pandas as pd
    import pyarrow as pa

    try:
        content = json.loads(data)
    except ValueError:
        content = [json.loads(line) for line in data.decode().splitlines() if line.strip()]
    if isinstance(content, dict) and isinstance(content.get("columns"), list) and isinstance(content.get("data"), list):
        names, rows = content["columns"], content["data"]
        if not all(isinstance(row, list) and len(row) == len(names) for row in rows):
            raise ValueError("its rows are not as long as its columns")
        frame = pd.DataFrame(rows, columns=[str(name) for name in names], dtype=object)
    elif isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        frame = pd.DataFrame(content, dtype=object)
    else:
        raise ValueError("it is neither a list of records nor in split orientation")
    columns = [[_plain(cell) for cell in frame.iloc[:, index]] for index in range(frame.shape[1])]
    arrays = [_array(column) for column in columns]
    return pa.table(arrays, names=[str(name) for name in frame.columns])


def _array(cells: list[object]) -> pa.Array:
    """Return cells as an array of their type, or as texts if they have several."""
    import pyarrow as pa

    try:
        return pa.array(cells)
    except (pa.ArrowException, OverflowError):
        return pa.array([None if cell is None else str(cell) for cell in cells])


def _window(table: pa.Table, start: int, limit: int) -> TableWindow:
    shown = table.select(list(range(min(MAX_COLUMNS, table.num_columns))))
    columns = [TableColumn(field.name, str(field.type)) for field in shown.schema]
    return TableWindow(columns, _cells(shown.slice(start, limit)), start, table.num_rows, table.num_columns)


def _cells(table: pa.Table) -> list[list[object]]:
    columns = [[_plain(cell) for cell in _values(column)] for column in table.columns]
    return [list(row) for row in zip(*columns, strict=True)]


def _values(column: pa.ChunkedArray) -> Iterator[object]:
    """Return the values one by one; one that Python cannot hold, such as a time in year 300000, as its text."""
    for value in column:
        try:
            yield value.as_py()
        except (ValueError, OverflowError):
            yield str(value)


def _plain(value: object) -> object:
    """Return a cell as JSON can carry it."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) < 2**53 else str(value)
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if isinstance(value, (list, dict)):
        value = json.dumps(value, default=str, ensure_ascii=False)
    text = str(value)
    return text if len(text) <= MAX_CELL else f"{text[: MAX_CELL - 1]}…"


def _first_line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0][:300].rstrip(".")
