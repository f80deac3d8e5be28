"""Analyses that predict a target: a quick model of all columns, and a small one of each column for target leakage."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.checks.features import Task
from kernel_tools.wrangler.operators.base import pick_column, pick_columns
from kernel_tools.wrangler.operators.chance import seed_field

_MODELLED: tuple[Any, ...] = ("number", "boolean", "string", "date", "datetime", "time")
_NO_POWER = 0.02
_MOST_BARS = 40


class _Prediction(Analysis):
    """Base: the target, and which rows are used."""

    target: str = pick_column(*_MODELLED, description="The column that is predicted.")
    columns: list[str] | None = pick_columns(default=None, description="What to predict from; none takes all others.")
    task: Task | None = Field(None, description="None tells it from the target's values.")
    rows: int | None = Field(
        100_000, ge=100, description="About how many rows to take by chance; none takes all of the table."
    )
    seed: int = seed_field()

    def options(self) -> dict[str, Any]:
        """Return the parameters as the models take them."""
        return {"columns": self.columns, "task": self.task, "rows": self.rows, "seed": self.seed}


class QuickModelAnalysis(_Prediction):
    """Train XGBoost on four fifths of the rows, and test it on the others; see `insights.quick_model`."""

    kind = "quick_model"
    title = "Quick model"

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Draw which columns the model has used."""
        import pandas as pd

        from kernel_tools.wrangler.checks.quick_model import quick_model

        model = quick_model(engine, table, self.target, **self.options())
        shown = model.importances[:_MOST_BARS]
        figure = new_figure(title=f"What predicts {self.target}", x_title="share of the model's gain")
        figure.add_bar(
            x=[share for _, share in shown],
            y=[name for name, _ in shown],
            orientation="h",
            marker_color=SERIES_COLORS[0],
            hovertemplate="%{y}: %{x:.1%}<extra></extra>",
        )
        figure.update_yaxes(type="category", autorange="reversed")
        figure.update_layout(height=110 + 22 * max(3, len(shown)))
        facts = {
            "task": model.task,
            "metrics": model.metrics,
            "baseline": model.baseline,
            "classes": model.classes,
            "confusion": model.confusion,
            "rows_train": model.rows_train,
            "rows_test": model.rows_test,
        }
        notes = [f"{name} is left out: {reason}." for name, reason in model.left_out.items()]
        if not model.is_exact:
            notes.append(f"From {model.n:,} rows, taken by chance.")
        frame = pd.DataFrame(model.importances, columns=["column", "importance"])
        return AnalysisResult(figure, frame, facts, model.is_exact, model.n, notes)


class TargetLeakage(_Prediction):
    """Tell how well each column alone predicts the target; see `insights.predictive_power`.

    A power of at least 0.95 is likely leakage, of 0.8 possibly; one below 0.02 says nothing alone.
    """

    kind = "target_leakage"
    title = "Target leakage"

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Draw the power of all columns."""
        import pandas as pd

        from kernel_tools.wrangler.checks.figures import predictive_powers
        from kernel_tools.wrangler.checks.leakage import LEAKAGE, STRONG
        from kernel_tools.wrangler.checks.predictive_power import predictive_power

        options = self.options()
        power = predictive_power(engine, table, self.target, options.pop("columns"), **options)
        frame = pd.DataFrame(
            [
                {
                    "column": found.column,
                    "power": found.power,
                    found.metric: found.score,
                    "verdict": "likely leakage"
                    if found.power >= LEAKAGE
                    else "possible leakage"
                    if found.power >= STRONG
                    else "says nothing alone"
                    if found.power < _NO_POWER
                    else "",
                }
                for found in power
            ],
            columns=None if power else ["column", "power", "verdict"],
        )
        exact, n = all(found.is_exact for found in power), max((found.n for found in power), default=0)
        facts = {
            "leaks": [found.column for found in power if found.power >= LEAKAGE],
            "possible": [found.column for found in power if STRONG <= found.power < LEAKAGE],
        }
        notes = [] if exact else [f"From {n:,} rows, taken by chance."]
        return AnalysisResult(predictive_powers(power) if power else None, frame, facts, exact, n, notes)
