"""Environments with servers of models, for benchmarks against them: `python -m scripts.serving_environments`."""

from __future__ import annotations

from pathlib import Path

from scripts.mlflow_environment import mlflow_python
from scripts.peer_environment import peer_python

LITSERVE = "0.2.19"
BENTOML = "1.4.39"


def litserve_python() -> Path:
    """Return the interpreter of an environment with LitServe and XGBoost."""
    return peer_python(
        "litserve", LITSERVE, [f"litserve=={LITSERVE}", "xgboost", "scikit-learn"], probe="litserve, xgboost"
    )


def bentoml_python() -> Path:
    """Return the interpreter of an environment with BentoML and XGBoost."""
    return peer_python("bentoml", BENTOML, [f"bentoml=={BENTOML}", "xgboost", "scikit-learn"], probe="bentoml, xgboost")


if __name__ == "__main__":
    for make in (litserve_python, bentoml_python, mlflow_python):
        print(make())
