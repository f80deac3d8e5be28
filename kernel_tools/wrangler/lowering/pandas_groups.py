"""Aggregates in pandas: a word for a column of the groups; what is computed becomes a column before."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import constant, constant_or
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import arguments, is_infix, text, texts
from kernel_tools.wrangler.lowering.pandas_values import (
    AGGREGATES,
    before_method,
    condition_code,
    type_code,
    value_code,
)
from kernel_tools.wrangler.lowering.relations import Chain, Context


def aggregate_code(keys: Sequence[str], metrics: Mapping[str, Any], frame: Chain, context: Context) -> Chain:
    """Return the frame of the groups.

    Raises
    ------
    UnsupportedError
        If pandas has no words for an aggregate.
    """
    taken = sorted({"func", "engine", "engine_kwargs"} & set(metrics))
    if taken and keys:
        raise UnsupportedError(f"an aggregate called {taken[0]}")
    made: dict[str, str] = {}
    wanted: dict[str, tuple[str, str]] = {}
    types: dict[str, str] = {}
    for name, metric in metrics.items():
        while isinstance(metric, (ops.Alias, ops.Cast)):
            if isinstance(metric, ops.Cast):
                types.setdefault(name, type_code(metric.to))
            metric = metric.arg
        value = _argument(metric, context)
        if isinstance(value, str):
            made[f"_{name}"] = value
        first = keys[0] if keys else frame.columns[0]
        column = first if value is None else value.name if isinstance(value, ops.Field) else f"_{name}"
        wanted[name] = (column, _word(metric))
    columns = [*keys, *metrics]
    if keys:
        made |= {
            name: f"{context.frame}[{text(name)}] + 0.0" for name in keys if context.relation.schema[name].is_floating()
        }
        frame = frame.then(f".assign({arguments(made)})") if made else frame
        pairs = {name: f"({text(column)}, {word})" for name, (column, word) in wanted.items()}
        by = text(keys[0]) if len(keys) == 1 else f"[{texts(keys)}]"
        call = f".groupby({by}, sort=False, dropna=False, as_index=False).agg({arguments(pairs)})"
        found = frame.then(call, columns)
    else:
        codes = {name: f"({code})" if is_infix(code) else code for name, code in made.items()}
        parts = [
            f"{text(name)}: [{_of_all(codes.get(column, f'{frame.code}[{text(column)}]'), word)}]"
            for name, (column, word) in wanted.items()
        ]
        found = Chain(f"pd.DataFrame({{{', '.join(parts)}}})", columns)
    if types:
        found = found.then(f".astype({{{', '.join(f'{text(name)}: {one}' for name, one in types.items())}}})")
    return found


def _of_all(code: str, word: str) -> str:
    if word.startswith("lambda values: "):
        return f"{code}{word.removeprefix('lambda values: values')}"
    if word in ('"first"', '"last"'):
        return f"{code}.dropna().iloc[{0 if 'first' in word else -1}]"
    return f"len({code})" if word == '"size"' else f"{code}.{word[1:-1]}()"


def _word(metric: Any) -> str:
    """Return what pandas calls an aggregate: a name, or a function of the values of a group."""
    if isinstance(metric, ops.CountStar):
        return '"size"' if metric.where is None else '"sum"'
    if isinstance(metric, ops.Coalesce) and isinstance(metric.arg[0], ops.Sum) and constant_or(metric.arg[1]) == 0:
        return '"sum"'
    if isinstance(metric, ops.Sum):
        return "lambda values: values.sum(min_count=1)"
    if isinstance(metric, (ops.StandardDev, ops.Variance)):
        name = "std" if isinstance(metric, ops.StandardDev) else "var"
        return f'"{name}"' if metric.how == "sample" else f"lambda values: values.{name}(ddof=0)"
    if isinstance(metric, ops.Quantile):
        return f"lambda values: values.quantile({constant(metric.quantile)!r})"
    if type(metric) in AGGREGATES:
        return f'"{AGGREGATES[type(metric)]}"'
    raise UnsupportedError(f"the aggregate {type(metric).__name__}")


def _argument(metric: Any, context: Context) -> Any:
    """Return the column that an aggregate takes, code that computes it, or None if it only counts rows."""
    if isinstance(metric, ops.Coalesce):
        metric = metric.arg[0]
    if isinstance(metric, ops.CountStar):
        return None if metric.where is None else condition_code(metric.where, context)
    keys = getattr(metric, "order_by", ()) or ()
    if keys and context.shapes.keys(keys, context.relation):
        raise UnsupportedError("the first value in an order")
    if metric.where is not None:
        return f"{before_method(metric.arg, context)}.where({condition_code(metric.where, context)})"
    return metric.arg if isinstance(metric.arg, ops.Field) else value_code(metric.arg, context)
