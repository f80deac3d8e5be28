"""Operations that need more than a sign or a method in polars; see `polars_values`."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import (
    constant,
    constant_or,
    is_place,
    like_pattern,
    literal_code,
    option_codes,
    pattern_code,
)
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import text
from kernel_tools.wrangler.lowering.polars_values import (
    aggregated,
    before_method,
    binary_code,
    column_code,
    inner,
    type_code,
    value_code,
)
from kernel_tools.wrangler.lowering.polars_windows import window_code
from kernel_tools.wrangler.lowering.shapes import Shapes, is_not_negative

_UNITS = {"Y": "1y", "Q": "1q", "M": "1mo", "W": "1w", "D": "1d", "h": "1h", "m": "1m", "s": "1s"}


def _add(op: Any, shapes: Shapes) -> str:
    code = value_code(op.left, shapes)
    is_shorter = is_place(op) and code.endswith(" - 1")
    return code.removesuffix(" - 1") if is_shorter else binary_code(op, "+", shapes)


def _modulus(op: Any, shapes: Shapes) -> str:
    left, right = inner(op.left, shapes), inner(op.right, shapes, is_alone=isinstance(op.left, ops.Literal))
    if is_not_negative(op.left) and is_not_negative(op.right):
        return binary_code(op, "%", shapes)
    size = f"abs({right})" if isinstance(op.right, ops.Literal) else f"{right}.abs()"
    return f"{left}.abs() % {size} * {left}.sign()"


def _power(op: Any, shapes: Shapes) -> str:
    left = inner(op.left, shapes)
    if op.dtype.is_floating() and not op.left.dtype.is_floating():
        left = f"{before_method(op.left, shapes)}.cast(pl.Float64)"
    return f"{left} ** {inner(op.right, shapes)}"


def _round(op: Any, shapes: Shapes) -> str:
    digits = 0 if op.digits is None else constant(op.digits)
    code = f'{before_method(op.arg, shapes)}.round({digits}, mode="half_away_from_zero")'
    return _cast_to(op.dtype, code) if op.dtype.is_integer() else code


def _whole(op: Any, shapes: Shapes) -> str:
    code = f"{before_method(op.arg, shapes)}.{'ceil' if isinstance(op, ops.Ceil) else 'floor'}()"
    return _cast_to(op.dtype, code) if op.dtype.is_integer() else code


def _cast_to(dtype: Any, code: str) -> str:
    return f"{code}.cast({type_code(dtype)})"


def _cast(op: Any, shapes: Shapes) -> str:
    source, target = op.arg.dtype, op.to
    if isinstance(op.arg, ops.Literal):
        return (
            column_code(ops.Literal(op.arg.value, target), shapes)
            if _fits(op.arg, target)
            else _strange(source, target)
        )
    if source.is_timestamp() and target.is_timestamp() and source.timezone == target.timezone:
        return value_code(op.arg, shapes)
    if source.copy(nullable=True) == target.copy(nullable=True) or (source.is_string() and target.is_json()):
        return value_code(op.arg, shapes)
    if source.is_date() and target.is_string():
        return f'{before_method(op.arg, shapes)}.dt.to_string("%Y-%m-%d")'
    if source.is_timestamp() and target.is_date():
        return f"{before_method(op.arg, shapes)}.dt.date()"
    if (source.is_string() and not target.is_string()) or (source.is_floating() and target.is_string()):
        return _strange(source, target)
    if source.is_floating() and target.is_integer() and not isinstance(op.arg, (ops.Floor, ops.Ceil, ops.IfElse)):
        return _cast_to(target, f"{before_method(op.arg, shapes)}.round()")
    return _cast_to(target, before_method(op.arg, shapes))


def _fits(op: Any, target: Any) -> bool:
    numeric = op.dtype.is_numeric() and target.is_numeric()
    return bool(numeric or op.value is None or op.dtype.copy(nullable=True) == target.copy(nullable=True))


def _strange(source: Any, target: Any) -> str:
    raise UnsupportedError(f"a cast from {source} to {target}")


def _try_cast(op: Any, shapes: Shapes) -> str:
    code, target = before_method(op.arg, shapes), op.to
    if op.arg.dtype.is_string() and (target.is_integer() or target.is_floating()):
        return f"{code}.cast({type_code(target)}, strict=False)"
    if op.arg.dtype.is_floating() and target.is_integer():
        return f"{code}.cast({type_code(target)}, strict=False)"
    if op.arg.dtype.is_string() and target.is_date():
        return f'{code}.str.to_date("%Y-%m-%d", strict=False)'
    if op.arg.dtype.is_string() and target.is_timestamp():
        whole = '.str.replace("T", " ").str.replace("^.{10}$", "$0 00:00").str.replace("^.{16}$", "$0:00")'
        return f'{code}{whole}.str.to_datetime("%Y-%m-%d %H:%M:%S%.f", time_unit="us", strict=False)'
    return _strange(op.arg.dtype, target)


def _parsed(op: Any, shapes: Shapes) -> str:
    value, form = op.args
    if "%y" in constant(form):
        raise UnsupportedError("years of two digits, of which polars puts 69 into another century")
    pattern = text(constant(form).replace(".%f", "%.f"))
    return f'{before_method(value, shapes)}.str.to_datetime({pattern}, time_unit="us", strict=False)'


def _coalesce(op: Any, shapes: Shapes) -> str:
    first, *others = op.arg
    if len(others) == 1 and isinstance(first, ops.Sum) and constant_or(others[0]) == 0:
        return f"{aggregated(first, shapes)}.sum()"
    if len(others) == 1 and not isinstance(first, ops.Literal):
        return f"{before_method(first, shapes)}.fill_null({value_code(others[0], shapes)})"
    return f"pl.coalesce({', '.join(column_code(one, shapes) for one in op.arg)})"


def _sum(op: Any, shapes: Shapes) -> str:
    code = aggregated(op, shapes)
    return f"pl.when({code}.count() > 0).then({code}.sum())"


def _spread(op: Any, shapes: Shapes) -> str:
    word = "std" if isinstance(op, ops.StandardDev) else "var"
    return f"{aggregated(op, shapes)}.{word}({'' if op.how == 'sample' else 'ddof=0'})"


def _quantile(op: Any, shapes: Shapes) -> str:
    return f'{aggregated(op, shapes)}.quantile({constant(op.quantile)!r}, "linear")'


def _rows(op: Any, shapes: Shapes) -> str:
    return "pl.len()" if op.where is None else f"{before_method(op.where, shapes)}.sum()"


def _chosen(pairs: list[tuple[Any, Any]], default: Any, op: Any, shapes: Shapes) -> str:
    results = [value for _, value in pairs] + [default]
    is_untyped = all(isinstance(one, ops.Literal) for one in results) and op.dtype.is_numeric()
    code = "pl"
    for condition, value in pairs:
        code += f".when({value_code(condition, shapes)}).then({_result(value, shapes)})"
    if constant_or(default, default) is not None:
        code += f".otherwise({_result(default, shapes)})"
    return _cast_to(op.dtype, code) if is_untyped else code


def _result(op: Any, shapes: Shapes) -> str:
    code = value_code(op, shapes)
    return f"pl.lit({code})" if isinstance(op, ops.Literal) and isinstance(op.value, str) else code


def _searched(op: Any, shapes: Shapes) -> str:
    return _chosen(list(zip(op.cases, op.results, strict=True)), op.default, op, shapes)


def _if_else(op: Any, shapes: Shapes) -> str:
    return _chosen([(op.bool_expr, op.true_expr)], op.false_null_expr, op, shapes)


def _simple(op: Any, shapes: Shapes) -> str:
    table = ", ".join(
        f"{literal_code(one)}: {text(constant(result))}" for one, result in zip(op.cases, op.results, strict=True)
    )
    default = value_code(op.default, shapes)
    code = f"{before_method(op.base, shapes)}.replace_strict({{{table}}}, default={default}"
    return f"{code}, return_dtype={type_code(op.dtype)})"


def _null_if(op: Any, shapes: Shapes) -> str:
    code = value_code(op.arg, shapes)
    return f"pl.when({inner(op.arg, shapes)} != {value_code(op.null_if_expr, shapes)}).then({code})"


def _in(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.value, shapes)}.is_in([{', '.join(option_codes(op))}])"


def _between(op: Any, shapes: Shapes) -> str:
    low, high = value_code(op.lower_bound, shapes), value_code(op.upper_bound, shapes)
    return f"{before_method(op.arg, shapes)}.is_between({low}, {high})"


def _text(op: Any, shapes: Shapes) -> str:
    """Return a text that polars would take for the name of a column."""
    return column_code(op, shapes)


def _concatenated(op: Any, shapes: Shapes) -> str:
    parts = [
        _text(one, shapes) if isinstance(one, ops.Literal) else inner(one, shapes, is_alone=place == 0)
        for place, one in enumerate(op.arg)
    ]
    return " + ".join(parts)


def _capitalized(op: Any, shapes: Shapes) -> str:
    code = before_method(op.arg, shapes)
    return f"{code}.str.head(1).str.to_uppercase() + {code}.str.slice(1).str.to_lowercase()"


def _substring(op: Any, shapes: Shapes) -> str:
    end = "" if op.length is None else f", {value_code(op.length, shapes)}"
    return f"{before_method(op.arg, shapes)}.str.slice({value_code(op.start, shapes)}{end})"


def _right(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.arg, shapes)}.str.tail({value_code(op.nchars, shapes)})"


def _padded(op: Any, shapes: Shapes) -> str:
    side, width = "start" if isinstance(op, ops.LPad) else "end", constant(op.length)
    return f"{before_method(op.arg, shapes)}.str.pad_{side}({width}, {text(constant(op.pad))})"


def _split(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.arg, shapes)}.str.split({_text(op.delimiter, shapes)})"


def _found(op: Any, shapes: Shapes) -> str:
    if op.start is not None or op.end is not None:
        raise UnsupportedError("looking for text in a part")
    code, part = before_method(op.arg, shapes), _text(op.substr, shapes)
    place = f"{code}.str.split({part}).list.first().str.len_chars().cast(pl.Int64)"
    return f"pl.when({code}.str.contains({part}, literal=True)).then({place}).when({code}.is_not_null()).then(-1)"


def _searched_for(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.arg, shapes)}.str.contains({pattern_code(constant(op.pattern))})"


def _extracted(op: Any, shapes: Shapes) -> str:
    code = before_method(op.arg, shapes)
    found = f"{code}.str.extract({pattern_code(constant(op.pattern))}, {constant(op.index)})"
    return f"{found}.fill_null({code}.str.head(0))"  # empty where nothing is found, missing where there is no text


def _replaced_pattern(op: Any, shapes: Shapes) -> str:
    new = re.sub(r"\\(\d)", r"${\1}", constant(op.replacement).replace("$", "$$")).replace("\\\\", "\\")
    return f"{before_method(op.arg, shapes)}.str.replace_all({pattern_code(constant(op.pattern))}, {text(new)})"


def _replaced(op: Any, shapes: Shapes) -> str:
    old, new = constant(op.pattern), constant(op.replacement)
    return f"{before_method(op.arg, shapes)}.str.replace_all({text(old)}, {text(new)}, literal=True)"


def _contains(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.haystack, shapes)}.str.contains({_text(op.needle, shapes)}, literal=True)"


def _like(op: Any, shapes: Shapes) -> str:
    flags = "(?is)" if isinstance(op, ops.StringSQLILike) else "(?s)"
    return f"{before_method(op.arg, shapes)}.str.contains({pattern_code(like_pattern(constant(op.pattern), flags))})"


def _unit(op: Any) -> str:
    if op.unit.short not in _UNITS:
        raise UnsupportedError(f"moments in {op.unit.plural}")
    return _UNITS[op.unit.short]


def _truncated(op: Any, shapes: Shapes) -> str:
    return f'{before_method(op.arg, shapes)}.dt.truncate("{_unit(op)}")'


def _day(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.arg, shapes)}.dt.weekday() - 1"


def _days(op: Any, shapes: Shapes) -> str:
    if constant(op.part) != "day":
        raise UnsupportedError(f"a difference in {constant(op.part)}s")
    return f"({inner(op.left, shapes)} - {inner(op.right, shapes)}).dt.total_days()"


def _date(op: Any, shapes: Shapes) -> str:
    return f"pl.date({', '.join(value_code(one, shapes) for one in (op.year, op.month, op.day))})"


def _from_unix(op: Any, shapes: Shapes) -> str:
    if op.unit.short == "ns":
        raise UnsupportedError("moments in nanoseconds")
    unit = {"s": "s", "ms": "ms", "us": "us"}[op.unit.short]
    code = f'pl.from_epoch({value_code(op.arg, shapes)}, "{unit}")'
    return code if unit == "us" else f'{code}.cast(pl.Datetime("us"))'


def _element(op: Any, shapes: Shapes) -> str:
    return f"{before_method(op.arg, shapes)}.list.get({value_code(op.index, shapes)}, null_on_oob=True)"


def _array(op: Any, shapes: Shapes) -> str:
    return f"pl.concat_list({', '.join(column_code(one, shapes) for one in op.exprs)})"


def _most(op: Any, shapes: Shapes) -> str:
    word = "max" if isinstance(op, ops.Greatest) else "min"
    return f"pl.{word}_horizontal({', '.join(column_code(one, shapes) for one in op.arg)})"


def _unnested(op: Any, shapes: Shapes) -> str:
    if not isinstance(op.arg, ops.IntegerRange):
        raise UnsupportedError("the elements of a computed list")
    numbers = [str(constant(one)) for one in (op.arg.start, op.arg.stop)]
    return f"pl.int_ranges({', '.join(numbers)})"


WRITERS: dict[type | str, Callable[[Any, Shapes], str]] = {
    ops.Add: _add,
    ops.Modulus: _modulus,
    ops.Power: _power,
    ops.Round: _round,
    ops.Floor: _whole,
    ops.Ceil: _whole,
    ops.Greatest: _most,
    ops.Least: _most,
    ops.Negate: lambda op, shapes: f"-{inner(op.arg, shapes, is_alone=True)}",
    ops.Not: lambda op, shapes: f"~{inner(op.arg, shapes, is_alone=True)}",
    ops.Cast: _cast,
    ops.TryCast: _try_cast,
    ops.Coalesce: _coalesce,
    ops.IfElse: _if_else,
    ops.SearchedCase: _searched,
    ops.SimpleCase: _simple,
    ops.NullIf: _null_if,
    ops.InValues: _in,
    ops.Between: _between,
    ops.StringConcat: _concatenated,
    ops.Capitalize: _capitalized,
    ops.Substring: _substring,
    ops.StrRight: _right,
    ops.LPad: _padded,
    ops.RPad: _padded,
    ops.StringSplit: _split,
    ops.StringFind: _found,
    ops.RegexSearch: _searched_for,
    ops.RegexExtract: _extracted,
    ops.RegexReplace: _replaced_pattern,
    ops.StringReplace: _replaced,
    ops.StringContains: _contains,
    ops.StringSQLLike: _like,
    ops.StringSQLILike: _like,
    ops.StartsWith: lambda op, shapes: f"{before_method(op.arg, shapes)}.str.starts_with({_text(op.start, shapes)})",
    ops.EndsWith: lambda op, shapes: f"{before_method(op.arg, shapes)}.str.ends_with({_text(op.end, shapes)})",
    ops.DayOfWeekIndex: _day,
    ops.TimestampTruncate: _truncated,
    ops.DateTruncate: _truncated,
    ops.DateDelta: _days,
    ops.DateFromYMD: _date,
    ops.TimestampFromUNIX: _from_unix,
    ops.ArrayIndex: _element,
    ops.Array: _array,
    ops.Unnest: _unnested,
    ops.Sum: _sum,
    ops.StandardDev: _spread,
    ops.Variance: _spread,
    ops.Quantile: _quantile,
    ops.CountStar: _rows,
    ops.WindowFunction: window_code,
    "try_strptime": _parsed,
    "regexp_extract_all": lambda op, shapes: (
        f"{before_method(op.args[0], shapes)}.str.extract_all({pattern_code(constant(op.args[1]))})"
    ),
}
"""How an operation, or a function by its name, is written."""
