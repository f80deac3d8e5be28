"""Principal components: fewer columns that keep most of the variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.operators.base import Operator, State, StepError, pick_columns, values

if TYPE_CHECKING:
    import ibis
    import ibis.expr.types as ir

MOST_COLUMNS = 200


class Pca(Operator):
    """Replace columns by their principal components [1]_.

    The covariances are computed from the rows that have a value in every column; other rows get missing components. The
    sign of a component makes its largest weight positive.

    References
    ----------
    .. [1] I. T. Jolliffe: Principal Component Analysis. Springer (2002).
    """

    op = "pca"
    title = "Principal components"
    family = "numbers"
    learns = True

    columns: list[str] = pick_columns(
        "number", minimum=2, max_length=MOST_COLUMNS, description="The columns to replace."
    )
    components: int | None = Field(None, ge=1, description="How many components; none takes as many as needed.")
    variance: float = Field(
        0.95, gt=0, le=1, description="The share of the variance that is kept, if no number is given."
    )
    center: bool = Field(True, description="Subtract the mean first.")
    scale: bool = Field(False, description="Divide by the standard deviation (population) first.")
    prefix: str = Field("pc", min_length=1, description="What the new columns are called: pc1, pc2, ...")
    keep_original: bool = Field(False, description="Keep the columns too.")

    def sentence(self) -> str:
        """Say how many."""
        kept = (
            f"{self.components} components"
            if self.components
            else f"components with {self.variance:.0%} of the variance"
        )
        return f"Replace {len(self.columns)} columns by {kept}"

    def check(self, *schemas: ibis.Schema) -> None:
        """Refuse more components than columns."""
        super().check(*schemas)
        if self.components is not None and self.components > len(self.columns):
            raise StepError(f"{len(self.columns)} columns have no more components.", field="components")

    def learn(self, *tables: ir.Table) -> State:
        """Return means, scales and weights; two passes."""
        import numpy as np

        table, size = tables[0], len(self.columns)
        numbers = table.select(
            **{f"x{i}": table[name].cast("float64") for i, name in enumerate(self.columns)}
        ).drop_null()
        first = values(
            numbers,
            **{f"mean_{i}": numbers[f"x{i}"].mean() for i in range(size)},
            **{f"std_{i}": numbers[f"x{i}"].std(how="pop") for i in range(size)},
        )
        means = [(first[f"mean_{i}"] or 0.0) if self.center else 0.0 for i in range(size)]
        scales = [(first[f"std_{i}"] or 1.0) if self.scale else 1.0 for i in range(size)]
        shifted = [(numbers[f"x{i}"] - means[i]) / scales[i] for i in range(size)]
        products = {f"c_{i}_{j}": (shifted[i] * shifted[j]).mean() for i in range(size) for j in range(i, size)}
        second = values(numbers, **products)
        covariance = np.zeros((size, size))
        for i in range(size):
            for j in range(i, size):
                covariance[i, j] = covariance[j, i] = second[f"c_{i}_{j}"] or 0.0
        variances, vectors = np.linalg.eigh(covariance)
        order = np.argsort(-variances, kind="stable")
        variances, vectors = np.clip(variances[order], 0, None), vectors[:, order]
        shares = variances / (variances.sum() or 1.0)
        count = self.components or int(min(size, np.searchsorted(np.cumsum(shares), self.variance - 1e-12) + 1))
        weights: list[Any] = []
        for k in range(count):
            vector = vectors[:, k]
            weights.append((vector * np.sign(vector[np.argmax(np.abs(vector))])).tolist())
        return {"means": means, "scales": scales, "weights": weights, "shares": shares[:count].tolist()}

    def build(self, *tables: ir.Table, state: State) -> ir.Table:
        """Sum up weighted columns."""
        table = tables[0]
        shifted = []
        for name, mean, scale in zip(self.columns, state["means"], state["scales"], strict=True):
            column = table[name].cast("float64")
            shifted.append((column - mean if mean else column) / scale if scale != 1.0 else column - mean)
        new = {}
        for k, weights in enumerate(state["weights"], start=1):
            terms = [column * weight for column, weight in zip(shifted, weights, strict=True)]
            total = terms[0]
            for term in terms[1:]:
                total = total + term
            new[f"{self.prefix}{k}"] = total
        reduced = table.mutate(**new)
        return reduced if self.keep_original else reduced.drop(*(name for name in self.columns if name not in new))
