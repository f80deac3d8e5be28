"""Table summary: what is in each column, in a row."""

from __future__ import annotations

from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import pick_columns

MOST_COLUMNS = 1_000


class TableSummary(Analysis):
    """Give count, missing, distinct, mean, deviation, quartiles and most frequent value of each column, exact."""

    kind = "table_summary"
    title = "Table summary"

    columns: list[str] | None = pick_columns(default=None, description="The columns; none takes all.")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Take the profiles of the columns, and draw how full they are."""
        import pandas as pd

        from kernel_tools.wrangler.checks.figures import completeness
        from kernel_tools.wrangler.profiling import profile

        data = engine.table(table)
        names = (self.columns or data.columns)[:MOST_COLUMNS]
        profiles = profile(engine, table, names)
        frame = pd.DataFrame(
            [
                {
                    "column": found.name,
                    "type": found.type,
                    "count": found.count,
                    "missing": found.missing,
                    "invalid": found.invalid,
                    "distinct": found.distinct,
                    "mean": found.mean,
                    "std": found.std,
                    "min": found.minimum,
                    **{f"{100 * float(order):g} %": found.quantiles.get(order) for order in ("0.25", "0.5", "0.75")},
                    "max": found.maximum,
                    "top": found.top[0].value if found.top else None,
                    "top count": found.top[0].count if found.top else None,
                }
                for found in profiles
            ]
        )
        n = count_rows(engine, data)
        missing = sum(found.missing for found in profiles)
        facts = {"rows": n, "columns": len(names), "missing": missing}
        exact = all(not found.approximate for found in profiles)
        notes = [f"The first {MOST_COLUMNS:,} columns."] if len(self.columns or data.columns) > MOST_COLUMNS else []
        return AnalysisResult(completeness(profiles) if profiles else None, frame, facts, exact, n, notes)
