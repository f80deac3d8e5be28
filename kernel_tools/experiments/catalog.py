"""The catalog's side of runs: index a run and what it holds, bring running runs up to date, count and nest them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database, insert_missing
from kernel_tools.core.errors import IntegrityError, NotFoundError, UnavailableError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.experiment_files import ExperimentFiles
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import DatasetInput, Lifecycle, RunRecord, RunStatus, RunTree
from kernel_tools.experiments.run_files import RunDocument, RunFolder
from kernel_tools.experiments.run_rows import to_records
from kernel_tools.experiments.segment import Point
from kernel_tools.experiments.tables import (
    INDEXED_LENGTH,
    experiments,
    latest_metrics,
    params,
    run_inputs,
    runs,
    tags,
)

logger = logging.getLogger(__name__)

ANALYZE_EVERY = 1000
"""After so many new runs the statistics of the catalog are taken again."""
OPEN_STATUSES = [status.value for status in RunStatus if status.is_open]
_RUNNING = sa.select(runs.c.id, runs.c.segment_size).where(sa.or_(*(runs.c.status == value for value in OPEN_STATUSES)))


def index_run(workspace: Workspace, document: RunDocument) -> None:
    """Write what `run.json` holds into the catalog, replacing what stood there."""
    with workspace.database.write() as connection:
        number = write_run(connection, document)
        if number % ANALYZE_EVERY == 0 and document.status.is_open:
            analyze(connection)


def analyze(connection: sa.Connection) -> None:
    """Let SQLite sample what its tables hold, from which it chooses how to search; PostgreSQL does so by itself."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("PRAGMA analysis_limit = 400")
        connection.exec_driver_sql("ANALYZE")


def write_run(connection: sa.Connection, document: RunDocument) -> int:
    """Write a run's row, parameters and tags; returns the run's number in this catalog.

    An experiment that came with the run from another workspace is added; its file follows at the next rebuild.
    """
    row = {
        "id": document.id,
        "name": document.name,
        "experiment_id": document.experiment_id,
        "status": document.status.value,
        "user": document.user,
        "started_at": document.started_at,
        "ended_at": document.ended_at,
        "parent_run_id": document.parent_run_id,
    }
    chosen = sa.select(experiments.c.lifecycle).where(experiments.c.id == document.experiment_id)
    lifecycle = connection.execute(chosen).scalar()
    if lifecycle is None:
        named = sa.select(experiments.c.id).where(experiments.c.name == document.experiment)
        is_taken = connection.execute(named).first() is not None
        name = f"{document.experiment} ({document.experiment_id})" if is_taken else document.experiment
        insert_missing(connection, experiments, _foreign_experiment(document, name))
    is_hidden = Lifecycle.DELETED in (lifecycle, document.lifecycle)
    row["lifecycle"] = (Lifecycle.DELETED if is_hidden else Lifecycle.ACTIVE).value
    number = connection.execute(sa.select(runs.c.number).where(runs.c.id == document.id)).scalar()
    if number is None:
        result = connection.execute(runs.insert().values(**row, segment_size=0))
        number = int(result.inserted_primary_key[0])  # type: ignore[index]  # an insert of one row has it
    else:
        connection.execute(runs.update().where(runs.c.number == number).values(row))
    for table, content in ((params, document.params), (tags, document.tags)):
        _replace_texts(connection, table, number, content)
    return number


def index_inputs(database: Database, run_id: str, inputs: list[DatasetInput]) -> None:
    """Write the datasets of a run into the catalog, replacing what stood there."""
    with database.write() as connection:
        number = connection.execute(sa.select(runs.c.number).where(runs.c.id == run_id)).scalar()
        if number is not None:  # else a rebuild is under way, which reads the file
            write_inputs(connection, number, inputs)


def write_inputs(connection: sa.Connection, number: int, inputs: list[DatasetInput]) -> None:
    """Write the datasets of the run of this number."""
    connection.execute(run_inputs.delete().where(run_inputs.c.run_number == number))
    rows = [
        {
            "run_number": number,
            "position": position,
            "name": item.name,
            "digest": item.digest,
            "context": item.context,
        }
        for position, item in enumerate(inputs)
    ]
    if rows:
        connection.execute(run_inputs.insert(), rows)


