"""JSON rows become the DataFrame or array that a model was trained on, or an error that names row and column.

What a signature is lives in `signature`. A value is never guessed at: a numeric string is no number, a boolean is no
number, an unseen category is no category. Whole floats are whole numbers, and whole numbers are floats.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.cells import ColumnReader, NotGiven, column_reader, show_value
from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.core.signature import Column, Signature, Tensor

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

MAX_PROBLEMS = 20


class RowReader:
    """Turns rows into a DataFrame with exactly the columns, order and dtypes of a signature; made once, used often.

    Columns that the signature does not have are ignored, so that a row may carry its id or its label along. A subclass
    that makes another table than a DataFrame says how by `column_reader` and `table`.

    Parameters
    ----------
    signature
        A signature with columns.
    """

    def __init__(self, signature: Signature) -> None:
        if not signature.columns:
            raise InvalidArgumentError("This signature has no columns: the model takes arrays, not rows of a table.")
        self._readers = [self.column_reader(column) for column in signature.columns]
        self._names = [column.name for column in signature.columns]

    def column_reader(self, column: Column) -> ColumnReader:
        """Return what reads a column."""
        return column_reader(column)

    def table(self, arrays: dict[str, Any]) -> Any:
        """Make the table of the arrays of all columns."""
        import pandas as pd

        return pd.DataFrame(arrays, copy=False)

    def read_records(self, records: Sequence[Mapping[str, Any]]) -> Any:
        """Read rows given as ``[{"column": value, ...}, ...]``.

        Raises
        ------
        InvalidArgumentError
            If this is not a list of objects, or an empty one.
        InvalidDataError
            If a value does not fit its column.
        """
        check_records(records)
        values = {name: [row.get(name, NotGiven) for row in records] for name in self._names}
        return self._read(values, others=lambda: {str(name) for row in records[:100] for name in row})

    def read_split(self, columns: Sequence[str], data: Sequence[Sequence[Any]]) -> Any:
        """Read rows given as column names and one list of values per row; raises as `read_records` does."""
        check_split(columns, data)
        given: dict[str, list[Any]] = {
            name: [row[position] for row in data] for position, name in enumerate(columns) if name in self._names
        }
        missing = [NotGiven] * len(data)
        return self._read({name: given.get(name, missing) for name in self._names}, others=lambda: set(columns))

    def read_lists(self, data: Sequence[Sequence[Any]]) -> Any:
        """Read rows given as lists of values in the order of the signature's columns; raises as `read_records` does."""
        return self.read_split(self._names, data)

    def _read(self, values: dict[str, list[Any]], others: Any) -> Any:
        problems: list[str] = []
        arrays: dict[str, Any] = {}
        for reader in self._readers:
            name = reader.column.name
            if values[name][0] is NotGiven and all(value is NotGiven for value in values[name]):
                problems.append(_missing_column(reader, others(), self._names))
            elif (array := reader.read(values[name], problems, MAX_PROBLEMS + 1)) is not None:
                arrays[name] = array
            if len(problems) > MAX_PROBLEMS:
                break
        if problems:
            raise InvalidDataError(_list_problems(problems))
        return self.table(arrays)


def rows_to_frame(signature: Signature, records: Sequence[Mapping[str, Any]]) -> pd.DataFrame:
    """Turn a list of ``{"column": value}`` rows into the DataFrame that the model expects.

    Parameters
    ----------
    signature
        A signature with columns. Columns that it does not have are ignored.
    records
        At least one row.

    Raises
    ------
    InvalidArgumentError
        If `records` is not a list of objects, or empty, or the signature has no columns.
    InvalidDataError
        If values do not fit; the message names row, column, value and what is expected, for the first 20 of them.

    Examples
    --------
    >>> from kernel_tools.core.signature import Column, ColumnType, Signature
    >>> rows_to_frame(Signature([Column("age", ColumnType.LONG)]), [{"age": 39, "id": "a"}])
       age
    0   39
    """
    frame: pd.DataFrame = RowReader(signature).read_records(records)
    return frame


def check_records(records: Any) -> None:
    """Refuse what is not a non-empty list of objects."""
    if not isinstance(records, Sequence) or isinstance(records, str | bytes):
        raise InvalidArgumentError(f"The rows are {show_value(records)}: send a list of objects, one for each row.")
    if not records:
        raise InvalidArgumentError("There are no rows: send at least one.")
    for position, row in enumerate(records):
        if not isinstance(row, Mapping):
            raise InvalidArgumentError(
                f'Row {position} is {show_value(row)}: each row is an object such as {{"column": value}}.'
            )


