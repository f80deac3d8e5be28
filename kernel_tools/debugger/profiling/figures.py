"""Figures of the profiler: use of the machine, times of steps and their outliers, and the time line of a trace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.debugger.profiling.steps import PHASES, breakdown, durations_of, find_outliers, phases_of
from kernel_tools.debugger.profiling.system import mean_of, system_of
from kernel_tools.debugger.profiling.trace import trace_tables
from kernel_tools.debugger.records import Mode, to_mode

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.debugger.trial import Trial

MOST_COLUMNS = 600
MOST_STEPS = 400
MOST_POINTS = 2000
MOST_BARS = 1500
"""Bounds of what is drawn: columns of the heat map, areas of steps, points, and bars of a trace."""
MOST_CORES = 32
PHASE_NAMES = {
    "data": "waiting for data",
    "forward": "forward",
    "backward": "backward",
    "optimizer": "optimizer",
    "other": "other",
    "capture": "Debugger",
}
_KINDS = ("step", "module", "operator", "kernel", "call")


def utilization(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw a heat map of the machine: a row for each core, GPU and memory, over the seconds of the run, in percent.

    Of many samples, a column is the mean of as many as needed; of more than 32 cores, a row is the mean of several.
    """
    import plotly.graph_objects as go

    series = system_of(trial)
    rows: dict[str, Any] = {"memory": series.memory, "waiting for disk": mean_of(series.waiting)}
    cores = series.cores.shape[1]
    size = max(1, -(-cores // MOST_CORES))
    for first in range(0, cores, size):
        last = min(cores, first + size) - 1
        rows[f"core {first}" if first == last else f"cores {first}-{last}"] = mean_of(series.cores[:, first : last + 1])
    for index in range(series.gpus.shape[1]):
        rows[f"GPU {index} memory"] = series.gpu_memory[:, index]
        rows[f"GPU {index}"] = series.gpus[:, index]
    figure = new_figure(title="Use of the machine", x_title="time (s)", is_dark=is_dark)
    if len(series):
        seconds = (series.at - series.at[0]) / 1000
        table = _thin(np.column_stack([seconds, *rows.values()]), MOST_COLUMNS)
        figure.add_trace(
            go.Heatmap(
                x=table[:, 0],
                y=list(rows),
                z=np.round(table[:, 1:].T, 1),
                zmin=0,
                zmax=100,
                colorscale="Cividis",
                colorbar={"title": {"text": "%"}, "thickness": 12},
                hovertemplate="%{y}: %{z:.0f} % at %{x:.1f} s<extra></extra>",
            )
        )
    else:
        _say(figure, "The use of the machine was not recorded.")
    figure.update_layout(height=140 + 20 * max(4, len(rows)))
    figure.update_yaxes(showgrid=False)
    return figure


def step_times(trial: Trial, mode: Mode | str = Mode.TRAIN, *, is_dark: bool = False) -> go.Figure:
    """Draw what each step spent its time on, in milliseconds, one phase above the other.

    Of many steps, a point is the mean of as many as needed.
    """
    import plotly.graph_objects as go

    wanted = to_mode(mode) or Mode.TRAIN
    values = trial.tick_values(wanted)
    title = "Time of a step" if wanted is Mode.TRAIN else f"Time of a step in mode {wanted.name}"
    figure = new_figure(title=title, x_title="step", y_title="time (ms)", is_dark=is_dark)
    table = _thin(np.column_stack([values[:, 0], phases_of(values) * 1000]), MOST_STEPS)
    for index, (color, name) in enumerate(zip(SERIES_COLORS, PHASES, strict=False), 1):
        if len(table) and table[:, index].any():
            figure.add_trace(
                go.Scatter(
                    x=table[:, 0],
                    y=table[:, index],
                    name=PHASE_NAMES[name],
                    stackgroup="phases",
                    mode="lines",
                    line={"width": 0.5, "color": color},
                    hovertemplate="%{y:.3g} ms",
                )
            )
    if not figure.data:
        _say(figure, "No times of steps were recorded.")
    figure.update_layout(hovermode="x unified", showlegend=True)
    figure.update_yaxes(rangemode="tozero")
    return figure


def phases(trial: Trial, mode: Mode | str | None = None, *, is_dark: bool = False) -> go.Figure:
    """Draw what all steps together spent their time on, a bar for each phase, in seconds."""
    import plotly.graph_objects as go

    table = breakdown(trial, mode).iloc[::-1]
    figure = new_figure(title="Where the time went", x_title="time (s)", is_dark=is_dark)
    figure.add_trace(
        go.Bar(
            orientation="h",
            x=table["seconds"],
            y=[PHASE_NAMES[name] for name in table["phase"]],
            text=[f"{share:.0%}" for share in table["share"]],
            marker={"color": SERIES_COLORS[0]},
            hovertemplate="%{y}: %{x:.3g} s<extra></extra>",
        )
    )
    figure.update_layout(height=280)
    figure.update_yaxes(showgrid=False)
    return figure


def outliers(trial: Trial, mode: Mode | str = Mode.TRAIN, stddev: float = 3.0, *, is_dark: bool = False) -> go.Figure:
    """Draw how long each step took, and mark those above the mean plus `stddev` standard deviations.

    Of many steps all outliers are drawn, and of the others as many as there is room for.
    """
    import plotly.graph_objects as go

    values = trial.tick_values(mode)
    steps, seconds = values[:, 0], durations_of(values) * 1000
    found, limit = find_outliers(seconds, stddev)
    found = found[np.argsort(-seconds[found], kind="stable")][:MOST_POINTS]
    usual = np.setdiff1d(np.arange(len(steps)), found)
    usual = usual[:: max(1, -(-len(usual) // MOST_POINTS))]
    figure = new_figure(title="Steps that took longer", x_title="step", y_title="time (ms)", is_dark=is_dark)
    for name, chosen, color, symbol in (
        ("usual", usual, SERIES_COLORS[0], "circle"),
        ("outlier", found, SERIES_COLORS[1], "diamond"),
    ):
        if len(chosen):
            figure.add_trace(
                go.Scatter(
                    x=steps[chosen],
                    y=seconds[chosen],
                    name=name,
                    mode="markers",
                    marker={"color": color, "symbol": symbol, "size": 4 if name == "usual" else 8},
                    hovertemplate="step %{x}: %{y:.3g} ms<extra></extra>",
                )
            )
    if not figure.data:
        _say(figure, "No times of steps were recorded.")
    elif np.isfinite(limit):
        text = f"{limit:.3g} ms: the mean and {stddev:g} standard deviations"
        figure.add_hline(y=limit, line={"dash": "dash", "width": 1}, annotation={"text": text, "yanchor": "bottom"})
    figure.update_layout(showlegend=True)
    figure.update_yaxes(rangemode="tozero")
    return figure


def trace(trial: Trial, start: float | None = None, end: float | None = None, *, is_dark: bool = False) -> go.Figure:
    """Draw the time line of the steps that `torch.profiler` has recorded, a row for each thread and depth.

    Parameters
    ----------
    trial
        A trial with a trace; NotFoundError if it has none.
    start, end
        Draw only this time, in milliseconds since the first event. The 1,500 longest events of it are drawn.
    is_dark
        Whether the figure is shown on a dark ground.
    """
    import plotly.graph_objects as go

    tables = trace_tables(trial)
    first, last = start or 0.0, tables.duration if end is None else end
    shown = [row for row in tables.events if row["start_ms"] <= last and row["start_ms"] + row["total_ms"] >= first]
    count = len(shown)
    shown = sorted(shown, key=lambda row: -row["total_ms"])[:MOST_BARS]
    lanes = {lane: index for index, lane in enumerate(sorted({(row["thread"], row["depth"]) for row in shown}))}
    figure = new_figure(title="Time line", x_title="time (ms)", is_dark=is_dark)
    for color, kind in zip(SERIES_COLORS, _KINDS, strict=False):
        rows = [row for row in shown if row["kind"] == kind]
        if rows:
            figure.add_trace(
                go.Bar(
                    orientation="h",
                    y=[lanes[row["thread"], row["depth"]] for row in rows],
                    base=[row["start_ms"] for row in rows],
                    x=[row["total_ms"] for row in rows],
                    name=kind,
                    text=[f"step {row['name']}" if kind == "step" else row["name"] for row in rows],
                    textposition="inside",
                    insidetextanchor="start",
                    width=0.9,
                    marker={"color": color, "line": {"width": 0}},
                    hovertemplate="%{text}: %{x:.4g} ms at %{base:.4g} ms<extra></extra>",
                )
            )
    if count > len(shown):
        figure.update_layout(title_subtitle_text=f"The {len(shown):,} longest of {count:,} events")
    names = {thread: f"thread {index}" for index, thread in enumerate(dict.fromkeys(thread for thread, _ in lanes), 1)}
    figure.update_layout(barmode="overlay", showlegend=True, height=180 + 22 * max(3, len(lanes)))
    figure.update_layout(uniformtext={"minsize": 9, "mode": "hide"})
    figure.update_xaxes(range=[first, last])
    figure.update_yaxes(
        autorange="reversed",
        showgrid=False,
        tickvals=[index for (_, depth), index in lanes.items() if depth == 0],
        ticktext=[names[thread] for thread, depth in lanes if depth == 0],
    )
    return figure


def _thin(table: np.ndarray[Any, Any], most: int) -> np.ndarray[Any, Any]:
    """Return at most so many rows: means of equally many."""
    size = max(1, -(-len(table) // most))
    if size == 1:
        return table
    return np.add.reduceat(table, np.arange(0, len(table), size)) / np.add.reduceat(
        np.ones(len(table)), np.arange(0, len(table), size)
    ).reshape(-1, 1)


def _say(figure: go.Figure, text: str) -> None:
    figure.add_annotation(text=text, showarrow=False, xref="paper", yref="paper", x=0.5, y=0.5)