def index_metrics(database: Database, folder: RunFolder) -> None:
    """Write the latest value of every metric of a run into the catalog."""
    size = folder.metrics_size()
    latest = read_latest(folder)
    with database.write() as connection:
        number = connection.execute(sa.select(runs.c.number).where(runs.c.id == folder.id)).scalar()
        if number is not None:  # else a rebuild is under way, which reads the segments
            write_metrics(connection, number, latest.values(), size)


def write_metrics(connection: sa.Connection, number: int, latest: Iterable[Point], size: int) -> None:
    """Write the latest points of the run of this number; those that stand there already are not written again."""
    old = sa.select(latest_metrics.c.key, latest_metrics.c.step, latest_metrics.c.timestamp, latest_metrics.c.value)
    found = connection.execute(old.where(latest_metrics.c.run_number == number))
    known = {key: (step, timestamp, value) for key, step, timestamp, value in found}
    new: list[dict[str, Any]] = []
    changed: list[dict[str, Any]] = []
    for point in latest:
        value = None if point.value != point.value else point.value
        before = known.get(point.key)
        if before != (point.step, point.timestamp, value):
            row = {"number": number, "name": point.key}
            row |= {"value": value, "step": point.step, "timestamp": point.timestamp}
            (new if before is None else changed).append(row)
    place: dict[str, Any] = {"run_number": sa.bindparam("number"), "key": sa.bindparam("name")}
    if new:
        connection.execute(latest_metrics.insert().values(**place, value=sa.bindparam("value")), new)
    if changed:
        rows = sa.and_(*(latest_metrics.c[column] == parameter for column, parameter in place.items()))
        connection.execute(latest_metrics.update().where(rows), changed)
    connection.execute(runs.update().where(runs.c.number == number).values(segment_size=size))


def refresh_running(workspace: Workspace) -> None:
    """Bring the runs that the catalog calls running up to date from their folders.

    Writers do not touch the catalog while they log; whoever reads catches up here. A run whose process is gone without
    having ended it becomes KILLED, with the time of its last sign of life.
    """
    with workspace.database.read() as connection:
        rows = connection.execute(_RUNNING).all()
    for run_id, segment_size in rows:
        folder = RunFolder(workspace, run_id)
        try:
            _refresh(workspace, folder, segment_size)
        except (IntegrityError, NotFoundError, UnavailableError, OSError) as error:
            logger.warning("The catalog shows run %s as it was last indexed: %s", run_id, error)


def refresh_run(workspace: Workspace, run_id: str) -> None:
    """Bring one run up to date, also one whose folder was copied in; NotFoundError if it does not exist."""
    folder = RunFolder(workspace, run_id)
    document = folder.load()
    with workspace.database.read() as connection:
        size = connection.execute(sa.select(runs.c.segment_size).where(runs.c.id == run_id)).scalar()
    if size is None or document.status.is_open:
        _refresh(workspace, folder, size)


def effective_lifecycle(workspace: Workspace, document: RunDocument) -> Lifecycle:
    """Return a run's life cycle; it is deleted with its experiment."""
    try:
        experiment = ExperimentFiles(workspace).load(document.experiment_id)
    except NotFoundError:
        return document.lifecycle
    return Lifecycle.DELETED if Lifecycle.DELETED in (experiment.lifecycle, document.lifecycle) else Lifecycle.ACTIVE


def known_ids(database: Database, ids: Sequence[str]) -> set[str]:
    """Return which of these runs (at most 1000) are in the catalog."""
    with database.read() as connection:
        return set(connection.execute(sa.select(runs.c.id).where(runs.c.id.in_(ids))).scalars())


def read_records(database: Database, ids: Sequence[str]) -> list[RunRecord]:
    """Return the rows of these runs (at most 1000), those that are there, in no order; also deleted ones."""
    with database.read() as connection:
        return to_records(connection, connection.execute(sa.select(runs).where(runs.c.id.in_(ids))).mappings().all())


