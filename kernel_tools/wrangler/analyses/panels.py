"""Figures of one panel or of a panel for each category of a column."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from kernel_tools.core.figures import SERIES_COLORS, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.wrangler.analyses.axes import Categories

MOST_PANELS, MOST_COLORS = 11, 7
"""Categories with a panel or a colour of their own."""
OTHER_COLOR = "#9A9A9A"

_PANEL = 240
_COLUMNS = 3


class Panels:
    """A figure with a panel for each category of `facet`, or with one."""

    def __init__(self, title: str, x_title: str, y_title: str, facet: Categories | None = None) -> None:
        self.figure: go.Figure = new_figure(title=title)
        self.figure.update_layout(legend_itemsizing="constant")
        self._has_grid = facet is not None
        self._count, self._columns = 1, 1
        if facet is not None:
            self._count = facet.size
            self._columns = min(_COLUMNS, facet.size)
            rows = math.ceil(facet.size / self._columns)
            self.figure.set_subplots(
                rows=rows,
                cols=self._columns,
                subplot_titles=facet.labels,
                shared_xaxes="all",
                shared_yaxes="all",
                horizontal_spacing=0.04,
                vertical_spacing=0.22 / rows,
            )
            height = 150 + _PANEL * rows
            legend = {"y": -75 / height, "yanchor": "top", "x": 0, "xanchor": "left"}
            self.figure.update_layout(height=height, margin_t=70, legend=legend)
        for number in range(self._count):
            at = self.at(number)
            if number + self._columns >= self._count:
                self.figure.update_xaxes(title_text=x_title, showticklabels=True, **at)
            if number % self._columns == 0:
                self.figure.update_yaxes(title_text=y_title, **at)

    def at(self, number: int) -> dict[str, Any]:
        """Return where Plotly finds the panel of a number."""
        if not self._has_grid:
            return {}
        return {"row": number // self._columns + 1, "col": number % self._columns + 1}


def color_of(groups: Categories | None, number: int) -> str:
    """Return the colour of a category: grey for the others and for missing values."""
    if groups is not None and number in (groups.other, groups.missing):
        return OTHER_COLOR if number == groups.other else "#C9C9C9"
    return SERIES_COLORS[number % len(SERIES_COLORS)]


def group_notes(axis: Any, role: str) -> list[str]:
    """Say which values of a column were put together."""
    if axis is None or getattr(axis, "other", None) is None:
        return []
    kept = axis.size - 1 - (axis.missing is not None)
    return [f"{role}: the {kept} most frequent values of {axis.name}; all others are {axis.labels[axis.other]}."]
