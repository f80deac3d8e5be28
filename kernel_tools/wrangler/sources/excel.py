"""Sheets of Excel and OpenDocument workbooks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError, MissingExtraError
from kernel_tools.wrangler.engine import quoted
from kernel_tools.wrangler.sources.columns import unique_names
from kernel_tools.wrangler.sources.loaded import Reading
from kernel_tools.wrangler.sources.locations import LocalFile, Located

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.wrangler.engine import Engine

_OPTIONS = ("sheet", "header", "skip")
_WORDS = {
    bool: "truth values",
    int: "numbers",
    float: "numbers",
    str: "text",
    date: "dates",
    datetime: "dates",
    time: "times",
    timedelta: "durations",
}


def read_excel(
    located: Located, engine: Engine, name: str, options: Mapping[str, Any], *, limit: int | None = None
) -> Reading:
    """Make a sheet a table.

    Parameters
    ----------
    options
        ``sheet`` (name, or number from 0; the first one if it is not given), ``header`` (whether the first row has the
        names; if not given, it has if all its cells are text), ``skip`` (rows before it).

    Raises
    ------
    MissingExtraError
        If python-calamine is not installed.
    InvalidDataError
        If the file is no workbook, or the sheet is empty.
    """
    import pyarrow as pa

    unknown = [key for key in options if key not in _OPTIONS]
    if unknown:
        raise InvalidArgumentError(
            f"{unknown[0]!r} is no option of Excel files: the options are {', '.join(_OPTIONS)}."
        )
    reading = Reading()
    tables = [_table(file, options, limit, reading) for file in located.files]
    table = tables[0] if len(tables) == 1 else pa.concat_tables(tables, promote_options="permissive")
    kept = engine.new_name("sheet")
    with engine.running():
        engine.connection.register(kept, table)
        engine.connection.execute(f"CREATE OR REPLACE TABLE {quoted(name)} AS SELECT * FROM {quoted(kept)}")
        engine.connection.unregister(kept)
    return reading


def _table(file: LocalFile, options: Mapping[str, Any], limit: int | None, reading: Reading) -> pa.Table:
    import pyarrow as pa

    skip = options.get("skip", 0)
    if isinstance(skip, bool) or not isinstance(skip, int) or skip < 0:
        raise InvalidArgumentError(f"The option skip must be a number of rows, not {skip!r}.")
    rows = _rows(file, options.get("sheet"), None if limit is None else skip + limit + 1, reading)[skip:]
    rows = [[None if cell == "" else cell for cell in row] for row in rows]
    if not rows:
        raise InvalidDataError(f"The sheet of {file.shown!r} is empty.")
    header = options.get("header")
    if header is None:
        header = all(cell is None or isinstance(cell, str) for cell in rows[0]) and any(rows[0])
    given = [None if cell is None else str(cell) for cell in rows[0]] if header else [None] * len(rows[0])
    names = unique_names(given, reading)
    body = rows[1:] if header else rows
    body = body if limit is None else body[:limit]
    columns = list(zip(*body, strict=True)) if body else [()] * len(names)
    arrays = [_column(name, values, reading) for name, values in zip(names, columns, strict=True)]
    return pa.Table.from_arrays(arrays, names=names)


def _rows(file: LocalFile, sheet: object, count: int | None, reading: Reading) -> list[list[Any]]:
    try:
        from python_calamine import CalamineError, CalamineWorkbook
    except ImportError as error:
        raise MissingExtraError("python-calamine", "wrangler") from error
    try:
        with CalamineWorkbook.from_path(str(file.path)) as workbook:
            names = workbook.sheet_names
            if not names:
                raise InvalidDataError(f"{file.shown!r} has no sheet.")
            chosen = _chosen(sheet, names, file)
            if sheet is None and len(names) > 1:
                reading.warnings.append(
                    f"The workbook has {len(names)} sheets ({', '.join(names[:10])}): the first one is read. "
                    "Set the sheet to read another."
                )
            rows: list[list[Any]] = workbook.get_sheet_by_name(chosen).to_python(nrows=count)
            return rows
    except (CalamineError, OSError, ValueError) as error:
        if isinstance(error, (InvalidArgumentError, InvalidDataError)):
            raise
        raise InvalidDataError(f"{file.shown!r} cannot be read as a workbook: {error}.") from error


def _chosen(sheet: object, names: Sequence[str], file: LocalFile) -> str:
    if sheet is None:
        return names[0]
    if isinstance(sheet, int) and not isinstance(sheet, bool) and 0 <= sheet < len(names):
        return names[sheet]
    if sheet in names:
        return str(sheet)
    raise InvalidArgumentError(f"{file.shown!r} has no sheet {sheet!r}: the sheets are {', '.join(names[:20])}.")


def _column(name: str, values: Sequence[Any], reading: Reading) -> pa.Array:
    """Return the cells of a column as one type: that of all of them, else text."""
    import pyarrow as pa

    kinds = {type(value) for value in values if value is not None}
    if not kinds:
        reading.note(name, "No value is known: kept as text.")
        return pa.array(values, type=pa.string())
    if kinds <= {int, float}:
        # A workbook knows only floats.
        if all(value is None or (float(value).is_integer() and abs(value) < 2**53) for value in values):
            return pa.array([None if value is None else int(value) for value in values], type=pa.int64())
        return pa.array([None if value is None else float(value) for value in values], type=pa.float64())
    if kinds == {date, datetime}:
        return pa.array(
            [datetime(one.year, one.month, one.day) if type(one) is date else one for one in values],
            type=pa.timestamp("us"),
        )
    if len(kinds) == 1:
        kind = pa.timestamp("us") if kinds == {datetime} else None
        return pa.array(values, type=kind)
    words = ", ".join(sorted({_WORDS.get(kind, kind.__name__) for kind in kinds}))
    reading.note(name, f"Cells of several kinds ({words}): kept as text.")
    return pa.array([None if value is None else _text(value) for value in values], type=pa.string())


def _text(value: Any) -> str:
    if isinstance(value, float) and value.is_integer() and abs(value) < 2**53:
        return str(int(value))
    return str(value)
