"""Custom figure: somebody's own Plotly code; it runs with the rights of the process, and only when it is trusted."""

from __future__ import annotations

from typing import Any

from pydantic import Field

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import StepError, hinted


class CustomPlotly(Analysis):
    """Draw a figure by code, which sets ``figure``.

    It has ``df`` (a pandas frame of the first rows), ``table`` (an Ibis expression of all rows), ``go``
    (plotly.graph_objects), ``px`` (plotly.express) and ``new_figure`` (an empty figure in Atelier's style).
    """

    kind = "custom_plotly"
    title = "Custom figure"
    runs_code = True

    code: str = hinted(
        "code", description="Python that sets figure, as in: figure = px.scatter(df, x='a', y='b').", max_length=100_000
    )
    rows: int = Field(100_000, ge=1, le=10_000_000, description="At most so many rows, the first, are in df.")

    def check(self, schema: Any) -> None:
        """Refuse code that Python cannot read."""
        super().check(schema)
        try:
            compile(self.code, "<custom figure>", "exec")
        except (SyntaxError, ValueError) as error:
            raise StepError(f"Python cannot read the code: {error}.", field="code") from error

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Run the code.

        Raises
        ------
        StepError
            If it fails, or sets no figure.
        """
        import plotly.express as px
        import plotly.graph_objects as go

        from kernel_tools.core.figures import LIGHT_TEMPLATE, new_figure, register_templates

        data = engine.table(table)
        total = count_rows(engine, data)
        frame = engine.arrow(data.limit(self.rows)).to_pandas()
        space: dict[str, Any] = {"df": frame, "table": data, "go": go, "px": px, "new_figure": new_figure}
        try:
            exec(compile(self.code, "<custom figure>", "exec"), space)
        except Exception as error:
            raise StepError(f"The code failed: {type(error).__name__}: {error}", field="code") from error
        figure = space.get("figure")
        if not isinstance(figure, go.Figure):
            raise StepError("The code sets no figure: end it with figure = ..., a Plotly figure.", field="code")
        if any(trace.type in ("scatter3d", "surface", "mesh3d") for trace in figure.data):
            raise InvalidArgumentError("Figures here are flat: use a heat map or colours instead of a third axis.")
        register_templates()
        figure.update_layout(template=LIGHT_TEMPLATE)
        exact = total <= self.rows
        notes = [] if exact else [f"df has the first {self.rows:,} of {total:,} rows."]
        return AnalysisResult(figure, None, {"rows": total}, exact, len(frame), notes)
