"""Experiments: made, found, renamed, archived, deleted and restored; their files first, then the catalog."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database, insert_or_update
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.core.workspace import Workspace, validate_title
from kernel_tools.experiments.disk import explain_disk_errors
from kernel_tools.experiments.experiment_files import (
    DEFAULT_ID,
    DEFAULT_NAME,
    ExperimentDocument,
    ExperimentFiles,
    propose_id,
    validate_experiment_id,
)
from kernel_tools.experiments.filters import parse_experiment_filter, parse_experiment_order
from kernel_tools.experiments.records import Experiment, Lifecycle, View
from kernel_tools.experiments.run_files import RunFolder, now
from kernel_tools.experiments.tables import experiment_tags, experiments, runs
from kernel_tools.experiments.texts import to_texts, validate_key


def create_experiment(workspace: Workspace, name: str, tags: Mapping[str, Any] | None = None) -> Experiment:
    """Create an experiment; ConflictError if the name is taken, also by a deleted one."""
    validate_title(name, "experiment name")
    texts = to_texts(tags or {})
    files = ExperimentFiles(workspace)
    with explain_disk_errors("The experiment was not created", workspace.root), files.locked():
        found = find_experiment(workspace.database, name)
        if found is not None:
            raise _name_is_taken(found)
        _add(workspace, files, name, texts)
    return get_experiment(workspace, name=name)


def ensure_experiment(workspace: Workspace, name: str) -> str:
    """Return the id of the active experiment of this name, which is created if there is none.

    Raises
    ------
    ConflictError
        If the experiment is deleted.
    """
    found = find_experiment(workspace.database, name)
    if found is None:
        validate_title(name, "experiment name")
        files = ExperimentFiles(workspace)
        with explain_disk_errors("The experiment was not created", workspace.root), files.locked():
            found = find_experiment(workspace.database, name)
            if found is None:
                return _add(workspace, files, name, {})
    if found.lifecycle is not Lifecycle.ACTIVE:
        raise _name_is_taken(found)
    return found.id


def get_experiment(workspace: Workspace, name: str | None = None, id: str | None = None) -> Experiment:
    """Return one experiment by name or id, also a deleted one; the default one is made when it is asked for."""
    condition = experiments.c.name == name if id is None else experiments.c.id == validate_experiment_id(id)
    with workspace.database.read() as connection:
        found = _select(connection, condition, [experiments.c.id], 1, 0)
    if not found and (id == DEFAULT_ID or (id is None and name == DEFAULT_NAME)):
        ensure_experiment(workspace, DEFAULT_NAME)
        return get_experiment(workspace, id=DEFAULT_ID)
    if not found:
        shown = f"named {name!r}" if id is None else f"with id {id!r}"
        raise NotFoundError(f"There is no experiment {shown}. `atelier experiments list` shows those that exist.")
    return found[0]


def find_experiment(database: Database, name: str) -> Experiment | None:
    """Return the experiment of a name without its runs and tags, None if there is none."""
    query = sa.select(*experiments.c).where(experiments.c.name == name)
    with database.read() as connection:
        row = connection.execute(query).mappings().first()
    return None if row is None else Experiment(**{**row, "lifecycle": Lifecycle(row["lifecycle"])})


def change_experiment(
    workspace: Workspace, experiment_id: str, action: str, change: Callable[[ExperimentDocument], None]
) -> Experiment:
    """Change an experiment's file and its row, and say so in the audit log."""
    validate_experiment_id(experiment_id)
    _write_missing_file(workspace, experiment_id)

    def apply(document: ExperimentDocument) -> None:
        change(document)
        document.updated_at = max(now(), document.updated_at)

    ExperimentFiles(workspace).change(
        experiment_id, apply, lambda document: index_experiment(workspace.database, document)
    )
    workspace.audit.record(action, experiment_id)
    return get_experiment(workspace, id=experiment_id)


def rename_experiment(workspace: Workspace, experiment_id: str, name: str) -> Experiment:
    """Give an active experiment another name; its id and its runs stay."""
    validate_title(name, "experiment name")

    def change(document: ExperimentDocument) -> None:
        found = find_experiment(workspace.database, name)
        if found is not None and found.id != experiment_id:
            raise _name_is_taken(found)
        require_active_experiment(document)
        document.name = name

    return change_experiment(workspace, experiment_id, "experiment.rename", change)


