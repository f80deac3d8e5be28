"""Rows that cannot be predicted: found one by one, written down with the reason, and left empty in the output."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.workspace import atomic_write
from kernel_tools.hosting.wire.errors import ModelError

if TYPE_CHECKING:
    import pyarrow as pa

ERROR_COLUMN = "error"
"""The column of an output that says why a row has no prediction; null where it has one."""
BROKEN_COLUMN = "\0broken"
"""Inside a table that was read: why a line is no row; null where it is one."""


class FailedRow(msgspec.Struct, frozen=True):
    """A row that could not be predicted: its number from 0, the reason, and the line if it was no row at all."""

    row: int | None
    reason: str
    line: str = ""


def predict_or_record(
    predict: Callable[[Any, int], Any], table: pa.Table, first_row: int
) -> tuple[pa.Table, list[FailedRow]]:
    """Predict a table; rows that fail are found by halving it, and become rows of nulls with an `error`.

    Parameters
    ----------
    predict
        Takes a table and the number of its first row, and returns a table of as many rows.
    table, first_row
        The rows, and where they are in their file.

    Raises
    ------
    InvalidDataError
        If not one of the rows can be predicted.
    """
    import pyarrow as pa

    broken: list[Any] = [None] * table.num_rows
    if BROKEN_COLUMN in table.column_names:
        broken = table.column(BROKEN_COLUMN).to_pylist()
        table = table.drop_columns([BROKEN_COLUMN])
    found: list[tuple[int, pa.Table | str]] = []
    for start, stop in _runs(broken):
        if broken[start] is None:
            found += _halved(predict, table, first_row, start, stop)
        else:
            found += [(place, broken[place]) for place in range(start, stop)]
    tables = [part for _, part in found if not isinstance(part, str)]
    failed = [FailedRow(first_row + start, part) for start, part in found if isinstance(part, str)]
    if not tables:
        raise InvalidDataError(
            f"None of the rows {first_row} to {first_row + table.num_rows - 1} can be predicted. The first: "
            f"{failed[0].reason}"
        )
    schema = tables[0].schema.append(pa.field(ERROR_COLUMN, pa.string()))
    parts = []
    for _, part in found:
        if isinstance(part, str):
            columns = {field.name: pa.nulls(1, field.type) for field in schema}
            parts.append(pa.table(columns | {ERROR_COLUMN: pa.array([part], pa.string())}, schema=schema))
        else:
            parts.append(part.append_column(schema.field(ERROR_COLUMN), pa.nulls(part.num_rows, pa.string())))
    return pa.concat_tables(parts, promote_options="permissive"), failed


def json_rows(block: bytes, types: dict[str, Any]) -> pa.Table:
    """Read lines of JSON, also those that are no objects or hold values of other types, which `BROKEN_COLUMN` names."""
    import pyarrow as pa

    rows: list[dict[str, Any]] = []
    broken: list[str | None] = []
    for line in block.splitlines():
        if not line.strip():
            continue
        try:
            rows.append(msgspec.json.decode(line, type=dict))
            broken.append(None)
        except (ValueError, RecursionError) as error:
            rows.append({})
            broken.append(f"The line is no JSON object: {error}.")
    names = dict.fromkeys([*types, *(name for row in rows for name in row)])
    columns = {}
    for name in names:
        values = [row.get(name) for row in rows]
        columns[name] = _typed(name, values, types.get(name), broken)
    columns[BROKEN_COLUMN] = pa.array(broken, pa.string())
    return pa.table(columns)


def write_failed(failed: Sequence[FailedRow], path: Path) -> None:
    """Write failed rows as JSON Lines, whole or not at all."""
    with atomic_write(path) as file:
        file.writelines(msgspec.json.encode(row) + b"\n" for row in failed)


def read_failed(path: Path) -> list[FailedRow]:
    """Read what `write_failed` wrote; none if there is no such file."""
    try:
        return [msgspec.json.decode(line, type=FailedRow) for line in path.read_bytes().splitlines()]
    except FileNotFoundError:
        return []


def _typed(name: str, values: list[Any], kind: Any, broken: list[str | None]) -> Any:
    import pyarrow as pa

    if kind is None:
        try:
            return pa.array(values)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            return pa.array([None if value is None else msgspec.json.encode(value).decode() for value in values])
    try:
        return pa.array(values, kind)
    except (pa.ArrowException, OverflowError):
        pass
    for place, value in enumerate(values):
        try:
            pa.array([value], kind)
        except (pa.ArrowException, OverflowError):
            values[place] = None
            broken[place] = broken[place] or f"Column {name!r}: {value!r:.80} is not of the type {kind}."
    return pa.array(values, kind)


def _runs(broken: list[Any]) -> list[tuple[int, int]]:
    """Stretches of rows that are all broken, or all not."""
    found: list[tuple[int, int]] = []
    start = 0
    for place in range(1, len(broken) + 1):
        if place == len(broken) or (broken[place] is None) != (broken[start] is None):
            found.append((start, place))
            start = place
    return found


def _halved(
    predict: Callable[[Any, int], Any], table: pa.Table, first_row: int, start: int, stop: int
) -> list[tuple[int, pa.Table | str]]:
    try:
        return [(start, predict(table.slice(start, stop - start), first_row + start))]
    except (InvalidDataError, ModelError) as error:
        if stop - start == 1:
            return [(start, str(error))]
    middle = (start + stop) // 2
    return [
        *_halved(predict, table, first_row, start, middle),
        *_halved(predict, table, first_row, middle, stop),
    ]
