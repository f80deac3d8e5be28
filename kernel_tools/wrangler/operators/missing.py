"""Operators for missing values."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, rows_of, values

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Impute(Operator):
    """Fill missing values with a statistic that is learned from the rows that have a value.

    The median is interpolated; of several most frequent values the smallest is taken. A column without any value stays
    as it is.
    """

    op = "impute"
    title = "Impute missing values"
    family = "missing"
    learns = True

    columns: list[str] = pick_columns(description="The columns to fill.")
    strategy: Literal["mean", "median", "mode"] = Field("median", description="Which statistic to fill in.")

    def sentence(self) -> str:
        """Name the columns and the statistic."""
        return f"Fill missing values of {', '.join(self.columns)} with the {self.strategy}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse means and medians of what is no number."""
        super().check(*schemas)
        for name in self.columns:
            if self.strategy != "mode" and kind_of(schemas[0][name]) != "number":
                raise StepError(
                    f"The {self.strategy} needs numbers, and {name!r} holds none. Use the strategy 'mode'.",
                    field="strategy",
                )

    def learn(self, *tables: ir.Table) -> State:
        """Return the value of each column."""
        table = tables[0]
        if self.strategy == "mode":
            return {"values": {name: most_frequent(table, name) for name in self.columns}}
        statistics = {name: getattr(table[name].cast("float64"), self.strategy)() for name in self.columns}
        return {"values": values(table, **statistics)}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Coalesce."""
        table, filled = tables[0], state["values"]
        return table.mutate(
            **{name: table[name].fill_null(filled[name]) for name in self.columns if filled[name] is not None}
        )


def most_frequent(table: ir.Table, name: str) -> Any:
    """Return the most frequent value of a column, the smallest of several, None if there is none."""
    import ibis

    counts = table.filter(table[name].notnull()).group_by(name).agg(n=lambda t: t.count())
    found = rows_of(counts.order_by([ibis.desc("n"), ibis.asc(name)]).limit(1))
    return found[0][name] if found else None
