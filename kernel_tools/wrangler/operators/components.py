"""The operator that puts the variation of many columns into few: principal components."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, with_columns
from kernel_tools.wrangler.operators.naming import require_new_names
from kernel_tools.wrangler.operators.statistics import measure, require_finite

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir
    import numpy as np


PAIRS = 500
"""Of how many pairs of columns one query adds up the products."""


class Pca(Operator):
    """Replace columns of numbers by their principal components, the one of the greatest variance first.

    Learned from the rows that have all values; a row with a missing value has no components. Of the two directions of a
    component the one is taken in which the weight of the greatest size is positive, as scikit-learn's PCA does.
    """

    op = "pca"
    title = "Principal components"
    family = "numbers"
    learns = True

    columns: list[str] = pick_columns("number", minimum=2, max_length=100, description="The columns to combine.")
    components: int | None = Field(
        None, ge=1, le=100, description="How many components; none takes what the variance needs."
    )
    variance: float = Field(
        0.95, gt=0, le=1, description="Without a number of components: the part of the variance that they keep."
    )
    center: bool = Field(True, description="Subtract the mean of each column.")
    scale: bool = Field(False, description="Divide each column by its standard deviation, so that units do not matter.")
    prefix: str = Field("component_", min_length=1, description="What the names of the new columns begin with.")
    keep_original: bool = Field(False, description="Keep the columns too.")

    def sentence(self) -> str:
        """Name the columns and how many components."""
        kept = f"{self.components}" if self.components else f"{self.variance * 100:g} % of the variance in"
        return f"Combine {', '.join(self.columns)} into {kept} principal components"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse more components than columns, and names that are taken."""
        super().check(*schemas)
        names = list(dict.fromkeys(self.columns))
        if len(names) < 2:
            raise StepError("Choose two columns or more.", field="columns")
        if self.components is not None and self.components > len(names):
            raise StepError(f"{len(names)} columns have {len(names)} components at most.", field="components")
        new = [f"{self.prefix}{place + 1}" for place in range(self.components or len(names))]
        require_new_names(schemas[0], new, field="prefix")

    def learn(self, *tables: ir.Table) -> State:
        """Return means and scales of the columns, and the weights and the part of the variance of each component."""
        import numpy as np

        table, names = tables[0], list(dict.fromkeys(self.columns))
        values = table.select(**{f"v{place}": table[name].cast("float64") for place, name in enumerate(names)})
        whole = values.filter(*(values[name].notnull() for name in values.columns))
        columns = {name: whole[f"v{place}"] for place, name in enumerate(names)}
        found = measure(
            whole,
            {"rows": whole.count()}
            | {(name, "mean"): column.mean() for name, column in columns.items()}
            | {(name, "std"): column.std(how="pop") for name, column in columns.items()},
        )
        if not found["rows"]:
            raise StepError(
                "No row has a value in all of these columns. Fill their missing values first.", field="columns"
            )
        for name in names:
            require_finite(name, "mean", found[name, "mean"])
            require_finite(name, "standard deviation", found[name, "std"])
        centers = [found[name, "mean"] if self.center else 0.0 for name in names]
        scales = [(found[name, "std"] or 1.0) if self.scale else 1.0 for name in names]
        moments = _moments(whole, centers, scales) / found["rows"]
        if not np.isfinite(moments).all():
            require_finite(names[int((~np.isfinite(moments)).any(axis=0).argmax())], "variance", float("inf"))
        variances, weights = _components(moments)
        shares = variances / (variances.sum() or 1.0)
        kept = self.components or int(np.searchsorted(np.cumsum(shares), self.variance - 1e-12)) + 1
        kept = min(kept, len(names))
        return {
            "columns": names,
            "centers": centers,
            "scales": scales,
            "weights": weights[:kept].tolist(),
            "shares": shares[:kept].tolist(),
        }

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Add the weighted columns up."""
        table, new = tables[0], {}
        parts = [
            _scaled(table[name].cast("float64"), center, scale)
            for name, center, scale in zip(state["columns"], state["centers"], state["scales"], strict=True)
        ]
        for place, weights in enumerate(state["weights"]):
            total = parts[0] * weights[0]
            for part, weight in zip(parts[1:], weights[1:], strict=True):
                total = total + part * weight
            new[f"{self.prefix}{place + 1}"] = total
        combined = with_columns(table, new)
        return combined if self.keep_original else combined.drop(*state["columns"])


def _scaled(column: Any, center: float, scale: float) -> Any:
    value = column - center if center else column
    return value if scale == 1 else value / scale


def _moments(whole: ir.Table, centers: list[float], scales: list[float]) -> np.ndarray:
    """Return the sums of products of all pairs of columns, shape (columns, columns)."""
    import numpy as np

    scaled = whole.select(
        **{
            name: _scaled(whole[name], center, scale)
            for name, center, scale in zip(whole.columns, centers, scales, strict=True)
        }
    )
    pairs = [(left, right) for left in range(len(centers)) for right in range(left + 1)]
    total = np.zeros((len(centers), len(centers)))
    for start in range(0, len(pairs), PAIRS):
        chunk = pairs[start : start + PAIRS]
        sums = measure(scaled, {(left, right): (scaled[left] * scaled[right]).sum() for left, right in chunk})
        for (left, right), value in sums.items():
            total[left, right] = total[right, left] = value
    return total


def _components(moments: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the variances, from large to small, and the weights of each component, shape (components, columns)."""
    import numpy as np

    variances, vectors = np.linalg.eigh(moments)
    variances, weights = np.clip(variances[::-1], 0, None), vectors.T[::-1]
    sizes = np.abs(weights)
    largest = (sizes >= sizes.max(axis=1, keepdims=True) - 1e-9).argmax(axis=1)
    signs = np.sign(weights[np.arange(len(weights)), largest])
    return variances, weights * signs[:, None]
