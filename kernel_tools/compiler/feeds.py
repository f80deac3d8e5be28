"""From rows to what ONNX Runtime is fed with, by the signature and without pandas.

Rows are checked as `core.rows` checks them, so that a compiled model refuses what the original refuses, in the same
words.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import numpy as np

from kernel_tools.compiler.manifest import Encoding, Feed
from kernel_tools.compiler.quick_rows import Feeds, quick_row
from kernel_tools.core.cells import CategoryReader, ColumnReader, column_reader
from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.forms import InputReader
from kernel_tools.core.rows import RowReader
from kernel_tools.core.signature import Column, ColumnType, Signature

MISSING_MOMENT = -(2**63)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = 1_000_000


class FeedReader:
    """Reads rows in all their forms as the inputs of one graph; made once, used often.

    Parameters
    ----------
    feeds
        The inputs of the graph.
    signature
        The signature of the model.
    """

    def __init__(self, feeds: Sequence[Feed], signature: Signature) -> None:
        self._feeds = feeds
        self._signature = signature
        rows = FeedRows(signature, feeds) if signature.columns else None
        self._inputs = InputReader(signature, rows)
        self._quick = quick_row(feeds, signature)
        self._quick_list = quick_row(feeds, signature, is_list=True)

    def read(self, body: Any) -> Feeds:
        """Read the body of a request: an object with one of the four forms; errors as `core.forms.InputReader`."""
        if self._quick and type(body) is dict and len(body) == 1:
            rows = body.get("dataframe_records") or body.get("instances")
            if type(rows) is list and len(rows) == 1:
                row = rows[0]
                read = self._quick_list if type(row) is list else self._quick
                quick = read(row) if read is not None else None
                if quick is not None:
                    return quick
        return self._fed(self._inputs.read(body))

    def read_rows(self, rows: Any) -> Feeds:
        """Read a DataFrame, an array, a list of records or a list of lists.

        Raises
        ------
        InvalidDataError
            If columns are missing or values do not fit.
        """
        if hasattr(rows, "columns") and hasattr(rows, "__getitem__"):
            return self._read_frame(rows)
        if hasattr(rows, "detach"):
            rows = rows.detach().numpy()
        if isinstance(rows, np.ndarray):
            return self._read_array(rows)
        if isinstance(rows, dict):
            rows = [rows]
        is_records = bool(rows) and isinstance(rows[0], dict)
        return self.read({"dataframe_records" if is_records else "instances": rows})

    def _fed(self, read: Any) -> Feeds:
        if self._signature.tensor is None:
            return read  # type: ignore[no-any-return]  # what `FeedRows.table` made
        feed = self._feeds[0]
        return {feed.name: np.ascontiguousarray(read, dtype=feed.dtype)}

    def _read_array(self, array: np.ndarray) -> Feeds:
        if self._signature.tensor is None:
            return self.read({"instances": array.tolist()})
        shape = self._signature.tensor.shape
        if array.ndim != len(shape) or any(
            size >= 0 and size != given for size, given in zip(shape, array.shape, strict=True)
        ):
            wanted = ", ".join("any" if size < 0 else str(size) for size in shape)
            given = ", ".join(map(str, array.shape))
            raise InvalidDataError(f"The instances have the shape [{given}]; the model takes [{wanted}].")
        return self._fed(array)

    def _read_frame(self, frame: Any) -> Feeds:
        if self._signature.tensor is not None:
            return self._read_array(frame.to_numpy())
        columns = {column.name: column for column in self._signature.columns}
        missing = [name for name in columns if name not in frame.columns]
        if missing:
            raise InvalidDataError(f"Column {missing[0]!r} is missing. Send it with every row.")
        fed = {}
        for feed in self._feeds:
            parts = [
                frame_values(frame[name], columns[name], encoding, feed)
                for name, encoding in zip(feed.columns or [], feed.encodings, strict=True)
            ]
            fed[feed.name] = np.stack(parts, axis=1).astype(feed.dtype, copy=False)
        return fed


class FeedRows(RowReader):
    """Reads rows of a table as the inputs of a graph."""

    def __init__(self, signature: Signature, feeds: Sequence[Feed]) -> None:
        self._feeds = feeds
        self._makers = {
            name: (encoding, feed)
            for feed in feeds
            for name, encoding in zip(feed.columns or [], feed.encodings, strict=True)
        }
        super().__init__(signature)

    def column_reader(self, column: Column) -> ColumnReader:
        """See `RowReader`."""
        reader = column_reader(column)
        encoding, feed = self._makers.get(column.name, ("number", None))
        if column.name not in self._makers:
            reader.maker = _checked_only
        elif encoding == "number":
            reader.maker = _make_category_numbers if column.categories is not None else _make_numbers
        elif encoding == "code":
            reader.maker = _make_codes
        elif encoding == "moment":
            reader.maker = _make_moments
        else:
            missing = feed.missing_text if feed else ""
            reader.maker = lambda owner, values: _make_texts(owner, values, missing)
        return reader

    def table(self, arrays: dict[str, Any]) -> Feeds:
        """See `RowReader`: an array of the shape (rows, columns) for each input."""
        fed = {}
        for feed in self._feeds:
            names = feed.columns or []
            if len(names) == 1:
                fed[feed.name] = arrays[names[0]].astype(feed.dtype, copy=False).reshape(-1, 1)
            else:
                fed[feed.name] = np.stack([arrays[name] for name in names], axis=1).astype(feed.dtype, copy=False)
        return fed


def _checked_only(reader: ColumnReader, values: list[Any]) -> Any:
    """The graph does not need the column; its values are checked all the same."""
    if isinstance(reader, CategoryReader):
        reader.codes(values)
    return np.empty(0)


def _make_numbers(reader: ColumnReader, values: list[Any]) -> Any:
    kind, dtype = reader.column.type, reader.column.dtype
    if kind is ColumnType.DOUBLE:
        name = (dtype or "float64").lower().removesuffix("[pyarrow]")
        name = {"double": "float64", "float": "float32", "halffloat": "float16"}.get(name, name)
        with np.errstate(over="ignore"):
            array = np.array(values, dtype=name if name in ("float16", "float32") else "float64")
        if len(values) - np.count_nonzero(np.isfinite(array)) != values.count(None):
            raise ValueError
        return array
    if kind is ColumnType.LONG:
        limits = integer_limits(dtype)
        if any(value is not None and not limits[0] <= value <= limits[1] for value in values):
            raise OverflowError
    if None not in values:
        return np.array(values)
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def integer_limits(dtype: str | None) -> tuple[int, int]:
    """Return the least and the greatest value of an integer dtype of pandas."""
    name = (dtype or "int64").lower().removesuffix("[pyarrow]")
    limits = np.iinfo("int64" if name in ("object", "long") else name)
    return int(limits.min), int(limits.max)


def _make_category_numbers(reader: ColumnReader, values: list[Any]) -> Any:
    assert isinstance(reader, CategoryReader)
    reader.codes(values)
    return np.array([math.nan if value is None else value for value in values], dtype=np.float64)


def _make_codes(reader: ColumnReader, values: list[Any]) -> Any:
    assert isinstance(reader, CategoryReader)
    codes = np.array(reader.codes(values), dtype=np.float64)
    codes[codes < 0] = np.nan
    return codes


def _make_texts(reader: ColumnReader, values: list[Any], missing: str) -> Any:
    if isinstance(reader, CategoryReader):
        reader.codes(values)
    return np.array([missing if value is None else text_of(value) for value in values], dtype=object)


def text_of(value: Any) -> str:
    """Return a value as the text that stands for it in a graph."""
    return value if isinstance(value, str) else str(value)


def _make_moments(reader: ColumnReader, values: list[Any]) -> Any:
    return np.array([MISSING_MOMENT if value is None else _moment(value) for value in values], dtype=np.int64)


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text)
    since = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)) - _EPOCH
    return (since.days * 86_400 + since.seconds) * _MICROSECOND + since.microseconds


def frame_values(series: Any, column: Column, encoding: Encoding, feed: Feed) -> Any:
    """Return the values of a column of a DataFrame (pandas or polars) as an input holds them.

    Raises
    ------
    InvalidDataError
        If a value is of another kind, or no category of the signature.
    """
    try:
        if encoding == "code":
            return _frame_codes(series, column)
        if encoding == "number":
            if hasattr(series, "cat") and hasattr(series.cat, "categories"):
                series = series.astype(object)
            return series.to_numpy(dtype="float64", na_value=np.nan)
        if encoding == "moment":
            if getattr(series.dtype, "tz", None) is not None:
                series = series.dt.tz_convert("UTC").dt.tz_localize(None)
            return series.to_numpy(dtype="datetime64[us]").astype(np.int64)
        values = [feed.missing_text if is_missing(value) else text_of(value) for value in series.tolist()]
        return np.array(values, dtype=object)
    except (AttributeError, TypeError, ValueError) as error:
        raise InvalidDataError(f"The column {column.name!r} cannot be read: {error}.") from error


def _frame_codes(series: Any, column: Column) -> Any:
    known = {value: float(code) for code, value in enumerate(column.categories or [])}
    values = [None if is_missing(value) else value for value in series.tolist()]
    unknown = next((row for row, value in enumerate(values) if value is not None and value not in known), None)
    if unknown is not None:
        problems: list[str] = []
        column_reader(column).read([values[unknown]], problems, 1)
        raise InvalidDataError(problems[0].replace("Row 0,", f"Row {unknown},", 1))
    return np.array([math.nan if value is None else known[value] for value in values])


def is_missing(value: Any) -> bool:
    """Say whether a value of a DataFrame is missing."""
    return value is None or type(value).__name__ in ("NAType", "NaTType") or bool(value != value)
