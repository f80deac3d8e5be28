"""Figures of what the checks have seen: how full the columns are, the target, predictive power, the quick model."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from kernel_tools.core.figures import SERIES_COLORS, new_figure

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.wrangler.checks.predictive_power import Power
    from kernel_tools.wrangler.checks.quick_model import QuickModel
    from kernel_tools.wrangler.profiling import ColumnProfile

MOST_BARS = 40
"""Columns that a figure shows."""

_BAR = 22
_BLUE, _VERMILION, _, _ORANGE = SERIES_COLORS[:4]


def completeness(profiles: Sequence[ColumnProfile], *, is_dark: bool = False) -> go.Figure:
    """Draw the share of valid, invalid and missing values of the columns, those with the fewest valid ones first."""
    shown = sorted(profiles, key=lambda found: found.count - found.invalid)[:MOST_BARS]
    figure = new_figure(x_title="share of rows (%)", is_dark=is_dark)
    parts = {
        "valid": ([found.count - found.invalid for found in shown], _BLUE),
        "invalid": ([found.invalid for found in shown], _ORANGE),
        "missing": ([found.missing for found in shown], _VERMILION),
    }
    names = [found.name for found in shown]
    for part, (counts, color) in parts.items():
        shares = [100 * count / max(1, found.n) for count, found in zip(counts, shown, strict=True)]
        figure.add_bar(
            y=names,
            x=shares,
            name=part,
            orientation="h",
            marker_color=color,
            customdata=counts,
            hovertemplate="%{y}: %{customdata:,} " + part + " (%{x:.3g} %)<extra></extra>",
        )
    figure.update_layout(barmode="stack", height=_height(len(shown)))
    figure.update_xaxes(range=[0, 100])
    figure.update_yaxes(autorange="reversed", type="category")
    return figure


def column_values(found: ColumnProfile, *, is_dark: bool = False) -> go.Figure:
    """Draw the histogram of a column of numbers or times, or the most frequent values of another."""
    if found.histogram is None or found.distinct <= len(found.top):
        figure = new_figure(x_title=found.name, y_title="rows", is_dark=is_dark)
        figure.add_bar(x=[str(top.value) for top in found.top], y=[top.count for top in found.top], marker_color=_BLUE)
        figure.update_xaxes(type="category")
        return figure
    import numpy as np

    figure = new_figure(x_title=found.name, y_title="rows", is_dark=is_dark)
    edges, counts = found.histogram.edges, found.histogram.counts
    if found.kind == "number":
        numbers = np.asarray(edges, dtype=float)
        figure.add_bar(x=(numbers[1:] / 2 + numbers[:-1] / 2), y=counts, width=np.diff(numbers), marker_color=_BLUE)
    else:
        figure.add_bar(x=edges[:-1], y=counts, offset=0, marker_color=_BLUE)
    figure.update_layout(bargap=0.02)
    return figure


def predictive_powers(power: Sequence[Power], *, is_dark: bool = False) -> go.Figure:
    """Draw how well each column predicts the target alone, the best first."""
    shown = list(power)[:MOST_BARS]
    metric = shown[0].metric if shown else ""
    figure = new_figure(x_title="predictive power (0 to 1)", is_dark=is_dark)
    figure.add_bar(
        y=[found.column for found in shown],
        x=[found.power for found in shown],
        orientation="h",
        marker_color=_BLUE,
        customdata=[found.score for found in shown],
        hovertemplate=f"%{{y}}: power %{{x:.3f}}, {metric} %{{customdata:.3f}}<extra></extra>",
    )
    figure.update_xaxes(range=[0, 1])
    figure.update_yaxes(autorange="reversed", type="category")
    figure.update_layout(height=_height(len(shown)), showlegend=False)
    return figure


def confusion(model: QuickModel, *, is_dark: bool = False) -> go.Figure:
    """Draw which classes the quick model takes for which: of each class the shares, and the counts as text."""
    figure = new_figure(x_title="predicted", y_title="actual", is_dark=is_dark)
    shares = [[count / max(1, sum(row)) for count in row] for row in model.confusion]
    figure.add_heatmap(
        x=model.classes,
        y=model.classes,
        z=shares,
        colorscale="Cividis",
        zmin=0,
        zmax=1,
        text=model.confusion if len(model.classes) <= 15 else None,
        texttemplate="%{text}" if len(model.classes) <= 15 else None,
        colorbar_title_text="share",
        hovertemplate="%{y} predicted as %{x}: %{z:.1%}<extra></extra>",
    )
    figure.update_xaxes(type="category")
    figure.update_yaxes(type="category", autorange="reversed")
    return figure


def _height(bars: int) -> int:
    return 110 + _BAR * max(3, bars)
