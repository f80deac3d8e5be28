"""Which figures a capture has something for."""

from __future__ import annotations

import numpy as np

from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial


def available_figures(trial: Trial) -> list[str]:
    """Return the names of the figures that can be drawn of a capture, without drawing them."""
    collections = trial.collections()
    found = ["loss"] if len(trial.losses(Mode.TRAIN)[0]) or len(trial.losses(Mode.EVAL)[0]) else []
    sampled = trial.steps(Mode.TRAIN)
    newest = trial.statistics(sampled[-1], Mode.TRAIN) if sampled else None
    if newest is not None:
        with_statistics = {name for tensor in newest.tensors for name in tensor.collections}
        found += ["distribution"] if len(newest.tensors) else []
        found += ["gradient_flow"] if "gradients" in with_statistics else []
        found += ["update_ratios"] if {"updates", "weights"} <= with_statistics else []
        layers = newest.only([place for place, info in enumerate(newest.tensors) if "layers" in info.collections])
        shares = np.concatenate([layers.column("dead"), layers.column("saturated")])
        found += ["dead_units"] if not np.isnan(shares).all() else []
    found += ["confusion"] if trial.has_tensor("confusion") else []
    found += ["class_counts"] if trial.has_tensor("labels/count") else []
    found += ["importance"] if collections.get("feature_importance") else []
    return found
