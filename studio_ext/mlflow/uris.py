"""Where artifacts are, as MLflow says it: ``mlflow-artifacts:/<experiment>/<run>/artifacts`` and what that stands for.

Clients turn such an address into one below ``/api/2.0/mlflow-artifacts/artifacts`` of the server they talk to.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from kernel_tools.experiments.records import ARTIFACT_LOCATION_TAG, Experiment

SCHEME = "mlflow-artifacts:/"
RUN_ID = re.compile(r"[0-9a-f]{32}")
MODEL_ID = re.compile(r"m-[0-9a-f]{32}")


@dataclass(frozen=True)
class ArtifactPlace:
    """What a path below the artifact root stands for: a run's or a logged model's file or folder.

    `root` is the part of the path that is the experiment's.
    """

    root: str
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


def find_place(path: str) -> ArtifactPlace | None:
    """Return the run or logged model that a path below the artifact root belongs to, None if it is neither's."""
    parts = path.split("/")
    for position in range(1, len(parts) - 1):
        if parts[position + 1] != "artifacts":
            continue
        owner_id, rest = parts[position], "/".join(parts[position + 2 :])
        root = "/".join(parts[:position])
        if MODEL_ID.fullmatch(owner_id) and parts[position - 1] == "models" and position > 1:
            return ArtifactPlace(root.removesuffix("/models"), owner_id, True, rest)
        if RUN_ID.fullmatch(owner_id):
            return ArtifactPlace(root, owner_id, False, rest)
    return None
