"""Losses that were logged rather than captured: which of a run's metrics is the loss of a mode."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from kernel_tools.debugger.records import Mode

if TYPE_CHECKING:
    import numpy as np

    from kernel_tools.debugger.trial import Trial

_LOSS = re.compile(
    r"loss|rmse|mse\b|mae\b|logloss|merror|error\b|deviance|cross_?entropy|nll|perplexity|mlogloss", re.I
)
_EVAL = re.compile(r"val|eval|test|dev\b|holdout|valid", re.I)


def is_loss(name: str, mode: Mode) -> bool:
    """Whether a metric of this name is a loss, something that should fall, of training or of validation."""
    return _LOSS.search(name) is not None and (_EVAL.search(name) is not None) == (mode is not Mode.TRAIN)


def find_losses(trial: Trial, mode: Mode) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return steps and values of the first captured or logged metric that is called a loss of the mode."""
    import numpy as np

    losses = trial.tensor_names(collection="losses")
    captured = [*losses, *(name for name in trial.tensor_names(collection="metrics") if is_loss(name, mode))]
    for name in captured:
        if name in losses or is_loss(name, mode):
            steps, values = trial.scalars(name, mode)
            if not len(steps) and mode is Mode.EVAL and is_loss(name, mode):
                steps, values = trial.scalars(name, Mode.TRAIN)
            if len(steps):
                return steps, values
    if trial.run is not None:
        for key in sorted(trial.run.metrics, key=lambda key: ("loss" not in key.lower(), key)):
            if is_loss(key, mode):
                history = trial.run.history(key)
                return history["step"].to_numpy("int64"), history["value"].to_numpy("float64")
    return np.empty(0, "int64"), np.empty(0)
