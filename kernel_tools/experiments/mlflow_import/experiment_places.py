"""Which experiment of the workspace takes the runs of which experiment of MLflow's store."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlparse

from kernel_tools.core.errors import NotFoundError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.experiment_catalog import (
    change_experiment,
    get_experiment,
    index_experiment,
    search_experiments,
)
from kernel_tools.experiments.experiment_files import (
    DEFAULT_ID,
    ExperimentDocument,
    ExperimentFiles,
    propose_id,
)
from kernel_tools.experiments.mlflow_import.store import StoredExperiment
from kernel_tools.experiments.records import ARTIFACT_LOCATION_TAG, Experiment, Lifecycle, View

ORIGIN_TAG = "atelier.importedFrom"
"""The tag of an experiment that an import made: what it was called there, so that the next import finds it."""
KEPT_HERE = ("", "file", "mlflow-artifacts")


@dataclass(slots=True)
class ExperimentPlaces:
    """The experiments that take the runs, by the ids that the store has for them."""

    here: dict[str, Experiment] = field(default_factory=dict)
    added: int = 0
    notes: list[str] = field(default_factory=list)
    """What could not stay as it was, in sentences."""


def find_places(workspace: Workspace, stored: Sequence[StoredExperiment]) -> ExperimentPlaces:
    """Return the experiments that have been imported before, or have the same name; the others are left out."""
    places = ExperimentPlaces()
    known = _read_all(workspace)
    by_origin = {item.tags[ORIGIN_TAG]: item for item in known if ORIGIN_TAG in item.tags}
    by_name = {item.name: item for item in known}
    for experiment in stored:
        found = by_origin.get(origin_of(experiment))
        if found is None:
            named = by_name.get(experiment.name)
            found = named if named is not None and named.lifecycle is experiment.lifecycle else None
        if found is not None:
            places.here[experiment.id] = found
    return places


def make_places(workspace: Workspace, stored: Sequence[StoredExperiment]) -> ExperimentPlaces:
    """Return an experiment of the workspace for each of the store's, made where there is none.

    An experiment keeps its id and its name. Where the name is taken, its runs join the experiment of that name; where
    only the id is taken, it gets another one.
    """
    places = find_places(workspace, stored)
    for experiment in stored:
        found = places.here.get(experiment.id)
        if found is None:
            places.here[experiment.id] = _add(workspace, experiment, places.notes)
            places.added += 1
            continue
        missing = {key: value for key, value in experiment.tags.items() if key not in found.tags}
        if missing:
            change_experiment(workspace, found.id, "experiment.set_tags", lambda it, new=missing: it.tags.update(new))  # type: ignore[misc]  # binds the tags of this turn
            places.here[experiment.id] = get_experiment(workspace, id=found.id)
        is_new_home = found.tags.get(ORIGIN_TAG) != origin_of(experiment)
        if is_new_home and (found.id, found.name) != (experiment.id, experiment.name):
            places.notes.append(
                f"The runs of experiment {experiment.name!r} ({experiment.id}) are in {found.name!r} ({found.id}), "
                "which was here before."
            )
    return places


def origin_of(experiment: StoredExperiment) -> str:
    """Return what tells an experiment of a store from every other one."""
    return f"{experiment.id}:{experiment.created_at}:{experiment.name}"


def _add(workspace: Workspace, stored: StoredExperiment, notes: list[str]) -> Experiment:
    files = ExperimentFiles(workspace)
    tags = {**stored.tags, ORIGIN_TAG: origin_of(stored)}
    if urlparse(stored.artifact_location).scheme not in KEPT_HERE:
        tags[ARTIFACT_LOCATION_TAG] = stored.artifact_location
    with files.locked():
        known = _read_all(workspace)
        ids = {item.id for item in known} | set(files.ids())
        names = {item.name for item in known}
        name = stored.name
        while name in names:
            name = f"{name} (MLflow {stored.id})"
        experiment_id, attempt = stored.id, 0
        while experiment_id in ids or (experiment_id == DEFAULT_ID and stored.id != DEFAULT_ID):
            experiment_id, attempt = propose_id(name, attempt), attempt + 1
        document = ExperimentDocument(
            id=experiment_id,
            name=name,
            created_at=stored.created_at,
            updated_at=stored.updated_at,
            lifecycle=stored.lifecycle,
            tags=tags,
            deleted_at=stored.updated_at if stored.lifecycle is Lifecycle.DELETED else None,
        )
        files.add(document, lambda document: index_experiment(workspace.database, document))
    if (experiment_id, name) != (stored.id, stored.name):
        notes.append(
            f"Experiment {stored.name!r} ({stored.id}) is {name!r} ({experiment_id}) here: its "
            f"{'id' if name == stored.name else 'name'} was taken."
        )
    return get_experiment(workspace, id=experiment_id)


def _read_all(workspace: Workspace) -> list[Experiment]:
    found: list[Experiment] = []
    token: str | None = None
    while True:
        page, token = search_experiments(workspace.database, view=View.ALL, limit=1000, page_token=token)
        found += page
        if token is None:
            return found


def choose(stored: Sequence[StoredExperiment], names: Sequence[str] | None) -> list[StoredExperiment]:
    """Return the experiments of these names or ids, all without; NotFoundError if there is none of one name."""
    if not names:
        return list(stored)
    chosen = []
    for name in names:
        found = [item for item in stored if name in (item.name, item.id)]
        if not found:
            known = ", ".join(repr(item.name) for item in stored[:20])
            raise NotFoundError(f"The store has no experiment {name!r}. It has: {known}.")
        chosen += [item for item in found if item not in chosen]
    return chosen
