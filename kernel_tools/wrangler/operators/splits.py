"""The operator that splits rows into parts, for training and testing."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, hinted, pick_columns, with_columns
from kernel_tools.wrangler.operators.chance import (
    COUNT,
    PLACE,
    SCORE,
    is_within,
    score,
    seed_field,
    with_places,
    without_places,
)
from kernel_tools.wrangler.operators.naming import require_new_names

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Split(Operator):
    """Write into a new column which part a row belongs to; filter by it, or name the parts as outputs of the recipe.

    random takes rows by chance; stratified does so within each value of the columns; ordered takes the first rows
    first, in the order of the columns or as they are; key keeps rows with the same value of a column together, and
    takes values by chance. The sizes are those of the fractions, rounded to whole rows (for key: to whole values).
    """

    op = "split"
    title = "Split rows"
    family = "rows"

    method: Literal["random", "ordered", "stratified", "key"] = Field("random", description="How rows are taken.")
    parts: dict[str, float] = Field(
        {"train": 0.8, "test": 0.2}, min_length=2, max_length=20, description="The fraction of each part."
    )
    columns: list[str] = pick_columns(
        default=[], minimum=0, description="What orders the rows, whose values keep their shares, or the key."
    )
    name: str = hinted("new_column", default="split", description="The new column.")
    seed: int = seed_field()

    def sentence(self) -> str:
        """Name the parts."""
        shares = ", ".join(f"{part} {share * 100:g} %" for part, share in self.parts.items())
        by = f" by {', '.join(self.columns)}" if self.columns else ""
        return f"Split ({self.method}{by}) into {shares}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse fractions that are not the whole, and a method without its columns."""
        super().check(*schemas)
        require_new_names(schemas[0], [self.name], field="name")
        if any(not part for part in self.parts) or any(share <= 0 for share in self.parts.values()):
            raise StepError("Each part needs a name and a fraction above 0.", field="parts")
        if not math.isclose(sum(self.parts.values()), 1, abs_tol=1e-6):
            raise StepError(f"The fractions add up to {sum(self.parts.values()):g}, not to 1.", field="parts")
        if self.method == "stratified" and not self.columns:
            raise StepError("Say whose values keep their shares.", field="columns")
        if self.method == "key" and len(self.columns) != 1:
            raise StepError("A split by key needs one column: the key.", field="columns")
        if self.method == "random" and self.columns:
            raise StepError("A random split has no columns. Remove them, or choose another method.", field="columns")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Number the places, and compare them with the ends of the parts."""
        import ibis

        placed = self._placed(tables[0])
        *firsts, last = self.parts
        ends = [sum(list(self.parts.values())[: place + 1]) for place in range(len(firsts))]
        branches = [
            (is_within(placed[PLACE], placed[COUNT], end), part) for part, end in zip(firsts, ends, strict=True)
        ]
        return without_places(with_columns(placed, {self.name: ibis.cases(*branches, else_=last)}))

    def _placed(self, table: ir.Table) -> ir.Table:
        if self.method in ("random", "stratified"):
            return with_places(table, self.seed, group_by=self.columns)
        return self._ordered(table) if self.method == "ordered" else self._keyed(table)

    def _ordered(self, table: ir.Table) -> ir.Table:
        import ibis

        numbered = table.mutate(**{ROW: ibis.row_number()})
        order = ibis.window(order_by=[*(numbered[name] for name in self.columns), numbered[ROW]])
        return numbered.mutate(**{PLACE: ibis.row_number().over(order), COUNT: numbered.count().over(ibis.window())})

    def _keyed(self, table: ir.Table) -> ir.Table:
        """Place the keys by the score of their rank."""
        import ibis

        numbered = table.mutate(**{ROW: ibis.row_number()})
        rank = ibis.dense_rank().over(ibis.window(order_by=numbered[self.columns[0]]))
        ranked = numbered.mutate(**{SCORE: rank})
        scored = ranked.mutate(**{SCORE: score(ranked[SCORE], self.seed)})
        placed = scored.mutate(**{PLACE: ibis.dense_rank().over(ibis.window(order_by=scored[SCORE]))})
        return placed.mutate(**{COUNT: placed[PLACE].max().over(ibis.window()) + 1})
