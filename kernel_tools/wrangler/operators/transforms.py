"""Operators that change the shape of a distribution: logarithms, power transforms, bins of equal numbers of rows.

What has no result, such as the logarithm of 0, becomes missing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, pick_columns, with_columns
from kernel_tools.wrangler.operators.statistics import measure, require_finite

if TYPE_CHECKING:
    import ibis.expr.types as ir


class Log(Operator):
    """Take logarithms of numbers, after adding a number; of 0 and below there is none, so they become missing."""

    op = "log"
    title = "Take logarithms"
    family = "numbers"

    columns: list[str] = pick_columns("number", description="The columns to change.")
    base: Literal["e", "2", "10"] = Field("e", description="Of which base.")
    add: float = Field(0.0, allow_inf_nan=False, description="What is added before: 1 keeps zeros.")

    def sentence(self) -> str:
        """Name the columns."""
        plus = f" + {self.add:g}" if self.add else ""
        word = {"e": "Natural logarithm", "2": "Binary logarithm", "10": "Decimal logarithm"}[self.base]
        return f"{word} of {', '.join(self.columns)}{plus}"

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Take them where they exist."""
        return with_columns(tables[0], {name: self._log(tables[0][name].cast("float64")) for name in self.columns})

    def _log(self, column: Any) -> Any:
        value = column + self.add if self.add else column
        logarithm = {"e": value.ln, "2": value.log2, "10": value.log10}[self.base]()
        return (value > 0).ifelse(logarithm, None)


class _Power(Operator):
    """Base of the power transforms: one exponent for each column, of the greatest likelihood."""

    family = "numbers"
    learns = True
    name: ClassVar[str]

    columns: list[str] = pick_columns("number", description="The columns to change.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"{self.name} transform of {', '.join(self.columns)}"

    def learn(self, *tables: ir.Table) -> State:
        """Return the exponent of each column; 1 for one that is constant or empty."""
        import numpy as np

        table, found = tables[0], {}
        for name in self.columns:
            column = table[name].cast("float64")
            there = table.filter(column.notnull()).select(value=column).to_pyarrow()["value"].to_numpy()
            if np.isinf(there).any():
                require_finite(name, "exponent", math.inf)
            found[name] = self.exponent(there)
        return {"exponents": found}

    def exponent(self, values: Any) -> float:
        """Return the exponent for values: an array of shape (rows,) without missing ones."""
        raise NotImplementedError

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Raise to the power."""
        table, exponents = tables[0], state["exponents"]
        return with_columns(
            table, {name: self.powered(table[name].cast("float64"), exponents[name]) for name in self.columns}
        )

    def powered(self, column: Any, exponent: float) -> Any:
        """Return the expression."""
        raise NotImplementedError


class BoxCox(_Power):
    """Make positive numbers more alike to a normal distribution: (x ** k - 1) / k, ln x for k = 0 [1]_.

    The exponent k is the one of the greatest likelihood, as in scipy.stats.boxcox. Numbers of 0 and below become
    missing and are not learned from.

    References
    ----------
    .. [1] G. E. P. Box, D. R. Cox: An analysis of transformations. Journal of the Royal Statistical Society B 26
       (1964).
    """

    op = "box_cox"
    title = "Box-Cox transform"
    name = "Box-Cox"

    def exponent(self, values: Any) -> float:
        """Maximize over the positive values."""
        from kernel_tools.wrangler.operators.likelihood import box_cox_exponent

        return box_cox_exponent(values[values > 0])

    def powered(self, column: Any, exponent: float) -> Any:
        """Raise where the number is positive."""
        raised = column.ln() if exponent == 0 else (column**exponent - 1) / exponent
        return (column > 0).ifelse(_finite(raised), None)


class YeoJohnson(_Power):
    """Make numbers of both signs more alike to a normal distribution, as scipy.stats.yeojohnson does [1]_.

    References
    ----------
    .. [1] I.-K. Yeo, R. A. Johnson: A new family of power transformations to improve normality or symmetry. Biometrika
       87 (2000).
    """

    op = "yeo_johnson"
    title = "Yeo-Johnson transform"
    name = "Yeo-Johnson"

    def exponent(self, values: Any) -> float:
        """Maximize over all values."""
        from kernel_tools.wrangler.operators.likelihood import yeo_johnson_exponent

        return yeo_johnson_exponent(values)

    def powered(self, column: Any, exponent: float) -> Any:
        """Raise by the sign."""
        above, below, other = column + 1, 1 - column, 2 - exponent
        positive = above.ln() if exponent == 0 else (above**exponent - 1) / exponent
        negative = -below.ln() if other == 0 else -(below**other - 1) / other
        return _finite((column >= 0).ifelse(positive, negative))


def _finite(value: Any) -> Any:
    return value.isinf().ifelse(None, value)


class QuantileBins(Operator):
    """Put numbers into bins that have, as far as ties allow, equally many rows: bin 0, 1, 2, ...

    The edges between the bins are interpolated quantiles, each once; an edge belongs to the bin above it. The first and
    the last bin are open. As scikit-learn's KBinsDiscretizer with the strategy 'quantile'.
    """

    op = "quantile_bins"
    title = "Quantile bins"
    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", description="The columns to change.")
    bins: int = Field(5, ge=2, le=1000, description="How many bins.")

    def sentence(self) -> str:
        """Name the columns."""
        return f"Put {', '.join(self.columns)} into {self.bins} quantile bins"

    def learn(self, *tables: ir.Table) -> State:
        """Return the inner edges of each column."""
        table, edges = tables[0], {}
        places = [place / self.bins for place in range(self.bins + 1)]
        found = measure(table, {name: table[name].cast("float64").quantile(places) for name in self.columns})
        for name, quantiles in found.items():
            for value in quantiles or []:
                require_finite(name, "quantile", value)
            edges[name] = list(dict.fromkeys(quantiles or []))[1:-1]
        return {"edges": edges}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Compare with the edges."""
        import ibis

        table, new = tables[0], {}
        for name in self.columns:
            column, edges = table[name], state["edges"][name]
            below = [(column < edge, place) for place, edge in enumerate(edges)]
            new[name] = ibis.cases(*below, (column.notnull(), len(edges))).cast("int64")
        return with_columns(table, new)
