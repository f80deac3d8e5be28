"""Multicollinearity: numbers that follow from other numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows
from kernel_tools.wrangler.analyses.moments import pair_moments
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.checks.pairs import LARGEST_INFLATION, inflation_factors
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import StepError, pick_column, pick_columns

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd

    Array = np.ndarray[Any, Any]

MOST_COLUMNS = 200


class Multicollinearity(Analysis):
    """Look for numbers that others explain, in the rows that have a value of all.

    ``vif``: variance inflation factors, shown up to 50. ``pca``: the singular values of the standardized columns; small
    ones mean that columns follow from each other. ``lasso``: the coefficients of a linear model of the target with an
    L1 penalty, on standardized columns; of columns that say the same it keeps one.
    """

    kind = "multicollinearity"
    title = "Multicollinearity"

    columns: list[str] | None = pick_columns(
        "number", default=None, description="The numbers; none takes all, at most 200.", minimum=2
    )
    method: Literal["vif", "pca", "lasso"] = Field("vif", description="How it is looked for.")
    target: str | None = pick_column("number", default=None, description="What the Lasso predicts; left out of others.")
    alpha: float = Field(0.01, gt=0, le=1, description="The Lasso's penalty; at 1 every coefficient is 0.")

    def check(self, schema: Any) -> None:
        """Ask for the target of a Lasso."""
        super().check(schema)
        if self.method == "lasso" and self.target is None:
            raise StepError("The Lasso predicts a target: choose one.", field="target")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Compute the correlations in one pass; all three methods follow from them."""
        import numpy as np

        data = engine.table(table)
        names = self.columns or [name for name, dtype in data.schema().items() if kind_of(dtype) == "number"]
        names = [name for name in names if name != self.target]
        notes = [f"The first {MOST_COLUMNS} of {len(names)} columns."] if len(names) > MOST_COLUMNS else []
        names = names[:MOST_COLUMNS]
        with_target = [*names, self.target] if self.method == "lasso" and self.target else names
        moments = pair_moments(engine, data, with_target, complete=True)
        varies = ~np.isnan(np.diag(moments.correlations))
        constant = [name for name, one in zip(with_target, varies, strict=True) if not one]
        if self.method == "lasso" and self.target in constant:
            raise InvalidDataError(f"The target {self.target!r} does not vary in the rows that have a value of all.")
        if constant:
            notes.append(f"Left out, with one value only: {', '.join(constant)}.")
        names = [name for name in names if name not in constant]
        if len(names) < 2:
            raise InvalidDataError(
                "Fewer than two columns of numbers vary in the rows that have a value of all. Impute missing values "
                "first, or choose columns with fewer of them."
            )
        matrix = moments.correlations[np.ix_(varies, varies)]
        n, total = int(moments.counts.max()), count_rows(engine, data)
        if n < total:
            notes.append(f"{total - n:,} rows without a value of all columns are left out.")
        compute = {"vif": self._inflation, "pca": self._components, "lasso": self._lasso}[self.method]
        frame, title, x_title, facts = compute(names, matrix, n)
        figure = new_figure(title=title, x_title=x_title)
        figure.add_bar(x=frame.iloc[:, 1], y=frame.iloc[:, 0], orientation="h", marker_color=SERIES_COLORS[0])
        figure.update_yaxes(type="category", autorange="reversed")
        figure.update_layout(height=110 + 22 * max(3, len(frame)))
        return AnalysisResult(figure, frame, {"method": self.method, **facts}, True, n, notes)

    def _inflation(self, names: list[str], matrix: Array, n: int) -> tuple[pd.DataFrame, str, str, dict[str, Any]]:
        import numpy as np
        import pandas as pd

        factors = np.minimum(inflation_factors(matrix), LARGEST_INFLATION)
        frame = pd.DataFrame({"column": names, "vif": factors}).sort_values("vif", ascending=False, kind="stable")
        inflated = frame["column"][frame["vif"] > 5].tolist()
        return frame, "Variance inflation", "variance inflation factor (up to 50)", {"above_5": inflated}

    def _components(self, names: list[str], matrix: Array, n: int) -> tuple[pd.DataFrame, str, str, dict[str, Any]]:
        import numpy as np
        import pandas as pd

        spread = np.clip(np.linalg.eigvalsh(matrix)[::-1], 0, None)
        frame = pd.DataFrame(
            {
                "component": [f"component {number}" for number in range(1, len(names) + 1)],
                "singular value": np.sqrt(spread * n),
                "share of variance": spread / spread.sum(),
            }
        )
        condition = float(np.sqrt(spread[0] / spread[-1])) if spread[-1] > 1e-12 * spread[0] else None
        return frame, "Singular values", "singular value of the standardized columns", {"condition_number": condition}

    def _lasso(self, names: list[str], matrix: Array, n: int) -> tuple[pd.DataFrame, str, str, dict[str, Any]]:
        """Fit to as many rows as there are columns that have the same correlations: the coefficients are the same."""
        import numpy as np
        import pandas as pd
        from sklearn.linear_model import Lasso

        values, vectors = np.linalg.eigh(matrix)
        rows = np.sqrt(np.clip(values, 0, None) * len(matrix))[:, None] * vectors.T
        model = Lasso(alpha=self.alpha, fit_intercept=False, max_iter=100_000).fit(rows[:, :-1], rows[:, -1])
        frame = pd.DataFrame({"column": names, "coefficient": model.coef_})
        frame = frame.sort_values("coefficient", key=np.abs, ascending=False, kind="stable")
        dropped = [name for name, value in zip(names, model.coef_, strict=True) if value == 0]
        title = f"Lasso coefficients for {self.target}"
        return frame, title, "coefficient, on standardized columns", {"alpha": self.alpha, "zero": dropped}
