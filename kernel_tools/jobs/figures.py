"""Figures of jobs: what one has used, and when it waited, ran and was interrupted."""

from __future__ import annotations

from typing import TYPE_CHECKING

from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.jobs.folder import now

if TYPE_CHECKING:
    import pandas as pd
    import plotly.graph_objects as go

    from kernel_tools.jobs.handle import Job

MAX_POINTS = 1000
"""Points of a curve; of more samples, each point is the mean of as many as needed."""
_MIB = 1024**2


def usage_figures(usage: pd.DataFrame, *, is_dark: bool = False) -> dict[str, go.Figure]:
    """Draw what an attempt has used.

    Parameters
    ----------
    usage
        What `kernel_tools.jobs.usage.read_usage` returns.
    is_dark
        Whether the figures are shown on a dark ground.

    Returns
    -------
    dict
        By name: cpu (processors), memory (MiB), disk and network (MiB/s), and if a GPU was there gpu (percent) and
        gpu_memory (MiB), each over seconds since the first sample. Empty with fewer than two samples.
    """
    if len(usage) < 2:
        return {}
    table = _thin(_rates(usage))
    drawn = {
        "cpu": ("CPU", "processors", {"CPU": table["cpu"]}),
        "memory": ("Memory", "memory (MiB)", {"memory": table["memory"] / _MIB}),
        "disk": ("Disk", "MiB/s", {"read": table["disk_read"], "written": table["disk_written"]}),
        "network": (
            "Network of the machine",
            "MiB/s",
            {"received": table["network_received"], "sent": table["network_sent"]},
        ),
    }
    if (usage["gpu_memory"] >= 0).any():
        drawn["gpu"] = ("GPU", "utilization (%)", {"GPU": table["gpu_utilization"]})
        drawn["gpu_memory"] = ("GPU memory", "memory (MiB)", {"memory": table["gpu_memory"] / _MIB})
    return {
        name: _draw(table["seconds"], title, unit, curves, is_dark=is_dark)
        for name, (title, unit, curves) in drawn.items()
    }


def timeline(job: Job, *, is_dark: bool = False) -> go.Figure:
    """Draw the life of a job: one row for each attempt, and in the first row what came before any.

    Parameters
    ----------
    job
        The job; of one that goes on, the last stretch ends now.
    is_dark
        Whether the figure is shown on a dark ground.
    """
    import plotly.graph_objects as go

    history = job.history
    figure = new_figure(title=f"Life of {job.name}", x_title="time since submission (s)", y_title="", is_dark=is_dark)
    states = dict.fromkeys(stretch.state for stretch in history.stretches if not stretch.state.is_end)
    for color, state in zip(SERIES_COLORS, states, strict=False):
        found = [stretch for stretch in history.stretches if stretch.state is state]
        begun = [(stretch.started_at - history.created_at) / 1000 for stretch in found]
        ended = [((stretch.ended_at or now()) - history.created_at) / 1000 for stretch in found]
        figure.add_trace(
            go.Bar(
                orientation="h",
                y=[f"attempt {stretch.attempt or 1}" for stretch in found],
                base=begun,
                x=[end - begin for begin, end in zip(begun, ended, strict=True)],
                name=state.value,
                marker={"color": color, "line": {"width": 0}},
                hovertemplate=f"{state.value}: %{{base:.4g}} s, for %{{x:.4g}} s<extra></extra>",
            )
        )
    figure.update_layout(barmode="overlay", showlegend=True, height=140 + 30 * max(1, len(history.attempts)))
    figure.update_yaxes(autorange="reversed", showgrid=False)
    return figure


def _rates(usage: pd.DataFrame) -> pd.DataFrame:
    """Return seconds since the first sample, and MiB per second instead of bytes so far."""
    table = usage.copy()
    table["seconds"] = (table["timestamp"] - table["timestamp"].iloc[0]).dt.total_seconds()
    step = table["seconds"].diff()
    for name in ("disk_read", "disk_written", "network_received", "network_sent"):
        table[name] = (table[name].diff() / step.where(step > 0) / _MIB).clip(lower=0)
    return table.drop(columns="timestamp")


def _thin(table: pd.DataFrame) -> pd.DataFrame:
    """Return at most `MAX_POINTS` rows: means of equally many samples."""
    count = -(-len(table) // MAX_POINTS)
    return table if count == 1 else table.groupby(table.index // count).mean()


def _draw(seconds: pd.Series, title: str, unit: str, curves: dict[str, pd.Series], *, is_dark: bool) -> go.Figure:
    import plotly.graph_objects as go

    figure = new_figure(title=title, x_title="time (s)", y_title=unit, is_dark=is_dark)
    for color, (name, values) in zip(SERIES_COLORS, curves.items(), strict=False):
        figure.add_trace(go.Scatter(x=seconds, y=values, name=name, mode="lines", line={"color": color, "width": 1.5}))
    figure.update_layout(showlegend=len(curves) > 1, hovermode="x unified")
    figure.update_yaxes(rangemode="tozero")
    return figure
