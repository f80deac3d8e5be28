"""Where artifacts are, as MLflow says it: ``mlflow-artifacts:/<experiment>/<run>/artifacts`` and what that stands for.

Clients turn such an address into one below ``/api/2.0/mlflow-artifacts/artifacts`` of the server they talk to.
"""

from __future__ import annotations

from dataclasses import dataclass

from kernel_tools.experiments.records import ARTIFACT_LOCATION_TAG, Experiment
from studio_ext.mlflow.errors import missing

SCHEME = "mlflow-artifacts:/"


@dataclass(frozen=True)
class ArtifactPlace:
    """What a path below the artifact root stands for: a run's or a logged model's file or folder."""

    experiment_id: str
    owner_id: str
    is_logged_model: bool
    path: str


def experiment_uri(experiment: Experiment) -> str:
    """Return where the artifacts of an experiment are."""
    return experiment.tags.get(ARTIFACT_LOCATION_TAG) or f"{SCHEME}{experiment.id}"


def run_uri(root: str, run_id: str) -> str:
    """Return where the artifacts of a run are, below its experiment's `root`."""
    return f"{root.rstrip('/')}/{run_id}/artifacts"


def logged_model_uri(root: str, model_id: str) -> str:
    """Return where the files of a logged model are, below its experiment's `root`."""
    return f"{root.rstrip('/')}/models/{model_id}/artifacts"


def find_place(path: str) -> ArtifactPlace:
    """Return what a path below the artifact root stands for.

    Raises
    ------
    MlflowError
        RESOURCE_DOES_NOT_EXIST if it is neither a run's nor a logged model's.
    """
    parts = path.split("/")
    if len(parts) >= 4 and parts[1] == "models" and parts[3] == "artifacts":
        return ArtifactPlace(parts[0], parts[2], True, "/".join(parts[4:]))
    if len(parts) >= 3 and parts[2] == "artifacts":
        return ArtifactPlace(parts[0], parts[1], False, "/".join(parts[3:]))
    raise missing(
        f"There is nothing at '{path}': artifacts are kept at <experiment>/<run>/artifacts/... and "
        "<experiment>/models/<model>/artifacts/..."
    )
