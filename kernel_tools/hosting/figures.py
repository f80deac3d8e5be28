"""Figures of endpoints, made once for notebooks, panels and dashboards."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from kernel_tools.hosting.history import Traffic, Window

_MIB = 1024**2


def history_figures(history: Sequence[Window], is_dark: bool = False) -> dict[str, go.Figure]:
    """Draw what an endpoint did over time; a gap in a curve is a time of which nothing is known.

    Parameters
    ----------
    history
        What `Endpoint.history` returns.
    is_dark
        Whether the figures are shown on a dark ground.

    Returns
    -------
    dict
        By name: requests (per second), errors (per second, by kind), latency (of the model, in ms), these three also by
        variant if there are several; load (requests in flight and workers), cpu (processors), memory (MiB), and backlog
        if asynchronous requests were queued. Empty if nothing is known of the whole time.
    """
    if all(window.whole.ready != window.whole.ready for window in history):
        return {}
    wholes = [window.whole for window in history]
    names = list(dict.fromkeys(name for window in history for name in window.variants))
    requests = {"all": _of(wholes, lambda item: item.requests_per_second)}
    requests |= _by_variant(history, names, lambda item: item.requests_per_second)
    drawn: dict[str, tuple[str, dict[str, list[float]]]] = {
        "requests": ("requests (1/s)", requests),
        "errors": (
            "errors (1/s)",
            {
                "4xx": _of(wholes, lambda item: item.errors_4xx_per_second),
                "5xx": _of(wholes, lambda item: item.errors_5xx_per_second),
                "model": _of(wholes, lambda item: item.model_errors_per_second),
                **_by_variant(history, names, _errors_per_second),
            },
        ),
        "latency": (
            "model latency (ms)",
            {
                "p50": _of(wholes, lambda item: item.latency_p50),
                "p90": _of(wholes, lambda item: item.latency_p90),
                "p99": _of(wholes, lambda item: item.latency_p99),
                **_by_variant(history, names, lambda item: item.latency_p99, "p99 of "),
            },
        ),
        "load": (
            "requests, workers",
            {"in flight": _of(wholes, lambda item: item.in_flight), "workers": _of(wholes, lambda item: item.ready)},
        ),
        "cpu": ("processors", {"CPU": [window.cpu for window in history]}),
        "memory": ("memory (MiB)", {"memory": [window.memory / _MIB for window in history]}),
    }
    if any(window.backlog > 0 for window in history):
        drawn["backlog"] = ("queued requests", {"backlog": [window.backlog for window in history]})
    return {name: _draw(history, y_title, curves, is_dark) for name, (y_title, curves) in drawn.items()}


def _of(wholes: Sequence[Traffic], take: Callable[[Traffic], float]) -> list[float]:
    return [take(item) for item in wholes]


def _by_variant(
    history: Sequence[Window], names: Sequence[str], take: Callable[[Traffic], float], prefix: str = ""
) -> dict[str, list[float]]:
    """A curve for each variant; none if there is only one."""
    if len(names) < 2:
        return {}
    return {
        prefix + name: [take(window.variants[name]) if name in window.variants else math.nan for window in history]
        for name in names
    }


def _errors_per_second(traffic: Traffic) -> float:
    return traffic.errors_4xx_per_second + traffic.errors_5xx_per_second + traffic.model_errors_per_second


def _draw(history: Sequence[Window], y_title: str, curves: dict[str, list[float]], is_dark: bool) -> go.Figure:
    from datetime import UTC, datetime

    from kernel_tools.core.figures import new_figure

    figure = new_figure(y_title=y_title, is_dark=is_dark)
    times: list[Any] = [datetime.fromtimestamp(window.end / 1000, UTC) for window in history]
    for name, values in curves.items():
        alone = [value == value and not _has_neighbour(values, place) for place, value in enumerate(values)]
        figure.add_scatter(
            x=times, y=values, name=name, mode="lines+markers" if any(alone) else "lines", connectgaps=False,
            marker={"size": [5 if one else 0 for one in alone]} if any(alone) else None,
        )  # fmt: skip
    figure.update_layout(showlegend=len(curves) > 1, hovermode="x unified")
    figure.update_yaxes(rangemode="tozero")
    return figure


def _has_neighbour(values: list[float], place: int) -> bool:
    beside = [values[other] for other in (place - 1, place + 1) if 0 <= other < len(values)]
    return any(value == value for value in beside)
