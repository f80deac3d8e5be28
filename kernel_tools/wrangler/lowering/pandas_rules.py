"""Operations that need more than a sign or a method in pandas; see `pandas_values`."""

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
    pattern_code,
)
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import text
from kernel_tools.wrangler.lowering.pandas_values import (
    before_method,
    binary_code,
    condition_code,
    inner,
    is_constant,
    members_code,
    series_code,
    type_code,
    value_code,
)
from kernel_tools.wrangler.lowering.pandas_windows import window_code
from kernel_tools.wrangler.lowering.relations import Context
from kernel_tools.wrangler.lowering.shapes import is_not_negative

_UNITS = {"Y": "YS", "Q": "QS", "M": "MS", "W": "W", "D": "D", "h": "h", "m": "min", "s": "s"}
_SECONDS = "1_000_000"


def _add(op: Any, context: Context) -> str:
    code = value_code(op.left, context)
    is_shorter = is_place(op) and code.endswith(" - 1")
    return code.removesuffix(" - 1") if is_shorter else binary_code(op, "+", context)


def _modulus(op: Any, context: Context) -> str:
    left, right = inner(op.left, context), inner(op.right, context)
    if is_not_negative(op.left) and is_not_negative(op.right):
        return f"{left} - {left} // {right} * {right}"
    size, by = (
        f"abs({code})" if is_constant(one) else f"{code}.abs()" for one, code in ((op.left, left), (op.right, right))
    )
    return f"np.sign({left}) * ({size} - {size} // {by} * {by})"


def _power(op: Any, context: Context) -> str:
    left = inner(op.left, context)
    if op.dtype.is_floating() and not op.left.dtype.is_floating() and not is_constant(op.left):
        left = f'{left}.astype("double[pyarrow]")'
    return f"{left} ** {inner(op.right, context)}"


def _round(op: Any, context: Context) -> str:
    """Round halves away from zero."""
    code, digits = before_method(op.arg, context), 0 if op.digits is None else constant(op.digits)
    scale = "" if not digits else f" * {10**digits}" if digits > 0 else f" / {10**-digits}"
    back = "" if not digits else f" / {10**digits}" if digits > 0 else f" * {10**-digits}"
    found = f"np.sign({code}) * np.floor({code}.abs(){scale} + 0.5){back}"
    return f"({found}).astype({type_code(op.dtype)})" if op.dtype.is_integer() else found


def _whole(op: Any, context: Context) -> str:
    code = f"np.{'ceil' if isinstance(op, ops.Ceil) else 'floor'}({value_code(op.arg, context)})"
    return f"{code}.astype({type_code(op.dtype)})" if op.dtype.is_integer() else code


def _cast(op: Any, context: Context) -> str:
    source, target = op.arg.dtype, op.to
    if isinstance(op.arg, ops.Literal):
        number = source.is_numeric() and target.is_numeric()
        if not (number or op.arg.value is None or source.copy(nullable=True) == target.copy(nullable=True)):
            raise UnsupportedError(f"a cast from {source} to {target}")
        return literal_code(ops.Literal(op.arg.value, target))
    is_same = source.copy(nullable=True) == target.copy(nullable=True)
    is_same = is_same or (source.is_timestamp() and target.is_timestamp() and source.timezone == target.timezone)
    if is_same or (source.is_string() and target.is_json()):
        return value_code(op.arg, context)
    code = before_method(op.arg, context)
    if source.is_timestamp() and target.is_date():
        return f"{code}.dt.date"
    if (source.is_string() and not target.is_string()) or (source.is_floating() and target.is_string()):
        raise UnsupportedError(f"a cast from {source} to {target}")
    if source.is_floating() and target.is_integer() and not isinstance(op.arg, (ops.Floor, ops.Ceil, ops.IfElse)):
        code = f"{code}.round()"
    return f"{code}.astype({type_code(target)})"


def _try_cast(op: Any, context: Context) -> str:
    """Convert text; what cannot be converted is missing."""
    code, target = before_method(op.arg, context), op.to
    if op.arg.dtype.is_string() and target.is_integer():
        whole = f'{code}.where({code}.str.fullmatch("[+-]?[0-9]+").fillna(False))'
        return f'{whole}.str.lstrip("+").astype({type_code(target)})'
    if op.arg.dtype.is_string() and target.is_floating():
        return f'pd.to_numeric({code}, errors="coerce").astype({type_code(target)})'
    if op.arg.dtype.is_string() and (target.is_date() or target.is_timestamp()):
        return f'pd.to_datetime({code}, format="ISO8601", errors="coerce").astype({type_code(target)})'
    raise UnsupportedError(f"a cast from {op.arg.dtype} to {target}")


def _parsed(op: Any, context: Context) -> str:
    """Read moments in a given form; what has another one is missing."""
    value, form = op.args
    code = value_code(value, context)
    return f'pd.to_datetime({code}, format={text(constant(form))}, errors="coerce").astype({type_code(op.dtype)})'


