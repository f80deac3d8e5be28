"""Operators on columns as a whole: choose, name, order, convert, compute."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Drop(Operator):
    """Remove columns."""

    op = "drop"
    title = "Drop columns"
    family = "columns"

    columns: list[str] = pick_columns(description="The columns to remove.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Drop {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse to remove all columns."""
        super().check(*schemas)
        if set(schemas[0].names) <= set(self.columns):
            raise StepError("This would drop every column. Leave at least one.", field="columns")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Project the rest."""
        return tables[0].drop(*self.columns)
