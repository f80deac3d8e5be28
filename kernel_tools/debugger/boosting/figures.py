"""Figures of a training by boosted trees that are not the Debugger's general ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.figures import SERIES_COLORS, new_figure
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import plotly.graph_objects as go

_MOST_POINTS = 1_000
_SHOWN_FEATURES = 20
_MOST_CLASSES = 12


def evaluations(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw every evaluation of every round.

    Raises
    ------
    NotFoundError
        If nothing was evaluated.
    """
    figure = new_figure(title="Evaluations", x_title="round", is_dark=is_dark)
    for name in trial.tensor_names(collection="metrics"):
        for mode, dash in ((Mode.TRAIN, "dot"), (Mode.EVAL, "solid")):
            steps, values = trial.scalars(name, mode)
            if len(steps):
                keep = _evenly(len(steps), _MOST_POINTS)
                figure.add_scatter(x=steps[keep], y=values[keep], mode="lines", name=name, line={"dash": dash})
    if not figure.data:
        raise NotFoundError("Nothing was evaluated: give train a set to evaluate.")
    return figure


def tree_sizes(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw depth and leaves of the trees, round by round.

    Raises
    ------
    NotFoundError
        If no trees were captured.
    """
    if not trial.has_tensor("trees/depth"):
        raise NotFoundError("No trees were captured.")
    figure = new_figure(title="Trees", x_title="round", is_dark=is_dark)
    for name, title, color in (("depth", "depth", SERIES_COLORS[0]), ("leaves", "leaves (mean)", SERIES_COLORS[1])):
        steps, values = trial.scalars(f"trees/{name}")
        axis = "y" if name == "depth" else "y2"
        figure.add_scatter(
            x=steps, y=values, name=title, mode="lines+markers", line={"color": color}, marker={"size": 4}, yaxis=axis
        )
    figure.update_layout(
        yaxis={"title": {"text": "depth"}, "rangemode": "tozero"},
        yaxis2={
            "title": {"text": "leaves"},
            "overlaying": "y",
            "side": "right",
            "showgrid": False,
            "rangemode": "tozero",
        },
    )
    return figure


def shap_average(trial: Trial, *, step: int | None = None, is_dark: bool = False) -> go.Figure:
    """Draw how far each feature moves the predictions on average: the mean absolute SHAP values.

    Raises
    ------
    NotFoundError
        If none were captured.
    """
    steps = trial.tensor("shap/average").steps() if trial.has_tensor("shap/average") else []
    if not steps:
        raise NotFoundError("No SHAP values were captured: give the callback data, such as validation=dvalid.")
    nearest = steps[-1] if step is None else min(steps, key=lambda known: abs(known - step))
    values = np.asarray(trial.tensor("shap/average").value(nearest))
    features = trial.meta("features") or []
    names = [features[index] if index < len(features) else f"f{index}" for index in range(len(values))]
    order = np.argsort(-values)[:_SHOWN_FEATURES]
    figure = new_figure(
        title=f"SHAP at round {nearest:,}", x_title="mean absolute SHAP value (margin)", is_dark=is_dark
    )
    figure.add_bar(orientation="h", y=[names[place] for place in order], x=values[order], marker_color=SERIES_COLORS[0])
    figure.update_yaxes(autorange="reversed", type="category", showgrid=False)
    return figure


def receiver_operating(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw the ROC curve of the last predictions of a classification; of several classes one against the others.

    Raises
    ------
    NotFoundError
        If it is not a classification, or no predictions were kept.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    predictions, labels, mode = last_predictions(trial)
    count = int(trial.meta("classes") or 0)
    if count < 2 or (count > 2 and predictions.ndim < 2):
        raise NotFoundError("There are no scores of classes.")
    figure = new_figure(x_title="false positive rate", y_title="true positive rate", is_dark=is_dark)
    areas: list[float] = []
    for number in range(1, 2) if count == 2 else range(min(count, _MOST_CLASSES)):
        scores = predictions if predictions.ndim == 1 else predictions[:, number]
        is_it = labels == number
        if not np.isfinite(scores).all() or is_it.all() or not is_it.any():
            continue
        false_rate, true_rate, _ = roc_curve(is_it, scores)
        areas.append(float(roc_auc_score(is_it, scores)))
        keep = _evenly(len(false_rate), _MOST_POINTS)
        name = f"class {number} ({areas[-1]:.3f})"
        figure.add_scatter(x=false_rate[keep], y=true_rate[keep], mode="lines", name=name)
    if not areas:
        raise NotFoundError("The kept predictions are of one class only.")
    figure.add_scatter(
        x=[0, 1], y=[0, 1], mode="lines", name="chance", line={"dash": "dot", "color": "gray"}, showlegend=False
    )
    figure.update_layout(title_text=f"ROC ({mode.name.lower()}), area {np.mean(areas):.4f}")
    figure.update_xaxes(range=[0, 1], tickformat=".0%")
    figure.update_yaxes(range=[0, 1.005], tickformat=".0%")
    return figure


def residuals(trial: Trial, *, is_dark: bool = False) -> go.Figure:
    """Draw what the last predictions of a regression are off by, over what they say.

    Raises
    ------
    NotFoundError
        If it is a classification, or no predictions were kept.
    """
    predictions, labels, mode = last_predictions(trial)
    if trial.meta("classes") or predictions.ndim > 1:
        raise NotFoundError("Residuals are drawn of regressions.")
    keep = _evenly(len(predictions), 2 * _MOST_POINTS)
    figure = new_figure(
        title=f"Residuals ({mode.name.lower()})",
        x_title="prediction",
        y_title="label minus prediction",
        is_dark=is_dark,
    )
    figure.add_scatter(
        x=predictions[keep], y=(labels - predictions)[keep], mode="markers", marker={"size": 4, "opacity": 0.4}
    )
    figure.add_hline(y=0, line={"dash": "dot", "color": "gray", "width": 1})
    return figure


def last_predictions(trial: Trial) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any], Mode]:
    """Return the kept predictions and labels of the last round, of the validation data where there is any.

    Raises
    ------
    NotFoundError
        If there are none.
    """
    if trial.has_tensor("predictions") and trial.has_tensor("labels"):
        for mode in (Mode.EVAL, Mode.TRAIN):
            predictions, labels = trial.tensor("predictions").values(mode), trial.tensor("labels").values(mode)
            for step in sorted(predictions.keys() & labels.keys(), reverse=True):
                if len(predictions[step]) == len(labels[step]):
                    return np.asarray(predictions[step]), np.asarray(labels[step]), mode
    raise NotFoundError("No predictions were kept: give the callback data, such as validation=dvalid.")


def _evenly(count: int, most: int) -> np.ndarray[Any, Any]:
    return np.arange(count) if count <= most else np.unique(np.linspace(0, count - 1, most).astype("i8"))
