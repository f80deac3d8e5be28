"""An environment with MLflow, for tests and benchmarks against it: `python -m scripts.mlflow_environment` makes it."""

from __future__ import annotations

import sys
from pathlib import Path

from scripts.peer_environment import PeerEnvironmentError, peer_python

VERSION = "3.17.2"
PACKAGES = (f"mlflow=={VERSION}", "xgboost", "lightgbm")
"""MLflow, and the libraries whose autologging is tested with it."""


def mlflow_python(make: bool = True) -> Path:
    """Return the interpreter of the environment; see `peer_python`."""
    return peer_python("mlflow", VERSION, PACKAGES, probe="mlflow", make=make)


if __name__ == "__main__":
    try:
        print(mlflow_python())
    except PeerEnvironmentError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