def check_split(columns: Any, data: Any) -> None:
    """Refuse what is not a list of distinct column names and a non-empty list of rows of that length."""
    if not isinstance(columns, Sequence) or isinstance(columns, str) or not all(isinstance(c, str) for c in columns):
        raise InvalidArgumentError(f"'columns' is {show_value(columns)}: send a list of column names.")
    if len(set(columns)) != len(columns):
        twice = sorted({name for name in columns if list(columns).count(name) > 1})
        raise InvalidArgumentError(f"'columns' names {show_value(twice[0])} more than once: send each column once.")
    if not isinstance(data, Sequence) or isinstance(data, str | bytes):
        raise InvalidArgumentError(f"'data' is {show_value(data)}: send a list of rows, each a list of values.")
    if not data:
        raise InvalidArgumentError("There are no rows: send at least one.")
    for position, row in enumerate(data):
        if not isinstance(row, Sequence) or isinstance(row, str | bytes):
            raise InvalidArgumentError(f"Row {position} is {show_value(row)}: each row is a list of values.")
        if len(row) != len(columns):
            raise InvalidArgumentError(f"Row {position} has {len(row)} values, but there are {len(columns)} columns.")


def read_tensor(tensor: Tensor, instances: Any) -> np.ndarray:
    """Turn nested lists into an array of the type and shape of a signature's tensor.

    Null is a missing value (NaN) in a floating-point array and refused in any other.

    Raises
    ------
    InvalidArgumentError
        If this is not a non-empty list.
    InvalidDataError
        If lengths differ, the shape is another one, or a value does not fit the type.
    """
    import numpy as np

    if not isinstance(instances, Sequence) or isinstance(instances, str | bytes) or not len(instances):
        raise InvalidArgumentError(f"The instances are {show_value(instances)}: send a list with at least one of them.")
    shape = ", ".join("any" if size < 0 else str(size) for size in tensor.shape)
    try:
        array = np.asarray(instances)
        if array.dtype.kind not in "biuf":
            array = np.asarray(instances, dtype=object)
    except (ValueError, OverflowError) as error:
        raise InvalidDataError(
            f"The instances are not an array of shape [{shape}]: their lists have different lengths."
        ) from error
    if array.ndim != len(tensor.shape) or any(
        size >= 0 and size != given for size, given in zip(tensor.shape, array.shape, strict=True)
    ):
        given = ", ".join(map(str, array.shape))
        raise InvalidDataError(f"The instances have the shape [{given}]; the model takes [{shape}].")
    return _cast_array(array, np.dtype(tensor.dtype))


def _cast_array(array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    import numpy as np

    if array.dtype.kind == "O" and dtype.kind == "f" and set(map(type, array.ravel())) <= {int, float, type(None)}:
        try:
            array = array.astype(np.float64)
        except OverflowError:
            pass  # a whole number that no float can hold: refused below with the other values that do not fit
        else:
            missing = np.isnan(array)
            return np.where(missing, dtype.type(np.nan), _cast_array(np.where(missing, 0.0, array), dtype))
    allowed = {"f": "fiu", "i": "iuf", "u": "iuf", "b": "b"}[dtype.kind]
    if array.dtype.kind in allowed:
        with np.errstate(over="ignore", invalid="ignore"):
            result = array.astype(dtype)
        fits = np.isfinite(result) if dtype.kind == "f" else result == array
        if fits.all():
            return result
        array = array.astype(object)
    else:
        fits = np.vectorize(lambda value: _fits(value, dtype), otypes=[bool])(array.astype(object))
    place = np.unravel_index(int(np.argmin(fits)), array.shape)
    value = np.asarray(array[place]).item()
    raise InvalidDataError(
        f"Instance {place[0]}, position {[int(index) for index in place[1:]]}: {show_value(value)} "
        f"does not fit the type {dtype} of the model's input."
    )


def _fits(value: Any, dtype: np.dtype[Any]) -> bool:
    import numpy as np

    if dtype.kind == "b" or isinstance(value, bool):
        return isinstance(value, bool) and dtype.kind == "b"
    if not isinstance(value, int | float):
        return value is None and dtype.kind == "f"
    limit = float(np.finfo(dtype).max) if dtype.kind == "f" else int(np.iinfo(dtype).max)
    return bool(abs(value) <= limit)


def _missing_column(reader: ColumnReader, others: set[str], names: list[str]) -> str:
    import difflib

    name = reader.column.name
    close = difflib.get_close_matches(name.lower(), sorted(other.lower() for other in others - set(names)), n=1)
    similar = next((other for other in sorted(others) if close and other.lower() == close[0]), None)
    hint = f" (is {similar!r} meant?)" if similar else ""
    also = ", or null where it is not known" if reader.column.nullable else ""
    return f"Column {name!r} is missing{hint}. Send it with every row: {reader.expected}{also}."


def _list_problems(problems: list[str]) -> str:
    if len(problems) == 1:
        return problems[0]
    shown = problems[:MAX_PROBLEMS]
    more = [f"... and more; the first {MAX_PROBLEMS} are shown."] if len(problems) > MAX_PROBLEMS else []
    return "\n".join(["The rows do not fit the model's signature.", *shown, *more])
