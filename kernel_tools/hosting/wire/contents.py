"""The bodies of requests in every content type, as the forms of rows that `InputReader.read` checks.

What is missing and what is infinite: JSON has null for a missing value and no NaN; in NPY, Parquet, Arrow and CSV, NaN
is a missing number, as is an empty field of CSV. Infinite numbers are refused with their row and column, unless the
caller allows them.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.hosting.wire import media_types

MAX_CELLS = 4_000_000
"""Values that a compressed table may unfold to: as many as a body of CSV can hold."""

MAX_UNFOLDED_BYTES = 256 * 1024 * 1024
"""Bytes that a Parquet file may unfold to, by its own account."""

ROW_FORMS = ("dataframe_records", "dataframe_split", "instances", "inputs")


class InputColumn(Protocol):
    """What is needed of a signature's column: `registry.signature.Column` is one."""

    @property
    def name(self) -> str:
        """The column's name."""

    @property
    def type(self) -> str:
        """boolean, long, double, string or datetime."""


def read_body(
    body: bytes,
    content_type: str = "",
    columns: Sequence[InputColumn] | None = None,
    *,
    allow_infinite: bool = False,
) -> Any:
    """Return the rows of a body as one of the four forms: an object with exactly one key of `ROW_FORMS`.

    What is JSON but none of these forms is returned as it is, for `InputReader.read` to refuse.

    Parameters
    ----------
    body
        The bytes of the request.
    content_type
        Its `Content-Type` header; empty is JSON.
    columns
        The columns of the model's signature, which say what the text of a CSV field is; None for a model of arrays. A
        first line of CSV that has all their names is a header, unless the content type says ``header=absent``.
    allow_infinite
        Leave infinite numbers of NPY, CSV, Parquet and Arrow to the model.

    Raises
    ------
    UnsupportedContentError
        If the content type is another one.
    InvalidArgumentError
        If the body is not what its content type says, or has no rows.
    InvalidDataError
        If a CSV field is not of its column's type, or a number is infinite; the message names row and column.
    """
    kind, parameters = media_types.parse_content_type(content_type)
    if kind == media_types.JSON:
        return normalise(decode_json(body))
    if kind == media_types.JSON_LINES:
        return _join_lines(body)
    if kind == media_types.CSV:
        return _read_csv(body, parameters.get("header", ""), columns, allow_infinite)
    if kind == media_types.NPY:
        return _read_npy(body, allow_infinite)
    return _read_table(body, kind, allow_infinite)


def decode_json(body: bytes) -> Any:
    """Read JSON as the standard has it: no NaN, no Infinity.

    Raises
    ------
    InvalidArgumentError
        If it is not JSON; the message says where, in bytes.
    """
    try:
        return msgspec.json.decode(body)
    except RecursionError as error:
        raise InvalidArgumentError("The body is not usable: its JSON is nested too deeply.") from error
    except ValueError as error:
        found = next((word for word in (b"NaN", b"Infinity") if word in body), None)
        hint = f" JSON has no {found.decode()}: send null for a missing number." if found else ""
        raise InvalidArgumentError(f"The body is not valid JSON: {error}.{hint}") from error


def normalise(body: Any) -> Any:
    """Turn SageMaker's ``{"instances": [{"features": [...]}]}`` into lists, and leave any other body as it is."""
    instances = body.get("instances") if isinstance(body, dict) else None
    if not isinstance(instances, list) or not instances:
        return body
    if all(
        isinstance(row, dict) and row.keys() == {"features"} and isinstance(row["features"], list) for row in instances
    ):
        return {**body, "instances": [row["features"] for row in instances]}
    return body


def _join_lines(body: bytes) -> Any:
    """Rows of JSON Lines: objects by column, ``{"features": [...]}``, or lists; all of one kind."""
    rows = []
    for number, line in enumerate(body.splitlines()):
        if not line.strip():
            continue
        try:
            rows.append(decode_json(line))
        except InvalidArgumentError as error:
            raise InvalidArgumentError(f"Line {number}: {error}") from error
    if not rows:
        raise InvalidArgumentError("There are no rows: send at least one line.")
    if any(type(row) is not type(rows[0]) or not isinstance(row, dict | list) for row in rows):
        raise InvalidArgumentError("Each line must be a JSON object, or each a list of values.")
    return normalise({"instances": rows})


