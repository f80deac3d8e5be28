"""Operators that turn categories into numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_columns, rows_of

if TYPE_CHECKING:
    import ibis.expr.types as ir


class OneHot(Operator):
    """Replace each column by one column of 0 and 1 for each of its most frequent categories.

    Of equally frequent categories the smaller comes first. Rows with a missing value, or a category that is not among
    the learned ones, have 0 in all of them.
    """

    op = "one_hot"
    title = "One-hot encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    max_categories: int = Field(20, ge=1, le=1000, description="The most categories of a column, by frequency.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"One-hot encode {', '.join(self.columns)} (top {self.max_categories})"

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column, in the order of the new columns."""
        import ibis

        table, found = tables[0], {}
        for name in self.columns:
            counts = table.filter(table[name].notnull()).group_by(name).agg(n=lambda t: t.count())
            top = counts.order_by([ibis.desc("n"), ibis.asc(name)]).limit(self.max_categories)
            found[name] = [row[name] for row in rows_of(top)]
        return {"categories": found}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with each category."""
        table, new = tables[0], {}
        for name in self.columns:
            for category in state["categories"].get(name, []):
                new[f"{name}_{category}"] = (table[name] == category).fill_null(False).cast("int8")
        encoded = table.mutate(**new)
        return encoded if self.keep_original else encoded.drop(*self.columns)
