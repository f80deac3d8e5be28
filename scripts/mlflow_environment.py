"""An environment with MLflow, for tests and benchmarks against it: `python -m scripts.mlflow_environment` makes it.

MLflow is a peer, never a dependency: it would bring several hundred megabytes and limits on other libraries. It lives
in `build/mlflow-env`, which `make clean` removes.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from kernel_tools.core.locks import hold_lock

VERSION = "3.17.2"
ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "build" / "mlflow-env"
PACKAGES = (f"mlflow=={VERSION}", "xgboost", "lightgbm")
"""MLflow, and the libraries whose autologging is tested with it."""
INSTALL_SECONDS = 1200.0
"""How long one process waits for another that installs."""


class MlflowEnvironmentError(Exception):
    """The environment is not there and cannot be made; the message says why."""


def mlflow_python(make: bool = True) -> Path:
    """Return the interpreter of the environment, which is made first if it is missing.

    Parameters
    ----------
    make
        Whether to make a missing environment (some minutes, and a package index).

    Raises
    ------
    MlflowEnvironmentError
        If it is missing and is not or cannot be made.
    """
    python = FOLDER / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    stamp = FOLDER / f".mlflow-{VERSION}"
    if stamp.exists() and python.exists():
        return python
    if not make:
        raise MlflowEnvironmentError(
            f"There is no MLflow {VERSION} in {FOLDER}. Make it with: python -m scripts.mlflow_environment"
        )
    # Two test processes ask at once in a fresh clone: the second one waits for the first instead of clearing its work.
    FOLDER.parent.mkdir(exist_ok=True)
    with hold_lock(FOLDER.with_suffix(".lock"), timeout=INSTALL_SECONDS):
        if not (stamp.exists() and python.exists()):
            if FOLDER.is_symlink():
                FOLDER.unlink()
            shutil.rmtree(FOLDER, ignore_errors=True)
            _run([sys.executable, "-m", "venv", str(FOLDER)])
            _run([str(python), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *PACKAGES])
            _run([str(python), "-c", "import mlflow"])
            stamp.touch()
    return python


def clean_environment() -> dict[str, str]:
    """Return environment variables for a process of this environment, without those that point at our packages."""
    ours = ("PYTHONPATH", "VIRTUAL_ENV", "PYTHONHOME")
    kept = {name: value for name, value in os.environ.items() if name not in ours and not name.startswith("MLFLOW_")}
    return {**kept, "MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}


def _run(command: list[str]) -> None:
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, env=clean_environment())
    except (OSError, subprocess.CalledProcessError) as error:
        output = str(getattr(error, "stderr", "") or error).strip().splitlines()
        shutil.rmtree(FOLDER, ignore_errors=True)
        raise MlflowEnvironmentError(
            f"MLflow {VERSION} could not be installed into {FOLDER}: {output[-1] if output else error}"
        ) from error


if __name__ == "__main__":
    try:
        print(mlflow_python())
    except MlflowEnvironmentError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
