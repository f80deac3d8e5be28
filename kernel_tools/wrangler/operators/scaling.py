"""Operators that bring numbers to a common scale. A constant column becomes 0, as in scikit-learn."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, values

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class Scaler(Operator):
    """Base of the scalers: (x - center) / scale, with a center and a scale for each column."""

    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns to scale.")

    def statistics(self, column: ir.NumericColumn) -> tuple[ir.Scalar, ir.Scalar]:
        """Return the center and the scale of a column as aggregates."""
        raise NotImplementedError

    def learn(self, *tables: ir.Table) -> State:
        """Return center and scale of each column, of all columns in one pass."""
        table = tables[0]
        wanted = {}
        for i, name in enumerate(self.columns):
            wanted[f"center_{i}"], wanted[f"scale_{i}"] = self.statistics(table[name].cast("float64"))
        found = values(table, **wanted)
        return {
            "center": {name: found[f"center_{i}"] for i, name in enumerate(self.columns)},
            "scale": {name: found[f"scale_{i}"] or 1.0 for i, name in enumerate(self.columns)},
        }

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Subtract and divide; a column that had no value at all stays as it is."""
        table, scaled = tables[0], {}
        for name in self.columns:
            center, scale = state["center"][name], state["scale"][name]
            if center is None:
                continue
            column = table[name].cast("float64")
            scaled[name] = (column - center if center else column) / scale
        return table.mutate(**scaled) if scaled else table


class Standardize(Scaler):
    """Subtract the mean and divide by the standard deviation of the population (divisor n, as scikit-learn)."""

    op = "standardize"
    title = "Standardize"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Standardize {', '.join(self.columns)}"

    def statistics(self, column: ir.NumericColumn) -> tuple[ir.Scalar, ir.Scalar]:
        """Mean and standard deviation."""
        return column.mean(), column.std(how="pop")


class MinMaxScale(Scaler):
    """Bring the smallest value to 0 and the largest to 1; new values may lie outside."""

    op = "min_max_scale"
    title = "Min-max scale"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Scale {', '.join(self.columns)} to 0 ... 1"

    def statistics(self, column: ir.NumericColumn) -> tuple[ir.Scalar, ir.Scalar]:
        """Minimum and range."""
        return column.min(), column.max() - column.min()


class RobustScale(Scaler):
    """Subtract the median and divide by the distance of two quantiles (interpolated)."""

    op = "robust_scale"
    title = "Robust scale"

    lower_quantile: float = Field(0.25, ge=0, lt=1, description="The lower quantile.")
    upper_quantile: float = Field(0.75, gt=0, le=1, description="The upper quantile.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Scale {', '.join(self.columns)} by median and quantiles"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse quantiles in the wrong order."""
        super().check(*schemas)
        if self.lower_quantile >= self.upper_quantile:
            raise StepError("The lower quantile has to be below the upper one.", field="lower_quantile")

    def statistics(self, column: ir.NumericColumn) -> tuple[ir.Scalar, ir.Scalar]:
        """Median and distance of the quantiles."""
        return column.median(), column.quantile(self.upper_quantile) - column.quantile(self.lower_quantile)


class MaxAbsScale(Scaler):
    """Divide by the largest absolute value; zeros stay zeros."""

    op = "max_abs_scale"
    title = "Max-abs scale"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Scale {', '.join(self.columns)} by the largest absolute value"

    def statistics(self, column: ir.NumericColumn) -> tuple[ir.Scalar, ir.Scalar]:
        """Zero and the largest absolute value."""
        largest = column.abs().max()
        return largest * 0, largest
