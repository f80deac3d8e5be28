"""Tables given in Python: pandas, polars and pyarrow, read in place where their memory allows it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.document import Source
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources import fingerprints
from kernel_tools.wrangler.sources.columns import described, normal_select, unique_names
from kernel_tools.wrangler.sources.loaded import Loaded, Reading

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from kernel_tools.wrangler.engine import Engine


def frame_source(frame: Any, engine: Engine, name: str) -> Loaded:
    """Make a frame a table of the engine.

    Parameters
    ----------
    frame
        A pandas or polars DataFrame, a polars LazyFrame or a pyarrow Table. An index of pandas becomes columns, unless
        it only counts the rows. Columns of Python objects of several types become text.
    name
        Of the table.

    Raises
    ------
    InvalidArgumentError
        If it is no frame, or has a column that no table can hold.
    """
    reading = Reading()
    table = arrow_table(frame, reading)
    show_arrow(table, engine, name, reading)
    return Loaded(
        table=name,
        rows=table.num_rows,
        columns=reading.columns(engine, name),
        fingerprint=fingerprints.of_parts(Source(id=name, kind="frame"), [fingerprints.of_table(table)]),
        warnings=tuple(reading.warnings),
    )


def show_arrow(table: pa.Table, engine: Engine, name: str, reading: Reading) -> None:
    """Make an Arrow table readable in the engine as `name`, in the house's form, without a copy."""
    kept = engine.new_name("arrow")
    with engine.running():
        engine.connection.register(kept, table)
    columns = described(engine, f"SELECT * FROM {quoted(kept)}")
    select = normal_select(columns, quoted(kept), reading)
    with engine.running():
        engine.connection.execute(f"CREATE OR REPLACE TEMP VIEW {quoted(name)} AS {select}")


def arrow_table(frame: Any, reading: Reading) -> pa.Table:
    """Return a frame as an Arrow table with unique names and types that the engine reads."""
    import pyarrow as pa

    library = type(frame).__module__.split(".")[0]
    if library == "polars" and type(frame).__name__ in ("DataFrame", "LazyFrame"):
        frame = frame.collect() if hasattr(frame, "collect") else frame
        table = frame.to_arrow()
    elif library == "pandas":
        table = _from_pandas(frame, reading)
    elif isinstance(frame, pa.Table):
        table = frame
    else:
        raise InvalidArgumentError(
            f"{type(frame).__name__} is not a frame: give a pandas or polars DataFrame, or a pyarrow Table."
        )
    return readable(table.rename_columns(unique_names(table.column_names, reading)), reading)


def readable(table: pa.Table, reading: Reading) -> pa.Table:
    """Cast the columns of Arrow types that DuckDB does not know."""
    import pyarrow as pa

    for index, field in enumerate(table.schema):
        kind = field.type
        target = None
        if pa.types.is_float16(kind):
            target = pa.float32()
        elif pa.types.is_decimal256(kind):
            target = pa.float64()
            reading.note(field.name, "Decimal numbers of more than 38 digits are kept as floats.")
        elif pa.types.is_null(kind):
            target = pa.string()
            reading.note(field.name, "No value is known: kept as text.")
        elif pa.types.is_dictionary(kind):
            target = kind.value_type
        if target is not None:
            table = table.set_column(index, field.name, table.column(index).cast(target))
        if pa.types.is_timestamp(kind) and kind.tz and kind.tz != "UTC":
            reading.note(field.name, f"Kept as moments in UTC; the zone was {kind.tz}.")
    return table


def _from_pandas(frame: pd.DataFrame, reading: Reading) -> pa.Table:
    import pandas as pd
    import pyarrow as pa

    if not isinstance(frame, pd.DataFrame):
        raise InvalidArgumentError(
            f"{type(frame).__name__} is not a table: give a DataFrame, for example series.to_frame()."
        )
    if not isinstance(frame.index, pd.RangeIndex):
        frame = _with_index(frame)
    names = [" ".join(map(str, name)) if isinstance(name, tuple) else str(name) for name in frame.columns]
    names = unique_names(names, reading)
    columns = []
    for position, name in enumerate(names):
        column = frame.iloc[:, position]
        try:
            columns.append(pa.array(column, from_pandas=True))
        except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError):
            text = column.map(lambda value: value if isinstance(value, str) else str(value), na_action="ignore")
            columns.append(pa.array(text.astype(object), type=pa.string(), from_pandas=True))
            reading.note(name, "Values of several Python types: kept as text.")
    return pa.Table.from_arrays(columns, names=names)


def _with_index(frame: pd.DataFrame) -> pd.DataFrame:
    """Put the levels of the index before the columns; an index of plain numbers without a name is left out."""
    import pandas as pd

    index = frame.index
    if index.nlevels == 1 and index.name is None and pd.api.types.is_integer_dtype(index.dtype):
        return frame.reset_index(drop=True)
    levels = index.to_frame(index=False)
    levels.columns = [
        name if name is not None else ("index" if index.nlevels == 1 else f"level_{number}")
        for number, name in enumerate(index.names)
    ]
    return pd.concat([levels, frame.reset_index(drop=True)], axis=1)
