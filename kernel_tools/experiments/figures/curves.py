"""Curves of metrics: of one run, and of several runs laid over each other."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.figures.identity import ShownRun, note_missing, show_runs
from kernel_tools.experiments.figures.smoothing import smooth, validate_smoothing
from kernel_tools.experiments.metrics import History, read_history, thin
from kernel_tools.experiments.run import Run

if TYPE_CHECKING:
    import numpy as np
    import plotly.graph_objects as go
    from numpy.typing import NDArray

Axis = Literal["step", "time", "relative"]

CHART_POINTS = 2000
"""More points than this would not be seen; the extremes of every bucket are drawn instead."""
MAX_UNIFIED = 8
"""With more curves than this, the pointer tells one at a time: a box with all values would cover them."""

_AXIS_TITLES = {"step": "step", "time": "time (UTC)", "relative": "time since the run's start (s)"}
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")


def metric_history(
    run: Run,
    keys: Sequence[str],
    max_points: int | None = CHART_POINTS,
    *,
    x: Axis = "step",
    smoothing: float = 0.0,
    log_y: bool = False,
) -> go.Figure:
    """Draw metrics of a run.

    Parameters
    ----------
    run
        The run.
    keys
        Names of metrics; one line each.
    max_points
        At most this many points a line, the extremes kept; None draws every point.
    x, smoothing, log_y
        As for `compare_curves`.

    Raises
    ------
    NotFoundError
        If the run has no such metric.
    """
    figure = _new_chart(x, keys[0] if len(keys) == 1 else "value", len(keys))
    colors = figure.layout.template.layout.colorway
    started_at = run.record.started_at
    for place, key in enumerate(keys):
        curve = _read_curve(read_history(run._folder, key), x, smoothing, max_points, started_at)
        _add_curve(figure, curve, key, {"color": colors[place % len(colors)]})
    figure.update_layout(showlegend=len(keys) > 1)
    _scale(figure, log_x=False, log_y=log_y)
    return figure


def compare_metric(runs: Sequence[Run], key: str, max_points: int | None = CHART_POINTS) -> go.Figure:
    """Draw one metric of several runs over the steps: `compare_curves` with what it does by default."""
    return compare_curves(runs, [key], max_points=max_points)


def compare_curves(
    runs: Sequence[Run],
    keys: Sequence[str],
    *,
    x: Axis = "step",
    smoothing: float = 0.0,
    log_y: bool = False,
    log_x: bool = False,
    max_points: int | None = CHART_POINTS,
) -> go.Figure:
    """Lay metrics of several runs over each other; a run keeps its colour, a metric its kind of line.

    Parameters
    ----------
    runs
        The runs. One without any of the metrics is left out; the title of the figure says how many, and
        ``figure.layout.meta["missing"]`` which, by their ids.
    keys
        Names of metrics.
    x
        ``"step"``; ``"time"``, the time of the day in UTC; or ``"relative"``, the seconds since the run's start.
    smoothing
        Weight of the past in an exponential moving average, 0 (none) to below 1; see `smoothing.smooth`. The points
        as they are stay visible as a faint line.
    log_y, log_x
        Whether an axis is logarithmic. What is not above 0 has no place on such an axis.
    max_points
        At most this many points a line, the extremes kept; None draws every point. A line is smoothed before that.

    Raises
    ------
    InvalidArgumentError
        If there is no such axis, or the weight cannot smooth.

    Notes
    -----
    NaN and infinities are gaps in the lines. The first eight runs have colours that everybody can tell apart; from the
    ninth on runs are grey, and the studio lifts the one under the pointer.
    """
    if x not in _AXIS_TITLES:
        raise InvalidArgumentError(f"x is {x!r}: use 'step', 'time' or 'relative'.")
    validate_smoothing(smoothing)
    shown = show_runs(runs)
    found: list[tuple[ShownRun, str, History]] = []
    for item in shown:
        for key in keys:
            try:
                found.append((item, key, read_history(item.run._folder, key)))
            except NotFoundError:
                continue
    figure = _new_chart(x, keys[0] if len(keys) == 1 else "value", len(found))
    for item, key, history in found:
        curve = _read_curve(history, x, smoothing, max_points, item.record.started_at)
        name = item.label if len(keys) == 1 else f"{item.label} · {key}"
        dash = _DASHES[list(keys).index(key) % len(_DASHES)]
        _add_curve(figure, curve, name, {"color": item.color, "dash": dash}, item.record.id)
    _scale(figure, log_x=log_x and x != "time", log_y=log_y)
    drawn = {item.record.id for item, _, _ in found}
    missing = [item for item in shown if item.record.id not in drawn]
    note_missing(figure, missing, len(shown), "such metric" if len(keys) == 1 else "such metrics")
    return figure


class _Curve:
    """What is drawn of a metric: the points as they were logged, and smoothed ones if that was asked for."""

    def __init__(self, x: NDArray[Any], raw: NDArray[np.float64]) -> None:
        self.x, self.raw = x, raw
        self.smoothed: tuple[NDArray[Any], NDArray[np.float64]] | None = None


def _read_curve(history: History, x: Axis, smoothing: float, max_points: int | None, started_at: int) -> _Curve:
    places = _places(history, x, started_at)
    smoothed = smooth(history.values, smoothing) if smoothing else None
    values = history.values
    if x != "step":
        order = places.argsort(kind="stable")
        places, values = places[order], values[order]
        smoothed = smoothed[order] if smoothed is not None else None
    kept = thin(values, max_points)
    curve = _Curve(places[kept], values[kept])
    if smoothed is not None:
        kept = thin(smoothed, max_points)
        curve.smoothed = places[kept], smoothed[kept]
    return curve


def _places(history: History, x: Axis, started_at: int) -> NDArray[Any]:
    if x == "time":
        return history.timestamps.astype("datetime64[ms]")
    return history.steps if x == "step" else (history.timestamps - started_at) / 1000


def _add_curve(figure: go.Figure, curve: _Curve, name: str, line: dict[str, Any], run_id: str | None = None) -> None:
    mode = "markers" if len(curve.raw) == 1 else "lines"
    shared = {"name": name, "legendgroup": name, "mode": mode, "marker": {"color": line["color"]}, "meta": run_id}
    hover = "%{y:.6g}" if figure.layout.hovermode == "x unified" else "%{y:.6g} at %{x}"
    if curve.smoothed is None:
        figure.add_scatter(x=curve.x, y=curve.raw, line=line, hovertemplate=hover, **shared)
        return
    faint = {**line, "width": 1}
    figure.add_scatter(
        x=curve.x, y=curve.raw, line=faint, opacity=0.3, hoverinfo="skip", **{**shared, "showlegend": False}
    )
    figure.add_scatter(x=curve.smoothed[0], y=curve.smoothed[1], line=line, hovertemplate=hover, **shared)


def _new_chart(x: Axis, y_title: str, count: int) -> go.Figure:
    from kernel_tools.core.figures import new_figure

    figure = new_figure(x_title=_AXIS_TITLES[x], y_title=y_title)
    figure.update_layout(hovermode="x unified" if count <= MAX_UNIFIED else "closest", showlegend=count <= MAX_UNIFIED)
    if x == "time":
        figure.update_xaxes(type="date")
    return figure


def _scale(figure: go.Figure, *, log_x: bool, log_y: bool) -> None:
    if log_x:
        figure.update_xaxes(type="log")
    if log_y:
        figure.update_yaxes(type="log")
