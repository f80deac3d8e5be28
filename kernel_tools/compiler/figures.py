"""Figures of the compiler, made once for notebooks, panels and dashboards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.compiler.package import Candidate

BAR_HEIGHT = 46


def costs_figure(candidates: Sequence[Candidate], is_dark: bool = False) -> go.Figure:
    """Draw what one row and one process cost, for the original and each target; the time axis is logarithmic.

    Parameters
    ----------
    candidates
        Lines of a comparison; those without times are left out.
    is_dark
        Whether it is shown on a dark ground.
    """
    from kernel_tools.core.figures import SERIES_COLORS, new_figure

    measured = [candidate for candidate in candidates if candidate.row_us]
    names = [candidate.target for candidate in measured]
    figure = new_figure(x_title="one row (µs)", is_dark=is_dark)
    times = [candidate.row_us for candidate in measured]
    figure.add_bar(
        x=times,
        y=names,
        orientation="h",
        name="one row",
        marker_color=SERIES_COLORS[0],
        text=[f"{value:,.0f} µs" if value and value >= 100 else f"{value:.3g} µs" for value in times],
        xaxis="x",
    )
    has_memory = any(candidate.memory_mib for candidate in measured)
    if has_memory:
        figure.add_bar(
            x=[candidate.memory_mib for candidate in measured],
            y=names,
            orientation="h",
            name="memory",
            marker_color=SERIES_COLORS[1],
            text=[f"{candidate.memory_mib:,.0f} MiB" if candidate.memory_mib else "" for candidate in measured],
            xaxis="x2",
        )
    figure.update_layout(
        xaxis={"type": "log", "domain": [0, 0.47 if has_memory else 1]},
        yaxis={"autorange": "reversed"},
        height=BAR_HEIGHT * len(measured) + 110,
        showlegend=False,
    )
    if has_memory:
        figure.update_layout(
            xaxis2={"title": {"text": "memory of one process (MiB)"}, "domain": [0.53, 1], "anchor": "y"}
        )
    return figure
