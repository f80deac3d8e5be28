"""Single tensors over the steps: a statistic, the whole distribution, and the same tensor in two runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.figures import new_figure
from kernel_tools.debugger.figures.drawing import (
    MOST_COLUMNS,
    MOST_ROWS,
    add_curves,
    color_bar,
    evenly,
    mark_step,
    mark_threshold,
)
from kernel_tools.debugger.records import COLUMN, QUANTILES
from kernel_tools.debugger.tensor import Tensor
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

_BINS = 64
_WORDS = {
    "abs_mean": "mean of absolute values",
    "abs_max": "largest absolute value",
    "nan": "number of NaNs",
    "inf": "number of infinities",
    "zeros": "share of zeros",
    "dead": "share of dead units",
    "saturated": "share of saturated units",
    "std": "standard deviation",
}


def series(
    trial: Trial,
    *,
    tensors: Sequence[str],
    reduction: str = "mean",
    threshold: float | None = None,
    step: int | None = None,
    mode: str = "TRAIN",
    is_dark: bool = False,
) -> go.Figure:
    """Draw a statistic of some tensors, or single numbers such as metrics, over the steps.

    Parameters
    ----------
    trial
        What was captured.
    tensors
        Their names; of more than 120 the first are drawn.
    reduction
        One of `kernel_tools.debugger.tensor.REDUCTIONS`; of single numbers the numbers themselves are drawn.
    threshold
        A limit to draw.
    step
        A step to mark.
    mode
        TRAIN, EVAL or PREDICT.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If there is no such tensor, or it was not captured in this mode.
    """
    chosen = [trial.tensor(name) for name in tensors]
    curves = {tensor.name: tensor.series(reduction, mode) for tensor in chosen[:MOST_ROWS]}
    curves = {name: curve for name, curve in curves.items() if len(curve[0])}
    if not curves:
        raise NotFoundError(f"Nothing of {', '.join(map(repr, tensors)) or 'no tensor'} was captured in mode {mode}.")
    what = "value" if all(tensor.is_scalar for tensor in chosen) else _WORDS.get(reduction, reduction)
    title = next(iter(curves)) if len(curves) == 1 else f"{len(curves)} tensors"
    left_out = f" (of {len(chosen)})" if len(chosen) > MOST_ROWS else ""
    figure = new_figure(title=f"{title}{left_out}", x_title="step", y_title=what, is_dark=is_dark)
    add_curves(figure, curves)
    mark_threshold(figure, threshold)
    mark_step(figure, step)
    return figure


def distribution(
    trial: Trial, *, tensor: str, step: int | None = None, mode: str = "TRAIN", is_dark: bool = False
) -> go.Figure:
    """Draw how the elements of a tensor are distributed over the steps, from their quantiles.

    Parameters
    ----------
    trial
        What was captured.
    tensor
        Its name.
    step
        A step to mark.
    mode
        TRAIN, EVAL or PREDICT.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If there is no such tensor, or no statistics of it were captured in this mode.
    """
    import plotly.graph_objects as go

    found = trial.tensor(tensor)
    table = found.table(mode) if not found.is_scalar else None
    if table is None or not len(table):
        raise NotFoundError(f"No statistics of {tensor!r} were captured in mode {mode}.")
    table = table.loc[evenly(table.index.unique().tolist(), MOST_COLUMNS)]
    quantiles = table[[name for name in COLUMN if name.startswith("q")]].to_numpy("f8")
    steps = table.index.to_numpy()
    figure = new_figure(title=f"Distribution of {tensor}", x_title="step", y_title="value", is_dark=is_dark)
    finite = quantiles[np.isfinite(quantiles)]
    if len(finite) and finite.max() > finite.min():
        edges = np.linspace(finite.min(), finite.max(), _BINS + 1)
        figure.add_trace(
            go.Heatmap(
                x=steps,
                y=(edges[:-1] + edges[1:]) / 2,
                z=_shares(quantiles, edges).T,
                colorscale="Cividis",
                colorbar=color_bar("share of elements (%)"),
                hovertemplate="step %{x:,}<br>about %{y:.3g}<br>%{z:.2g} % of the elements<extra></extra>",
            )
        )
    names = [name for name in COLUMN if name.startswith("q")]
    for name, label, dash in (("q05", "5 %", "dot"), ("q50", "median", "solid"), ("q95", "95 %", "dot")):
        figure.add_trace(
            go.Scatter(
                x=steps,
                y=quantiles[:, names.index(name)],
                name=label,
                mode="lines",
                line={
                    "color": "#F2F2F2" if len(finite) and finite.max() > finite.min() else None,
                    "width": 1,
                    "dash": dash,
                },
                hovertemplate=f"{label}<br>step %{{x:,}}<br>%{{y:.4g}}<extra></extra>",
                showlegend=False,
            )
        )
    mark_step(figure, step)
    return figure


def compare_tensors(
    trial: Trial,
    *,
    other: Trial,
    tensor: str,
    reduction: str = "mean",
    mode: str = "TRAIN",
    is_dark: bool = False,
) -> go.Figure:
    """Draw a statistic of the same tensor in two runs, over the steps.

    Parameters
    ----------
    trial, other
        What was captured of the two runs.
    tensor
        Its name, in both.
    reduction, mode, is_dark
        As for `series`.

    Raises
    ------
    NotFoundError
        If one of them does not have the tensor, or captured nothing of it in this mode.
    """
    named = {"this run": trial, "the other run": other}
    if trial.run is not None and other.run is not None:
        named = {trial.run.name: trial, other.run.name: other}
        if len(named) < 2:
            named = {f"{item.run.name} ({item.run.id[:8]})": item for item in (trial, other)}
    curves = {name: _find(item, tensor, name).series(reduction, mode) for name, item in named.items()}
    if not any(len(steps) for steps, _ in curves.values()):
        raise NotFoundError(f"Nothing of {tensor!r} was captured in mode {mode}.")
    what = "value" if trial.tensor(tensor).is_scalar else _WORDS.get(reduction, reduction)
    figure = new_figure(title=tensor, x_title="step", y_title=what, is_dark=is_dark)
    add_curves(figure, curves)
    return figure


def _find(trial: Trial, tensor: str, name: str) -> Tensor:
    try:
        return trial.tensor(tensor)
    except NotFoundError as error:
        raise NotFoundError(f"In {name}: {error}") from error


def _shares(quantiles: np.ndarray[Any, Any], edges: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the percentage of elements in each bin (steps, bins), taken to be even between two quantiles."""
    shares = np.full((len(quantiles), len(edges) - 1), np.nan)
    levels = np.array(QUANTILES)
    for row, values in enumerate(quantiles):
        if np.isfinite(values).all():
            below = np.interp(edges, values, levels, left=0.0, right=1.0)
            below[0], below[-1] = 0.0, 1.0  # the edges hold all quantiles of all rows
            shares[row] = 100 * np.diff(below)
    return np.where(shares > 0, shares, np.nan)
