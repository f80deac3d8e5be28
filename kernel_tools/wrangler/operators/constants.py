"""Values that are written into a recipe, as the type of a column holds them."""

from __future__ import annotations

from datetime import date, datetime, time
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.kinds import Kind, kind_of
from kernel_tools.wrangler.operators.base import StepError

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt

Scalar = str | bool | int | float
"""Text, a truth value or a number; a date, date-time or time of day is written as ISO 8601 text."""

_READERS: dict[Kind, Any] = {
    "datetime": datetime.fromisoformat,
    "date": date.fromisoformat,
    "time": time.fromisoformat,
}


def constant(value: Scalar, dtype: dt.DataType, column: str, *, field: str) -> Any:
    """Return `value` for a column of a type; a whole number stays one only in a column of whole numbers.

    Raises
    ------
    StepError
        If the column cannot hold it.
    """
    kind = kind_of(dtype)
    is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind == "number" and is_number:
        is_whole = dtype.is_integer() and float(value).is_integer()
        return int(value) if is_whole else float(value)
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "boolean" and isinstance(value, bool):
        return value
    if kind in _READERS and isinstance(value, str):
        try:
            return _READERS[kind](value)
        except ValueError:
            pass
    raise StepError(
        f"{value!r} is no value for the column {column!r}, which holds {_WORDS.get(kind, kind)}.", field=field
    )


_WORDS: dict[Kind, str] = {
    "number": "numbers",
    "string": "text",
    "boolean": "true and false",
    "datetime": "date-times (written as 2024-12-31T23:59:59)",
    "date": "dates (written as 2024-12-31)",
    "time": "times of day (written as 23:59:59)",
}
