"""Operators that turn categories into numbers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_columns, rows_of, values

if TYPE_CHECKING:
    from collections.abc import Sequence

    import ibis.expr.types as ir

MOST_CATEGORIES = 1_000
"""The most categories of a column that a step keeps: an expression names each."""


@dataclass(frozen=True)
class Counts:
    """The most frequent categories of a column with their counts, and how many rows have a value."""

    items: list[tuple[Any, int]]
    total: int


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
    max_categories: int = Field(
        20, ge=1, le=MOST_CATEGORIES, description="The most categories of a column, by frequency."
    )
    drop_last: bool = Field(False, description="Leave out the last category: it is told by zeros in the others.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"One-hot encode {', '.join(self.columns)} (top {self.max_categories})"

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column, in the order of the new columns."""
        found = category_counts(tables[0], self.columns, self.max_categories)
        return {"categories": {name: [value for value, _ in counts.items] for name, counts in found.items()}}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with each category."""
        table, new = tables[0], {}
        for name in self.columns:
            categories = state["categories"][name]
            for category in categories[:-1] if self.drop_last else categories:
                new[f"{name}_{category}"] = (table[name] == category).fill_null(False).cast("int8")
        encoded = table.mutate(**new) if new else table
        return encoded if self.keep_original else encoded.drop(*self.columns)


class Ordinal(Operator):
    """Replace each category by its number: 0, 1, ... in the order that is given, or of the sorted values.

    A missing value stays missing; so does a category that was not learned, or it gets the number -1.
    """

    op = "ordinal"
    title = "Ordinal encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    categories: list[str] = Field([], max_length=MOST_CATEGORIES, description="Their order; none sorts the values.")
    unknown: Literal["missing", "minus_one"] = Field(
        "missing", description="What a category becomes that is not known."
    )

    def sentence(self) -> str:
        """Name the columns."""
        return f"Number the categories of {', '.join(self.columns)}"

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column in their order."""
        if self.categories:
            return {"categories": {name: list(self.categories) for name in self.columns}}
        found = category_counts(tables[0], self.columns, MOST_CATEGORIES)
        return {"categories": {name: sorted(value for value, _ in counts.items) for name, counts in found.items()}}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look up."""
        import ibis

        table, changed = tables[0], {}
        for name in self.columns:
            numbers = {value: number for number, value in enumerate(state["categories"][name])}
            other = ibis.null("int64") if self.unknown == "missing" else ibis.ifelse(table[name].isnull(), None, -1)
            changed[name] = looked_up(table[name], numbers, other).cast("int64")
        return table.mutate(**changed)


class Frequency(Operator):
    """Replace each category by how often it was there: the count, or the share of the rows with a value.

    A category that was not learned becomes 0, a missing value stays missing.
    """

    op = "frequency"
    title = "Frequency encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    measure: Literal["share", "count"] = Field("share", description="What is put in.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Replace {', '.join(self.columns)} by the {self.measure} of each value"

    def learn(self, *tables: ir.Table) -> State:
        """Return the counts of each column."""
        found = category_counts(tables[0], self.columns, MOST_CATEGORIES)
        return {
            "counts": {name: [list(item) for item in counts.items] for name, counts in found.items()},
            "total": {name: counts.total for name, counts in found.items()},
        }

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look up."""
        import ibis

        table, changed = tables[0], {}
        for name in self.columns:
            total = 1 if self.measure == "count" else state["total"][name] or 1
            wide = "int64" if self.measure == "count" else "float64"
            numbers = {value: count if total == 1 else count / total for value, count in state["counts"][name]}
            zero = ibis.ifelse(table[name].isnull(), None, 0)
            changed[name] = looked_up(table[name], numbers, zero).cast(wide)
        return table.mutate(**changed)


def category_counts(table: ir.Table, names: Sequence[str], most: int) -> dict[str, Counts]:
    """Return the most frequent values of columns in one statement; of equal counts the smaller value comes first."""
    import ibis

    totals = values(table, **{f"total_{i}": table[name].count() for i, name in enumerate(names)})
    found = {}
    for i, name in enumerate(names):
        grouped = table.filter(table[name].notnull()).group_by(name).agg(__n=lambda t: t.count())
        top = rows_of(grouped.order_by([ibis.desc("__n"), ibis.asc(name)]).limit(most))
        found[name] = Counts([(row[name], row["__n"]) for row in top], totals[f"total_{i}"])
    return found


def looked_up(column: ir.Value, numbers: dict[Any, Any], other: Any) -> ir.Value:
    """Return the number of each value of a column, and `other` for values that are not there."""
    import ibis

    if not numbers:
        return ibis.ifelse(column.isnull(), other, other)
    return column.cases(*numbers.items(), else_=other)
