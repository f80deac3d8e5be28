"""Operators on rows as a whole: which stay, and in which order."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, hinted, pick_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Filter(Operator):
    """Keep the rows for which a condition is true, or remove them.

    A condition on a missing value is neither true nor false: such a row goes when the matching rows are kept, and stays
    when they are removed.
    """

    op = "filter"
    title = "Filter rows"
    family = "rows"
    row_effect = "subset"

    condition: str = hinted("formula", description="A condition on the columns, as in age >= 18 AND job IS NOT NULL.")
    matching: Literal["keep", "remove"] = Field("keep", description="What happens to the rows for which it is true.")

    def sentence(self) -> str:
        """Show the condition."""
        return f"{self.matching.capitalize()} rows where {self.condition}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a condition that does not fit."""
        from kernel_tools.wrangler.formula import condition

        condition(self.condition, schemas[0])

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Filter."""
        from kernel_tools.wrangler.formula import condition

        found = condition(self.condition, tables[0])
        return tables[0].filter(found if self.matching == "keep" else ~found.fill_null(False))


class Sort(Operator):
    """Sort the rows by columns.

    Missing values come last in both directions, text is ordered by code points, rows that are equal keep their order.
    """

    op = "sort"
    title = "Sort rows"
    family = "rows"

    columns: list[str] = pick_columns(description="The columns, the most important first.")
    descending: list[str] = pick_columns(
        default=[], minimum=0, description="Those of them that go from large to small."
    )

    def sentence(self) -> str:
        """Name the columns."""
        down = [f"{name} (descending)" if name in self.descending else name for name in self.columns]
        return f"Sort by {', '.join(down)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a direction for a column that is not sorted by."""
        super().check(*schemas)
        for name in self.descending:
            if name not in self.columns:
                raise StepError(f"{name!r} is not among the columns to sort by.", field="descending")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Order, the number of the row last."""
        import ibis

        keys = [ibis.desc(name) if name in self.descending else ibis.asc(name) for name in self.columns]
        numbered = tables[0].mutate(**{ROW: ibis.row_number()})
        return numbered.order_by([*keys, ibis.asc(ROW)]).drop(ROW)
