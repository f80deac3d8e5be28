"""Heat map: how many rows, or which mean of a third column, where two columns meet."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from kernel_tools.wrangler.analyses.axes import DRAWN, Axis, Bins, Categories, count_cells, make_axis
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows, finite
from kernel_tools.wrangler.analyses.panels import Panels, group_notes
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators.base import StepError, pick_column


class HeatMap(Analysis):
    """Divide the rows by the bins or categories of two columns, and draw a figure of each cell."""

    kind = "heat_map"
    title = "Heat map"

    x: str = pick_column(*DRAWN, description="The column to the right.")
    y: str = pick_column(*DRAWN, description="The column upwards.")
    value: str | None = pick_column("number", default=None, description="The numbers of a cell; none counts its rows.")
    statistic: Literal["mean", "median", "sum", "min", "max", "std"] = Field(
        "mean", description="What the numbers of a cell come to; std is that of a sample (n - 1)."
    )
    bins: int = Field(30, ge=2, le=200, description="At most so many bins of numbers or times, on each side.")
    most: int = Field(30, ge=1, le=200, description="At most so many categories; all others are one.")

    def check(self, schema: Any) -> None:
        """Refuse one column for both sides."""
        super().check(schema)
        if self.x == self.y:
            raise StepError("The two columns have to be different.", field="y")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Compute all cells by one query."""
        import numpy as np
        import pandas as pd

        data = engine.table(table)
        x, y = (make_axis(engine, data, name, bins=self.bins, most=self.most) for name in (self.x, self.y))
        figures = {"value": self._figure(finite(data[self.value]))} if self.value else None
        cells = count_cells(engine, data, [y, x], figures)
        shown = cells["value"] if self.value else np.where(cells["n"] > 0, cells["n"], np.nan)
        what = f"{self.statistic} of {self.value}" if self.value else "rows"
        panels = Panels(f"{what[0].upper()}{what[1:]} by {self.x} and {self.y}", self.x, self.y)
        panels.figure.add_heatmap(
            x=x.ticks,
            y=y.ticks,
            z=shown,
            customdata=cells["n"],
            colorscale="Cividis",
            zmax=None if self.value else _largest_named(cells["n"], x, y),
            zmin=None if self.value else 0,
            colorbar={"title": {"text": what}},
            hovertemplate=f"%{{x}}, %{{y}}: %{{z}} {what}, %{{customdata:,}} rows<extra></extra>",
        )
        if not isinstance(x, Bins):
            panels.figure.update_xaxes(type="category")
        if not isinstance(y, Bins):
            panels.figure.update_yaxes(type="category", autorange="reversed")
        total, n = count_rows(engine, data), int(cells["n"].sum())
        notes = [*group_notes(x, "Columns"), *group_notes(y, "Lines")]
        if n < total:
            notes.append(f"{total - n:,} rows without a finite value of both are in no cell.")
        frame = pd.DataFrame(
            [
                {self.x: x.labels[j], self.y: y.labels[i], "rows": int(cells["n"][i, j])}
                | ({what: float(shown[i, j])} if self.value else {})
                for i, j in np.argwhere(cells["n"] > 0)
            ]
        )
        return AnalysisResult(panels.figure, frame, {"rows": total, "drawn": n, "cells": len(frame)}, True, n, notes)

    def _figure(self, column: Any) -> Any:
        return column.std(how="sample") if self.statistic == "std" else getattr(column, self.statistic)()


def _largest_named(counts: Any, x: Axis, y: Axis) -> int:
    """Return the largest count of a cell that is not of all other categories, which would leave the rest one colour."""
    import numpy as np

    for place, axis in enumerate((y, x)):
        if isinstance(axis, Categories) and axis.other is not None and axis.size > 1:
            counts = np.delete(counts, axis.other, axis=place)
    return int(counts.max(initial=1))
