"""What is kept of a model's predictions, whichever library made them."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rounds import RoundRecorder, some_rows

MOST_KEPT = 10_000
"""Rows whose predictions and labels are kept at the end of a training, for curves that need them."""
MOST_CLASSES = 1_000
"""No confusion is counted of more classes."""


def classes_of(objective: str, count: int) -> int:
    """Return how many classes an objective tells apart; 0 if it is not a classification."""
    if objective.startswith(("binary", "cross_entropy")):
        return 2
    return max(count, 2) if objective.startswith("multi") else 0


def predicted_classes(predictions: np.ndarray[Any, Any], classes: int, boundary: float = 0.5) -> np.ndarray[Any, Any]:
    """Return the class (int64) of every row: the most probable one, or which side of the boundary it is on."""
    if predictions.ndim == 2 and predictions.shape[1] > 1:
        return np.asarray(predictions.argmax(axis=1), "i8")
    flat = predictions.reshape(-1)
    return np.asarray(flat > boundary if classes == 2 else flat, "i8")


def save_predictions(
    recorder: RoundRecorder,
    mode: Mode,
    predictions: np.ndarray[Any, Any],
    labels: np.ndarray[Any, Any] | None,
    classes: int,
    boundary: float = 0.5,
) -> None:
    """Keep statistics of predictions and labels and, for a classification, how often each class was taken for each.

    The counts are of all rows, the statistics of at most `rounds.MOST_ROWS`.
    """
    rows = some_rows(len(predictions))
    keep = slice(None) if rows is None else rows
    recorder.add_values("predictions", ("predictions",), predictions[keep], mode)
    if labels is None or not len(labels):
        return
    recorder.add_values("labels", ("labels",), labels[keep], mode)
    if not 2 <= classes <= MOST_CLASSES:
        return
    truth = labels.astype("i8")
    found = predicted_classes(predictions, classes, boundary)
    is_known = (truth >= 0) & (truth < classes) & (found >= 0) & (found < classes)
    counts = np.bincount(truth[is_known] * classes + found[is_known], minlength=classes**2).reshape(classes, classes)
    recorder.add_array("confusion", ("predictions",), counts.astype("i8"), mode, "counts")
    recorder.add_array("labels/count", ("labels",), counts.sum(axis=1).astype("i8"), mode, "counts")
    recorder.add_array("predictions/count", ("predictions",), counts.sum(axis=0).astype("i8"), mode, "counts")


def keep_predictions(
    recorder: RoundRecorder, mode: Mode, predictions: np.ndarray[Any, Any], labels: np.ndarray[Any, Any] | None
) -> None:
    """Keep predictions and labels themselves, at most `MOST_KEPT` rows: what the model has come to in the end."""
    rows = some_rows(len(predictions), MOST_KEPT)
    keep = slice(None) if rows is None else rows
    recorder.add_array("predictions", ("predictions",), np.ascontiguousarray(predictions[keep]), mode)
    if labels is not None:
        recorder.add_array("labels", ("labels",), np.ascontiguousarray(labels[keep]), mode)
