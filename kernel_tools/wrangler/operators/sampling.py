"""Operators that take rows by chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, pick_columns
from kernel_tools.wrangler.operators.chance import (
    COUNT,
    PLACE,
    SCORE,
    is_within,
    seed_field,
    share_field,
    with_places,
    with_scores,
    without_places,
)

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Sample(Operator):
    """Take rows by chance, in their order: a number of them, or a fraction. The same seed takes the same rows.

    New rows that the recipe is applied to later all stay.
    """

    op = "sample"
    title = "Sample rows"
    family = "rows"
    row_effect = "subset"
    applies_to_new = False

    rows: int | None = Field(None, ge=1, lt=2**31, description="How many rows; all if there are fewer.")
    fraction: float | None = share_field("Or which part of the rows, rounded to whole rows.")
    seed: int = seed_field()

    def sentence(self) -> str:
        """Say how many."""
        return f"Take {_amount(self.rows, self.fraction)} by chance"

    def check(self, *schemas: ibis.Schema) -> None:
        """Ask for rows or a fraction."""
        super().check(*schemas)
        _require_one(self.rows, self.fraction)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take the first rows by score, and put them back in order."""
        if self.fraction is None:
            scored = with_scores(tables[0], self.seed)
            return without_places(scored.order_by([SCORE, ROW]).limit(self.rows))
        placed = with_places(tables[0], self.seed)
        return without_places(placed.filter(is_within(placed[PLACE], placed[COUNT], self.fraction)))


class StratifiedSample(Operator):
    """Take rows by chance so that the values of columns keep their shares; missing values are a value too.

    Each value gets its share, rounded to whole rows: the number of rows may differ a little from the one asked for, and
    a value whose share is less than half a row gets none.
    """

    op = "stratified_sample"
    title = "Sample rows by strata"
    family = "rows"
    row_effect = "subset"
    applies_to_new = False

    columns: list[str] = pick_columns(description="The columns whose values keep their shares.")
    rows: int | None = Field(None, ge=1, lt=2**31, description="How many rows in all.")
    fraction: float | None = share_field("Or which part of the rows.")
    seed: int = seed_field()

    def sentence(self) -> str:
        """Say how many, by what."""
        return f"Take {_amount(self.rows, self.fraction)} by chance, with the shares of {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Ask for rows or a fraction."""
        super().check(*schemas)
        _require_one(self.rows, self.fraction)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Filter by place in the stratum."""
        import ibis

        placed = with_places(tables[0], self.seed, group_by=self.columns)
        if self.fraction is not None:
            return without_places(placed.filter(is_within(placed[PLACE], placed[COUNT], self.fraction)))
        placed = placed.mutate(**{SCORE: placed.count().over(ibis.window())})
        taken = (placed[PLACE] + 0.5) * placed[SCORE] <= placed[COUNT] * self.rows
        return without_places(placed.filter(taken))


def _amount(rows: int | None, fraction: float | None) -> str:
    return f"{rows:,} rows" if rows is not None else f"{(fraction or 0) * 100:g} % of the rows"


def _require_one(rows: int | None, fraction: float | None) -> None:
    if (rows is None) == (fraction is None):
        raise StepError("Give a number of rows or a fraction, one of the two.", field="rows")
