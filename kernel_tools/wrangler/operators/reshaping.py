"""Operators between long and wide tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.aggregation import require_statistic, statistic
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    hinted,
    pick_column,
    pick_columns,
    rows_of,
)
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

_COLUMN = "__column__"


class Pivot(Operator):
    """Make a column of each value of a column: from long to wide.

    One row of each group of `index`, sorted by it (missing last). The values that become columns are learned, in their
    order; rows with a missing one, or with one that was not learned, count in no column.
    """

    op = "pivot"
    title = "Pivot to wide"
    family = "rows"
    row_effect = "other"
    learns = True

    index: list[str] = pick_columns(description="The columns whose values make a row.")
    names_from: str = pick_column(
        "string", "number", "boolean", "date", description="The column whose values become names of columns."
    )
    values_from: str | None = pick_column(default=None, description="The column whose values are put in.")
    function: Literal["rows", "count", "sum", "mean", "median", "min", "max", "first", "last"] = Field(
        "first", description="What is computed of several values."
    )
    prefix: str = Field("", max_length=100, description="Goes before the names of the new columns.")
    max_columns: int = Field(200, ge=1, le=2000, description="More values than these are refused.")

    def sentence(self) -> str:
        """Say what goes where."""
        what = self.function if self.values_from is None else f"{self.function} of {self.values_from}"
        return f"Pivot {self.names_from} to columns with {what}, one row by {', '.join(self.index)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a function that does not fit."""
        super().check(*schemas)
        if self.names_from in self.index:
            raise StepError(f"{self.names_from!r} cannot make rows and columns.", field="names_from")
        require_statistic(schemas[0], self.values_from, self.function, field="values_from")

    def learn(self, *tables: ir.Table) -> State:
        """Return the values that become columns, in their order."""
        column = tables[0][self.names_from]
        found = tables[0].filter(column.notnull()).select(self.names_from).distinct().order_by(self.names_from)
        values = [row[self.names_from] for row in rows_of(found.limit(self.max_columns + 1))]
        if len(values) > self.max_columns:
            raise StepError(
                f"{self.names_from!r} has more than {self.max_columns} values. Take another column, or raise the "
                "limit.",
                field="names_from",
            )
        return {"values": values}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Aggregate the rows of each value."""
        import ibis

        table = tables[0]
        if self.function in ("first", "last"):
            table = table.mutate(**{ROW: ibis.row_number()})
        names = [f"{self.prefix}{_written(value)}" for value in state["values"]]
        index = ibis.schema({name: table[name].type() for name in self.index})
        require_new_names(index, names, field="prefix")
        results = {
            name: statistic(table, self.values_from, self.function, where=table[self.names_from] == value)
            for name, value in zip(names, state["values"], strict=True)
        }
        return table.group_by(self.index).agg(**results).order_by(self.index)


def _written(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return value.isoformat() if hasattr(value, "isoformat") else str(value) or "empty"


class Unpivot(Operator):
    """Make a row of each of several columns: from wide to long.

    The other columns are repeated. The rows of a row are in the order of the columns given. Whole numbers beside
    floats become floats.
    """

    op = "unpivot"
    title = "Unpivot to long"
    family = "rows"
    row_effect = "other"

    columns: list[str] = pick_columns(description="The columns that become rows.")
    names_to: str = hinted("new_column", default="name", description="The column for their names.")
    values_to: str = hinted("new_column", default="value", description="The column for their values.")
    missing: Literal["keep", "drop"] = Field("keep", description="What happens to rows without a value.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Unpivot {', '.join(self.columns)} to {self.names_to} and {self.values_to}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse columns of several kinds."""
        super().check(*schemas)
        require_new_names(schemas[0], [self.names_to, self.values_to], field="names_to", replaced=self.columns)
        kinds = {kind_of(schemas[0][name]) for name in self.columns}
        if len(kinds) > 1:
            raise StepError("The columns are of several kinds. Change their types first.", field="columns")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Unite one table of each column."""
        import ibis
        import ibis.expr.datatypes as dt

        table = tables[0].mutate(**{ROW: ibis.row_number()})
        kept = [name for name in tables[0].columns if name not in self.columns]
        dtype = dt.highest_precedence([table[name].type().copy(nullable=True) for name in self.columns])
        parts = [
            table.select(
                *kept,
                ROW,
                **{
                    _COLUMN: ibis.literal(place, type="int64"),
                    self.names_to: ibis.literal(name),
                    self.values_to: table[name].cast(dtype),
                },
            )
            for place, name in enumerate(self.columns)
        ]
        united = ibis.union(*parts) if len(parts) > 1 else parts[0]
        if self.missing == "drop":
            united = united.filter(united[self.values_to].notnull())
        return united.order_by([ROW, _COLUMN]).drop(ROW, _COLUMN)
