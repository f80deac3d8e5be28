"""The operator for outliers: bounds that are given or learned, and what becomes of values beyond them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns
from kernel_tools.wrangler.operators.constants import constant
from kernel_tools.wrangler.operators.statistics import measure, require_finite

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

Bounds = tuple[float | None, float | None]


class Outliers(Operator):
    """Clip values beyond bounds, make them missing, or remove their rows; the bounds are learned once.

    standard takes the mean and `deviations` standard deviations to both sides. robust takes the median, and for the
    deviation that of the values after they were clipped to the lower and upper quantile. quantile takes these quantiles
    themselves, min_max the bounds that are given. Deviations are those of the population, quantiles are interpolated. A
    value on a bound is no outlier, nor is a missing one; a column without any value has none.
    """

    op = "outliers"
    title = "Handle outliers"
    family = "outliers"
    row_effect = "subset"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns to look at.")
    method: Literal["standard", "robust", "quantile", "min_max"] = Field(
        "robust", description="Where the bounds come from."
    )
    fix: Literal["clip", "null", "remove"] = Field(
        "clip", description="Put the bound in its place, make it missing, or remove the row."
    )
    deviations: float = Field(
        4.0, gt=0, le=1000, description="For standard and robust: how many standard deviations away a bound is."
    )
    lower_quantile: float = Field(0.05, ge=0, lt=1, description="For robust and quantile.")
    upper_quantile: float = Field(0.95, gt=0, le=1, description="For robust and quantile.")
    lower: float | None = Field(None, allow_inf_nan=False, description="For min_max: the smallest value that is none.")
    upper: float | None = Field(None, allow_inf_nan=False, description="For min_max: the largest value that is none.")

    def sentence(self) -> str:
        """Say what becomes of which values."""
        done = {"clip": "Clip", "null": "Make missing the", "remove": "Remove rows with"}[self.fix]
        if self.method == "min_max":
            how = f"outside {self.lower if self.lower is not None else ''} .. "
            how += f"{self.upper if self.upper is not None else ''}"
        elif self.method == "quantile":
            how = f"beyond the quantiles {self.lower_quantile:g} and {self.upper_quantile:g}"
        else:
            how = f"beyond {self.deviations:g} {'robust ' if self.method == 'robust' else ''}standard deviations"
        return f"{done} outliers of {', '.join(self.columns)} ({how})"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse bounds that leave nothing."""
        super().check(*schemas)
        if self.method == "min_max":
            if self.lower is None and self.upper is None:
                raise StepError("Give a lower bound, an upper bound or both.", field="lower")
            if self.lower is not None and self.upper is not None and self.lower > self.upper:
                raise StepError("The lower bound is above the upper one.", field="lower")
        elif self.lower_quantile >= self.upper_quantile:
            raise StepError("The lower quantile has to be below the upper one.", field="lower_quantile")

    def learn(self, *tables: ir.Table) -> State:
        """Return the lower and the upper bound of each column."""
        if self.method == "min_max":
            return {"bounds": {name: [self.lower, self.upper] for name in self.columns}}
        columns = {name: tables[0][name].cast("float64") for name in self.columns}
        bounds = (
            self._standard(tables[0], columns) if self.method == "standard" else self._by_quantiles(tables[0], columns)
        )
        for name, (lower, upper) in bounds.items():
            require_finite(name, "lower bound", lower)
            require_finite(name, "upper bound", upper)
        return {"bounds": {name: list(both) for name, both in bounds.items()}}

    def _standard(self, table: ir.Table, columns: dict[str, Any]) -> dict[str, Bounds]:
        means = {(name, "mean"): column.mean() for name, column in columns.items()}
        deviations = {(name, "std"): column.std(how="pop") for name, column in columns.items()}
        found = measure(table, means | deviations)
        return {name: self._around(found[name, "mean"], found[name, "std"]) for name in columns}

    def _by_quantiles(self, table: ir.Table, columns: dict[str, Any]) -> dict[str, Bounds]:
        places = [self.lower_quantile, 0.5, self.upper_quantile]
        found = measure(table, {name: column.quantile(places) for name, column in columns.items()})
        if self.method == "quantile":
            return {name: (some[0], some[2]) if some else (None, None) for name, some in found.items()}
        there = {name: some for name, some in found.items() if some}
        spreads = measure(
            table, {name: _clipped(columns[name], low, high).std(how="pop") for name, (low, _, high) in there.items()}
        )
        return {
            name: self._around(there[name][1], spreads[name]) if name in there else (None, None) for name in columns
        }

    def _around(self, center: float | None, deviation: float | None) -> Bounds:
        if center is None or deviation is None:
            return None, None
        return center - self.deviations * deviation, center + self.deviations * deviation

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with the bounds."""
        table = tables[0]
        bounds = {
            name: [
                None if bound is None else constant(bound, table[name].type(), name, field="columns")
                for bound in state["bounds"][name]
            ]
            for name in self.columns
        }
        bounds = {name: both for name, both in bounds.items() if both != [None, None]}
        if self.fix == "clip":
            return with_columns(table, {name: _clipped(table[name], *both) for name, both in bounds.items()})
        if self.fix == "null":
            return with_columns(
                table, {name: _is_within(table[name], *both).ifelse(table[name], None) for name, both in bounds.items()}
            )
        kept = [table[name].isnull() | _is_within(table[name], *both) for name, both in bounds.items()]
        return table.filter(*kept) if kept else table


def _clipped(column: Any, lower: Any, upper: Any) -> Any:
    import ibis

    below = [] if lower is None else [(column < lower, lower)]
    above = [] if upper is None else [(column > upper, upper)]
    return ibis.cases(*below, *above, else_=column)


def _is_within(column: Any, lower: Any, upper: Any) -> Any:
    if lower is None:
        return column <= upper
    return column >= lower if upper is None else (column >= lower) & (column <= upper)
