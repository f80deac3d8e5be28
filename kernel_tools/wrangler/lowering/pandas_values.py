"""The values of an expression as pandas code: each operation of Ibis that has plain words there.

Columns hold Arrow types, so that integers stay integers and missing values stay missing. An operation without words
here raises `UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import BINARY, PRECEDENCE, literal_code, option_codes, relation_of
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import is_infix, text
from kernel_tools.wrangler.lowering.relations import Context
from kernel_tools.wrangler.lowering.shapes import parts_of

METHODS: dict[type, str] = {
    ops.Lowercase: "str.lower()",
    ops.Uppercase: "str.upper()",
    ops.Capitalize: "str.capitalize()",
    ops.StringLength: "str.len()",
    ops.Strip: "str.strip()",
    ops.LStrip: "str.lstrip()",
    ops.RStrip: "str.rstrip()",
    ops.Reverse: "str[::-1]",
    ops.ExtractYear: "dt.year",
    ops.ExtractQuarter: "dt.quarter",
    ops.ExtractMonth: "dt.month",
    ops.ExtractDay: "dt.day",
    ops.ExtractDayOfYear: "dt.day_of_year",
    ops.ExtractHour: "dt.hour",
    ops.ExtractMinute: "dt.minute",
    ops.ExtractSecond: "dt.second",
    ops.DayOfWeekIndex: "dt.day_of_week",
    ops.Date: "dt.date",
    ops.Abs: "abs()",
    ops.IsNull: "isna()",
    ops.NotNull: "notna()",
}
"""Operations of one argument that are a method."""

NUMPY: dict[type, str] = {
    ops.Ln: "log", ops.Log10: "log10", ops.Log2: "log2", ops.Exp: "exp", ops.Sqrt: "sqrt", ops.Sin: "sin",
    ops.Cos: "cos", ops.IsNan: "isnan", ops.IsInf: "isinf", ops.Sign: "sign",
}  # fmt: skip
"""Operations of one argument that are a function of NumPy."""

AGGREGATES: dict[type, str] = {
    ops.Max: "max",
    ops.Min: "min",
    ops.Any: "max",
    ops.All: "min",
    ops.Mean: "mean",
    ops.Median: "median",
    ops.Count: "count",
    ops.CountDistinct: "nunique",
    ops.First: "first",
    ops.Last: "last",
}
"""Aggregates that are a word."""

_TYPES: dict[str, str] = {
    "int8": '"int8[pyarrow]"', "int16": '"int16[pyarrow]"', "int32": '"int32[pyarrow]"', "int64": '"int64[pyarrow]"',
    "uint8": '"uint8[pyarrow]"', "uint16": '"uint16[pyarrow]"', "uint32": '"uint32[pyarrow]"',
    "uint64": '"uint64[pyarrow]"', "float32": '"float[pyarrow]"', "float64": '"double[pyarrow]"',
    "boolean": '"bool[pyarrow]"', "string": "pd.ArrowDtype(pa.string())", "json": "pd.ArrowDtype(pa.string())",
    "date": '"date32[pyarrow]"',
}  # fmt: skip


_SURE = (ops.IsNull, ops.NotNull, ops.InValues)
"""Conditions that are never missing, or are false where they are."""


def value_code(op: Any, context: Context) -> str:
    """Return an expression of Python: a constant, or a column.

    Raises
    ------
    UnsupportedError
        If an operation has no words in pandas here.
    """
    from kernel_tools.wrangler.lowering.pandas_rules import WRITERS

    kind = type(op)
    if isinstance(op, ops.Field):
        return f"{context.variable(op.rel)}[{text(op.name)}]"
    if isinstance(op, ops.Alias):
        return value_code(op.arg, context)
    if isinstance(op, ops.Literal):
        return literal_code(op)
    writer: Callable[[Any, Context], str] | None = WRITERS.get(getattr(op, "__func_name__", kind))
    if writer is not None:
        return writer(op, context)
    if kind in BINARY:
        return binary_code(op, BINARY[kind], context)
    if kind in METHODS:
        return f"{before_method(op.arg, context)}.{METHODS[kind]}"
    if kind in NUMPY:
        return f"np.{NUMPY[kind]}({value_code(op.arg, context)})"
    raise UnsupportedError(f"the operation {kind.__name__}")


def series_code(op: Any, context: Context, dtype: dt.DataType | None = None) -> str:
    """Return a column with methods; a constant has as many rows as its frame."""
    if not is_constant(op):
        return before_method(op, context)
    code = value_code(op, context)
    value = "pd.NA" if code == "None" else code
    return f"pd.Series({value}, index={context.frame}.index, dtype={type_code(dtype or op.dtype)})"


def is_constant(op: Any) -> bool:
    """Whether a value is the same for all rows, whatever they are."""
    return relation_of(op) is None and not parts_of(op, (ops.WindowFunction, ops.RowNumber))


def before_method(op: Any, context: Context) -> str:
    """Return an expression that may stand before a method."""
    return inner(op, context)


def inner(op: Any, context: Context, *, beside: int = 9) -> str:
    """Return an expression that may stand beside an operator."""
    while isinstance(op, ops.Alias):
        op = op.arg
    code = value_code(op, context)
    binds = PRECEDENCE.get(BINARY.get(type(op), ""), 0)
    binds = 8 if isinstance(op, ops.Literal) else binds
    return f"({code})" if is_infix(code) and binds < beside else code


def binary_code(op: Any, sign: str, context: Context) -> str:
    """Return two values with a sign between them; brackets only where they are needed."""
    if (
        isinstance(op.left, ops.Literal)
        and isinstance(op.right, ops.Literal)
        and None in (op.left.value, op.right.value)
    ):
        return "None"
    left = inner(op.left, context, beside=PRECEDENCE[sign])
    right = inner(op.right, context, beside=PRECEDENCE[sign] + 1)
    left, right = ("pd.NA" if one == "None" else one for one in (left, right))
    return f"{left} {sign} {right}"


def condition_code(op: Any, context: Context) -> str:
    """Return a condition that is never missing."""
    if isinstance(op, (ops.IsNull, ops.NotNull)):
        return value_code(op, context)
    if isinstance(op, ops.InValues):
        return members_code(op, context)
    if isinstance(op, (ops.And, ops.Or)) and all(isinstance(one, _SURE) for one in (op.left, op.right)):
        return f"{condition_code(op.left, context)} {BINARY[type(op)]} {condition_code(op.right, context)}"
    return f"{before_method(op, context)}.fillna(False)"


def members_code(op: Any, context: Context) -> str:
    """Return whether values are among constants; missing ones are not."""
    code, options = before_method(op.value, context), option_codes(op)
    if op.value.dtype.is_floating() and {"0.0", "-0.0"} & set(options):
        code = f"({code} + 0.0)"  # the negative zero is the same
    return f"{code}.isin([{', '.join(options)}])"


def type_code(dtype: dt.DataType) -> str:
    """Return the dtype of pandas, as an expression."""
    name = str(dtype.copy(nullable=True))
    if name in _TYPES:
        return _TYPES[name]
    if dtype.is_timestamp() and dtype.timezone is None:
        return '"timestamp[us][pyarrow]"'
    if dtype.is_null():
        return '"null[pyarrow]"'
    if dtype.is_array() and dtype.value_type.is_primitive():
        return f"pd.ArrowDtype(pa.list_({_arrow(dtype.value_type)}))"
    raise UnsupportedError(f"the type {dtype}")


def _arrow(dtype: dt.DataType) -> str:
    names = {"float64": "float64", "int64": "int64", "string": "string"}
    name = names.get(str(dtype.copy(nullable=True)))
    if name is None:
        raise UnsupportedError(f"lists of {dtype}")
    return f"pa.{name}()"
