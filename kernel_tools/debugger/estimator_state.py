"""What is kept of a scikit-learn estimator after a pass: its losses, weights or trees, and what it predicts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernel_tools.debugger.boosting.predictions import keep_predictions, save_predictions
from kernel_tools.debugger.boosting.trees import Tree, save_importance, save_trees
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rounds import RoundRecorder, some_rows

MOST_PREDICTED = 4_096
"""Rows that an estimator is asked about; of more, those evenly spaced."""


class EstimatorState:
    """The data that a training is judged by, and what it says of the estimator.

    Parameters
    ----------
    X, y
        What is learned from.
    validation
        A pair of features and labels, or None.
    """

    def __init__(self, X: Any, y: Any, validation: Any = None) -> None:
        self.rows = int(X.shape[0]) if hasattr(X, "shape") else len(X)
        self._data = {Mode.TRAIN: sample_of(X, y)}
        if validation is not None:
            self._data[Mode.EVAL] = sample_of(*validation)
        names = getattr(X, "columns", None)
        columns = int(X.shape[1]) if getattr(X, "ndim", 1) == 2 else 0
        self._features = [str(name) for name in names] if names is not None else [f"f{n}" for n in range(columns)]

    def describe(self, recorder: RoundRecorder, estimator: Any) -> None:
        """Write what is known before the first pass."""
        params = estimator.get_params(deep=False)
        plain = {name: value for name, value in params.items() if isinstance(value, bool | int | float | str)}
        solver = params.get("solver") or type(estimator).__name__
        meta = {
            "model": type(estimator).__name__,
            "has_loss": False,
            "compiled": False,
            "hyperparameters": plain,
            "optimizer": {"class": str(solver), "lr": _number(_initial_rate(estimator))},
            "loss_kind": str(params.get("loss", "")),
            "batch_size": self.rows,
            "features": self._features[:10_000],
        }
        for key, value in meta.items():
            recorder.session.writer.set_meta(key, value)

    def metrics(self, estimator: Any) -> dict[tuple[Mode, str], float]:
        """Return what the estimator itself has measured in this pass."""
        found: dict[tuple[Mode, str], float] = {}
        loss = getattr(estimator, "loss_", None)
        if isinstance(loss, int | float):
            found[Mode.TRAIN, "train/loss"] = float(loss)
        elif getattr(estimator, "train_score_", None) is not None and len(estimator.train_score_):
            found[Mode.TRAIN, "train/loss"] = float(estimator.train_score_[-1])
        scores = getattr(estimator, "validation_scores_", None)
        if scores:
            found[Mode.EVAL, "validation/score"] = float(scores[-1])
        return found

    def rate(self, estimator: Any) -> float:
        """Return the learning rate of this pass; NaN if it is not known."""
        optimizer = getattr(estimator, "_optimizer", None)
        return float(getattr(optimizer, "learning_rate", None) or _initial_rate(estimator))

    def save(self, recorder: RoundRecorder, estimator: Any, is_last: bool = False) -> None:
        """Keep weights, trees and predictions."""
        _save_weights(recorder, estimator)
        _save_stage(recorder, estimator, self._features)
        classes = getattr(estimator, "classes_", None)
        for mode, (some, labels) in self._data.items():
            if labels is None or not hasattr(estimator, "predict"):
                continue
            predictions, truth = np.asarray(estimator.predict(some)), np.asarray(labels)
            if predictions.ndim > 1 or truth.ndim > 1:
                continue
            count = 0
            if classes is not None and isinstance(classes, np.ndarray):
                predictions, truth, count = _to_numbers(predictions, classes), _to_numbers(truth, classes), len(classes)
                recorder.session.writer.set_meta("classes", count)
            save_predictions(recorder, mode, predictions, truth, count)
            if is_last:
                keep_predictions(recorder, mode, _scores(estimator, some, predictions, count), truth)
            has_own = mode is Mode.TRAIN and "train/loss" in {name for _, name in self.metrics(estimator)}
            if not has_own:
                loss = training_loss(estimator, some, labels)
                name = "train/loss" if mode is Mode.TRAIN else "validation/loss"
                recorder.add_scalar(name, ("metrics", "losses"), loss, mode)


def sample_of(X: Any, y: Any) -> tuple[Any, Any]:
    """Return features and labels of at most `MOST_PREDICTED` rows."""
    rows = some_rows(int(X.shape[0]) if hasattr(X, "shape") else len(X), MOST_PREDICTED)
    if rows is None:
        return X, y
    return _take(X, rows), _take(y, rows)


def training_loss(estimator: Any, X: Any, y: Any) -> float:
    """Return the loss of an estimator on some data, in the unit of its own loss where it has one.

    Log loss where it gives probabilities (twice that for gradient boosting of two classes, whose deviance it is), else
    the share of wrong predictions; for numbers the mean squared error, half of it for networks.
    """
    from sklearn.base import is_classifier
    from sklearn.metrics import log_loss, mean_squared_error

    is_boosting = hasattr(estimator, "train_score_")
    if is_classifier(estimator):
        if hasattr(estimator, "predict_proba"):
            probabilities = np.asarray(estimator.predict_proba(X), "f8")
            loss = float(log_loss(y, np.clip(probabilities, 1e-15, 1), labels=estimator.classes_))
            return 2 * loss if is_boosting and len(estimator.classes_) == 2 else loss
        return float(1 - np.mean(estimator.predict(X) == np.asarray(y)))
    error = float(mean_squared_error(y, estimator.predict(X)))
    return error / 2 if hasattr(estimator, "hidden_layer_sizes") else error


def _save_weights(recorder: RoundRecorder, estimator: Any) -> None:
    coefficients = getattr(estimator, "coefs_", None)
    if isinstance(coefficients, list):
        for index, (weight, bias) in enumerate(zip(coefficients, estimator.intercepts_, strict=True)):
            recorder.add_values(f"layer{index}.weight", ("weights",), weight.T, kind="Linear")
            recorder.add_values(f"layer{index}.bias", ("biases",), bias, kind="Linear")
    elif isinstance(getattr(estimator, "coef_", None), np.ndarray):
        recorder.add_values("weight", ("weights",), estimator.coef_, kind=type(estimator).__name__)
        recorder.add_values("bias", ("biases",), np.atleast_1d(estimator.intercept_), kind=type(estimator).__name__)


def _save_stage(recorder: RoundRecorder, estimator: Any, features: list[str]) -> None:
    """Keep the trees of the newest stage of gradient boosting, and the importances so far."""
    stages = getattr(estimator, "estimators_", None)
    if not isinstance(stages, np.ndarray) or stages.ndim != 2 or not len(stages):
        return
    trees = []
    for tree in (each.tree_ for each in stages[-1]):
        is_leaf = tree.children_left < 0
        values = tree.value.reshape(tree.node_count, -1)[is_leaf, 0]
        weighted = tree.weighted_n_node_samples * tree.impurity
        gains = (weighted - weighted[tree.children_left] - weighted[tree.children_right])[~is_leaf]
        trees.append(Tree(int(tree.max_depth), int(tree.n_leaves), int(tree.node_count) - 1, values, gains))
    save_trees(recorder, trees)
    scores = estimator.feature_importances_.tolist()
    save_importance(recorder, "total_gain", dict(zip(features, scores, strict=False)))
    counts = np.zeros(len(scores))
    for tree in (each.tree_ for each in stages.ravel()):
        np.add.at(counts, tree.feature[tree.feature >= 0], 1)
    save_importance(recorder, "weight", dict(zip(features, counts.tolist(), strict=False)))


def _to_numbers(labels: np.ndarray[Any, Any], classes: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the position of each label among the classes; -1 for one that is not among them."""
    places = np.minimum(np.searchsorted(classes, labels), len(classes) - 1)
    found: np.ndarray[Any, Any] = np.where(classes[places] == labels, places, -1).astype("i8")
    return found


def _scores(estimator: Any, X: Any, predictions: np.ndarray[Any, Any], classes: int) -> np.ndarray[Any, Any]:
    """Return probabilities where the estimator gives any; of two classes those of the second."""
    if not classes or not hasattr(estimator, "predict_proba"):
        return predictions
    probabilities = np.asarray(estimator.predict_proba(X))
    return probabilities[:, 1] if classes == 2 else probabilities


def _take(values: Any, rows: np.ndarray[Any, Any]) -> Any:
    if values is None:
        return None
    if hasattr(values, "iloc"):
        return values.iloc[rows]
    return values[rows] if hasattr(values, "shape") else np.asarray(values)[rows]


def _initial_rate(estimator: Any) -> float:
    for name in ("learning_rate_init", "eta0", "learning_rate"):
        value = getattr(estimator, name, None)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return float(value)
    return math.nan


def _number(value: float) -> float | None:
    return None if math.isnan(value) else value
