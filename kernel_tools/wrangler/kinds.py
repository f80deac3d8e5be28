"""The kinds of columns, which decide what a step may be done to: coarser than the types of an engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    import ibis.expr.datatypes as dt

Kind = Literal["number", "string", "boolean", "datetime", "date", "time", "list", "struct", "binary", "other"]

KIND_WORDS: dict[Kind, str] = {
    "number": "numbers",
    "string": "text",
    "boolean": "true and false",
    "datetime": "date-times",
    "date": "dates",
    "time": "times of day",
    "list": "lists",
    "struct": "structures",
    "binary": "bytes",
    "other": "values of a rare type",
}
"""What a column of a kind holds, in messages."""


def kind_of(dtype: dt.DataType) -> Kind:
    """Return the kind of an Ibis type.

    A type that nothing is known of, an interval or a map is ``other``; JSON is a ``string``.
    """
    if dtype.is_boolean():
        return "boolean"
    if dtype.is_numeric():
        return "number"
    if dtype.is_string() or dtype.is_json() or dtype.is_uuid():
        return "string"
    if dtype.is_timestamp():
        return "datetime"
    if dtype.is_date():
        return "date"
    if dtype.is_time():
        return "time"
    if dtype.is_array():
        return "list"
    if dtype.is_struct():
        return "struct"
    return "binary" if dtype.is_binary() else "other"
