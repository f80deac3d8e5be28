"""Operators that bend the scale of numbers: logarithms, power transforms, bins of equal size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_columns, values

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np


class Log(Operator):
    """Take the natural logarithm of x + offset; it is missing where that is not above 0."""

    op = "log"
    title = "Logarithm"
    family = "numbers"

    columns: list[str] = pick_columns("number", description="The columns.")
    offset: float = Field(0.0, description="What is added first; 1 lets zeros be zeros.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Take the logarithm of {', '.join(self.columns)}" + (f" + {self.offset:g}" if self.offset else "")

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Guard and take the logarithm."""
        table = tables[0]
        return table.mutate(
            **{name: safe_log(_shifted(table[name].cast("float64"), self.offset)) for name in self.columns}
        )


class PowerTransform(Operator):
    """Base of the power transforms: one exponent for each column, learned by maximum likelihood."""

    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns.")

    def exponent(self, data: np.ndarray[Any, Any]) -> float | None:
        """Return the exponent for the values of a column; None if there is none."""
        raise NotImplementedError

    def transformed(self, column: ir.FloatingValue, exponent: float) -> ir.Value:
        """Return the column transformed."""
        raise NotImplementedError

    def learn(self, *tables: ir.Table) -> State:
        """Return the exponent of each column."""
        table, found = tables[0], {}
        for name in self.columns:
            data = table.select(x=table[name].cast("float64")).drop_null().to_pyarrow()["x"].to_numpy()
            found[name] = self.exponent(data) if len(data) and data.min() < data.max() else None
        return {"exponents": found}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Transform the columns that have an exponent."""
        table = tables[0]
        changed = {
            name: self.transformed(table[name].cast("float64"), exponent)
            for name, exponent in state["exponents"].items()
            if exponent is not None
        }
        return table.mutate(**changed) if changed else table


class BoxCox(PowerTransform):
    """Bring positive numbers near a normal distribution: (x^λ - 1) / λ, the logarithm for λ = 0 [1]_.

    λ is learned from the values above 0; other values become missing. A constant column stays as it is.

    References
    ----------
    .. [1] G. E. P. Box, D. R. Cox: An analysis of transformations. Journal of the Royal Statistical Society B 26
       (1964).
    """

    op = "box_cox"
    title = "Box-Cox transform"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Box-Cox transform {', '.join(self.columns)}"

    def exponent(self, data: np.ndarray[Any, Any]) -> float | None:
        """As `scipy.stats.boxcox_normmax` with the method ``mle``."""
        from scipy.stats import boxcox_normmax

        positive = data[data > 0]
        if not len(positive) or positive.min() == positive.max():
            return None
        return float(boxcox_normmax(positive, method="mle"))

    def transformed(self, column: ir.FloatingValue, exponent: float) -> ir.Value:
        """Guard and raise."""
        if exponent == 0:
            return safe_log(column)
        return (_positive(column) ** exponent - 1) / exponent


class YeoJohnson(PowerTransform):
    """Bring numbers of any sign near a normal distribution [1]_. A constant column stays as it is.

    References
    ----------
    .. [1] I.-K. Yeo, R. A. Johnson: A new family of power transformations to improve normality or symmetry. Biometrika
       87 (2000).
    """

    op = "yeo_johnson"
    title = "Yeo-Johnson transform"

    def sentence(self) -> str:
        """Name the columns."""
        return f"Yeo-Johnson transform {', '.join(self.columns)}"

    def exponent(self, data: np.ndarray[Any, Any]) -> float | None:
        """As `scipy.stats.yeojohnson_normmax`."""
        from scipy.stats import yeojohnson_normmax

        return float(yeojohnson_normmax(data))

    def transformed(self, column: ir.FloatingValue, exponent: float) -> ir.Value:
        """One branch for each sign."""
        import ibis

        up, down = column.abs() + 1, column.abs() + 1
        positive = up.ln() if exponent == 0 else (up**exponent - 1) / exponent
        other = 2 - exponent
        negative = -down.ln() if other == 0 else -(down**other - 1) / other
        return ibis.ifelse(column >= 0, positive, negative)


class QuantileBins(Operator):
    """Replace numbers by the number of their bin: 0, 1, ..., with about as many rows in each.

    The edges are the interpolated quantiles, learned once; equal edges become one, so that there may be fewer bins. A
    value on an edge belongs to the upper bin, values beyond the learned range to the first and last one.
    """

    op = "quantile_bins"
    title = "Quantile bins"
    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns.")
    bins: int = Field(4, ge=2, le=100, description="How many bins.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Put {', '.join(self.columns)} into {self.bins} bins of equal size"

    def learn(self, *tables: ir.Table) -> State:
        """Return the inner edges of each column."""
        table = tables[0]
        wanted = {
            f"edge_{i}_{k}": table[name].cast("float64").quantile(k / self.bins)
            for i, name in enumerate(self.columns)
            for k in range(1, self.bins)
        }
        found = values(table, **wanted)
        edges = {}
        for i, name in enumerate(self.columns):
            given = [found[f"edge_{i}_{k}"] for k in range(1, self.bins)]
            edges[name] = sorted({edge for edge in given if edge is not None})
        return {"edges": edges}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with the edges."""
        import ibis

        table, changed = tables[0], {}
        for name in self.columns:
            column, edges = table[name], state["edges"][name]
            if not edges:
                changed[name] = ibis.ifelse(column.isnull(), None, 0).cast("int64")
                continue
            branches = [(column < edge, number) for number, edge in enumerate(edges)]
            branches += [(column.notnull(), len(edges))]
            changed[name] = ibis.cases(*branches).cast("int64")
        return table.mutate(**changed)


def safe_log(column: ir.FloatingValue) -> ir.Value:
    """Return the natural logarithm, missing where there is none."""
    return _positive(column).ln()


def _positive(column: ir.FloatingValue) -> Any:
    import ibis

    return ibis.ifelse(column > 0, column, ibis.null("float64"))


def _shifted(column: Any, offset: float) -> Any:
    return column + offset if offset else column