def _read_csv(body: bytes, header: str, columns: Sequence[InputColumn] | None, allow_infinite: bool) -> dict[str, Any]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"The CSV is not UTF-8 at byte {error.start}. Save it as UTF-8.") from error
    try:
        rows = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error as error:
        raise InvalidArgumentError(f"The body is not valid CSV: {error}.") from error
    types = {column.name: str(column.type) for column in columns or ()}
    has_header = header == "present" or (
        header != "absent" and bool(rows) and bool(types) and set(rows[0]) >= set(types)
    )
    names = rows.pop(0) if has_header and rows else list(types)
    if not rows:
        raise InvalidArgumentError("There are no rows: send at least one line of values.")
    width = len(names) or len(rows[0])
    for position, row in enumerate(rows):
        if len(row) != width:
            raise InvalidArgumentError(f"Row {position} has {len(row)} values, but there are {width} columns.")
    if not types and not has_header:
        return {
            "instances": [
                [_parse_any(text, r, c, allow_infinite) for c, text in enumerate(row)] for r, row in enumerate(rows)
            ]
        }
    data = [
        [_parse_field(text, types.get(name), r, name, allow_infinite) for name, text in zip(names, row, strict=True)]
        for r, row in enumerate(rows)
    ]
    return {"dataframe_split": {"columns": names, "data": data}}


_TRUTH = {"true": True, "false": False, "1": True, "0": False}


def _parse_field(text: str, kind: str | None, row: int, column: str, allow_infinite: bool) -> Any:
    if text == "":
        return None
    if kind in ("string", "datetime"):
        return text
    if kind is None:
        return _parse_any(text, row, column, allow_infinite)
    plain = text.strip()
    if kind == "boolean":
        value: Any = _TRUTH.get(plain.lower())
    elif plain == "":
        return None
    else:
        value = _parse_number(plain)
    if value is None:
        expected = {"boolean": "true or false", "long": "a whole number"}.get(kind, "a number")
        raise InvalidDataError(f"Row {row}, column {column!r}: {text[:60]!r} does not fit. Send {expected}.")
    return check_number(value, row, column, allow_infinite)


def _parse_any(text: str, row: int, column: str | int, allow_infinite: bool) -> Any:
    value = _parse_number(text.strip())
    if value is None:
        return text or None
    return check_number(value, row, column, allow_infinite)


def _parse_number(text: str) -> int | float | None:
    """A number as CSV writers write it; Python's own ``1_000`` is text."""
    if "_" in text or not text.isascii():
        return None
    try:
        return int(text)
    except ValueError:
        try:
            return float(text)
        except ValueError:
            return None


def check_number(value: Any, row: int, column: str | int, allow_infinite: bool = False) -> Any:
    """Return a value, None for NaN.

    Raises
    ------
    InvalidDataError
        If it is infinite.
    """
    if isinstance(value, float) and not math.isfinite(value):
        if math.isnan(value):
            return None
        if not allow_infinite:
            raise InvalidDataError(
                f"Row {row}, column {column!r}: {value} is an infinite number. Send a finite one, or leave it missing."
            )
    return value


def _read_npy(body: bytes, allow_infinite: bool) -> dict[str, Any]:
    import numpy as np

    try:
        array = np.load(io.BytesIO(body), allow_pickle=False, max_header_size=10_000)
        if not isinstance(array, np.ndarray):
            raise ValueError("it is an archive of arrays")
    except (ValueError, OSError, EOFError, SyntaxError, TypeError, OverflowError, MemoryError) as error:
        raise InvalidArgumentError(
            f"The body is not an NPY array of plain values: {error}. Write it by numpy.save(..., allow_pickle=False)."
        ) from error
    if array.dtype.kind not in "biufU":
        raise InvalidArgumentError(f"The NPY array has the type {array.dtype}: send numbers, booleans or text.")
    if array.ndim == 0 or not array.shape[0]:
        raise InvalidArgumentError("There are no rows: the first dimension of the array counts them.")
    if array.dtype.kind == "f" and not (finite := np.isfinite(array)).all():
        infinite = np.isinf(array)
        if infinite.any() and not allow_infinite:
            row, *position = (int(index) for index in np.argwhere(infinite)[0])
            check_number(float(array[(row, *position)]), row, position[0] if len(position) == 1 else str(position))
        values = array.astype(object)
        values[np.isnan(array) | (~finite & ~infinite)] = None
        return {"instances": values.tolist()}
    return {"instances": array.tolist()}


