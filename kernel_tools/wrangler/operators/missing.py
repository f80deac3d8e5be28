"""Operators for missing values: fill them, say where they were, leave them out, find those in disguise."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import (
    ROW,
    Operator,
    State,
    StepError,
    in_order,
    pick_column,
    pick_columns,
    rows_of,
    values,
)

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import pandas as pd

Constant = str | int | float | bool
"""A value that a form can hold."""

DISGUISES = (
    "?",
    "-",
    "--",
    "NA",
    "N/A",
    "n/a",
    "na",
    "NaN",
    "nan",
    "NULL",
    "null",
    "None",
    "none",
    "unknown",
    "Unknown",
)
"""Text that stands for nothing in many tables."""


class Fill(Operator):
    """Fill missing values with a value that is given.

    The value has to fit the type of each column: text for text, numbers for numbers, ISO 8601 for dates.
    """

    op = "fill"
    title = "Fill missing values"
    family = "missing"

    columns: list[str] = pick_columns(description="The columns to fill.")
    value: Constant = Field(description="What is filled in.")

    def sentence(self) -> str:
        """Name the columns and the value."""
        return f"Fill missing values of {', '.join(self.columns)} with {self.value!r}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a value of another kind."""
        super().check(*schemas)
        for name in self.columns:
            constant_of(schemas[0][name], self.value, name)

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Coalesce."""
        table = tables[0]
        filled = {
            name: table[name].fill_null(constant_of(table.schema()[name], self.value, name)) for name in self.columns
        }
        return table.mutate(**filled)


class Impute(Operator):
    """Fill missing values with what is learned from the rows that have a value.

    The mean and the median (interpolated) are those of the column; the mode is its most frequent value, of several the
    smallest. ``knn`` takes the mean of the nearest rows that have a value and ``iterative`` predicts each column from
    the others [1]_; both look at all the columns named, which have to be numbers, and learn from at most
    `learning_rows` rows. A column without any value stays as it is.

    References
    ----------
    .. [1] scikit-learn: `sklearn.impute.KNNImputer`, `sklearn.impute.IterativeImputer`.
    """

    op = "impute"
    title = "Impute missing values"
    family = "missing"
    learns = True

    columns: list[str] = pick_columns(description="The columns to fill.")
    strategy: Literal["mean", "median", "mode", "knn", "iterative"] = Field("median", description="What to fill in.")
    neighbors: int = Field(5, ge=1, le=100, description="Rows that knn takes the mean of.")
    learning_rows: int = Field(5_000, ge=10, le=50_000, description="The most rows that knn and iterative learn from.")

    @property
    def is_eager(self) -> bool:
        """Neighbours and rounds of predictions are no expression."""
        return self.strategy in ("knn", "iterative")

    def sentence(self) -> str:
        """Name the columns and the strategy."""
        how = {"knn": f"{self.neighbors} nearest rows", "iterative": "a prediction from each other"}
        return f"Fill missing values of {', '.join(self.columns)} with the {how.get(self.strategy, self.strategy)}"

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

    def learn_frame(self, *frames: pd.DataFrame) -> State:
        """Keep the rows that neighbours are looked for in, or the predictions' order and weights."""
        from kernel_tools.wrangler.operators.imputers import learn_imputer

        return learn_imputer(self.strategy, frames[0][self.columns], self.neighbors, self.learning_rows)

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Fill in."""
        from kernel_tools.wrangler.operators.imputers import apply_imputer

        return frames[0].assign(**apply_imputer(frames[0][self.columns], state))

    def code(self, *variables: str, state: State) -> list[str]:
        """Fit scikit-learn's imputer on the rows at hand."""
        name = variables[0]
        made = f"KNNImputer(n_neighbors={self.neighbors})" if self.strategy == "knn" else "IterativeImputer()"
        enable = ["from sklearn.experimental import enable_iterative_imputer"] if self.strategy == "iterative" else []
        return [
            *enable,
            f"from sklearn.impute import {made.split('(')[0]}",
            f"{name}[{self.columns!r}] = {made}.fit_transform({name}[{self.columns!r}].astype('float64'))",
        ]


