"""The values of an expression as pandas code: each operation of Ibis that has plain words there.

Columns hold Arrow types, so that integers stay integers and missing values stay missing. An operation without words
here raises `UnsupportedError`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import ibis.expr.datatypes as dt
import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.errors import UnsupportedError

Frame = Callable[[ops.Relation], str]
"""Gives the variable that holds a relation."""

_BINARY: dict[type, str] = {
    ops.Add: "+", ops.Subtract: "-", ops.Multiply: "*", ops.Power: "**", ops.Equals: "==", ops.NotEquals: "!=",
    ops.Less: "<", ops.LessEqual: "<=", ops.Greater: ">", ops.GreaterEqual: ">=", ops.And: "&", ops.Or: "|",
}  # fmt: skip

_TEXT: dict[type, str] = {
    ops.Lowercase: ".str.lower()",
    ops.Uppercase: ".str.upper()",
    ops.Capitalize: ".str.capitalize()",
    ops.StringLength: ".str.len()",
    ops.Strip: ".str.strip()",
    ops.LStrip: ".str.lstrip()",
    ops.RStrip: ".str.rstrip()",
}

_DATE: dict[type, str] = {
    ops.ExtractYear: ".dt.year",
    ops.ExtractQuarter: ".dt.quarter",
    ops.ExtractMonth: ".dt.month",
    ops.ExtractDay: ".dt.day",
    ops.ExtractDayOfYear: ".dt.day_of_year",
    ops.ExtractHour: ".dt.hour",
    ops.ExtractMinute: ".dt.minute",
    ops.ExtractSecond: ".dt.second",
    ops.DayOfWeekIndex: ".dt.dayofweek",
}

_NUMPY: dict[type, str] = {ops.Ln: "log", ops.Exp: "exp", ops.Sqrt: "sqrt", ops.Sin: "sin", ops.Cos: "cos"}

_DTYPES: dict[str, str] = {
    "int8": "int8[pyarrow]", "int16": "int16[pyarrow]", "int32": "int32[pyarrow]", "int64": "int64[pyarrow]",
    "float32": "float[pyarrow]", "float64": "double[pyarrow]", "boolean": "bool[pyarrow]",
}  # fmt: skip


def value_code(op: ops.Value, frame: Frame) -> str:
    """Return an expression of Python for a value.

    Raises
    ------
    UnsupportedError
        If an operation has no words in pandas here.
    """
    kind = type(op)
    if isinstance(op, ops.Field):
        return f"{frame(op.rel)}[{op.name!r}]"
    if isinstance(op, ops.Alias):
        return value_code(op.arg, frame)
    if isinstance(op, ops.Literal):
        return literal_code(op)
    if kind in _BINARY:
        return f"{inner(op.left, frame)} {_BINARY[kind]} {inner(op.right, frame)}"
    if kind in _TEXT:
        return f"{inner(op.arg, frame)}{_TEXT[kind]}"
    if kind in _DATE:
        return f"{_moment(op.arg, frame)}{_DATE[kind]}"
    if kind in _NUMPY:
        return f"np.{_NUMPY[kind]}({value_code(op.arg, frame)})"
    writer = _WRITERS.get(kind)
    if writer is None:
        raise UnsupportedError(f"The operation {kind.__name__} has no pandas code yet.")
    return writer(op, frame)


def inner(op: ops.Value, frame: Frame) -> str:
    """Return an expression that may stand beside an operator or before a method."""
    while isinstance(op, ops.Alias):
        op = op.arg
    code = value_code(op, frame)
    is_infix = type(op) in _BINARY or isinstance(op, (ops.Divide, ops.StringConcat))
    return f"({code})" if is_infix or code.startswith(("-", "~")) else code


def literal_code(op: ops.Literal) -> str:
    """Return a constant."""
    if op.value is None:
        return "None"
    if op.dtype.is_date():
        return f"datetime.date({op.value.year}, {op.value.month}, {op.value.day})"
    if op.dtype.is_timestamp():
        return f"pd.Timestamp({op.value.isoformat()!r})"
    if isinstance(op.value, (str, bool, int, float)):
        return repr(op.value)
    raise UnsupportedError(f"A constant of the type {op.dtype} has no pandas code yet.")


def dtype_code(dtype: dt.DataType) -> str:
    """Return the pandas dtype of a type, as an expression."""
    name = str(dtype.copy(nullable=True)).lstrip("!")
    if name in _DTYPES:
        return repr(_DTYPES[name])
    if dtype.is_string():
        return "pd.ArrowDtype(pa.string())"
    if dtype.is_date():
        return "pd.ArrowDtype(pa.date32())"
    raise UnsupportedError(f"The type {dtype} has no pandas code yet.")


def _is_scalar(op: ops.Value) -> bool:
    return bool(op.shape.is_scalar())


def _series(op: ops.Value, frame: Frame, index: str, dtype: dt.DataType) -> str:
    """Return a value as a column, also if it is a constant."""
    code = value_code(op, frame)
    if not _is_scalar(op):
        return code
    return f"pd.Series({code}, index={index}.index, dtype={dtype_code(dtype)})"


def _base(op: ops.Value, frame: Frame) -> str:
    """Return the variable of the table that an expression is about."""
    for field in op.find(ops.Field):
        return frame(field.rel)
    raise UnsupportedError("A value that names no column has no pandas code yet.")


def _moment(op: ops.Value, frame: Frame) -> str:
    code = inner(op, frame)
    return f"pd.to_datetime({code})" if op.dtype.is_date() else code


def _divide(op: Any, frame: Frame) -> str:
    right = op.right
    left = inner(op.left, frame)
    if isinstance(right, ops.NullIf) and isinstance(right.null_if_expr, ops.Literal) and right.null_if_expr.value == 0:
        divisor = inner(right.arg, frame)
        return f"{left} / {divisor}.mask({divisor} == 0)"
    return f"{left} / {inner(right, frame)}"


def _cast(op: Any, frame: Frame) -> str:
    code, source, target = inner(op.arg, frame), op.arg.dtype, op.to
    if source.copy(nullable=True) == target.copy(nullable=True):
        return value_code(op.arg, frame)
    if isinstance(op.arg, ops.Literal):
        return code
    plain = source.is_numeric() or source.is_boolean()
    if not (plain and (target.is_integer() or target.is_floating() or target.is_boolean())):
        raise UnsupportedError(f"A cast from {source} to {target} has no pandas code yet.")
    if source.is_floating() and target.is_integer():
        code = f"np.trunc({value_code(op.arg, frame)})"
    return f"{code}.astype({dtype_code(target)})"


def _coalesce(op: Any, frame: Frame) -> str:
    first, *others = op.arg
    if _is_scalar(first):
        raise UnsupportedError("The first value of constants has no pandas code yet.")
    code = inner(first, frame)
    for other in others:
        if isinstance(other, ops.Literal) and other.value is None:
            continue
        if first.dtype.is_integer() and other.dtype.is_floating():
            code = f'{code}.astype("double[pyarrow]")'
        code += f".fillna({value_code(other, frame)})"
    return code


def _chosen(pairs: list[tuple[str, ops.Value]], default: ops.Value, op: ops.Value, frame: Frame) -> str:
    base = _base(op, frame)
    code = inner(default, frame) if not _is_scalar(default) else _series(default, frame, base, op.dtype)
    if op.dtype.is_floating() and not _is_scalar(default) and default.dtype.is_integer():
        code = f'{code}.astype("double[pyarrow]")'
    for condition, value in reversed(pairs):
        wide = value_code(value, frame) if not (_is_scalar(value) and value_code(value, frame) == "None") else "pd.NA"
        code = f"{code}.mask({condition}, {wide})"
    return code


def _condition(op: ops.Value, frame: Frame) -> str:
    return f"{inner(op, frame)}.fillna(False)"


def _if_else(op: Any, frame: Frame) -> str:
    return _chosen([(_condition(op.bool_expr, frame), op.true_expr)], op.false_null_expr, op, frame)


def _searched(op: Any, frame: Frame) -> str:
    pairs = [(_condition(one, frame), value) for one, value in zip(op.cases, op.results, strict=True)]
    return _chosen(pairs, op.default, op, frame)


def _simple(op: Any, frame: Frame) -> str:
    table = {one.value: result.value for one, result in zip(op.cases, op.results, strict=True) if _is_pair(one, result)}
    if len(table) != len(op.cases):
        raise UnsupportedError("A choice between computed values has no pandas code yet.")
    code = f"{inner(op.base, frame)}.map({table!r}).astype({dtype_code(op.dtype)})"
    default = value_code(op.default, frame)
    if default == "None":
        return code
    return f"{code}.fillna({default})"


def _is_pair(one: ops.Value, result: ops.Value) -> bool:
    return isinstance(one, ops.Literal) and isinstance(result, ops.Literal)


def _in(op: Any, frame: Frame) -> str:
    options = ", ".join(literal_code(one) for one in op.options if isinstance(one, ops.Literal))
    code = inner(op.value, frame)
    code = f"({code} + 0.0)" if op.value.dtype.is_floating() else code  # the negative zero is the same
    return f'{code}.isin([{options}]).astype("bool[pyarrow]").mask({code}.isna())'


def _between(op: Any, frame: Frame) -> str:
    return f"{inner(op.arg, frame)}.between({value_code(op.lower_bound, frame)}, {value_code(op.upper_bound, frame)})"


def _concatenated(op: Any, frame: Frame) -> str:
    return " + ".join(inner(one, frame) for one in op.arg)


def _week(op: Any, frame: Frame) -> str:
    moment = _moment(op.arg, frame)
    return f"{moment}.dt.isocalendar().week.mask({moment}.isna())"


def _replaced(op: Any, frame: Frame) -> str:
    pattern, new = value_code(op.pattern, frame), value_code(op.replacement, frame)
    return f"{inner(op.arg, frame)}.str.replace({pattern}, {new}, regex=True)"


def _padded(op: Any, frame: Frame, side: str) -> str:
    if not isinstance(op.length, ops.Literal):
        raise UnsupportedError("Filling up to a computed width has no pandas code yet.")
    return f"{inner(op.arg, frame)}.str.pad({op.length.value}, {side!r}, {value_code(op.pad, frame)})"


def _substring(op: Any, frame: Frame) -> str:
    if not isinstance(op.start, ops.Literal) or not (op.length is None or isinstance(op.length, ops.Literal)):
        raise UnsupportedError("A part of text at a computed place has no pandas code yet.")
    end = "None" if op.length is None else op.start.value + op.length.value
    return f"{inner(op.arg, frame)}.str.slice({op.start.value}, {end})"


def window_code(op: Any, frame: Frame) -> str:
    """Return a window function: rows ordered, grouped, and brought back by their index."""
    func, base = op.func, _base(op, frame)
    fields = [*op.group_by, *(key.arg for key in op.order_by)]
    if not all(isinstance(one, ops.Field) for one in fields):
        raise UnsupportedError("A window over computed values has no pandas code yet.")
    code = base
    if op.order_by:
        names, ascending = [key.arg.name for key in op.order_by], [bool(key.ascending) for key in op.order_by]
        order = "" if all(ascending) else f", ascending={ascending!r}"
        code = f'{base}.sort_values({names!r}{order}, kind="stable")'
    groups = [one.name for one in op.group_by]
    if isinstance(func, ops.RowNumber):
        if not groups:
            return f"pd.Series(np.arange(len({base})), index={code}.index)"
        return f"{code}.groupby({groups!r}, dropna=False).cumcount()"
    argument = getattr(func, "arg", None)
    if not isinstance(argument, ops.Field):
        raise UnsupportedError(f"{type(func).__name__} over a window has no pandas code yet.")
    code += f".groupby({groups!r}, dropna=False)[{argument.name!r}]" if groups else f"[{argument.name!r}]"
    if isinstance(func, (ops.Lag, ops.Lead)) and func.default is None:
        by = func.offset.value if isinstance(func.offset, ops.Literal) else 1
        return f"{code}.shift({by if isinstance(func, ops.Lag) else -by})"
    name = _OVER_GROUP.get(type(func))
    is_whole = op.start is None and op.end is None and not op.order_by
    if name is None or not is_whole or getattr(func, "where", None) is not None:
        raise UnsupportedError(f"{type(func).__name__} over this window has no pandas code yet.")
    if groups:
        return f"{code}.transform({name!r})"
    raise UnsupportedError("A window over all rows has no pandas code yet.")


_OVER_GROUP: dict[type, str] = {ops.Max: "max", ops.Min: "min", ops.Mean: "mean", ops.Count: "count"}


def _null_if(op: Any, frame: Frame) -> str:
    code = inner(op.arg, frame)
    return f"{code}.mask({code} == {value_code(op.null_if_expr, frame)})"


def _contains(op: Any, frame: Frame) -> str:
    return f"{inner(op.haystack, frame)}.str.contains({value_code(op.needle, frame)}, regex=False)"


def _matches(op: Any, frame: Frame) -> str:
    return f"{inner(op.arg, frame)}.str.contains({value_code(op.pattern, frame)}, regex=True)"


def _split(op: Any, frame: Frame) -> str:
    return f"{inner(op.arg, frame)}.str.split({value_code(op.delimiter, frame)}, regex=False)"


_WRITERS: dict[type, Callable[[Any, Frame], str]] = {
    ops.Divide: _divide,
    ops.Cast: _cast,
    ops.Coalesce: _coalesce,
    ops.IfElse: _if_else,
    ops.SearchedCase: _searched,
    ops.SimpleCase: _simple,
    ops.InValues: _in,
    ops.Between: _between,
    ops.StringConcat: _concatenated,
    ops.ExtractWeekOfYear: _week,
    ops.WindowFunction: window_code,
    ops.RegexSearch: lambda op, frame: (
        f"{inner(op.arg, frame)}.str.contains({value_code(op.pattern, frame)}, regex=True)"
    ),
    ops.RegexReplace: _replaced,
    ops.StringFind: lambda op, frame: f"{inner(op.arg, frame)}.str.find({value_code(op.substr, frame)})",
    ops.Floor: lambda op, frame: f"np.floor({value_code(op.arg, frame)})",
    ops.Ceil: lambda op, frame: f"np.ceil({value_code(op.arg, frame)})",
    ops.LPad: lambda op, frame: _padded(op, frame, "left"),
    ops.RPad: lambda op, frame: _padded(op, frame, "right"),
    ops.Substring: _substring,
    ops.StringSplit: lambda op, frame: (
        f"{inner(op.arg, frame)}.str.split({value_code(op.delimiter, frame)}, regex=False)"
    ),
    ops.IsNull: lambda op, frame: f"{inner(op.arg, frame)}.isna()",
    ops.NotNull: lambda op, frame: f"{inner(op.arg, frame)}.notna()",
    ops.Not: lambda op, frame: f"~{inner(op.arg, frame)}",
    ops.Negate: lambda op, frame: f"-{inner(op.arg, frame)}",
    ops.Abs: lambda op, frame: f"{inner(op.arg, frame)}.abs()",
    ops.NullIf: lambda op, frame: (
        f"{inner(op.arg, frame)}.mask({inner(op.arg, frame)} == {value_code(op.null_if_expr, frame)})"
    ),
    ops.StringContains: lambda op, frame: (
        f"{inner(op.haystack, frame)}.str.contains({value_code(op.needle, frame)}, regex=False)"
    ),
    ops.StartsWith: lambda op, frame: f"{inner(op.arg, frame)}.str.startswith({value_code(op.start, frame)})",
    ops.EndsWith: lambda op, frame: f"{inner(op.arg, frame)}.str.endswith({value_code(op.end, frame)})",
    ops.RowNumber: lambda op, frame: f"np.arange(len({_base(op, frame)}))",
}
"""An operation that needs more than a sign, and how it is written."""
