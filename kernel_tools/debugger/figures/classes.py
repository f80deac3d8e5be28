"""What a classifier confuses, and what a boosted model leans on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.debugger.figures.drawing import color_bar
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

_WRITTEN_CLASSES = 20
"""Up to so many classes, counts are written into the cells."""
MOST_CLASSES = 200
_SHOWN_FEATURES = 20
_IMPORTANCE = "feature_importance/"


def confusion(trial: Trial, *, step: int | None = None, mode: str | None = None, is_dark: bool = False) -> go.Figure:
    """Draw which class is taken for which, at a step.

    Parameters
    ----------
    trial
        What was captured.
    step
        The step; the nearest one that a matrix was saved at is drawn. Default: the last.
    mode
        TRAIN, EVAL or PREDICT. Default: EVAL where there is a matrix of it.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If no confusion matrix was captured.
    """
    import plotly.graph_objects as go

    steps = confusion_steps(trial)
    chosen = next((name for name in [mode, "EVAL", "TRAIN", *steps] if name in steps), None)
    if chosen is None:
        raise NotFoundError("No confusion matrix was captured: the hook saw no loss of a classification.")
    nearest = steps[chosen][-1] if step is None else min(steps[chosen], key=lambda known: abs(known - step))
    matrix = np.asarray(trial.tensor("confusion").value(nearest, chosen))[:MOST_CLASSES, :MOST_CLASSES]
    shares = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
    classes = [str(number) for number in range(len(matrix))]
    figure = new_figure(
        title=f"Confusion at step {nearest:,} ({chosen.lower()})", x_title="predicted", y_title="true", is_dark=is_dark
    )
    figure.add_trace(
        go.Heatmap(
            x=classes,
            y=classes,
            z=shares,
            zmin=0,
            zmax=100,
            customdata=matrix,
            text=matrix if len(matrix) <= _WRITTEN_CLASSES else None,
            texttemplate="%{text}" if len(matrix) <= _WRITTEN_CLASSES else None,
            colorscale="Cividis",
            colorbar=color_bar("share of the true class (%)"),
            hovertemplate="true %{y}, predicted %{x}<br>%{customdata} (%{z:.1f} %)<extra></extra>",
        )
    )
    figure.update_xaxes(type="category", showgrid=False)
    figure.update_yaxes(type="category", autorange="reversed", showgrid=False)
    return figure


def confusion_steps(trial: Trial) -> dict[str, list[int]]:
    """Return, for each mode that has any, the steps at which a confusion matrix was saved."""
    if not trial.has_tensor("confusion"):
        return {}
    tensor = trial.tensor("confusion")
    found = {mode.name: tensor.steps(mode) for mode in Mode}
    return {mode: steps for mode, steps in found.items() if steps}


def class_counts(trial: Trial, *, step: int | None = None, mode: str | None = None, is_dark: bool = False) -> go.Figure:
    """Draw how often each class was there, and how often it was predicted.

    Parameters are those of `confusion`.

    Raises
    ------
    NotFoundError
        If no counts of classes were captured.
    """
    import plotly.graph_objects as go

    counts: dict[str, np.ndarray[Any, Any]] = {}
    nearest, chosen = 0, ""
    for name, label in (("labels/count", "true"), ("predictions/count", "predicted")):
        if trial.has_tensor(name):
            tensor = trial.tensor(name)
            known = {item.name: tensor.steps(item) for item in Mode if tensor.steps(item)}
            chosen = next((item for item in [mode, "TRAIN", *known] if item in known), "")
            if chosen:
                steps = known[chosen]
                nearest = steps[-1] if step is None else min(steps, key=lambda each: abs(each - step))
                counts[label] = np.asarray(tensor.value(nearest, chosen))[:MOST_CLASSES]
    if not counts:
        raise NotFoundError("No counts of classes were captured: the hook saw no loss of a classification.")
    figure = new_figure(
        title=f"Classes at step {nearest:,} ({chosen.lower()})", x_title="class", y_title="samples", is_dark=is_dark
    )
    for place, (label, values) in enumerate(counts.items()):
        classes = [str(number) for number in range(len(values))]
        figure.add_trace(go.Bar(x=classes, y=values, name=label, marker={"color": SERIES_COLORS[place]}))
    figure.update_xaxes(type="category")
    return figure


def importance(trial: Trial, *, step: int | None = None, kind: str | None = None, is_dark: bool = False) -> go.Figure:
    """Draw how much a boosted model leans on each feature, as shares of the whole, the strongest first.

    Parameters
    ----------
    trial
        What was captured.
    step
        The last round that is looked at. Default: the last.
    kind
        What importance is measured by, such as weight (the number of splits) or total_gain. Default: the total gain
        where it was captured.
    is_dark
        Whether the figure is shown on a dark ground.

    Raises
    ------
    NotFoundError
        If no importances were captured.
    """
    import plotly.graph_objects as go

    names = trial.tensor_names(collection="feature_importance")
    kinds = list(dict.fromkeys(name.split("/")[1] for name in names if name.startswith(_IMPORTANCE)))
    kind = next((name for name in (kind, "total_gain", "gain") if name in kinds), kinds[0] if kinds else "gain")
    found: dict[str, float] = {}
    for name in names:
        prefix = f"{_IMPORTANCE}{kind}/"
        steps, values = trial.scalars(name) if name.startswith(prefix) else (np.empty(0), np.empty(0))
        inside = np.flatnonzero(steps <= step) if step is not None else np.arange(len(steps))
        if len(inside) and np.isfinite(values[inside[-1]]):
            found[name.removeprefix(prefix)] = float(values[inside[-1]])
    total = sum(found.values())
    if total <= 0:
        raise NotFoundError("No feature importances were captured.")
    ordered = sorted(found.items(), key=lambda item: -item[1])[:_SHOWN_FEATURES]
    left_out = f" (the first {_SHOWN_FEATURES} of {len(found)})" if len(found) > _SHOWN_FEATURES else ""
    figure = new_figure(
        title=f"Importance{left_out}", x_title=f"share of the {kind.replace('_', ' ')} (%)", is_dark=is_dark
    )
    figure.add_trace(
        go.Bar(
            orientation="h",
            y=[name for name, _ in ordered],
            x=[100 * value / total for _, value in ordered],
            marker={"color": SERIES_COLORS[0]},
            hovertemplate="%{y}<br>%{x:.1f} %<extra></extra>",
        )
    )
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure
