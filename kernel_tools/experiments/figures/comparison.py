"""Figures that set runs beside each other, one value of each: parallel coordinates, points, bars and boxes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.field_values import as_numbers, read_field, title_of, value_of
from kernel_tools.experiments.figures.identity import GREY, ShownRun, color_of, note_missing, show_runs
from kernel_tools.experiments.run import Run

if TYPE_CHECKING:
    import plotly.graph_objects as go

MAX_TICKS = 12
"""Categories that have a tick of their own on a parallel coordinate."""
SCALE = "Cividis"


@dataclass(frozen=True, slots=True)
class _Column:
    """A field of some runs: as numbers if all of them are, else as texts."""

    title: str
    values: list[str | float]
    numbers: list[float] | None


def parallel_coordinates(runs: Sequence[Run], fields: Sequence[str], color: str | None = None) -> go.Figure:
    """Draw each run as a line across an axis for each field.

    Parameters
    ----------
    runs
        The runs. One that lacks a field, or has no finite number on an axis of numbers, is left out; see
        `compare_curves` for how that is said.
    fields
        At least two, such as ``["params.depth", "metrics.auc"]``.
    color
        A field of numbers that colours the lines. Default: each run has its own colour.

    Raises
    ------
    InvalidArgumentError
        If a field is not understood, or `color` has texts.

    Notes
    -----
    Each axis goes from its lowest to its highest value, texts in their natural order. The lines are plain ones, not
    Plotly's ``parcoords``: they say on hover which run they are, and need no WebGL.
    """
    import numpy as np

    from kernel_tools.core.figures import new_figure

    if len(fields) < 2:
        raise InvalidArgumentError("Parallel coordinates need at least two fields, such as params.depth, metrics.auc.")
    asked = [*fields, color] if color is not None else list(fields)
    shown, missing, columns = _read(runs, asked, needs_finite=True)
    figure = new_figure()
    heights = np.array([_add_axis(figure, place, column) for place, column in enumerate(columns[: len(fields)])])
    colors = _line_colors(figure, shown, columns[-1], color)
    for place, item in enumerate(shown):
        figure.add_scatter(
            x=list(range(len(fields))),
            y=heights[:, place],
            name=item.label,
            mode="lines+markers",
            line={"color": colors[place], "width": 2},
            marker={"color": colors[place], "size": 6},
            text=[f"{column.title} = {_written(column.values[place])}" for column in columns[: len(fields)]],
            hovertemplate="%{text}",
            meta=item.record.id,
        )
    figure.update_layout(hovermode="closest", showlegend=color is None and len(shown) <= 8)
    titles = [column.title for column in columns[: len(fields)]]
    figure.update_xaxes(tickvals=list(range(len(fields))), ticktext=titles, range=[-0.3, len(fields) - 0.5])
    figure.update_xaxes(showline=False, ticks="", side="bottom")
    figure.update_yaxes(visible=False, range=[-0.05, 1.05])
    note_missing(figure, missing, len(runs), "value for each of these fields")
    return figure


def scatter(runs: Sequence[Run], x: str, y: str, color: str | None = None) -> go.Figure:
    """Draw a point for each run.

    Parameters
    ----------
    runs
        The runs. One that lacks a field is left out; see `compare_curves` for how that is said.
    x, y
        Fields, such as ``"params.depth"`` and ``"metrics.auc"``. Texts make an axis of categories.
    color
        A field that colours the points: numbers by a scale, texts by colours of their own. Default: each run has its
        own colour.

    Raises
    ------
    InvalidArgumentError
        If a field is not understood.
    """
    from kernel_tools.core.figures import new_figure

    asked = [x, y, color] if color is not None else [x, y]
    shown, missing, columns = _read(runs, asked, needs_finite=False)
    across, up = columns[0], columns[1]
    figure = new_figure(x_title=across.title, y_title=up.title)
    figure.update_xaxes(showgrid=True)
    for column, update in ((across, figure.update_xaxes), (up, figure.update_yaxes)):
        if column.numbers is None:
            update(type="category")
    hover = f"%{{text}}<br>{across.title} = %{{x}}<br>{up.title} = %{{y}}"
    for group, places, marker in _groups(shown, columns[2] if color is not None else None):
        figure.add_scatter(
            x=[_drawn(across, place) for place in places],
            y=[_drawn(up, place) for place in places],
            name=group,
            mode="markers",
            marker={"size": 10, **marker},
            text=[shown[place].label for place in places],
            hovertemplate=hover + "<extra></extra>",
            customdata=[shown[place].record.id for place in places],
        )
    figure.update_layout(hovermode="closest", showlegend=1 < len(figure.data) <= 8)
    note_missing(figure, missing, len(runs), "value for each of these fields")
    return figure


def bars(runs: Sequence[Run], metric: str) -> go.Figure:
    """Draw a bar for each run.

    Parameters
    ----------
    runs
        The runs, the first on top. One without the field is left out; see `compare_curves` for how that is said.
    metric
        A field of numbers, such as ``"metrics.auc"``; its latest value counts. NaN and infinities are written, without
        a bar.

    Raises
    ------
    InvalidArgumentError
        If the field is not understood, or has texts.
    """
    from kernel_tools.core.figures import new_figure

    shown, missing, (column,) = _read(runs, [metric], needs_finite=False)
    numbers = _require_numbers(column, metric)
    figure = new_figure(x_title=column.title)
    figure.add_bar(
        x=[number if math.isfinite(number) else None for number in numbers],
        y=[item.label for item in shown],
        orientation="h",
        marker={"color": [item.color for item in shown]},
        text=[_written(number) for number in numbers],
        textposition="auto",
        hovertemplate="%{y}: %{x:.6g}<extra></extra>",
        customdata=[item.record.id for item in shown],
    )
    figure.update_xaxes(showgrid=True)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    figure.update_layout(showlegend=False, bargap=0.3)
    note_missing(figure, missing, len(runs), "such value")
    return figure


def boxes(runs: Sequence[Run], metric: str, by: str) -> go.Figure:
    """Draw how a number is spread in each group of runs, with a point for each run.

    Parameters
    ----------
    runs
        The runs. One that lacks a field, or whose number is not finite, is left out; see `compare_curves` for how
        that is said.
    metric
        A field of numbers, such as ``"metrics.auc"``.
    by
        The field that makes the groups, such as ``"params.depth"``.

    Raises
    ------
    InvalidArgumentError
        If a field is not understood, or `metric` has texts.
    """
    from kernel_tools.core.figures import new_figure

    asked = [metric, by]
    _require_numbers(_read(runs, [metric], needs_finite=False)[2][0], metric)
    shown, missing, (column, groups) = _read(runs, asked, needs_finite=True)
    numbers = column.numbers or []
    figure = new_figure(x_title=groups.title, y_title=column.title)
    for place, value in enumerate(_in_order(groups)):
        members = [index for index, other in enumerate(groups.values) if other == value]
        figure.add_box(
            x=[_written(value)] * len(members),
            y=[numbers[index] for index in members],
            name=_written(value),
            boxpoints="all",
            jitter=0.3,
            pointpos=0,
            fillcolor="rgba(0,0,0,0)",
            line={"color": color_of(place), "width": 1.5},
            marker={"color": color_of(place), "size": 6},
            text=[shown[index].label for index in members],
            hovertemplate="%{text}: %{y:.6g}<extra></extra>",
            hoveron="points",
        )
    figure.update_xaxes(type="category")
    figure.update_layout(showlegend=False, hovermode="closest")
    note_missing(figure, missing, len(runs), "value for both fields")
    return figure


def _read(
    runs: Sequence[Run], fields: Sequence[str], *, needs_finite: bool
) -> tuple[list[ShownRun], list[ShownRun], list[_Column]]:
    """Return the runs that have all of the fields, those that do not, and the fields of the former."""
    parsed = [read_field(text) for text in fields]
    everyone = show_runs(runs)
    rows = [[value_of(item.record, field) for field in parsed] for item in everyone]
    if needs_finite:
        rows = [[None if _is_not_finite(value) else value for value in row] for row in rows]
    has_all = [all(value is not None for value in row) for row in rows]
    shown = [item for item, is_whole in zip(everyone, has_all, strict=True) if is_whole]
    missing = [item for item, is_whole in zip(everyone, has_all, strict=True) if not is_whole]
    columns = []
    for place, field in enumerate(parsed):
        values = [
            value for row, is_whole in zip(rows, has_all, strict=True) if is_whole and (value := row[place]) is not None
        ]
        columns.append(_Column(title_of(field), values, as_numbers(values)))
    return shown, missing, columns


def _is_not_finite(value: str | float | None) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def _require_numbers(column: _Column, field: str) -> list[float]:
    if column.values and column.numbers is None:
        raise InvalidArgumentError(f"{field} has texts, such as {column.values[0]!r}; this figure needs numbers.")
    return column.numbers or []


def _drawn(column: _Column, place: int) -> str | float:
    return column.values[place] if column.numbers is None else column.numbers[place]


def _written(value: str | float) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _in_order(column: _Column) -> list[str | float]:
    """Return the different values of a column: numbers by size, texts by the alphabet."""
    if column.numbers is None:
        return sorted(dict.fromkeys(column.values), key=str)
    sizes = dict(zip(column.values, column.numbers, strict=True))
    return sorted(sizes, key=sizes.__getitem__)


def _add_axis(figure: go.Figure, place: int, column: _Column) -> list[float]:
    """Draw the axis of a field at its place, and return the heights of the runs on it, 0 to 1."""
    figure.add_shape(type="line", x0=place, x1=place, y0=0, y1=1, line={"color": "#8A8A8A", "width": 1}, layer="below")
    numbers = column.numbers
    if numbers is not None and all(map(math.isfinite, numbers)):
        low, high = min(numbers), max(numbers)
        ticks = {low: 0.5} if low == high else {low: 0.0, low / 2 + high / 2: 0.5, high: 1.0}
        heights = [_share(number, low, high) for number in numbers]
        labels = {f"{tick:.4g}": height for tick, height in ticks.items()}
    else:
        texts = [str(value) for value in _in_order(column)]
        steps = {text: 0.5 if len(texts) == 1 else index / (len(texts) - 1) for index, text in enumerate(texts)}
        heights = [steps[str(value)] for value in column.values]
        labels = steps if len(texts) <= MAX_TICKS else {text: steps[text] for text in (texts[0], texts[-1])}
    for text, height in labels.items():
        shown = text if len(text) <= 16 else f"{text[:15]}…"
        figure.add_annotation(
            x=place, y=height, text=shown, showarrow=False, xanchor="right", xshift=-8, font={"size": 11},
            bgcolor="rgba(255,255,255,0.8)", borderpad=1,
        )  # fmt: skip
    return heights


def _line_colors(figure: go.Figure, shown: Sequence[ShownRun], column: _Column, color: str | None) -> list[str]:
    """Return a colour for each run; with a field that colours them, also draw its scale."""
    if color is None:
        return [item.color for item in shown]
    from plotly.colors import sample_colorscale

    numbers = _require_numbers(column, color)
    finite = [number for number in numbers if math.isfinite(number)]
    if not finite:
        return [GREY] * len(shown)
    low, high = min(finite), max(finite)
    figure.add_scatter(
        x=[None],
        y=[None],
        mode="markers",
        showlegend=False,
        hoverinfo="skip",
        marker={
            "color": [low],
            "cmin": low,
            "cmax": high,
            "colorscale": SCALE,
            "showscale": True,
            "colorbar": {"title": column.title, "thickness": 12},
        },
    )
    shares = [_share(number, low, high) if math.isfinite(number) else 0.5 for number in numbers]
    return list(sample_colorscale(SCALE, shares))


def _share(number: float, low: float, high: float) -> float:
    """Return where a number lies between two others, 0 to 1; halved, because the whole way may be no float."""
    way = high / 2 - low / 2
    return min(1.0, max(0.0, (number / 2 - low / 2) / way)) if way > 0 else 0.5


def _groups(shown: Sequence[ShownRun], column: _Column | None) -> list[tuple[str, list[int], dict[str, Any]]]:
    """Return the traces of a figure of points: each with its name, the places of its runs, and their look."""
    if column is None:
        return [(item.label, [place], {"color": item.color}) for place, item in enumerate(shown)]
    if column.numbers is not None:
        bar = {"title": column.title, "thickness": 12}
        return [
            (
                "",
                list(range(len(shown))),
                {"color": column.numbers, "colorscale": SCALE, "showscale": True, "colorbar": bar},
            )
        ]
    groups = []
    for place, value in enumerate(_in_order(column)):
        members = [index for index, other in enumerate(column.values) if other == value]
        groups.append((str(value), members, {"color": color_of(place)}))
    return groups
