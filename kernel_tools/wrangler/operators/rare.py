"""The operator for rare categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_columns, with_columns
from kernel_tools.wrangler.operators.statistics import frequencies, measure

if TYPE_CHECKING:
    import ibis.expr.types as ir


class ReplaceRare(Operator):
    """Replace categories that are rare, or were never seen, by one name.

    A category is common if it occurs at least `min_count` times, in at least `min_fraction` of the rows that have a
    value, and is among the `max_categories` most frequent ones (of equally frequent ones the smaller comes first). A
    missing value stays missing.
    """

    op = "replace_rare"
    title = "Replace rare categories"
    family = "outliers"
    learns = True

    columns: list[str] = pick_columns("string", description="The columns to look at.")
    min_count: int = Field(1, ge=1, description="How often a common category occurs at least.")
    min_fraction: float = Field(0.01, ge=0, le=1, description="In which part of the rows it occurs at least.")
    max_categories: int = Field(1000, ge=1, le=5000, description="How many common categories there are at most.")
    replacement: str = Field("other", description="What the others become.")

    def sentence(self) -> str:
        """Say what is rare."""
        limits = [f"below {self.min_fraction * 100:g} %"] if self.min_fraction else []
        limits += [f"fewer than {self.min_count} times"] if self.min_count > 1 else []
        limits += [f"beyond the top {self.max_categories}"] if self.max_categories < 1000 or not limits else []
        return f"Replace rare categories of {', '.join(self.columns)} by {self.replacement!r} ({', '.join(limits)})"

    def learn(self, *tables: ir.Table) -> State:
        """Return the common categories of each column."""
        table, common = tables[0], {}
        found = frequencies(table, self.columns, self.max_categories)
        rows = measure(table, {name: table[name].count() for name in self.columns}) if self.min_fraction else {}
        for name, counts in found.items():
            least = max(self.min_count, self.min_fraction * rows.get(name, 0))
            common[name] = [value for value, count in counts if count >= least]
        return {"categories": common}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Keep what is common."""
        table, new = tables[0], {}
        for name in self.columns:
            kept = table[name].isnull() | table[name].isin(state["categories"][name])
            new[name] = kept.ifelse(table[name], self.replacement)
        return with_columns(table, new)
