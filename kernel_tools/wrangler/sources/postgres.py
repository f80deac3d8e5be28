"""PostgreSQL as a source: a server-side cursor in a read-only transaction, its types as Arrow types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.sources.columns import unique_names
from kernel_tools.wrangler.sources.loaded import Reading

if TYPE_CHECKING:
    import pyarrow as pa
    from psycopg import Column

_ROWS_AT_ONCE = 20_000
_NUMERIC, _INTERVAL, _JSON, _UUID = 1700, 1186, (114, 3802), 2950


def read_batches(url: str, statement: str, limit: int | None, reading: Reading) -> Iterator[pa.RecordBatch]:
    """Run a SELECT and yield its rows; the first batch comes also if there are none.

    A ``numeric`` without a scale, or of more than 38 digits, becomes a float. JSON, UUID and types that are not known
    here become text.
    """
    import psycopg
    import pyarrow as pa
    from psycopg.types.json import set_json_loads

    with psycopg.connect(f"postgresql://{url.split('://', 1)[1]}", connect_timeout=15) as connection:
        connection.read_only = True
        connection.execute("SET TIME ZONE 'UTC'")
        set_json_loads(lambda text: text if isinstance(text, str) else text.decode(), connection)
        with connection.cursor(name="atelier") as cursor:
            cursor.execute(statement.encode())
            described = cursor.description or []
            names = unique_names((column.name for column in described), reading)
            types = [_arrow_type(column, name, reading) for column, name in zip(described, names, strict=True)]
            left = limit
            while True:
                rows = cursor.fetchmany(_ROWS_AT_ONCE if left is None else min(_ROWS_AT_ONCE, left))
                columns = zip(*rows, strict=True) if rows else [()] * len(names)
                arrays = [
                    pa.array([None if value is None else convert(value) for value in values], type=kind)
                    if convert
                    else pa.array(values, type=kind)
                    for values, (kind, convert) in zip(columns, types, strict=True)
                ]
                yield pa.RecordBatch.from_arrays(arrays, names=names)
                left = None if left is None else left - len(rows)
                if len(rows) < _ROWS_AT_ONCE or left == 0:
                    return


def _arrow_type(column: Column, name: str, reading: Reading) -> tuple[pa.DataType, Callable[[Any], Any] | None]:
    """Return the Arrow type of a column and what makes its values of it."""
    import pyarrow as pa

    simple = {
        16: pa.bool_(),
        21: pa.int16(),
        23: pa.int32(),
        20: pa.int64(),
        26: pa.int64(),
        700: pa.float32(),
        701: pa.float64(),
        17: pa.binary(),
        25: pa.string(),
        1043: pa.string(),
        1042: pa.string(),
        1082: pa.date32(),
        1083: pa.time64("us"),
        1114: pa.timestamp("us"),
        1184: pa.timestamp("us", "UTC"),
        1000: pa.list_(pa.bool_()),
        1005: pa.list_(pa.int16()),
        1007: pa.list_(pa.int32()),
        1016: pa.list_(pa.int64()),
        1021: pa.list_(pa.float32()),
        1022: pa.list_(pa.float64()),
        1009: pa.list_(pa.string()),
        1015: pa.list_(pa.string()),
    }
    code = column.type_code
    if code in simple:
        return simple[code], None
    if code == _NUMERIC:
        if column.precision and column.precision <= 38 and 0 <= (column.scale or 0) <= column.precision:
            return pa.decimal128(column.precision, column.scale or 0), lambda value: None if value.is_nan() else value
        reading.note(name, "A numeric without a scale: kept as a float.")
        return pa.float64(), float
    if code == _INTERVAL:
        return pa.duration("us"), lambda value: value if isinstance(value, timedelta) else None
    if code not in (*_JSON, _UUID):
        reading.note(name, f"The type {column.type_display} is kept as text.")
    return pa.string(), str
