"""Operators on rows as a whole: which stay, and in which order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import ROW, Operator, State, StepError, hinted, pick_column, pick_columns
from kernel_tools.wrangler.operators.chance import SCORE, seed_field, with_scores

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


class Limit(Operator):
    """Keep the first rows. New rows that the recipe is applied to later all stay."""

    op = "limit"
    title = "Limit rows"
    family = "rows"
    row_effect = "subset"
    applies_to_new = False

    rows: int = Field(ge=0, le=2**53, description="How many rows stay.")
    offset: int = Field(0, ge=0, le=2**53, description="How many are left out before them.")

    def sentence(self) -> str:
        """Say how many."""
        return f"Keep {self.rows:,} rows" + (f" from row {self.offset + 1:,}" if self.offset else " from the start")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Limit."""
        return tables[0].limit(self.rows, offset=self.offset)


class DropDuplicates(Operator):
    """Remove rows that are equal in columns; missing values are equal to each other. The rest keeps its order."""

    op = "drop_duplicates"
    title = "Drop duplicates"
    family = "rows"
    row_effect = "subset"

    columns: list[str] = pick_columns(default=[], minimum=0, description="The columns to compare; none means all.")
    keep: Literal["first", "last", "none"] = Field("first", description="Which of equal rows stays.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Drop rows with the same {', '.join(self.columns) or 'values'}, keep {self.keep}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Count the rows before, or the rows of, each group."""
        return without_duplicates(tables[0], self.columns or tables[0].columns, self.keep)


_PLACE = "__place__"


def without_duplicates(table: ir.Table, columns: Sequence[str], keep: str = "first") -> ir.Table:
    """Return the first or last row of those that are equal in columns, or those equal to none, in their order."""
    import ibis

    numbered = table.mutate(**{ROW: ibis.row_number()})
    groups = [numbered[name] for name in columns]
    if keep == "none":
        place = numbered.count().over(ibis.window(group_by=groups)) - 1
    else:
        order = numbered[ROW].asc() if keep == "first" else numbered[ROW].desc()
        place = ibis.row_number().over(ibis.window(group_by=groups, order_by=order))
    placed = numbered.mutate(**{_PLACE: place})
    return placed.filter(placed[_PLACE] == 0).order_by(ROW).drop(ROW, _PLACE)


class Shuffle(Operator):
    """Put the rows into an order by chance; the same seed gives the same order. New rows stay in theirs."""

    op = "shuffle"
    title = "Shuffle rows"
    family = "rows"
    applies_to_new = False
    row_effect = "subset"

    seed: int = seed_field()

    def sentence(self) -> str:
        """Name the seed."""
        return f"Shuffle the rows (seed {self.seed})"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Order by score."""
        return with_scores(tables[0], self.seed).order_by([SCORE, ROW]).drop(SCORE, ROW)


class Explode(Operator):
    """Make a row of each element of a list; the other columns are repeated."""

    op = "explode"
    title = "Explode lists"
    family = "rows"
    row_effect = "other"

    column: str = pick_column("list", description="The column of lists.")
    empty: Literal["keep", "drop"] = Field(
        "keep", description="Whether a row with an empty or missing list stays, with a missing value."
    )

    def sentence(self) -> str:
        """Name the column."""
        return f"Make a row of each element of {self.column}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Unnest, and order by row and place."""
        import ibis

        numbered = tables[0].mutate(**{ROW: ibis.row_number()})
        long = numbered.unnest(self.column, offset=_PLACE, keep_empty=self.empty == "keep")
        return long.order_by([ROW, _PLACE]).select(*tables[0].columns)
