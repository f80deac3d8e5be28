"""Operators for missing values: fill, impute, mark, drop, and what only looks like a value."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import Operator, State, StepError, hinted, pick_columns, with_columns
from kernel_tools.wrangler.operators.constants import Scalar, constant
from kernel_tools.wrangler.operators.naming import require_new_names
from kernel_tools.wrangler.operators.statistics import frequencies, measure, require_finite

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import pandas as pd


class Fill(Operator):
    """Fill missing values with a value that is given.

    A fraction turns a column of whole numbers into one of fractions.
    """

    op = "fill"
    title = "Fill missing values"
    family = "missing"

    columns: list[str] = pick_columns(
        "number", "string", "boolean", "datetime", "date", "time", description="The columns to fill."
    )
    value: Scalar = Field(description="What to fill in; dates and date-times are written as 2024-12-31T23:59:59.")

    def sentence(self) -> str:
        """Name the columns and the value."""
        return f"Fill missing values of {', '.join(self.columns)} with {self.value!r}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a value that a column cannot hold."""
        super().check(*schemas)
        for name in self.columns:
            constant(self.value, schemas[0][name], name, field="value")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Coalesce."""
        table = tables[0]
        return with_columns(
            table,
            {
                name: table[name].fill_null(constant(self.value, table[name].type(), name, field="value"))
                for name in self.columns
            },
        )


class Impute(Operator):
    """Fill missing values with what is learned from the rows that have a value.

    The median is interpolated; of several most frequent values the smallest is taken. knn takes the mean of the nearest
    rows, by the Euclidean distance over the columns that both have, times what the missing ones would add [1]_; it
    remembers at most `rows` rows. iterative predicts each column from the others by Bayesian ridge regressions, in
    rounds [2]_. Both learn from the columns of the step and from no others, as they are: scale them first. A column
    without any value stays as it is.

    References
    ----------
    .. [1] O. Troyanskaya et al.: Missing value estimation methods for DNA microarrays. Bioinformatics 17 (2001).
    .. [2] S. van Buuren, K. Groothuis-Oudshoorn: mice. Journal of Statistical Software 45 (2011).
    """

    op = "impute"
    title = "Impute missing values"
    family = "missing"
    learns = True

    columns: list[str] = pick_columns(description="The columns to fill.")
    strategy: Literal["mean", "median", "mode", "constant", "knn", "iterative"] = Field(
        "median", description="What to fill in."
    )
    value: Scalar | None = Field(None, description="For constant: the value.")
    neighbors: int = Field(5, ge=1, le=100, description="For knn: how many rows the mean is of.")
    rows: int = Field(5_000, ge=1, le=50_000, description="For knn: how many rows are remembered at most.")
    rounds: int = Field(10, ge=1, le=100, description="For iterative: how many rounds at most.")
    seed: int = hinted("seed", default=0, ge=0, lt=2**31, description="For knn: another seed remembers other rows.")

    @property
    def is_eager(self) -> bool:
        """Whether it is one of the strategies that look at the other columns."""
        return self.strategy in ("knn", "iterative")

    def sentence(self) -> str:
        """Name the columns and the statistic."""
        words = {
            "constant": f"{self.value!r}",
            "knn": f"the mean of the {self.neighbors} nearest rows",
            "iterative": "predictions from each other",
        }
        return (
            f"Fill missing values of {', '.join(self.columns)} with {words.get(self.strategy, f'the {self.strategy}')}"
        )

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse means and medians of what is no number, and a constant that is missing or of another kind."""
        super().check(*schemas)
        for name in self.columns:
            if self.strategy == "constant":
                if self.value is None:
                    raise StepError("The strategy 'constant' needs a value.", field="value")
                constant(self.value, schemas[0][name], name, field="value")
            elif self.strategy != "mode" and kind_of(schemas[0][name]) != "number":
                raise StepError(
                    f"The strategy {self.strategy!r} needs numbers, and {name!r} holds none. Use the strategy 'mode'.",
                    field="strategy",
                )

    def learn(self, *tables: ir.Table) -> State:
        """Return the value of each column."""
        table = tables[0]
        if self.strategy == "constant":
            value: Any = self.value
            return {"values": {name: constant(value, table[name].type(), name, field="value") for name in self.columns}}
        if self.strategy == "mode":
            found = frequencies(table, self.columns, 1)
            return {"values": {name: counts[0][0] if counts else None for name, counts in found.items()}}
        learned = measure(table, {name: getattr(table[name].cast("float64"), self.strategy)() for name in self.columns})
        for name, value in learned.items():
            require_finite(name, self.strategy, value)
        return {"values": learned}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Coalesce."""
        table, filled = tables[0], state["values"]
        return with_columns(
            table, {name: table[name].fill_null(filled[name]) for name in self.columns if filled[name] is not None}
        )

    def learn_frame(self, *frames: pd.DataFrame) -> State:
        """Return the rows that knn remembers, or the regressions."""
        from kernel_tools.wrangler.operators.imputation import learn_iterative, learn_neighbors

        if self.strategy == "knn":
            return learn_neighbors(frames[0], self.columns, most=self.rows, seed=self.seed)
        return learn_iterative(frames[0], self.columns, rounds=self.rounds)

    def apply(self, *frames: pd.DataFrame, state: State) -> pd.DataFrame:
        """Fill from the nearest rows, or by the regressions."""
        from kernel_tools.wrangler.operators.imputation import apply_iterative, apply_neighbors

        if self.strategy == "knn":
            return apply_neighbors(frames[0], state, neighbors=self.neighbors)
        return apply_iterative(frames[0], state)

    def code(self, *variables: str, state: State) -> list[str]:
        """Call the functions of `kernel_tools.wrangler.operators.imputation` with what was learned."""
        name, more = ("neighbors", f", neighbors={self.neighbors}") if self.strategy == "knn" else ("iterative", "")
        return [
            f"from kernel_tools.wrangler.operators.imputation import apply_{name}",
            f"{variables[0]} = apply_{name}({variables[0]}, {state!r}{more})",
        ]


class MissingIndicator(Operator):
    """Add a column for each that is 1 where a value is missing, and 0 elsewhere."""

    op = "missing_indicator"
    title = "Mark missing values"
    family = "missing"

    columns: list[str] = pick_columns(description="The columns to look at.")
    suffix: str = Field("_is_missing", min_length=1, description="What the names of the new columns end with.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Mark missing values of {', '.join(self.columns)}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse names that are taken."""
        super().check(*schemas)
        require_new_names(schemas[0], [f"{name}{self.suffix}" for name in dict.fromkeys(self.columns)], field="suffix")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Ask each value."""
        table = tables[0]
        return with_columns(table, {f"{name}{self.suffix}": table[name].isnull().cast("int8") for name in self.columns})


class DropMissing(Operator):
    """Drop the rows that have missing values."""

    op = "drop_missing"
    title = "Drop rows with missing values"
    family = "missing"
    row_effect = "subset"

    columns: list[str] = pick_columns(default=[], minimum=0, description="The columns to look at; none means all.")
    how: Literal["any", "all"] = Field("any", description="Whether one missing value is enough, or all have to be.")

    def sentence(self) -> str:
        """Say which rows go."""
        where = ", ".join(self.columns) or "a column"
        if self.how == "all":
            return f"Drop rows where {', '.join(self.columns) or 'all columns'} are all missing"
        return f"Drop rows where {where} is missing"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Keep the rows that have all values, or one."""
        table = tables[0]
        names = self.columns or list(table.columns)
        kept = table[names[0]].notnull()
        for name in names[1:]:
            there = table[name].notnull()
            kept = kept & there if self.how == "any" else kept | there
        return table.filter(kept)


