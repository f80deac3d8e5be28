"""The values of an expression as polars code: each operation of Ibis that has plain words there.

An operation without words here raises `UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import BINARY, PRECEDENCE, literal_code, relation_of
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import is_infix, text
from kernel_tools.wrangler.lowering.shapes import Shapes

METHODS: dict[type, str] = {
    ops.Lowercase: "str.to_lowercase()",
    ops.Uppercase: 'str.replace_all("ß", "ẞ").str.to_uppercase()',
    ops.StringLength: "str.len_chars()",
    ops.Strip: "str.strip_chars()",
    ops.LStrip: "str.strip_chars_start()",
    ops.RStrip: "str.strip_chars_end()",
    ops.Reverse: "str.reverse()",
    ops.ExtractYear: "dt.year()",
    ops.ExtractQuarter: "dt.quarter()",
    ops.ExtractMonth: "dt.month()",
    ops.ExtractDay: "dt.day()",
    ops.ExtractDayOfYear: "dt.ordinal_day()",
    ops.ExtractWeekOfYear: "dt.week()",
    ops.ExtractHour: "dt.hour()",
    ops.ExtractMinute: "dt.minute()",
    ops.ExtractSecond: "dt.second()",
    ops.ExtractEpochSeconds: 'dt.epoch("s")',
    ops.Date: "dt.date()",
    ops.Ln: "log()",
    ops.Log10: "log10()",
    ops.Log2: "log(2)",
    ops.Exp: "exp()",
    ops.Sqrt: "sqrt()",
    ops.Sin: "sin()",
    ops.Cos: "cos()",
    ops.Abs: "abs()",
    ops.Sign: "sign()",
    ops.IsNull: "is_null()",
    ops.NotNull: "is_not_null()",
    ops.IsNan: "is_nan()",
    ops.IsInf: "is_infinite()",
}
"""Operations of one argument that are a method."""

AGGREGATES: dict[type, str] = {
    ops.Max: "max()",
    ops.Min: "min()",
    ops.Any: "max()",
    ops.All: "min()",
    ops.Mean: "mean()",
    ops.Median: "median()",
    ops.Count: "count()",
    ops.CountDistinct: "drop_nulls().n_unique()",
    ops.First: "drop_nulls().first()",
    ops.Last: "drop_nulls().last()",
}

_TYPES: dict[str, str] = {
    "int8": "pl.Int8", "int16": "pl.Int16", "int32": "pl.Int32", "int64": "pl.Int64", "uint8": "pl.UInt8",
    "uint16": "pl.UInt16", "uint32": "pl.UInt32", "uint64": "pl.UInt64", "float32": "pl.Float32",
    "float64": "pl.Float64", "boolean": "pl.Boolean", "string": "pl.String", "date": "pl.Date",
}  # fmt: skip


def value_code(op: Any, shapes: Shapes) -> str:
    """Return an expression of Python: a constant, or an expression of polars.

    Raises
    ------
    UnsupportedError
        If an operation has no words in polars here.
    """
    kind = type(op)
    if isinstance(op, ops.Field):
        return f"pl.col({text(op.name)})"
    if isinstance(op, ops.Alias):
        return value_code(op.arg, shapes)
    if isinstance(op, ops.Literal):
        return literal_code(op)
    writer = writers().get(getattr(op, "__func_name__", kind))
    if writer is not None:
        return writer(op, shapes)
    if kind in BINARY:
        return binary_code(op, BINARY[kind], shapes)
    if kind in METHODS:
        return f"{before_method(op.arg, shapes)}.{METHODS[kind]}"
    if kind in AGGREGATES:
        return f"{aggregated(op, shapes)}.{AGGREGATES[kind]}"
    raise UnsupportedError(f"the operation {kind.__name__}")


def writers() -> dict[type | str, Callable[[Any, Shapes], str]]:
    """Return the operations that need more than a sign or a method."""
    from kernel_tools.wrangler.lowering.polars_rules import WRITERS

    return WRITERS


def column_code(op: ops.Value, shapes: Shapes) -> str:
    """Return an expression of polars, also for a constant, of the type that Ibis promises."""
    while isinstance(op, ops.Alias):
        op = op.arg
    if isinstance(op, ops.Literal):
        if isinstance(op.value, (str, bool)) or op.dtype.is_temporal() and op.value is not None:
            return f"pl.lit({literal_code(op)})"
        return f"pl.lit({literal_code(op)}, {type_code(op.dtype)})"
    return value_code(op, shapes)


def before_method(op: ops.Value, shapes: Shapes) -> str:
    """Return an expression that may stand before a method."""
    return inner(op, shapes, is_alone=True)


def inner(op: ops.Value, shapes: Shapes, *, is_alone: bool = False, beside: int = 9) -> str:
    """Return an expression that may stand beside an operator; of polars, if it is alone."""
    while isinstance(op, ops.Alias):
        op = op.arg
    code = column_code(op, shapes) if is_alone else value_code(op, shapes)
    binds = PRECEDENCE.get(BINARY.get(type(op), ""), 0)
    binds = 8 if isinstance(op, ops.Literal) else binds
    return f"({code})" if is_infix(code) and binds < beside else code


def binary_code(op: Any, sign: str, shapes: Shapes) -> str:
    """Return two values with a sign between them; brackets only where they are needed."""
    left = inner(op.left, shapes, beside=PRECEDENCE[sign])
    right = inner(op.right, shapes, is_alone=isinstance(op.left, ops.Literal), beside=PRECEDENCE[sign] + 1)
    return f"{left} {sign} {right}"


def type_code(dtype: dt.DataType) -> str:
    """Return the type of polars."""
    name = str(dtype.copy(nullable=True))
    if name in _TYPES:
        return _TYPES[name]
    if dtype.is_timestamp() and dtype.timezone is None:
        return 'pl.Datetime("us")'
    if dtype.is_array():
        return f"pl.List({type_code(dtype.value_type)})"
    if dtype.is_null():
        return "pl.Null"
    if dtype.is_json():
        return "pl.String"
    raise UnsupportedError(f"the type {dtype}")


def aggregated(op: Any, shapes: Shapes) -> str:
    """Return the values that an aggregate takes: those for which its condition holds, in its order."""
    code = before_method(op.arg, shapes)
    if getattr(op, "where", None) is not None:
        code += f".filter({value_code(op.where, shapes)})"
    keys = getattr(op, "order_by", ()) or ()
    if keys and shapes.keys(keys, relation_of(keys[0])):
        raise UnsupportedError("the first value in an order")
    return code
