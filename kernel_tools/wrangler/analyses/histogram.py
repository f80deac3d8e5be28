"""Histogram: how many rows have which values of a column."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from kernel_tools.wrangler.analyses.axes import DRAWN, Bins, count_cells, make_axis, make_categories
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows
from kernel_tools.wrangler.analyses.panels import MOST_COLORS, MOST_PANELS, Panels, color_of, group_notes
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import pick_column


class Histogram(Analysis):
    """Count the rows of each bin of a column of numbers or times, or of each category of another."""

    kind = "histogram"
    title = "Histogram"

    column: str = pick_column(*DRAWN, description="The column whose values are counted.")
    bins: int = Field(30, ge=1, le=500, description="At most so many bins of numbers or times.")
    most: int = Field(30, ge=1, le=200, description="At most so many categories; all others are counted together.")
    color: str | None = pick_column(*DRAWN, default=None, description="Divide the bars by this column's values.")
    facet: str | None = pick_column(*DRAWN, default=None, description="A panel for each value of this column.")
    measure: Literal["rows", "share"] = Field("rows", description="Rows, or their share of a panel and colour in %.")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Count by one query, after the ends of the axis and the groups are known."""
        import numpy as np
        import pandas as pd

        data = engine.table(table)
        axis = make_axis(engine, data, self.column, bins=self.bins, most=self.most)
        color = make_categories(engine, data, self.color, MOST_COLORS) if self.color else None
        facet = make_categories(engine, data, self.facet, MOST_PANELS) if self.facet else None
        groups = [group for group in (facet, color) if group is not None]
        counts = count_cells(engine, data, [*groups, axis])["n"]
        counts = counts.reshape(facet.size if facet else 1, color.size if color else 1, axis.size)
        totals = np.maximum(counts.sum(axis=2, keepdims=True), 1)
        shown = counts if self.measure == "rows" else 100 * counts / totals
        y_title = "rows" if self.measure == "rows" else "share of rows (%)"
        panels = Panels(f"Histogram of {self.column}", self.column, y_title, facet)
        for panel, series in np.ndindex(counts.shape[:2]):
            panels.figure.add_bar(
                x=axis.ticks,
                y=shown[panel, series],
                width=np.diff(axis.edges) * (1 if axis.kind == "number" else 1000) if isinstance(axis, Bins) else None,
                name=color.labels[series] if color else "rows",
                legendgroup=str(series),
                showlegend=bool(color) and panel == 0,
                marker_color=color_of(color, series),
                customdata=np.column_stack([axis.labels, counts[panel, series]]),
                hovertemplate="%{customdata[0]}: %{customdata[1]} rows<extra>%{fullData.name}</extra>",
                **panels.at(panel),
            )
        panels.figure.update_layout(barmode="stack" if self.measure == "rows" else "overlay", bargap=0.05)
        if self.measure == "share" and color:
            panels.figure.update_traces(opacity=0.6)
        if not isinstance(axis, Bins):
            panels.figure.update_xaxes(type="category")
        total, n = count_rows(engine, data), int(counts.sum())
        notes = [*group_notes(axis, "Bars"), *group_notes(color, "Colours"), *group_notes(facet, "Panels")]
        if n < total:
            notes.append(f"{total - n:,} rows without a finite value of {self.column} are not drawn.")
        long = pd.DataFrame(
            [
                {
                    **({self.facet: facet.labels[panel]} if facet and self.facet else {}),
                    **({self.color: color.labels[series]} if color and self.color else {}),
                    "values": axis.labels[place],
                    "rows": int(counts[panel, series, place]),
                }
                for panel, series, place in np.ndindex(counts.shape)
            ]
        )
        return AnalysisResult(panels.figure, long, {"rows": total, "drawn": n, "bins": axis.size}, True, n, notes)