def _coalesce(op: Any, context: Context) -> str:
    first, *others = op.arg
    code = series_code(first, context, op.dtype)
    for other in others:
        if constant_or(other, other) is None:
            continue
        if first.dtype.is_integer() and other.dtype.is_floating():
            code = f'{code}.astype("double[pyarrow]")'
        code += f".fillna({value_code(other, context)})"
    return code


def _chosen(pairs: list[tuple[Any, Any]], default: Any, op: Any, context: Context) -> str:
    condition, value = pairs[0]
    if (
        len(pairs) == 1
        and is_constant(default)
        and not is_constant(value)
        and value.dtype.is_floating() >= op.dtype.is_floating()
    ):
        other = value_code(default, context)
        arguments = _condition(condition, context) + ("" if other == "None" else f", {other}")
        return f"{before_method(value, context)}.where({arguments})"
    code = series_code(default, context, op.dtype)
    if op.dtype.is_floating() and not default.dtype.is_floating() and not is_constant(default):
        code = f'{code}.astype("double[pyarrow]")'
    for condition, value in reversed(pairs):
        other = value_code(value, context)
        code += f".mask({_condition(condition, context)}, {'pd.NA' if other == 'None' else other})"
    return code


def _condition(op: Any, context: Context) -> str:
    return f"{series_code(op, context)}.fillna(False)" if is_constant(op) else condition_code(op, context)


def _searched(op: Any, context: Context) -> str:
    return _chosen(list(zip(op.cases, op.results, strict=True)), op.default, op, context)


def _if_else(op: Any, context: Context) -> str:
    return _chosen([(op.bool_expr, op.true_expr)], op.false_null_expr, op, context)


def _simple(op: Any, context: Context) -> str:
    pairs = zip(op.cases, op.results, strict=True)
    table = ", ".join(f"{literal_code(one)}: {text(constant(result))}" for one, result in pairs)
    code = f"{before_method(op.base, context)}.map({{{table}}}).astype({type_code(op.dtype)})"
    default = value_code(op.default, context)
    return code if default == "None" else f"{code}.fillna({default})"


def _null_if(op: Any, context: Context) -> str:
    code = before_method(op.arg, context)
    return f"{code}.mask({inner(op.arg, context, beside=2)} == {value_code(op.null_if_expr, context)})"


def _in(op: Any, context: Context) -> str:
    missing = f"{before_method(op.value, context)}.isna()"
    return f'{members_code(op, context)}.astype("bool[pyarrow]").mask({missing})'


def _between(op: Any, context: Context) -> str:
    low, high = value_code(op.lower_bound, context), value_code(op.upper_bound, context)
    return f"{before_method(op.arg, context)}.between({low}, {high})"


def _concatenated(op: Any, context: Context) -> str:
    return " + ".join(inner(one, context) for one in op.arg)


def _substring(op: Any, context: Context) -> str:
    start = constant(op.start)
    end = "" if op.length is None else start + constant(op.length)
    return f"{before_method(op.arg, context)}.str[{start or ''}:{end}]"


def _right(op: Any, context: Context) -> str:
    return f"{before_method(op.arg, context)}.str[-{constant(op.nchars)}:]"


def _padded(op: Any, context: Context) -> str:
    side = "left" if isinstance(op, ops.LPad) else "right"
    return f'{before_method(op.arg, context)}.str.pad({constant(op.length)}, "{side}", {text(constant(op.pad))})'


def _split(op: Any, context: Context) -> str:
    return f"{before_method(op.arg, context)}.str.split({text(constant(op.delimiter))}, regex=False)"


def _found(op: Any, context: Context) -> str:
    if op.start is not None or op.end is not None:
        raise UnsupportedError("looking for text in a part")
    return f"{before_method(op.arg, context)}.str.find({text(constant(op.substr))})"


def _searched_for(op: Any, context: Context) -> str:
    pattern = pattern_code(_without_groups(constant(op.pattern)))
    return f"{before_method(op.arg, context)}.str.contains({pattern}, regex=True)"


def _without_groups(pattern: str) -> str:
    """Return a pattern whose groups are not taken out of the text."""
    return re.sub(r"(?<!\\)\((?!\?)", "(?:", pattern)


def _extracted(op: Any, context: Context) -> str:
    """Take a group of a pattern: empty where nothing is found, missing where there is no text."""
    code, pattern, index = before_method(op.arg, context), constant(op.pattern), constant(op.index)
    try:
        groups = re.compile(pattern).groups
    except re.error as error:
        raise UnsupportedError(f"a pattern that Python does not read ({error})") from error
    if index == 0:
        pattern = f"({_without_groups(pattern)})"
    place = f")[{index - 1}]" if index and groups > 1 else ", expand=False)"
    return f'{code}.str.extract({pattern_code(pattern)}{place}.fillna("").mask({code}.isna())'


def _replaced_pattern(op: Any, context: Context) -> str:
    pattern, new = pattern_code(constant(op.pattern)), pattern_code(constant(op.replacement))
    return f"{before_method(op.arg, context)}.str.replace({pattern}, {new}, regex=True)"