def count_runs(database: Database) -> dict[RunStatus, int]:
    """Return the number of runs by status; deleted ones are left out."""
    query = sa.select(runs.c.status, sa.func.count()).where(runs.c.lifecycle == Lifecycle.ACTIVE.value)
    with database.read() as connection:
        rows = connection.execute(query.group_by(runs.c.status)).all()
    counts = {RunStatus(status): count for status, count in rows}
    return {status: counts.get(status, 0) for status in RunStatus}


def count_children(database: Database, run_id: str) -> int:
    """Return the number of runs directly inside a run; deleted ones are left out."""
    shown = (runs.c.parent_run_id == run_id) & (runs.c.lifecycle == Lifecycle.ACTIVE.value)
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(runs).where(shown)).scalar_one()


def read_tree(workspace: Workspace, root: RunRecord, limit: int | None = None) -> RunTree:
    """Return a run with everything nested in it, by one recursive query; deleted runs and their trees are left out.

    With a limit, only so many of the oldest are read.
    """
    refresh_running(workspace)
    shown = runs.c.lifecycle == Lifecycle.ACTIVE.value
    nested = sa.select(runs.c.id).where(runs.c.parent_run_id == root.id, shown).cte("nested", recursive=True)
    nested = nested.union(sa.select(runs.c.id).where(runs.c.parent_run_id == nested.c.id, shown))
    found = sa.select(runs).where(runs.c.id.in_(sa.select(nested.c.id))).order_by(runs.c.started_at, runs.c.number)
    found = found.limit(limit)
    with workspace.database.read() as connection:
        records = to_records(connection, connection.execute(found).mappings().all())
    trees = {record.id: RunTree(record) for record in records if record.id != root.id}
    trees[root.id] = RunTree(root)
    for record in records:
        parent = trees.get(record.parent_run_id or "")
        if parent is not None and record.id != root.id:
            parent.children.append(trees[record.id])
    return trees[root.id]


def _refresh(workspace: Workspace, folder: RunFolder, segment_size: int | None) -> None:
    document = folder.load()
    is_gone = document.status.is_open and document.process is not None and not document.process.is_alive()
    if is_gone:
        folder.change(_end_if_gone(folder), lambda document: index_run(workspace, document))
        workspace.audit.record("run.end", folder.id, {"status": RunStatus.KILLED.value})
    elif segment_size is None or not document.status.is_open:
        index_run(workspace, document)
        index_inputs(workspace.database, folder.id, folder.load_inputs())
    if folder.metrics_size() != (segment_size or 0):
        index_metrics(workspace.database, folder)


def _end_if_gone(folder: RunFolder) -> Callable[[RunDocument], None]:
    last_change = folder.last_change()

    def change(document: RunDocument) -> None:
        if document.status.is_open and document.process is not None and not document.process.is_alive():
            document.status = RunStatus.KILLED
            document.ended_at = last_change

    return change


def _replace_texts(connection: sa.Connection, table: sa.Table, number: int, content: dict[str, str]) -> None:
    """Write parameters or tags, touching only the rows that change."""
    found = connection.execute(
        sa.select(table.c.key, table.c.value, table.c.long_value).where(table.c.run_number == number)
    )
    known = {key: value if long_value is None else long_value for key, value, long_value in found}
    gone = [key for key in known if content.get(key) != known[key]]
    new = [key for key in content if content[key] != known.get(key)]
    for start in range(0, len(gone), 500):
        connection.execute(
            table.delete().where(table.c.run_number == number, table.c.key.in_(gone[start : start + 500]))
        )
    if new:
        connection.execute(table.insert(), [text_row(number, key, content[key]) for key in new])


def text_row(number: int, key: str, text: str) -> dict[str, Any]:
    """Return the row of a parameter or tag."""
    is_long = len(text) > INDEXED_LENGTH
    return {"run_number": number, "key": key, "value": text[:INDEXED_LENGTH], "long_value": text if is_long else None}


def _foreign_experiment(document: RunDocument, name: str) -> dict[str, Any]:
    return {
        "id": document.experiment_id,
        "name": name,
        "created_at": document.started_at,
        "updated_at": document.started_at,
        "lifecycle": Lifecycle.ACTIVE.value,
        "is_archived": False,
    }
