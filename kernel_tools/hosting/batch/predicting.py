"""From a table of rows to the table of their predictions: checked against the signature, all rows at once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.core.signature import Column, ColumnType, Signature
from kernel_tools.hosting.engines.protocol import Engine

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    import pyarrow as pa


def predict_table(engine: Engine, table: pa.Table, names: list[str], first_row: int, path: str) -> pa.Table:
    """Return the predictions of a table's rows: `prediction`, and of a classifier `probability_<class>`.

    Parameters
    ----------
    names
        The columns that the model is given.
    first_row, path
        Where the rows are from, for messages.

    Raises
    ------
    InvalidDataError
        If a value does not fit the signature; the message names file, row and column.
    """
    import pyarrow as pa

    signature = engine.signature
    where = f"{path!r}, row "
    if signature is None:
        rows: Any = table.select(names).to_pandas()
    elif signature.tensor is not None:
        rows = _array(table.select(names), signature, first_row, where)
    else:
        rows = _frame(table, signature, set(names), first_row, where)
    return pa.table(_columns(engine.predict(engine.read_table(rows)), table.num_rows))


def _frame(table: pa.Table, signature: Signature, names: set[str], first_row: int, where: str) -> pd.DataFrame:
    import pandas as pd

    found = {}
    for column in signature.columns:
        if column.name not in names or column.name not in table.column_names:
            raise InvalidDataError(
                f"Column {column.name!r} is missing in {where.removesuffix(', row ')}. It has "
                f"{', '.join(table.column_names)[:300]}."
            )
        values = table.column(column.name)
        if not column.nullable and values.null_count:
            row = first_row + _first(values.is_null())
            raise InvalidDataError(f"{where}{row}, column {column.name!r}: the value is missing. The model needs it.")
        found[column.name] = _series(column, _of_type(column, values, f"{where}{first_row}"), first_row, where)
    return pd.DataFrame(found, copy=False)


def _of_type(column: Column, values: pa.ChunkedArray, where: str) -> pa.ChunkedArray:
    """Return texts as the numbers or truths that the column has."""
    import pyarrow as pa

    kind = {ColumnType.DOUBLE: pa.float64(), ColumnType.LONG: pa.int64(), ColumnType.BOOLEAN: pa.bool_()}.get(
        column.type
    )
    if kind is None or column.categories is not None or not pa.types.is_string(values.type):
        return values
    try:
        return values.cast(kind)
    except pa.ArrowInvalid as error:
        raise InvalidDataError(f"{where}, column {column.name!r}: {error}.") from error


def _series(column: Column, values: pa.ChunkedArray, first_row: int, where: str) -> Any:
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    if column.categories is not None:
        known = pa.array(column.categories)
        try:
            codes = pc.index_in(values.cast(known.type), value_set=known)
        except pa.ArrowInvalid as error:
            raise InvalidDataError(f"{where}{first_row} and on, column {column.name!r}: {error}.") from error
        unknown = pc.and_(codes.is_null(), values.is_valid())
        if pc.any(unknown).as_py():
            place = _first(unknown)
            raise InvalidDataError(
                f"{where}{first_row + place}, column {column.name!r}: {values[place].as_py()!r} is not a known "
                f"category. Known are {', '.join(map(str, column.categories))[:300]}."
            )
        plain = codes.fill_null(-1).to_numpy()
        return pd.Categorical.from_codes(plain, categories=column.categories, ordered=column.is_ordered)
    if column.type is ColumnType.DOUBLE:
        infinite = pc.is_inf(values.cast(pa.float64()))
        if pc.any(infinite).as_py():
            place = _first(infinite)
            raise InvalidDataError(
                f"{where}{first_row + place}, column {column.name!r}: the number is infinite. Replace it, or drop it."
            )
    series = values.to_pandas()
    try:
        return series if column.dtype is None else series.astype(column.dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidDataError(
            f"{where}{first_row} and on, column {column.name!r}: not all values are {column.dtype}: {error}."
        ) from error


def _array(table: pa.Table, signature: Signature, first_row: int, where: str) -> np.ndarray:
    import numpy as np

    assert signature.tensor is not None
    dtype, shape = signature.tensor.dtype, [size if size > 0 else -1 for size in signature.tensor.shape]
    columns = [_numbers(name, table.column(name), dtype, first_row, where) for name in table.column_names]
    matrix = np.column_stack(columns)
    try:
        return matrix.reshape([len(matrix), *shape[1:]])
    except ValueError as error:
        raise InvalidDataError(f"Rows of {matrix.shape[1]} numbers do not make the model's {shape[1:]}.") from error


def _numbers(name: str, values: pa.ChunkedArray, dtype: str, first_row: int, where: str) -> np.ndarray:
    import numpy as np

    if values.null_count and not dtype.startswith("float"):
        row = first_row + _first(values.is_null())
        raise InvalidDataError(f"{where}{row}, column {name!r}: the value is missing. The model needs it.")
    plain: np.ndarray = values.to_numpy()
    try:
        return plain.astype(dtype)
    except (ValueError, TypeError, OverflowError):
        for place, value in enumerate(plain):
            try:
                np.asarray(value).astype(dtype)
            except (ValueError, TypeError, OverflowError) as error:
                text = (
                    f"{where}{first_row + place}, column {name!r}: {str(value)[:80]!r} is no {dtype}. Write a number."
                )
                raise InvalidDataError(text) from error
        raise


def _first(mask: Any) -> int:
    import pyarrow.compute as pc

    return int(pc.index(mask, True).as_py())


def _columns(reply: Mapping[str, Any], rows: int) -> dict[str, Any]:
    """The columns of a reply; two-dimensional ones become one column for each of their own."""
    import numpy as np
    import pandas as pd

    predictions = reply["predictions"]
    if isinstance(predictions, pd.DataFrame):
        return {str(name): predictions[name].to_numpy() for name in predictions}
    if isinstance(predictions, list) and predictions and isinstance(predictions[0], dict):
        return {name: [row[name] for row in predictions] for name in predictions[0]}
    if hasattr(predictions, "detach"):
        predictions = predictions.detach().numpy()
    values = _doubles(np.asarray(predictions))
    if len(values) != rows:
        raise InvalidArgumentError(f"The model answered {len(values)} rows where {rows} were asked.")
    flat = values.reshape(rows, -1) if values.ndim > 1 else values.reshape(rows, 1)
    names = ["prediction"] if flat.shape[1] == 1 else [f"prediction_{place}" for place in range(flat.shape[1])]
    found: dict[str, Any] = {name: flat[:, place] for place, name in enumerate(names)}
    if reply.get("probabilities") is not None:
        probabilities = _doubles(np.asarray(reply["probabilities"]))
        classes = reply.get("classes")
        known = range(probabilities.shape[1]) if classes is None else np.asarray(classes).tolist()
        found |= {f"probability_{name}": probabilities[:, place] for place, name in enumerate(known)}
    return found


def _doubles(values: Any) -> Any:
    """Numbers of 32 bits as those of 64 that are equal to them, as endpoints answer them."""
    return values.astype("float64") if values.dtype.kind == "f" else values