def _replaced(op: Any, context: Context) -> str:
    old, new = text(constant(op.pattern)), text(constant(op.replacement))
    return f"{before_method(op.arg, context)}.str.replace({old}, {new}, regex=False)"


def _contains(op: Any, context: Context) -> str:
    return f"{before_method(op.haystack, context)}.str.contains({text(constant(op.needle))}, regex=False)"


def _like(op: Any, context: Context) -> str:
    flags = "(?is)" if isinstance(op, ops.StringSQLILike) else "(?s)"
    pattern = pattern_code(like_pattern(constant(op.pattern), flags))
    return f"{before_method(op.arg, context)}.str.contains({pattern}, regex=True)"


def _begins(op: Any, context: Context) -> str:
    return f"{before_method(op.arg, context)}.str.startswith({text(constant(op.start))})"


def _ends(op: Any, context: Context) -> str:
    return f"{before_method(op.arg, context)}.str.endswith({text(constant(op.end))})"


def _week(op: Any, context: Context) -> str:
    code = before_method(op.arg, context)
    return f"{code}.dt.isocalendar().week.mask({code}.isna())"


def _unit(op: Any) -> str:
    if op.unit.short not in _UNITS:
        raise UnsupportedError(f"moments in {op.unit.plural}")
    return _UNITS[op.unit.short]


def _truncated(op: Any, context: Context) -> str:
    return f'{before_method(op.arg, context)}.dt.floor("{_unit(op)}")'


def _epoch(op: Any, context: Context) -> str:
    code = before_method(op.arg, context)
    moment = f'{code}.astype("timestamp[us][pyarrow]")' if op.arg.dtype.is_date() else code
    return f'{moment}.astype("int64[pyarrow]") // {_SECONDS}'


def _from_unix(op: Any, context: Context) -> str:
    if op.unit.short == "ns":
        raise UnsupportedError("moments in nanoseconds")
    factor = {"s": f" * {_SECONDS}", "ms": " * 1_000", "us": ""}[op.unit.short]
    code = inner(op.arg, context, beside=5)
    whole = "" if op.arg.dtype.is_integer() else '.astype("int64[pyarrow]")'
    code = f"({code}{factor})" if factor else code
    return f'{code}{whole}.astype("timestamp[us][pyarrow]")'


def _days(op: Any, context: Context) -> str:
    if constant(op.part) != "day":
        raise UnsupportedError(f"a difference in {constant(op.part)}s")
    return f"({inner(op.left, context)} - {inner(op.right, context)}).dt.days"


def _date(op: Any, context: Context) -> str:
    names = ("year", "month", "day")
    parts = ", ".join(f'"{name}": {value_code(one, context)}' for name, one in zip(names, op.args, strict=True))
    table = f"pd.DataFrame({{{parts}}}, index={context.frame}.index)"
    return f'pd.to_datetime({table}, errors="coerce").astype("date32[pyarrow]")'


def _element(op: Any, context: Context) -> str:
    place = constant(op.index)
    chosen = f"lambda values: values[{place}] if len(values) > {place} else pd.NA"
    return f'{before_method(op.arg, context)}.map({chosen}, na_action="ignore").astype({type_code(op.dtype)})'


def _array(op: Any, context: Context) -> str:
    parts = ", ".join(value_code(one, context) for one in op.exprs)
    rows = f"pd.concat([{parts}], axis=1).astype(object).where(lambda rows: rows.notna(), None).values.tolist()"
    return f"pd.Series({rows}, index={context.frame}.index, dtype={type_code(op.dtype)})"


def _most(op: Any, context: Context) -> str:
    word = "max" if isinstance(op, ops.Greatest) else "min"
    parts = ", ".join(series_code(one, context) for one in op.arg)
    return f"pd.concat([{parts}], axis=1).{word}(axis=1)"


WRITERS: dict[type | str, Callable[[Any, Context], str]] = {
    ops.Add: _add,
    ops.Modulus: _modulus,
    ops.Power: _power,
    ops.Round: _round,
    ops.Floor: _whole,
    ops.Ceil: _whole,
    ops.Greatest: _most,
    ops.Least: _most,
    ops.Negate: lambda op, context: f"-{inner(op.arg, context)}",
    ops.Not: lambda op, context: f"~{inner(op.arg, context)}",
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
    ops.StartsWith: _begins,
    ops.EndsWith: _ends,
    ops.ExtractWeekOfYear: _week,
    ops.ExtractEpochSeconds: _epoch,
    ops.TimestampTruncate: _truncated,
    ops.DateTruncate: _truncated,
    ops.DateDelta: _days,
    ops.DateFromYMD: _date,
    ops.TimestampFromUNIX: _from_unix,
    ops.ArrayIndex: _element,
    ops.Array: _array,
    ops.WindowFunction: window_code,
    "try_strptime": _parsed,
    "regexp_extract_all": lambda op, context: (
        f"{before_method(op.args[0], context)}.str.findall({pattern_code(constant(op.args[1]))})"
    ),
}
"""How an operation, or a function by its name, is written."""