def _read_table(body: bytes, kind: str, allow_infinite: bool) -> dict[str, Any]:
    import pyarrow as pa

    try:
        table = _parquet_table(body) if kind == media_types.PARQUET else _arrow_table(body)
    except (pa.ArrowException, OSError, ValueError) as error:
        name = "a Parquet file" if kind == media_types.PARQUET else "an Arrow stream"
        raise InvalidArgumentError(f"The body is not {name}: {str(error)[:300]}.") from error
    if len(set(table.column_names)) != len(table.column_names):
        raise InvalidArgumentError("The table names a column more than once: send each column once.")
    if not table.num_rows or not table.num_columns:
        raise InvalidArgumentError("There are no rows: send a table with at least one row and one column.")
    return {"inputs": {name: _column_values(table.column(name), name, allow_infinite) for name in table.column_names}}


def _parquet_table(body: bytes) -> Any:
    import pyarrow as pa
    import pyarrow.parquet as pq

    metadata = pq.read_metadata(pa.BufferReader(body))
    _check_size(metadata.num_rows, metadata.num_columns)
    if sum(metadata.row_group(index).total_byte_size for index in range(metadata.num_row_groups)) > MAX_UNFOLDED_BYTES:
        raise InvalidArgumentError(f"The file unfolds to more than {MAX_UNFOLDED_BYTES:,} bytes. Send fewer rows.")
    # A text that stands in many rows is one object in all of them, as in the file.
    file = pq.ParquetFile(pa.BufferReader(body), read_dictionary=metadata.schema.names)
    return file.read(use_threads=False)


def _arrow_table(body: bytes) -> Any:
    import pyarrow as pa

    batches, rows = [], 0
    with pa.ipc.open_stream(pa.BufferReader(body)) as reader:
        for batch in reader:
            rows += batch.num_rows
            _check_size(rows, batch.num_columns)
            batch.validate(full=True)
            batches.append(batch)
        return pa.Table.from_batches(batches, schema=reader.schema)


def _check_size(rows: int, columns: int) -> None:
    if rows * columns > MAX_CELLS:
        raise InvalidArgumentError(
            f"The table has {rows:,} rows of {columns:,} columns, more than {MAX_CELLS:,} values. Send fewer rows."
        )


def _column_values(column: Any, name: str, allow_infinite: bool) -> list[Any]:
    import pyarrow as pa

    if pa.types.is_dictionary(column.type):
        return [value for chunk in column.chunks for value in _dictionary_values(chunk, name, allow_infinite)]
    kind = column.type
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        return [None if value is None else value.isoformat() for value in _to_list(column, name)]
    plain = (pa.types.is_boolean, pa.types.is_integer, pa.types.is_floating, pa.types.is_string,
             pa.types.is_large_string, pa.types.is_string_view, pa.types.is_null)  # fmt: skip
    if not any(test(kind) for test in plain):
        raise InvalidDataError(f"Column {name!r} has the type {column.type}: send numbers, booleans, text or dates.")
    values = _to_list(column, name)
    if pa.types.is_floating(kind):
        return [check_number(value, row, name, allow_infinite) for row, value in enumerate(values)]
    return values


def _to_list(column: Any, name: str) -> list[Any]:
    try:
        return list(column.to_pylist())
    except (ValueError, OverflowError) as error:  # text that is not UTF-8, a date beyond the year 9999
        raise InvalidDataError(f"Column {name!r} cannot be read: {error}.") from error


def _dictionary_values(chunk: Any, name: str, allow_infinite: bool) -> list[Any]:
    import pyarrow as pa

    known = _column_values(pa.chunked_array([chunk.dictionary]), name, allow_infinite)
    return [None if index is None else known[index] for index in chunk.indices.to_pylist()]
