"""What the figures of the Debugger share: thinned curves, maps of layers over time, and what they say in words."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.figures import SERIES_COLORS
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.debugger.tensor import Tensor

MOST_POINTS = 2000
"""Points of a curve; of more steps, the lowest and the highest of every stretch are drawn."""
MOST_COLUMNS = 240
"""Steps of a map; of more, evenly spaced ones."""
MOST_ROWS = 120
"""Layers of a map; the others are counted in the title."""
GREY = "#8A8A8A"
THRESHOLD_COLOR = "#D55E00"


def thin(
    steps: np.ndarray[Any, Any], values: np.ndarray[Any, Any], most: int = MOST_POINTS
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return at most about so many points of a curve; no peak is lost, and nothing that is not a number either."""
    if len(steps) <= most:
        return steps, values
    edges = np.linspace(0, len(steps), max(1, most // 2) + 1).astype(int)
    kept: set[int] = {0, len(steps) - 1}
    for begin, end in zip(edges[:-1], edges[1:], strict=True):
        part = values[begin:end]
        finite = np.isfinite(part)
        if finite.any():
            kept.add(begin + int(np.where(finite, part, np.inf).argmin()))
            kept.add(begin + int(np.where(finite, part, -np.inf).argmax()))
        if not finite.all():
            kept.add(begin + int(finite.argmin()))
    order = sorted(kept)
    return steps[order], values[order]


def color_bar(title: str) -> dict[str, Any]:
    """Return the colour bar of a map."""
    return {
        "title": {"text": title, "side": "right", "font": {"size": 12}},
        "thickness": 12,
        "outlinewidth": 0,
    }


def evenly(steps: Sequence[int], most: int) -> list[int]:
    """Return at most so many of the steps, the first and the last among them."""
    if len(steps) <= most:
        return list(steps)
    places = np.unique(np.linspace(0, len(steps) - 1, most).round().astype(int))
    return [steps[place] for place in places.tolist()]


def in_order(trial: Trial, collection: str) -> list[Tensor]:
    """Return the tensors of a collection in the order in which they were first seen: that of the layers."""
    return sorted(trial.tensors(collection), key=lambda tensor: tensor.info.id)


def wrap(text: str) -> str:
    """Break a sentence into the lines of a hover label."""
    escaped = text.replace("&", "&amp;").replace("<", "&lt;")
    return "<br>".join(textwrap.wrap(escaped, 70))


def mark_threshold(figure: go.Figure, value: float | None) -> None:
    """Draw the limit that a rule watches."""
    if value is not None and np.isfinite(value):
        figure.add_hline(
            y=value,
            line={"dash": "dash", "width": 1, "color": THRESHOLD_COLOR},
            annotation={"text": f"limit {value:.4g}", "xanchor": "right", "font": {"size": 11}},
        )


def mark_step(figure: go.Figure, step: int | None, **place: Any) -> None:
    """Draw a line at a step."""
    if step is not None:
        figure.add_vline(x=step, line={"dash": "dot", "width": 1, "color": GREY}, **place)


def add_curves(figure: go.Figure, curves: Mapping[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]]) -> None:
    """Draw curves over steps: eight in colours, the others in grey."""
    import plotly.graph_objects as go

    for place, (name, (steps, values)) in enumerate(curves.items()):
        x, y = thin(steps, values)
        color = SERIES_COLORS[place] if place < len(SERIES_COLORS) else GREY
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                name=name,
                mode="lines+markers" if len(x) < 40 else "lines",
                line={"color": color, "width": 1.5},
                marker={"size": 4, "color": color},
                opacity=1 if place < len(SERIES_COLORS) else 0.5,
                showlegend=len(curves) > 1 and place < len(SERIES_COLORS),
                hovertemplate=f"{wrap(name)}<br>step %{{x:,}}<br>%{{y:.4g}}<extra></extra>",
            )
        )


def add_map(
    figure: go.Figure,
    curves: Mapping[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]],
    *,
    color_title: str,
    lowest: float | None = None,
    highest: float | None = None,
) -> None:
    """Draw one row for each curve and one column for each step, the first curve at the top."""
    import plotly.graph_objects as go

    steps = evenly(sorted({int(step) for found, _ in curves.values() for step in found.tolist()}), MOST_COLUMNS)
    rows = []
    for found, values in curves.values():
        row = np.full(len(steps), np.nan)
        places = np.searchsorted(found, steps)
        inside = places < len(found)
        matches = np.flatnonzero(inside)[found[places[inside]] == np.asarray(steps)[inside]]
        row[matches] = values[places[matches]]
        rows.append(row)
    figure.add_trace(
        go.Heatmap(
            x=steps,
            y=list(curves),
            z=np.array(rows),
            zmin=lowest,
            zmax=highest,
            colorscale="Cividis",
            colorbar=color_bar(color_title),
            hovertemplate="%{y}<br>step %{x:,}<br>%{z:.4g}<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