DISGUISES = ["na", "n/a", "#n/a", "nan", "null", "none", "nil", "unknown", "missing", "?", "-", "--", "."]
"""Text that usually stands for a missing value, in small letters."""


class DisguisedToNull(Operator):
    """Turn values that only stand for a missing one into missing ones.

    Text is compared without capital letters and outer blanks. In columns of numbers the given
    values that are numbers go, in columns of dates those that are dates (1900-01-01); without any, nothing does.
    """

    op = "disguised_to_null"
    title = "Turn disguised missing values into missing ones"
    family = "missing"

    columns: list[str] = pick_columns("string", "number", "date", "datetime", description="The columns to look at.")
    values: list[Scalar] = Field(
        default=list(DISGUISES), max_length=1000, description="The values that stand for a missing one."
    )
    empty: bool = Field(True, description="Whether empty text, or blanks only, stands for a missing one too.")

    def sentence(self) -> str:
        """Name the values, if they are few."""
        words = [*(["empty text"] if self.empty else []), *map(str, self.values)]
        shown = ", ".join(words[:6]) + (", ..." if len(words) > 6 else "")
        return f"Make {shown} in {', '.join(self.columns)} missing"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with each of the values."""
        table, new = tables[0], {}
        for name in self.columns:
            column, kind = table[name], kind_of(table[name].type())
            if kind == "string":
                tokens = [*([""] if self.empty else []), *(str(value).strip().lower() for value in self.values)]
                words = list(dict.fromkeys(tokens))
                new[name] = column.strip().lower().isin(words).ifelse(None, column) if words else column
            else:
                gone = _numbers(self.values) if kind == "number" else _dates(self.values)
                if kind == "datetime":
                    new[name] = column.date().isin(gone).ifelse(None, column) if gone else column
                else:
                    new[name] = column.isin(gone).ifelse(None, column) if gone else column
        return with_columns(table, new)


def _numbers(given: list[Scalar]) -> list[int | float]:
    found: list[int | float] = []
    for value in given:
        try:
            number = float(value) if not isinstance(value, bool) else float("nan")
        except ValueError:
            continue
        if number == number and abs(number) != float("inf"):
            found.append(int(number) if number.is_integer() and abs(number) < 2**53 else number)
    return list(dict.fromkeys(found))


def _dates(given: list[Scalar]) -> list[date]:
    found = []
    for value in given:
        try:
            found.append(date.fromisoformat(str(value)))
        except ValueError:
            continue
    return list(dict.fromkeys(found))