def set_deleted(workspace: Workspace, experiment_id: str, is_deleted: bool) -> Experiment:
    """Delete an experiment with its runs, or restore it; ConflictError if it is that already."""

    def change(document: ExperimentDocument) -> None:
        if (document.lifecycle is Lifecycle.DELETED) == is_deleted:
            raise ConflictError(f"Experiment {document.name!r} ({document.id}) is {document.lifecycle.value} already.")
        document.lifecycle = Lifecycle.DELETED if is_deleted else Lifecycle.ACTIVE
        document.deleted_at = now() if is_deleted else None

    action = "experiment.delete" if is_deleted else "experiment.restore"
    experiment = change_experiment(workspace, experiment_id, action, change)
    show_runs_of(workspace, experiment)
    return experiment


def show_runs_of(workspace: Workspace, experiment: Experiment) -> None:
    """Bring the life cycle of an experiment's runs in the catalog in line with the experiment's."""
    mine = runs.c.experiment_id == experiment.id
    is_hidden = experiment.lifecycle is Lifecycle.DELETED
    deleted: list[str] = []
    if not is_hidden:
        with workspace.database.read() as connection:
            ids = connection.execute(sa.select(runs.c.id).where(mine)).scalars().all()
        folders = [RunFolder(workspace, run_id) for run_id in ids]
        deleted = [folder.id for folder in folders if folder.is_deleted()]
    with workspace.database.write() as connection:
        lifecycle = Lifecycle.DELETED if is_hidden else Lifecycle.ACTIVE
        connection.execute(runs.update().where(mine).values(lifecycle=lifecycle.value))
        for run_id in deleted:
            connection.execute(runs.update().where(runs.c.id == run_id).values(lifecycle=Lifecycle.DELETED.value))


def set_tags(workspace: Workspace, experiment_id: str, tags: Mapping[str, Any]) -> Experiment:
    """Set tags of an active experiment."""
    texts = to_texts(tags)

    def change(document: ExperimentDocument) -> None:
        require_active_experiment(document)
        document.tags |= texts

    return change_experiment(workspace, experiment_id, "experiment.set_tags", change)


def delete_tag(workspace: Workspace, experiment_id: str, key: str) -> Experiment:
    """Delete a tag of an active experiment; NotFoundError if it has none of that key."""
    validate_key(key)

    def change(document: ExperimentDocument) -> None:
        require_active_experiment(document)
        if document.tags.pop(key, None) is None:
            raise NotFoundError(f"Experiment {document.name!r} ({document.id}) has no tag {key!r}.")

    return change_experiment(workspace, experiment_id, "experiment.delete_tag", change)


def require_active_experiment(document: ExperimentDocument | Experiment) -> None:
    """Raise ConflictError if an experiment is deleted."""
    if document.lifecycle is not Lifecycle.ACTIVE:
        raise ConflictError(
            f"Experiment {document.name!r} ({document.id}) is deleted and cannot be changed. Restore it first."
        )


def index_experiment(database: Database, document: ExperimentDocument) -> None:
    """Write what an experiment's file holds into the catalog."""
    row = {name: getattr(document, name) for name in ("id", "name", "created_at", "updated_at", "is_archived")}
    labels = [{"experiment_id": document.id, "key": key, "value": value} for key, value in document.tags.items()]
    with database.write() as connection:
        insert_or_update(connection, experiments, [{**row, "lifecycle": document.lifecycle.value}])
        connection.execute(experiment_tags.delete().where(experiment_tags.c.experiment_id == document.id))
        if labels:
            connection.execute(experiment_tags.insert(), labels)


