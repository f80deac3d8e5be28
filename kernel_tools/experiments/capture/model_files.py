"""Keeping a trained model among a run's artifacts, in a format that executes nothing when it is loaded."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from kernel_tools.experiments.capture import estimators
from kernel_tools.experiments.capture.fit import Training

MODEL_FOLDER = "model"


def keep_model(training: Training, model: Any) -> None:
    """Keep a fitted estimator or a booster: XGBoost's UBJ, LightGBM's text, or skops for everything else."""
    if training.run is None:
        return
    library = estimators.library_of(type(model))
    name = {"xgboost": "model.ubj", "lightgbm": "model.txt"}.get(library, "model.skops")
    with tempfile.TemporaryDirectory(prefix="atelier-model-") as folder:
        path = Path(folder) / name
        if library == "sklearn":
            import skops.io

            skops.io.dump(model, path)
        else:
            getattr(model, "booster_", model).save_model(path)
        with path.open("rb") as file:
            training.run.put_artifact(f"{training.prefix}{MODEL_FOLDER}/{name}", file)
