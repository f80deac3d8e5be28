"""Operators that make one row of several: group and aggregate, and the change between long and wide tables."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from kernel_tools.wrangler.kinds import Kind
from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, named, pick_column, pick_columns
from kernel_tools.wrangler.operators.base import require_column as require
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

Statistic = (
    Literal["rows", "count", "missing", "distinct", "sum", "mean", "median", "quantile", "min", "max", "std", "var"]
    | Literal["first", "last", "any", "all"]
)
"""What is computed of the values of a group.

rows counts all rows, count those with a value, missing those without; distinct counts different values. All others
leave missing values out, and are missing themselves where there is no value. median and quantile are interpolated, std
and var those of a sample (divided by n - 1). first and last are of the order of the rows.
"""


class Aggregation(BaseModel):
    """One column of the result."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    function: Statistic = Field(description="What is computed.")
    column: str | None = pick_column(default=None, description="Of which column; none is needed to count rows.")
    name: str | None = Field(None, description="The name of the result; by default the column and the function.")
    quantile: float = Field(0.5, ge=0, le=1, description="For quantile: which one.")

    @property
    def result(self) -> str:
        """The name of the result."""
        if self.name:
            return self.name
        if self.column is None:
            return self.function
        what = f"q{self.quantile * 100:g}" if self.function == "quantile" else self.function
        return f"{self.column}_{what}"


class Aggregate(Operator):
    """Make one row of each group of rows, sorted by the columns of the groups (missing last).

    A missing value is a group of its own. Without columns to group by, the result is one row.
    """

    op = "aggregate"
    title = "Group and aggregate"
    family = "rows"
    row_effect = "other"

    group_by: list[str] = pick_columns(default=[], minimum=0, description="The columns whose values make a group.")
    aggregations: list[Aggregation] = Field(description="What is computed of each group.", min_length=1)

    def sentence(self) -> str:
        """Name groups and results."""
        what = ", ".join(
            one.function if one.column is None else f"{one.function} of {one.column}" for one in self.aggregations
        )
        return f"Compute {what} by {', '.join(self.group_by)}" if self.group_by else f"Compute {what}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse functions that do not fit their column, and names that come twice."""
        super().check(*schemas)
        for one in self.aggregations:
            require_statistic(schemas[0], one.column, one.function, field="aggregations")
        groups = {name: schemas[0][name] for name in self.group_by}
        if len(groups) < len(self.group_by):
            raise StepError("A column to group by is named twice.", field="group_by")
        require_new_names(_schema(groups), [one.result for one in self.aggregations], field="aggregations")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Group, aggregate, order."""
        import ibis

        table = tables[0]
        if any(one.function in ("first", "last") for one in self.aggregations):
            table = table.mutate(**{ROW: ibis.row_number()})
        results = {one.result: statistic(table, one.column, one.function, one.quantile) for one in self.aggregations}
        if not self.group_by:
            return table.aggregate(named(results))
        return table.group_by(self.group_by).agg(named(results)).order_by(self.group_by)


def statistic(
    table: ir.Table, column: str | None, function: str, quantile: float = 0.5, *, where: Any = None
) -> ir.Scalar:
    """Return an aggregate of a column; ``first`` and ``last`` need the number of the row in `ROW`."""
    if column is None or function == "rows":
        return table.count(where=where)
    value = table[column]
    if value.type().is_boolean() and function not in ("any", "all"):
        value = value.cast("int64") if function in _OF_NUMBERS else value
    if function in ("first", "last"):
        return getattr(value, function)(order_by=table[ROW], where=where)
    return _STATISTICS[function](value, where, quantile)


_OF_NUMBERS = ("sum", "mean", "median", "quantile", "std", "var")

_STATISTICS: dict[str, Callable[[Any, Any, float], Any]] = {
    "count": lambda x, where, q: x.count(where=where),
    "missing": lambda x, where, q: x.isnull().sum(where=where).fill_null(0),
    "distinct": lambda x, where, q: x.nunique(where=where),
    "sum": lambda x, where, q: x.sum(where=where),
    "mean": lambda x, where, q: x.mean(where=where),
    "median": lambda x, where, q: x.cast("float64").median(where=where),
    "quantile": lambda x, where, q: x.cast("float64").quantile(q, where=where),
    "min": lambda x, where, q: x.min(where=where),
    "max": lambda x, where, q: x.max(where=where),
    "std": lambda x, where, q: x.std(how="sample", where=where),
    "var": lambda x, where, q: x.var(how="sample", where=where),
    "any": lambda x, where, q: x.any(where=where),
    "all": lambda x, where, q: x.all(where=where),
}


def require_statistic(schema: ibis.Schema, column: str | None, function: str, *, field: str) -> None:
    """Refuse a function that cannot be computed of a column.

    Raises
    ------
    StepError
        With the kinds that it works on.
    """
    if column is None:
        if function != "rows":
            raise StepError(f"Say of which column the {function} is computed.", field=field)
        return
    kinds: tuple[Kind, ...] = ()
    if function in _OF_NUMBERS:
        kinds = ("number", "boolean")
    elif function in ("any", "all"):
        kinds = ("boolean",)
    elif function in ("min", "max", "distinct"):
        kinds = ("number", "string", "boolean", "date", "datetime", "time")
    require(schema, column, kinds, field=field)


def _schema(columns: dict[str, Any]) -> ibis.Schema:
    import ibis

    return ibis.schema(columns)
