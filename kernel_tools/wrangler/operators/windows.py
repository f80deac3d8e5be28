"""The operator that computes something of each row among its neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.aggregation import require_statistic
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    hinted,
    in_order,
    pick_column,
    pick_columns,
    with_columns,
)
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

_RANKS = ("row_number", "rank", "dense_rank", "percent_rank")


class Window(Operator):
    """Compute a column of each row and others of its group, in an order; the rows stay as they are.

    row_number counts from 1; rank and dense_rank give equal rows the same number, from 1, with and without gaps;
    percent_rank is from 0 to 1. cumulative takes the rows up to this one, moving the last `rows` with this one (fewer
    at the start), group all rows of the group. Missing values do not count; a result without any value is missing.
    Without an order the rows come as they are; rows that are equal in it keep their order. Missing values of the order
    come last.
    """

    op = "window"
    title = "Window and rank"
    family = "columns"

    function: Literal[
        "row_number", "rank", "dense_rank", "percent_rank", "sum", "mean", "min", "max", "std", "count"
    ] = Field(description="What is computed.")
    frame: Literal["cumulative", "moving", "group"] = Field(
        "cumulative", description="For all but ranks: of which rows of the group."
    )
    rows: int = Field(3, ge=1, le=1_000_000, description="For moving: how many rows, this one among them.")
    column: str | None = pick_column(default=None, description="For all but ranks: of which column.")
    partition_by: list[str] = pick_columns(default=[], minimum=0, description="The columns whose values make a group.")
    order_by: list[str] = pick_columns(default=[], minimum=0, description="The columns that order the rows of a group.")
    descending: list[str] = pick_columns(
        default=[], minimum=0, description="Those of them that go from large to small."
    )
    name: str = hinted("new_column", description="The new column.")

    def sentence(self) -> str:
        """Say what of what."""
        by = f" by {', '.join(self.partition_by)}" if self.partition_by else ""
        is_ordered = self.order_by and (self.function in _RANKS or self.frame != "group")
        along = f" along {', '.join(self.order_by)}" if is_ordered else ""
        what = self.function if self.function in _RANKS else f"{self._frame_words} {self.function} of {self.column}"
        return f"Compute {self.name}: {what}{by}{along}"

    @property
    def _frame_words(self) -> str:
        return f"moving ({self.rows} rows)" if self.frame == "moving" else self.frame

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a function without its column, and ranks without an order."""
        super().check(*schemas)
        require_new_names(schemas[0], [self.name], field="name", may_replace=True)
        if self.function not in _RANKS:
            if self.column is None:
                raise StepError(f"Say of which column the {self.function} is computed.", field="column")
            require_statistic(schemas[0], self.column, self.function, field="column")
        elif self.function != "row_number" and not self.order_by:
            raise StepError("A rank needs columns that order the rows.", field="order_by")
        for name in self.descending:
            if name not in self.order_by:
                raise StepError(f"{name!r} is not among the columns of the order.", field="descending")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compute over the window, and restore the order of the rows."""
        return in_order(tables[0], lambda numbered: with_columns(numbered, {self.name: self._value(numbered)}))

    def _value(self, table: ir.Table) -> Any:
        import ibis

        groups = [table[name] for name in self.partition_by]
        order = [table[name].desc() if name in self.descending else table[name].asc() for name in self.order_by]
        if self.function == "row_number":
            return ibis.row_number().over(ibis.window(group_by=groups, order_by=[*order, table[ROW]])) + 1
        if self.function == "percent_rank":
            return ibis.percent_rank().over(ibis.window(group_by=groups, order_by=order))
        if self.function in _RANKS:
            rank = ibis.rank() if self.function == "rank" else ibis.dense_rank()
            return rank.over(ibis.window(group_by=groups, order_by=order)) + 1
        return self._statistic(table).over(self._window(groups, [*order, table[ROW]]))

    def _statistic(self, table: ir.Table) -> Any:
        value = table[str(self.column)]
        if self.function == "count":
            return value.count()
        if value.type().is_boolean():
            value = value.cast("int64")
        return value.std(how="sample") if self.function == "std" else getattr(value, self.function)()

    def _window(self, groups: list[Any], order: list[Any]) -> Any:
        import ibis

        if self.frame == "group":
            return ibis.window(group_by=groups)
        first = 1 - self.rows if self.frame == "moving" else None
        return ibis.window(group_by=groups, order_by=order, rows=(first, 0))
