"""Operators that turn categories into numbers; target encoding is in `targets`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns
from kernel_tools.wrangler.operators.naming import require_new_names
from kernel_tools.wrangler.operators.statistics import frequencies, measure

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

LONGEST = 100
"""A new column takes at most so many characters of its category into its name."""


class OneHot(Operator):
    """Replace each column by one column of 0 and 1 for each of its most frequent categories.

    Of equally frequent categories the smaller comes first. Rows with a missing value, or a category that is not among
    the learned ones, have 0 in all of them, and 1 in the column for others if there is one. A name that is taken gets a
    number.
    """

    op = "one_hot"
    title = "One-hot encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    max_categories: int = Field(20, ge=1, le=1000, description="The most categories of a column, by frequency.")
    drop: Literal["none", "first", "last"] = Field(
        "none", description="Leave out the most, or the least frequent category: for linear models."
    )
    others: bool = Field(False, description="Add a column for values that are missing, or not among the categories.")
    keep_original: bool = Field(False, description="Keep the column itself too.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"One-hot encode {', '.join(self.columns)} (top {self.max_categories})"

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column, in the order of the new columns, and the names of these."""
        found = frequencies(tables[0], self.columns, self.max_categories)
        categories = {name: [value for value, _ in counts] for name, counts in found.items()}
        kept = set(tables[0].columns) if self.keep_original else set(tables[0].columns) - set(self.columns)
        taken = {name.lower() for name in kept}
        names: dict[str, list[str]] = {}
        for name, values in categories.items():
            wanted = [*(f"{name}_{value}"[: len(name) + 1 + LONGEST] for value in values), f"{name}_others"]
            names[name] = [_free(one, taken) for one in wanted]
        return {"categories": categories, "names": names}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with each category."""
        table, new = tables[0], {}
        for name in dict.fromkeys(self.columns):
            categories, names = state["categories"][name], state["names"][name]
            pairs = list(zip(categories, names, strict=False))
            shown = {"none": pairs, "first": pairs[1:], "last": pairs[:-1]}[self.drop]
            for category, new_name in shown:
                new[new_name] = (table[name] == category).fill_null(False).cast("int8")
            if self.others:
                new[names[-1]] = (~table[name].isin(categories)).fill_null(True).cast("int8")
        encoded = with_columns(table, new)
        return encoded if self.keep_original else encoded.drop(*self.columns)


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number if it is taken; capital letters do not tell names apart."""
    found, number = name, 1
    while found.lower() in taken:
        number += 1
        found = f"{name}_{number}"
    taken.add(found.lower())
    return found


class Ordinal(Operator):
    """Replace each category by its place: 0, 1, 2, ... in the order of the values, or of their frequency.

    Text is in the order of code points. A category that was never seen, or was left out, becomes missing, -1, or the
    number after the last place. A missing value stays missing.
    """

    op = "ordinal"
    title = "Ordinal encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns(
        "string", "boolean", "number", "date", "datetime", description="The columns to encode."
    )
    order: Literal["value", "frequency", "given"] = Field(
        "value", description="By value, the most frequent first (ties by value), or as given."
    )
    categories: list[str] = Field([], max_length=5000, description="For given: the categories of text columns.")
    unseen: Literal["missing", "minus_one", "last"] = Field("missing", description="What an unknown category becomes.")
    max_categories: int = Field(1000, ge=1, le=5000, description="The most categories of a column, by frequency.")

    def sentence(self) -> str:
        """Name the columns."""
        how = {"value": "by value", "frequency": "by frequency", "given": "as given"}[self.order]
        return f"Encode {', '.join(self.columns)} as places {how}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a given order without categories, or for what is no text."""
        super().check(*schemas)
        if self.order == "given":
            if not self.categories or len(set(self.categories)) < len(self.categories):
                raise StepError("Give the categories in their order, each once.", field="categories")
            for name in self.columns:
                if not schemas[0][name].is_string():
                    raise StepError(f"The order can be given for text only, and {name!r} holds none.", field="columns")

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column in their order."""
        if self.order == "given":
            return {"categories": {name: list(self.categories) for name in self.columns}}
        found = frequencies(tables[0], self.columns, self.max_categories)
        categories = {name: [value for value, _ in counts] for name, counts in found.items()}
        if self.order == "value":
            categories = {name: sorted(values) for name, values in categories.items()}
        return {"categories": categories}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look each value up."""
        table, new = tables[0], {}
        for name in self.columns:
            categories = state["categories"][name]
            other = {"missing": None, "minus_one": -1, "last": len(categories)}[self.unseen]
            places = {category: place for place, category in enumerate(categories)}
            new[name] = looked_up(table[name], places, other, None).cast("int64")
        return with_columns(table, new)


class Frequency(Operator):
    """Replace each category by how often it occurs: as a part of the rows that have a value, or as a number of rows.

    A category that was never seen, or is not among the most frequent ones, becomes 0. A missing value stays missing.
    """

    op = "frequency"
    title = "Frequency encode"
    family = "categories"
    learns = True

    columns: list[str] = pick_columns("string", "boolean", "number", description="The columns to encode.")
    measure: Literal["fraction", "count"] = Field("fraction", description="A part of 1, or a number of rows.")
    max_categories: int = Field(1000, ge=1, le=5000, description="The most categories of a column, by frequency.")
    suffix: str | None = Field(
        None, min_length=1, description="Write to new columns whose names end with this; none replaces the columns."
    )

    def sentence(self) -> str:
        """Name the columns."""
        return f"Replace {', '.join(self.columns)} by how often each value occurs"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse names that are taken."""
        super().check(*schemas)
        if self.suffix:
            names = [f"{name}{self.suffix}" for name in dict.fromkeys(self.columns)]
            require_new_names(schemas[0], names, field="suffix")

    def learn(self, *tables: ir.Table) -> State:
        """Return the categories of each column, and their frequencies."""
        table = tables[0]
        found = frequencies(table, self.columns, self.max_categories)
        whole = {name: sum(count for _, count in counts) for name, counts in found.items()}
        if any(len(counts) == self.max_categories for counts in found.values()):
            whole = measure(table, {name: table[name].count() for name in self.columns})
        return {
            "columns": {
                name: {
                    "categories": [value for value, _ in counts],
                    "values": [count if self.measure == "count" else count / whole[name] for _, count in counts],
                }
                for name, counts in found.items()
            }
        }

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Look each value up."""
        table, new = tables[0], {}
        dtype = "int64" if self.measure == "count" else "float64"
        for name in self.columns:
            learned = state["columns"][name]
            values = dict(zip(learned["categories"], learned["values"], strict=True))
            none = 0 if self.measure == "count" else 0.0
            new[f"{name}{self.suffix or ''}"] = looked_up(table[name], values, none, None).cast(dtype)
        return with_columns(table, new)


def looked_up(column: Any, values: dict[Any, Any], other: Any, missing: Any) -> Any:
    """Return the expression for the value of each category, of all others, and of a missing one."""
    import ibis

    if not values:
        return column.isnull().ifelse(ibis.literal(missing), ibis.literal(other))
    found = column.cases(*values.items(), else_=other) if other is not None else column.cases(*values.items())
    if other is None and missing is None:
        return found
    return column.isnull().ifelse(missing, found)
