"""Window functions in pandas: rows sorted, grouped, and back in their places by the index."""

from __future__ import annotations

from typing import Any

import ibis.expr.operations as ops

from kernel_tools.wrangler.lowering.constants import bound
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.layout import text, texts
from kernel_tools.wrangler.lowering.pandas_values import AGGREGATES, before_method, value_code
from kernel_tools.wrangler.lowering.relations import Context

_MOVING = {ops.Mean: "mean()", ops.Sum: "sum()", ops.Min: "min()", ops.Max: "max()", ops.Count: "count()",
           ops.StandardDev: "std({})", ops.Variance: "var({})"}  # fmt: skip
_RANKS = {ops.MinRank: "min", ops.DenseRank: "dense", ops.PercentRank: "min"}


def window_code(op: Any, context: Context) -> str:
    """Return a window function.

    Raises
    ------
    UnsupportedError
        If pandas has no words for the function, or for its frame.
    """
    func = op.func
    while isinstance(func, (ops.Alias, ops.Cast)):
        func = func.arg
    if type(func) in _RANKS:
        return _rank(func, op, context)
    if getattr(func, "where", None) is not None:
        raise UnsupportedError(f"{type(func).__name__} of some rows of a window")
    rows = _Rows(op, context)
    if isinstance(func, ops.RowNumber):
        return rows.numbers()
    if isinstance(func, (ops.Lag, ops.Lead)):
        if func.default is not None:
            raise UnsupportedError("a neighbour with a default")
        by = 1 if func.offset is None else func.offset.value
        return rows.of(func.arg, f"shift({by if isinstance(func, ops.Lag) else -by})")
    if op.start is None and op.end is None:
        return _whole(func, _Rows(op, context, is_ordered=False))
    if isinstance(func, ops.CountStar) or op.how != "rows" or type(func) not in _MOVING:
        raise UnsupportedError(f"{type(func).__name__} over such a window")
    return _moving(func, bound(op.start), bound(op.end), rows)


class _Rows:
    """The rows of a window function: those of a frame, in an order, in groups."""

    def __init__(self, op: Any, context: Context, *, is_ordered: bool = True) -> None:
        self._context = context
        self.frame = context.frame
        self.groups = list(op.group_by)
        keys = context.shapes.keys(op.order_by, context.relation) if is_ordered and op.order_by else []
        self.order = self._sorted(keys)

    def _sorted(self, keys: Any) -> str:
        if not keys:
            return ""
        if not all(isinstance(key.arg, ops.Field) for key in keys):
            raise UnsupportedError("a window in the order of computed values")
        names = [key.arg.name for key in keys]
        ascending = [bool(key.ascending) for key in keys]
        order = "" if all(ascending) else f", ascending={ascending[0] if len(keys) == 1 else ascending!r}"
        return f'.sort_values({_names(names)}{order}, kind="stable")'

    @property
    def by(self) -> str:
        """The groups as an argument: names, or columns where one is computed."""
        if all(isinstance(one, ops.Field) and not one.dtype.is_floating() for one in self.groups):
            return _names([one.name for one in self.groups])
        codes = self._columns
        return codes[0] if len(codes) == 1 else f"[{', '.join(codes)}]"

    @property
    def _columns(self) -> list[str]:
        zero = {True: " + 0.0", False: ""}  # the negative zero is the same
        return [before_method(one, self._context) + zero[one.dtype.is_floating()] for one in self.groups]

    def of(self, value: Any, call: str) -> str:
        """Return a call on a column of the rows; it is a value, or code."""
        end = ".sort_index()" if self.order else ""
        name, made = '"_value"', ""
        if not isinstance(value, ops.Field) and not self.order:
            column = f"({value})" if isinstance(value, str) else before_method(value, self._context)
            by = ", ".join(self._columns)
            groups = f".groupby({by if len(self.groups) == 1 else f'[{by}]'}, dropna=False)" if self.groups else ""
            return f"{column}{groups}.{call}"
        if isinstance(value, ops.Field):
            name = text(value.name)
        else:
            made = f".assign(_value={value if isinstance(value, str) else value_code(value, self._context)})"
        grouped = f".groupby({self.by}, dropna=False)" if self.groups else ""
        return f"{self.frame}{made}{self.order}{grouped}[{name}].{call}{end}"

    def numbers(self) -> str:
        """Return the number of each row."""
        end = ".sort_index()" if self.order else ""
        if self.groups:
            return f"{self.frame}{self.order}.groupby({self.by}, dropna=False).cumcount(){end}"
        if self.order:
            return f"pd.Series(np.arange(len({self.frame})), index={self.frame}{self.order}.index){end}"
        return f"pd.Series(np.arange(len({self.frame})), index={self.frame}.index)"

    def size(self) -> str:
        """Return how many rows there are."""
        if not self.groups:
            return f"len({self.frame})"
        column = text(next(iter(self._context.relation.schema)))
        return f'{self.frame}.groupby({self.by}, dropna=False)[{column}].transform("size")'