def search_experiments(
    database: Database,
    *,
    filter: str = "",
    order_by: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    limit: int,
    page_token: str | None,
) -> tuple[list[Experiment], str | None]:
    """Return one page of experiments and the token of the next page, None at the end."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    conditions = []
    if view is not View.ALL:
        lifecycle = Lifecycle.ACTIVE if view is View.ACTIVE_ONLY else Lifecycle.DELETED
        conditions.append(experiments.c.lifecycle == lifecycle.value)
    if is_archived is not None:
        conditions.append(experiments.c.is_archived == is_archived)
    condition = parse_experiment_filter(filter)
    if condition is not None:
        conditions.append(condition)
    orderings: list[sa.ColumnElement[Any]] = [parse_experiment_order(text) for text in order_by]
    with database.read() as connection:
        found = _select(connection, sa.and_(sa.true(), *conditions), orderings, limit + 1, offset)
    return found[:limit], encode_page_token(offset + limit) if len(found) > limit else None


def count_experiments(database: Database) -> int:
    """Return the number of experiments that are not deleted."""
    query = sa.select(sa.func.count()).where(experiments.c.lifecycle == Lifecycle.ACTIVE.value)
    with database.read() as connection:
        return connection.execute(query.select_from(experiments)).scalar_one()


def _select(
    connection: sa.Connection,
    condition: sa.ColumnElement[bool],
    orderings: Sequence[sa.ColumnElement[Any]],
    limit: int,
    offset: int,
) -> list[Experiment]:
    shown = sa.and_(runs.c.experiment_id == experiments.c.id, runs.c.lifecycle == Lifecycle.ACTIVE.value)
    count = sa.select(sa.func.count()).where(shown).scalar_subquery()
    last = sa.select(runs.c.started_at).where(shown).order_by(runs.c.started_at.desc()).limit(1).scalar_subquery()
    last_use = sa.func.coalesce(last, experiments.c.created_at)
    query = sa.select(*experiments.c, count.label("run_count"), last.label("last_started_at")).where(condition)
    query = query.order_by(*(orderings or [last_use.desc()]), experiments.c.name).limit(limit).offset(offset)
    rows = connection.execute(query).mappings().all()
    tags: dict[str, dict[str, str]] = {row["id"]: {} for row in rows}
    owned = sa.select(*experiment_tags.c).where(experiment_tags.c.experiment_id.in_(list(tags)))
    for experiment_id, key, value in connection.execute(owned.order_by(experiment_tags.c.key)):
        tags[experiment_id][key] = value
    return [Experiment(**{**row, "lifecycle": Lifecycle(row["lifecycle"]), "tags": tags[row["id"]]}) for row in rows]


def _add(workspace: Workspace, files: ExperimentFiles, name: str, tags: dict[str, str]) -> str:
    """Write a new experiment under a free id; the caller holds the lock."""
    taken = set(files.ids())
    with workspace.database.read() as connection:
        taken |= set(connection.execute(sa.select(experiments.c.id)).scalars())
    attempt = 0
    while (experiment_id := propose_id(name, attempt)) in taken:
        attempt += 1
    time = now()
    document = ExperimentDocument(experiment_id, name, time, time, tags=tags)
    files.add(document, lambda document: index_experiment(workspace.database, document))
    workspace.audit.record("experiment.create", experiment_id, {"name": name})
    return experiment_id


def _write_missing_file(workspace: Workspace, experiment_id: str) -> None:
    """Write the file of an experiment that an older Atelier kept in the catalog alone."""
    files = ExperimentFiles(workspace)
    if experiment_id in files.ids():
        return
    experiment = get_experiment(workspace, id=experiment_id)
    if experiment_id not in files.ids():
        with explain_disk_errors("The experiment was not changed", workspace.root), files.locked():
            document = ExperimentDocument(
                experiment.id, experiment.name, experiment.created_at, experiment.updated_at, tags=experiment.tags
            )
            files.add(document, lambda document: index_experiment(workspace.database, document))


def _name_is_taken(experiment: Experiment) -> ConflictError:
    if experiment.lifecycle is Lifecycle.DELETED:
        return ConflictError(
            f"Experiment {experiment.name!r} ({experiment.id}) is deleted. Restore it, choose another name, or let "
            "`atelier experiments gc` remove it."
        )
    return ConflictError(f"Experiment {experiment.name!r} exists already (id {experiment.id}). Choose another name.")
