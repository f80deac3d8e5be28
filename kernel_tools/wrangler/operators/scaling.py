"""Operators that bring numbers onto a scale: all subtract a centre that was learned and divide by a scale.

A missing value stays missing. A column that has one value everywhere has no scale: it is divided by 1. A column without
any value stays as it is. The results are fractions of 64 bits.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns
from kernel_tools.wrangler.operators.statistics import measure, require_finite

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir


class _Scaling(Operator):
    """Base: (value - center) / scale, with both of each column in the state."""

    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns to scale.")

    def figures(self, column: ir.Column) -> dict[str, ir.Scalar]:
        """Return the aggregates of a column that `scales` needs."""
        raise NotImplementedError

    def scales(self, learned: dict[str, Any]) -> tuple[float, float]:
        """Return the centre and the scale from what the aggregates came to."""
        raise NotImplementedError

    def learn(self, *tables: ir.Table) -> State:
        """Return the centre and the scale of each column."""
        table = tables[0]
        wanted = {
            (name, key): figure
            for name in self.columns
            for key, figure in self.figures(table[name].cast("float64")).items()
        }
        learned = measure(table, wanted)
        found: dict[str, Any] = {}
        for name in self.columns:
            own = {key: value for (owner, key), value in learned.items() if owner == name}
            if None in own.values():
                found[name] = None
                continue
            center, scale = self.scales(own)
            require_finite(name, "center", center)
            require_finite(name, "scale", scale)
            found[name] = {"center": center, "scale": scale or 1.0}
        return {"columns": found}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Subtract and divide."""
        table = tables[0]
        return with_columns(table, {name: self._scaled(table[name], state["columns"][name]) for name in self.columns})

    def _scaled(self, column: Any, learned: dict[str, float] | None) -> Any:
        value = column.cast("float64")
        if learned is None:
            return value
        if learned["center"] != 0:
            value = value - learned["center"]
        return value if learned["scale"] == 1 else value / learned["scale"]


class Standardize(_Scaling):
    """Subtract the mean and divide by the standard deviation, as scikit-learn's StandardScaler does.

    The deviation is that of the population (divided by n). One that is no more than rounding counts as none.
    """

    op = "standardize"
    title = "Standardize"

    center: bool = Field(True, description="Subtract the mean.")
    scale: bool = Field(True, description="Divide by the standard deviation.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Standardize {', '.join(self.columns)}"

    def figures(self, column: Any) -> dict[str, ir.Scalar]:
        """Take mean, deviation and number of values."""
        return {"mean": column.mean(), "std": column.std(how="pop"), "count": column.count()}

    def scales(self, learned: dict[str, Any]) -> tuple[float, float]:
        """Take them, a deviation within the rounding of the mean as none."""
        mean, std, count = learned["mean"], learned["std"], learned["count"]
        rounding = count * sys.float_info.epsilon * (std**2 + count * sys.float_info.epsilon * mean**2)
        is_constant = std**2 <= rounding if abs(mean) < 1e150 and std < 1e150 else std == 0
        return mean if self.center else 0.0, 0.0 if is_constant or not self.scale else std


class MinMaxScale(_Scaling):
    """Bring the smallest value to `low` and the largest to `high`, as scikit-learn's MinMaxScaler does.

    New values may lie outside, unless they are clipped.
    """

    op = "min_max_scale"
    title = "Scale to a range"

    low: float = Field(0.0, allow_inf_nan=False, description="What the smallest value becomes.")
    high: float = Field(1.0, allow_inf_nan=False, description="What the largest value becomes.")
    clip: bool = Field(False, description="Bring new values outside of the range to its ends.")

    def sentence(self) -> str:
        """Name the columns and the range."""
        return f"Scale {', '.join(self.columns)} to {self.low:g} .. {self.high:g}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse a range without width."""
        super().check(*schemas)
        if self.high <= self.low:
            raise StepError(f"The range ends ({self.high:g}) before it begins ({self.low:g}).", field="high")

    def figures(self, column: Any) -> dict[str, ir.Scalar]:
        """Take both ends."""
        return {"min": column.min(), "max": column.max()}

    def scales(self, learned: dict[str, Any]) -> tuple[float, float]:
        """Take the smallest value and the distance to the largest."""
        return learned["min"], learned["max"] - learned["min"]

    def _scaled(self, column: Any, learned: dict[str, float] | None) -> Any:
        value = super()._scaled(column, learned)
        if learned is None:
            return value
        if self.high - self.low != 1:
            value = value * (self.high - self.low)
        if self.low != 0:
            value = value + self.low
        if not self.clip:
            return value
        import ibis

        return ibis.cases((value < self.low, self.low), (value > self.high, self.high), else_=value)


class RobustScale(_Scaling):
    """Subtract the median and divide by the distance of two quantiles, as scikit-learn's RobustScaler does.

    Quantiles are interpolated.
    """

    op = "robust_scale"
    title = "Scale by quantiles"

    lower: float = Field(0.25, ge=0, lt=1, description="The lower quantile.")
    upper: float = Field(0.75, gt=0, le=1, description="The upper quantile.")
    center: bool = Field(True, description="Subtract the median.")
    scale: bool = Field(True, description="Divide by the distance of the quantiles.")

    def sentence(self) -> str:
        """Name the columns and the quantiles."""
        return f"Scale {', '.join(self.columns)} by median and quantiles {self.lower:g}, {self.upper:g}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse quantiles that do not rise."""
        super().check(*schemas)
        if self.lower >= self.upper:
            raise StepError("The lower quantile has to be below the upper one.", field="lower")

    def figures(self, column: Any) -> dict[str, ir.Scalar]:
        """Take the three quantiles at once."""
        return {"quantiles": column.quantile([self.lower, 0.5, self.upper])}

    def scales(self, learned: dict[str, Any]) -> tuple[float, float]:
        """Take the median and the distance."""
        lower, median, upper = learned["quantiles"]
        return median if self.center else 0.0, upper - lower if self.scale else 0.0


class MaxAbsScale(_Scaling):
    """Divide by the largest absolute value, as scikit-learn's MaxAbsScaler does: zeros stay zeros."""

    op = "max_abs_scale"
    title = "Scale by the largest absolute value"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Scale {', '.join(self.columns)} by their largest absolute value"

    def figures(self, column: Any) -> dict[str, ir.Scalar]:
        """Take both ends."""
        return {"min": column.min(), "max": column.max()}

    def scales(self, learned: dict[str, Any]) -> tuple[float, float]:
        """Take the end that is farther from 0."""
        return 0.0, max(abs(learned["min"]), abs(learned["max"]))
