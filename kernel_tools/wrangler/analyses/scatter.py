"""Scatter: two columns against each other, as points, or as density where points are too many to be told apart."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import Field

from kernel_tools.wrangler.analyses.axes import (
    MEASURED,
    Bins,
    Categories,
    as_number,
    as_ticks,
    count_cells,
    make_bins,
    make_categories,
)
from kernel_tools.wrangler.analyses.base import Analysis, AnalysisResult, count_rows
from kernel_tools.wrangler.analyses.panels import MOST_COLORS, MOST_PANELS, Panels, color_of, group_notes
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators.base import pick_column

if TYPE_CHECKING:
    import ibis.expr.types as ir
    import numpy as np

    Array = np.ndarray[Any, Any]

MOST_POINTS = 5_000
"""Points that are drawn one by one."""

_CELLS, _COLORED_CELLS = 100, 40


class Scatter(Analysis):
    """Draw two columns of numbers or times against each other.

    More than 5,000 rows are drawn as counts of the rows in cells of a grid: exact, of all rows. With colours each cell
    has a square for each colour, of an area that grows with its rows.
    """

    kind = "scatter"
    title = "Scatter"

    x: str = pick_column(*MEASURED, description="The column to the right.")
    y: str = pick_column(*MEASURED, description="The column upwards.")
    color: str | None = pick_column(
        "number", "string", "boolean", default=None, description="A colour for each of this column's values."
    )
    facet: str | None = pick_column(
        "number", "string", "boolean", default=None, description="A panel for each value of this column."
    )
    cells: int | None = Field(None, ge=5, le=200, description="Cells a side of the grid: 100, or 40 with colours.")

    def compute(self, engine: Engine, table: str) -> AnalysisResult:
        """Draw points or cells, as there are few or many rows."""
        whole = engine.table(table)
        total = count_rows(engine, whole)
        data = whole.filter(as_number(whole[self.x]).notnull(), as_number(whole[self.y]).notnull())
        n = count_rows(engine, data)
        color = make_categories(engine, data, self.color, MOST_COLORS) if self.color else None
        facet = make_categories(engine, data, self.facet, MOST_PANELS) if self.facet else None
        panels = Panels(f"{self.y} against {self.x}", self.x, self.y, facet)
        notes = [*group_notes(color, "Colours"), *group_notes(facet, "Panels")]
        if n < total:
            notes.append(f"{total - n:,} rows without a finite value of both are not drawn.")
        is_binned = n > MOST_POINTS
        if is_binned:
            notes.append(f"{n:,} rows are too many points: cells show how many rows fall in them.")
            self._draw_cells(engine, data, panels, color, facet)
        elif n:
            self._draw_points(engine, data, panels, color, facet)
        return AnalysisResult(panels.figure, None, {"rows": total, "drawn": n, "binned": is_binned}, True, n, notes)

    def _draw_points(
        self, engine: Engine, data: ir.Table, panels: Panels, color: Categories | None, facet: Categories | None
    ) -> None:
        import numpy as np

        groups = {"color": color.key} if color else {}
        groups |= {"facet": facet.key} if facet else {}
        found = engine.arrow(data.select(x=as_number(data[self.x]), y=as_number(data[self.y]), **groups))
        place = {
            name: axis.places(found[name].to_pylist()) if axis else np.zeros(found.num_rows, dtype=int)
            for name, axis in (("color", color), ("facet", facet))
        }
        sides = {
            name: np.asarray(as_ticks(found[name].to_numpy(), kind_of(data[column].type())))
            for name, column in (("x", self.x), ("y", self.y))
        }
        for panel in range(facet.size if facet else 1):
            for series in range(color.size if color else 1):
                chosen = (place["facet"] == panel) & (place["color"] == series)
                panels.figure.add_scattergl(
                    x=sides["x"][chosen],
                    y=sides["y"][chosen],
                    mode="markers",
                    marker={"size": 5, "opacity": 0.7, "color": color_of(color, series)},
                    **_named(color, series, panel),
                    **panels.at(panel),
                )

    def _draw_cells(
        self, engine: Engine, data: ir.Table, panels: Panels, color: Categories | None, facet: Categories | None
    ) -> None:
        import numpy as np

        cells = self.cells or (_COLORED_CELLS if color else _CELLS)
        x, y = (make_bins(engine, data, name, cells) for name in (self.x, self.y))
        groups = [group for group in (facet, color) if group is not None]
        counts = count_cells(engine, data, [*groups, y, x])["n"]
        counts = counts.reshape(facet.size if facet else 1, color.size if color else 1, y.size, x.size)
        most = counts.max()
        for panel, series in np.ndindex(counts.shape[:2]):
            if color is None:
                _add_density(panels, panel, x, y, counts[panel, series], most)
                continue
            rows, columns = np.nonzero(counts[panel, series])
            n = counts[panel, series][rows, columns]
            panels.figure.add_scattergl(
                x=np.asarray(x.ticks)[columns],
                y=np.asarray(y.ticks)[rows],
                customdata=n,
                mode="markers",
                marker={
                    "symbol": "square",
                    "size": 2 + 12 * np.sqrt(n / most),
                    "opacity": 0.6,
                    "color": color_of(color, series),
                },
                hovertemplate="%{x}, %{y}: %{customdata:,} rows<extra>%{fullData.name}</extra>",
                **_named(color, series, panel),
                **panels.at(panel),
            )


def _named(color: Categories | None, series: int, panel: int) -> dict[str, Any]:
    return {
        "name": color.labels[series] if color else "rows",
        "legendgroup": str(series),
        "showlegend": color is not None and panel == 0,
    }


def _add_density(panels: Panels, panel: int, x: Bins, y: Bins, counts: Array, most: int) -> None:
    import numpy as np

    with np.errstate(divide="ignore"):
        height = np.where(counts > 0, np.log10(counts), np.nan)
    ticks = range(int(np.log10(max(1, most))) + 1)
    panels.figure.add_heatmap(
        x=x.ticks,
        y=y.ticks,
        z=height,
        customdata=counts,
        zmin=0,
        zmax=np.log10(max(2, most)),
        colorscale="Cividis",
        showscale=panel == 0,
        colorbar={
            "title": {"text": "rows"},
            "tickvals": list(ticks),
            "ticktext": [f"{10**power:,}" for power in ticks],
        },
        hovertemplate="%{x}, %{y}: %{customdata:,} rows<extra></extra>",
        **panels.at(panel),
    )
