"""Window functions in polars: rows keep their places there, whatever order a function goes through them in."""

from __future__ import annotations

from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import bound, relation_of
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import is_infix, text
from kernel_tools.wrangler.lowering.polars_values import before_method, value_code
from kernel_tools.wrangler.lowering.shapes import Shapes

_RUNNING = {
    ops.Count: "cum_count({})",
    ops.Sum: "cum_sum({}).{}()",
    ops.Max: "cum_max({}).{}()",
    ops.Min: "cum_min({}).{}()",
}
_ROLLING = {
    ops.Mean: "rolling_mean({}, min_samples=1)",
    ops.Sum: "rolling_sum({}, min_samples=1)",
    ops.Min: "rolling_min({}, min_samples=1)",
    ops.Max: "rolling_max({}, min_samples=1)",
    ops.StandardDev: "rolling_std({}, min_samples=2)",
    ops.Variance: "rolling_var({}, min_samples=2)",
}
_RANKS = (ops.MinRank, ops.DenseRank, ops.PercentRank)


def window_code(op: Any, shapes: Shapes) -> str:
    """Return a window function.

    Raises
    ------
    UnsupportedError
        If polars has no words for the function, or for its frame.
    """
    func = op.func
    while isinstance(func, (ops.Alias, ops.Cast)):
        func = func.arg
    keys = shapes.keys(op.order_by, relation_of(op.order_by[0])) if op.order_by else []
    groups = [value_code(one, shapes) for one in op.group_by]
    if isinstance(func, _RANKS):
        code = _over(_rank(func, op.order_by, shapes), groups, [], shapes)
        return code if isinstance(func, ops.PercentRank) else f"{code} - 1"
    return _over(_function(func, op, shapes), groups, keys if _minds_order(func, op) else [], shapes)


def _minds_order(func: Any, op: Any) -> bool:
    return isinstance(func, (ops.RowNumber, ops.Lag, ops.Lead)) or op.start is not None or op.end is not None


def _over(code: str, groups: list[str], keys: list[Any], shapes: Shapes) -> str:
    if not groups and not keys:
        return code
    parts = [_short(one) for one in groups]
    if keys:
        order = [_key(key, len(keys) > 1, shapes) for key in keys]
        down = ", descending=True" if len(keys) == 1 and not keys[0].ascending else ""
        parts.append(f"order_by={order[0] if len(order) == 1 else '[' + ', '.join(order) + ']'}{down}, nulls_last=True")
    code = f"({code})" if is_infix(code) else code
    return f"{code}.over({', '.join(parts)})"


def _key(key: Any, is_one_of_many: bool, shapes: Shapes) -> str:
    code = value_code(key.arg, shapes)
    if is_one_of_many and not key.ascending:
        return f'{code}.rank("dense", descending=True)'
    return _short(code)


def _short(code: str) -> str:
    """Return the name of a column where that is enough."""
    name = code.removeprefix("pl.col(").removesuffix(")")
    return name if code == f"pl.col({name})" and "(" not in name else code


def _function(func: Any, op: Any, shapes: Shapes) -> str:
    if isinstance(func, ops.RowNumber):
        return "pl.int_range(pl.len())"
    if isinstance(func, (ops.Lag, ops.Lead)):
        if func.default is not None:
            raise UnsupportedError("a neighbour with a default")
        by = 1 if func.offset is None else func.offset.value
        return f"{before_method(func.arg, shapes)}.shift({by if isinstance(func, ops.Lag) else -by})"
    if op.start is None and op.end is None:
        return _whole(func, shapes)
    if isinstance(func, ops.CountStar) or getattr(func, "where", None) is not None or op.how != "rows":
        raise UnsupportedError(f"{type(func).__name__} over such a window")
    start, end = bound(op.start), bound(op.end)
    if start is None and end == 0:
        return _running(func, shapes, is_backward=False)
    if start == 0 and end is None:
        return _running(func, shapes, is_backward=True)
    if start is not None and end == 0:
        return _rolling(func, shapes, 1 - start)
    raise UnsupportedError(f"{type(func).__name__} over such a window")


def _whole(func: Any, shapes: Shapes) -> str:
    if isinstance(func, ops.CountStar):
        return "pl.len().cast(pl.Int64)"
    code = value_code(func, shapes)
    return f"{code}.cast(pl.Int64)" if isinstance(func, ops.Count) else code


def _running(func: Any, shapes: Shapes, *, is_backward: bool) -> str:
    code, way = before_method(func.arg, shapes), "reverse=True" if is_backward else ""
    if isinstance(func, ops.Mean):
        return f"{code}.cum_sum({way}).{_filled(is_backward)}() / {code}.cum_count({way})"
    if type(func) not in _RUNNING:
        raise UnsupportedError(f"a running {type(func).__name__}")
    code = f"{code}.{_RUNNING[type(func)].format(way, _filled(is_backward))}"
    return f"{code}.cast(pl.Int64)" if isinstance(func, ops.Count) else code


def _filled(is_backward: bool) -> str:
    return "backward_fill" if is_backward else "forward_fill"


def _rolling(func: Any, shapes: Shapes, rows: int) -> str:
    code = before_method(func.arg, shapes)
    if isinstance(func, ops.Count):
        return f"{code}.is_not_null().cast(pl.Int64).rolling_sum({rows}, min_samples=1)"
    if type(func) not in _ROLLING:
        raise UnsupportedError(f"a moving {type(func).__name__}")
    return f"{code}.{_ROLLING[type(func)].format(rows)}"


def _rank(func: Any, keys: Any, shapes: Shapes) -> str:
    """Return a rank from 1 on, or the part of the rows before; missing values come last."""
    method = "dense" if isinstance(func, ops.DenseRank) else "min"
    if len(keys) == 1:
        code = _ranked(keys[0], method, shapes)
    else:
        code = f"pl.struct({', '.join(_ranked(key, 'dense', shapes) for key in keys)}).rank({text(method)})"
    code = f"{code}.cast(pl.Int64)"
    return f"({code} - 1) / (pl.len() - 1)" if isinstance(func, ops.PercentRank) else code


def _ranked(key: Any, method: str, shapes: Shapes) -> str:
    code, down = before_method(key.arg, shapes), "" if key.ascending else ", descending=True"
    after = f"{code}.drop_nulls().n_unique() + 1" if method == "dense" else f"{code}.count() + 1"
    return f'{code}.rank("{method}"{down}).fill_null({after})'