class MissingIndicator(Operator):
    """Add for each column one that is 1 where a value is missing and 0 elsewhere."""

    op = "missing_indicator"
    title = "Add missing indicator"
    family = "missing"

    columns: list[str] = pick_columns(description="The columns to look at.")
    suffix: str = Field("_missing", min_length=1, description="What the new names end with.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Mark where {', '.join(self.columns)} is missing"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with NULL."""
        table = tables[0]
        return table.mutate(**{name + self.suffix: table[name].isnull().cast("int8") for name in self.columns})


class DropMissing(Operator):
    """Remove rows in which values are missing."""

    op = "drop_missing"
    title = "Drop rows with missing values"
    family = "missing"
    row_effect = "subset"

    columns: list[str] = pick_columns(default=[], minimum=0, description="The columns to look at; none means all.")
    how: Literal["any", "all"] = Field("any", description="Whether one missing value is enough, or all have to be.")

    def sentence(self) -> str:
        """Name the columns."""
        where = (
            ", ".join(self.columns) or "any column" if self.how == "any" else ", ".join(self.columns) or "all columns"
        )
        return f"Drop rows where {where} {'is' if self.how == 'any' else 'are'} missing"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Filter."""
        return tables[0].drop_null(self.columns or list(tables[0].columns), how=self.how)


class DisguisedToNull(Operator):
    """Make values missing that only stand for it, such as ``?``, ``N/A``, -999 or an empty text.

    Text is compared without the spaces around it. Each value counts for the columns that it fits: numbers for numbers,
    text for text.
    """

    op = "disguised_to_null"
    title = "Disguised missing values to missing"
    family = "missing"

    columns: list[str] = pick_columns("string", "number", description="The columns to look at.")
    values: list[str | int | float] = Field(
        list(DISGUISES), min_length=1, description="What stands for a missing value."
    )
    empty: bool = Field(True, description="Whether empty text, and text of spaces only, stands for it too.")

    def sentence(self) -> str:
        """Name columns and values."""
        shown = ", ".join(map(str, self.values[:5])) + (", ..." if len(self.values) > 5 else "")
        return f"Take {shown} in {', '.join(self.columns)} for missing"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Put NULL in their place."""
        import ibis

        table, changed = tables[0], {}
        texts = [str(value) for value in self.values if isinstance(value, str)] + ([""] if self.empty else [])
        numbers = [value for value in self.values if not isinstance(value, str)]
        for name in self.columns:
            column = table[name]
            if column.type().is_string():
                is_disguised = column.strip().isin([*texts, *(str(value) for value in numbers)])
            elif numbers:
                is_disguised = column.isin(numbers)
            else:
                continue
            changed[name] = ibis.ifelse(is_disguised, ibis.null(column.type()), column)
        return table.mutate(**changed) if changed else table


class FillDirection(Operator):
    """Fill missing values with the last value before, or the next one after.

    Rows are taken in the order of a column, or as they come; within groups, if columns for them are given. Missing
    values at the start (at the end) stay missing.
    """

    op = "fill_direction"
    title = "Fill forward or backward"
    family = "missing"

    columns: list[str] = pick_columns(description="The columns to fill.")
    direction: Literal["forward", "backward"] = Field("forward", description="Where the value is taken from.")
    order_by: str | None = pick_column(default=None, description="What orders the rows; none takes them as they come.")
    group_by: list[str] = pick_columns(default=[], minimum=0, description="Rows are filled within these groups.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Fill {', '.join(self.columns)} {self.direction}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take the last value of a window."""
        import ibis

        def filled(table: ir.Table) -> ir.Table:
            keys = [table[ROW]] if self.order_by is None else [table[self.order_by], table[ROW]]
            groups = [table[name] for name in self.group_by]
            forward = self.direction == "forward"
            order = keys if forward else [ibis.desc(key) for key in keys]
            # The values since the last one that is there are missing: the count of values tells the stretches apart.
            stretches = table.mutate(
                **{
                    f"__stretch_{i}": table[name]
                    .count()
                    .over(ibis.window(group_by=groups, order_by=order, preceding=None, following=0))
                    for i, name in enumerate(self.columns)
                }
            )
            changed = {
                name: stretches[name]
                .max()
                .over(ibis.window(group_by=[*(stretches[one] for one in self.group_by), stretches[f"__stretch_{i}"]]))
                for i, name in enumerate(self.columns)
            }
            return stretches.mutate(**changed).drop(*(f"__stretch_{i}" for i in range(len(self.columns))))

        return in_order(tables[0], filled)


class Interpolate(Operator):
    """Fill missing numbers on a straight line between the values before and after.

    Rows are taken in the order of a column of numbers or moments, whose distances count; or as they come, at equal
    distances. Missing values before the first and after the last value stay missing.
    """

    op = "interpolate"
    title = "Interpolate missing values"
    family = "missing"

    columns: list[str] = pick_columns("number", description="The columns to fill.")
    order_by: str | None = pick_column(
        "number", "datetime", "date", default=None, description="What orders the rows; none takes them as they come."
    )
    group_by: list[str] = pick_columns(default=[], minimum=0, description="Rows are filled within these groups.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Interpolate {', '.join(self.columns)}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Weigh the neighbours by their distances."""
        import ibis

        def filled(table: ir.Table) -> ir.Table:
            place = table[ROW].cast("float64")
            if self.order_by is not None:
                key = table[self.order_by]
                is_number = kind_of(key.type()) == "number"
                place = key.cast("float64") if is_number else key.cast("timestamp(6)").epoch_seconds().cast("float64")
            table = table.mutate(__place=place)
            groups = [table[name] for name in self.group_by]
            order = [table["__place"], table[ROW]]
            before = ibis.window(group_by=groups, order_by=order, preceding=None, following=0)
            after = ibis.window(group_by=groups, order_by=order, preceding=0, following=None)
            for i, name in enumerate(self.columns):
                known = table[name].cast("float64")
                at = ibis.ifelse(known.notnull(), table["__place"], ibis.null("float64"))
                table = table.mutate(
                    **{f"__from_{i}": at.max().over(before), f"__to_{i}": at.min().over(after), f"__v_{i}": known}
                )
            inner = ["__place"]
            for i, name in enumerate(self.columns):
                groups = [table[one] for one in self.group_by]
                low = table[f"__v_{i}"].max().over(ibis.window(group_by=[*groups, table[f"__from_{i}"]]))
                high = table[f"__v_{i}"].max().over(ibis.window(group_by=[*groups, table[f"__to_{i}"]]))
                width = table[f"__to_{i}"] - table[f"__from_{i}"]
                share = (table["__place"] - table[f"__from_{i}"]) / width.nullif(0.0)
                table = table.mutate(**{name: table[f"__v_{i}"].coalesce(low + (high - low) * share)})
                inner += [f"__from_{i}", f"__to_{i}", f"__v_{i}"]
            return table.drop(*inner)

        return in_order(tables[0], filled)


def most_frequent(table: ir.Table, name: str) -> Any:
    """Return the most frequent value of a column, the smallest of several, None if there is none."""
    import ibis

    counts = table.filter(table[name].notnull()).group_by(name).agg(n=lambda t: t.count())
    found = rows_of(counts.order_by([ibis.desc("n"), ibis.asc(name)]).limit(1))
    return found[0][name] if found else None


def constant_of(dtype: Any, value: Constant, name: str) -> Any:
    """Return a value as one of a column's type.

    Raises
    ------
    StepError
        If it is of another kind.
    """
    import ibis

    kind = kind_of(dtype)
    good = {
        "number": isinstance(value, (int, float)) and not isinstance(value, bool),
        "string": isinstance(value, str),
        "boolean": isinstance(value, bool),
    }.get(kind, isinstance(value, str))
    if not good:
        raise StepError(f"{value!r} does not fit the column {name!r}, which holds {dtype}.", field="value")
    if kind in ("number", "string", "boolean"):
        return ibis.literal(value)
    try:
        return ibis.literal(value, type=dtype)
    except Exception as error:
        raise StepError(f"{value!r} is no value of {name!r} ({dtype}). Write it as ISO 8601.", field="value") from error