def _names(names: list[str]) -> str:
    return text(names[0]) if len(names) == 1 else f"[{texts(names)}]"


def _whole(func: Any, rows: _Rows) -> str:
    if isinstance(func, ops.CountStar):
        return rows.size() if rows.groups else f"pd.Series({rows.size()}, index={rows.frame}.index)"
    if isinstance(func, ops.Sum):
        word, call = '"sum", min_count=1', "sum(min_count=1)"
    elif isinstance(func, (ops.StandardDev, ops.Variance)):
        name = "std" if isinstance(func, ops.StandardDev) else "var"
        ddof = 1 if func.how == "sample" else 0
        word, call = f'"{name}", ddof={ddof}', f"{name}(ddof={ddof})"
    elif type(func) in AGGREGATES:
        word, call = f'"{AGGREGATES[type(func)]}"', f"{AGGREGATES[type(func)]}()"
    else:
        raise UnsupportedError(f"{type(func).__name__} over a window")
    if rows.groups:
        return rows.of(func.arg, f"transform({word})")
    return f"pd.Series({rows.of(func.arg, call)}, index={rows.frame}.index)"


def _moving(func: Any, start: int | None, end: int | None, rows: _Rows) -> str:
    least = 2 if isinstance(func, (ops.StandardDev, ops.Variance)) and func.how == "sample" else 1
    call = _MOVING[type(func)].format("" if least == 2 else "ddof=0")
    if start is not None and end == 0:
        moving = f"rolling({1 - start}, min_periods={least}).{call}"
    elif (start is None and end == 0) or (start == 0 and end is None):
        moving = f"expanding({'' if least == 1 else f'min_periods={least}'}).{call}"
    else:
        raise UnsupportedError(f"{type(func).__name__} over such a window")
    is_backward = start == 0 and end is None
    if is_backward:
        moving = f"iloc[::-1].{moving}.iloc[::-1]"
    code = rows.of(func.arg, f"transform(lambda values: values.{moving})" if rows.groups else moving)
    is_whole = isinstance(func, ops.Count) or (
        isinstance(func, (ops.Sum, ops.Min, ops.Max)) and func.arg.dtype.is_integer()
    )
    return f'{code}.astype("int64[pyarrow]")' if is_whole else code


def _rank(func: Any, op: Any, context: Context) -> str:
    """Return a rank from 0 on; missing values come last."""
    rows = _Rows(op, context, is_ordered=False)
    method = _RANKS[type(func)]
    if len(op.order_by) == 1:
        (key,) = op.order_by
        call = f'rank(method="{method}"{_direction(key)}, na_option="bottom")'
        call = f"transform(lambda values: values.{call})" if rows.groups and key.arg.dtype.is_string() else call
        code = rows.of(key.arg, call)
    else:
        places = [
            f'{before_method(key.arg, context)}.rank(method="dense"{_direction(key)}, na_option="bottom")'
            for key in op.order_by
        ]
        joined = places[0]
        for place in places[1:]:
            joined = (
                f"({joined}) * len({rows.frame}) + {place}"
                if "*" in joined
                else f"{joined} * len({rows.frame}) + {place}"
            )
        code = rows.of(joined, f'rank(method="{method}")')
    code = f'{code}.astype("int64[pyarrow]") - 1'
    if not isinstance(func, ops.PercentRank):
        return code
    return f"({code}) / ({rows.size()} - 1)"


def _direction(key: Any) -> str:
    return "" if key.ascending else ", ascending=False"
