"""How each layer fares: how large its gradients and updates are, and how many of its units are at rest."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.debugger.figures.drawing import GREY, MOST_ROWS, add_curves, add_map, evenly, in_order
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

_SHOWN_STEPS = 4
_USUAL_RATIO = 1e-3
"""How much an update changes a weight in a training that goes well, as a rule of thumb."""


def gradient_flow(trial: Trial, *, step: int | None = None, is_dark: bool = False) -> go.Figure:
    """Draw the mean absolute gradient of each weight, in the order of the layers, at a step and some others.

    Parameters
    ----------
    trial
        What was captured.
    step
        The step that is drawn strongest; the nearest sampled one is. Default: the last.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If no gradients were captured.
    """
    import plotly.graph_objects as go

    names = _weights(trial, "gradients", "gradient/")
    steps = trial.tensor(names[0]).series("l1", Mode.TRAIN)[0].tolist() if names else []
    if not steps:
        raise NotFoundError("No gradients were captured. Watch the model with its optimizer, in a training loop.")
    chosen = steps[-1] if step is None else min(steps, key=lambda known: abs(known - step))
    others = [known for known in evenly(steps, _SHOWN_STEPS) if known != chosen]
    left_out = f" (of the first {MOST_ROWS} of {len(names)} weights)" if len(names) > MOST_ROWS else ""
    figure = new_figure(title=f"Gradient flow{left_out}", x_title="weight, in the order of the layers", is_dark=is_dark)
    for known in [*others, chosen]:
        found = _mean_abs(trial, known, "gradients")
        is_chosen = known == chosen
        color = SERIES_COLORS[0] if is_chosen else GREY
        figure.add_trace(
            go.Scatter(
                x=[name.removeprefix("gradient/") for name in names[:MOST_ROWS]],
                y=[found.get(name) or None for name in names[:MOST_ROWS]],
                name=f"step {known:,}",
                mode="lines+markers",
                line={"color": color, "width": 2.5 if is_chosen else 1},
                marker={"color": color, "size": 6 if is_chosen else 4},
                opacity=1 if is_chosen else 0.35 + 0.5 * (known + 1) / (steps[-1] + 1),
                hovertemplate=f"%{{x}}<br>step {known:,}<br>%{{y:.3g}}<extra></extra>",
            )
        )
    figure.update_yaxes(type="log", tickformat=".0e", title_text="mean |gradient|")
    return figure


def update_ratios(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw how large each update is against the weight that it changes, as root mean squares, over the steps.

    Parameters
    ----------
    trial
        What was captured.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If no updates were captured.
    """
    curves: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
    names = _weights(trial, "updates", "update/")
    for name in names[:MOST_ROWS]:
        weight = name.removeprefix("update/")
        if not trial.has_tensor(weight):
            continue
        steps, update = _rms(trial, name)
        others, size = _rms(trial, weight)
        shared, mine, theirs = np.intersect1d(steps, others, return_indices=True)
        with np.errstate(divide="ignore", invalid="ignore"):
            ratio = update[mine] / size[theirs]
        curves[weight] = (shared, np.where(np.isfinite(ratio) & (ratio > 0), ratio, np.nan))
    if not any(len(steps) for steps, _ in curves.values()):
        raise NotFoundError("No updates were captured. Watch the model with its optimizer, in a training loop.")
    left_out = f" (of the first {MOST_ROWS} of {len(names)} weights)" if len(names) > MOST_ROWS else ""
    figure = new_figure(title=f"Updates against weights{left_out}", x_title="step", is_dark=is_dark)
    if len(curves) > len(SERIES_COLORS):
        logs = {name: (steps, np.log10(ratio)) for name, (steps, ratio) in curves.items()}
        add_map(figure, logs, color_title="log10 of update / weight")
        return figure
    add_curves(figure, curves)
    figure.update_yaxes(type="log", tickformat=".0e", title_text="size of update / size of weight")
    figure.add_hline(y=_USUAL_RATIO, line={"dash": "dot", "width": 1, "color": GREY})
    figure.add_annotation(  # on a logarithmic axis, notes are placed by the logarithm
        text=f"usual: about {_USUAL_RATIO:g}",
        x=1,
        xref="x domain",
        xanchor="right",
        y=math.log10(_USUAL_RATIO),
        yanchor="top",
        showarrow=False,
        font={"size": 11},
    )
    return figure


def dead_units(trial: Trial, *, mode: str = "TRAIN", is_dark: bool = False) -> go.Figure:
    """Draw which share of each activation's units is dead or saturated in nearly all of a batch, over the steps.

    Parameters
    ----------
    trial
        What was captured.
    mode
        TRAIN, EVAL or PREDICT.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If no activations were captured whose units can be dead or saturated.
    """
    curves: dict[str, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
    left_out = 0
    for tensor in in_order(trial, "layers"):
        table = tensor.table(mode)
        for column in ("dead", "saturated"):
            share = table[column].to_numpy("f8")
            if len(share) and not np.isnan(share).all():
                if len(curves) >= MOST_ROWS:
                    left_out += 1
                else:
                    curves[f"{tensor.name.removesuffix('.output_0')} · {column}"] = (
                        table.index.to_numpy(),
                        100 * share,
                    )
    if not curves:
        raise NotFoundError(
            "No activation was captured whose units can be dead (ReLU and its kin) or saturated (tanh, sigmoid)."
        )
    more = f" (and {left_out} more)" if left_out else ""
    figure = new_figure(title=f"Dead and saturated units{more}", x_title="step", is_dark=is_dark)
    add_map(figure, curves, color_title="share of units (%)", lowest=0, highest=100)
    return figure


def _weights(trial: Trial, collection: str, prefix: str) -> list[str]:
    """Return the gradients or updates of weights, without those of biases where there are any weights."""
    names = [tensor.name for tensor in in_order(trial, collection)]
    known = set(trial.tensor_names(collection="weights"))
    return [name for name in names if name.removeprefix(prefix) in known] or names


def _mean_abs(trial: Trial, step: int, collection: str) -> dict[str, float]:
    block = trial.statistics(step, Mode.TRAIN, collection)
    if block is None:
        return {}
    sizes = (tensor.count for tensor in block.tensors)
    pairs = zip(block.names, block.column("l1").tolist(), sizes, strict=True)
    return {name: total / max(size, 1) for name, total, size in pairs}


def _rms(trial: Trial, name: str) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    tensor = trial.tensor(name)
    steps, norm = tensor.series("l2", Mode.TRAIN)
    return steps, norm / max(tensor.info.count, 1) ** 0.5
