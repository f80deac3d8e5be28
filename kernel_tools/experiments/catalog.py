"""The catalog's side of runs: index a run, bring running runs up to date, search."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database, insert_missing, insert_or_update
from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.filters import parse_filter, parse_order
from kernel_tools.experiments.metrics import read_latest
from kernel_tools.experiments.records import Experiment, RunRecord, RunStatus
from kernel_tools.experiments.run_files import RunDocument, RunFolder
from kernel_tools.experiments.tables import experiments, latest_metrics, params, runs, tags

logger = logging.getLogger(__name__)


def create_experiment(database: Database, name: str, created_at: int) -> None:
    """Add an experiment if it does not exist."""
    with database.write() as connection:
        insert_missing(connection, experiments, {"name": name, "created_at": created_at})


def index_run(database: Database, document: RunDocument) -> None:
    """Write what `run.json` holds into the catalog, replacing what stood there."""
    with database.write() as connection:
        row = {
            "id": document.id,
            "name": document.name,
            "experiment": document.experiment,
            "status": document.status.value,
            "user": document.user,
            "started_at": document.started_at,
            "ended_at": document.ended_at,
        }
        exists = connection.execute(sa.select(runs.c.id).where(runs.c.id == document.id)).first()
        if exists:
            connection.execute(runs.update().where(runs.c.id == document.id).values(row))
        else:
            connection.execute(runs.insert().values(**row, segment_size=0))
        for table, content in ((params, document.params), (tags, document.tags)):
            _replace_texts(connection, table, document.id, content)


def index_metrics(database: Database, folder: RunFolder) -> None:
    """Write the latest value of every metric of a run into the catalog, if its segments grew."""
    size = folder.segment_size()
    latest = read_latest(folder)
    rows = [
        {
            "run_id": folder.id,
            "key": point.key,
            "value": None if point.value != point.value else point.value,
            "step": point.step,
            "timestamp": point.timestamp,
        }
        for point in latest.values()
    ]
    with database.write() as connection:
        insert_or_update(connection, latest_metrics, rows)
        connection.execute(runs.update().where(runs.c.id == folder.id).values(segment_size=size))


def refresh_running(workspace: Workspace) -> None:
    """Bring the runs that the catalog calls running up to date from their folders.

    Writers do not touch the catalog while they log; whoever reads catches up here. A run whose process is gone without
    having ended it becomes KILLED, with the time of its last sign of life.
    """
    running = sa.select(runs.c.id, runs.c.segment_size).where(runs.c.status == RunStatus.RUNNING.value)
    with workspace.database.read() as connection:
        rows = connection.execute(running).all()
    for run_id, segment_size in rows:
        folder = RunFolder(workspace, run_id)
        try:
            _refresh(workspace, folder, segment_size)
        except (IntegrityError, NotFoundError) as error:
            logger.warning("The catalog shows run %s as it was last indexed: %s", run_id, error)


def refresh_run(workspace: Workspace, run_id: str) -> None:
    """Do the same for one run; NotFoundError if it does not exist."""
    folder = RunFolder(workspace, run_id)
    if folder.load().status is RunStatus.RUNNING:
        with workspace.database.read() as connection:
            size = connection.execute(sa.select(runs.c.segment_size).where(runs.c.id == run_id)).scalar()
        _refresh(workspace, folder, size)


def _refresh(workspace: Workspace, folder: RunFolder, segment_size: int | None) -> None:
    document = folder.load()
    is_gone = document.status is RunStatus.RUNNING and document.process and not document.process.is_alive()
    if is_gone or segment_size is None or document.status is not RunStatus.RUNNING:
        folder.change(_end_if_gone(folder), lambda document: index_run(workspace.database, document))
    if is_gone:
        workspace.audit.record("run.end", folder.id, {"status": RunStatus.KILLED.value})
    if folder.segment_size() != segment_size:
        index_metrics(workspace.database, folder)


def search(
    database: Database,
    *,
    names: Sequence[str] | None,
    filter: str,
    order_by: Sequence[str],
    limit: int,
    page_token: str | None,
) -> tuple[list[RunRecord], str | None]:
    """Return one page of runs and the token of the next page, None at the end."""
    offset = decode_page_token(page_token)
    limit = validate_limit(limit)
    source: sa.FromClause = runs
    orderings: list[sa.ColumnElement[Any]] = []
    for text in order_by:
        ordering, table, on = parse_order(text)
        if table is not None:
            source = source.outerjoin(table, on)
        orderings.append(ordering)
    query = sa.select(*runs.c).select_from(source)
    condition = parse_filter(filter)
    if condition is not None:
        query = query.where(condition)
    if names is not None:
        query = query.where(runs.c.experiment.in_(list(names)))
    query = query.order_by(*orderings, runs.c.started_at.desc(), runs.c.id).limit(limit + 1).offset(offset)
    with database.read() as connection:
        rows = connection.execute(query).mappings().all()
        records = _complete(connection, rows[:limit])
    return records, encode_page_token(offset + limit) if len(rows) > limit else None


def list_experiments(database: Database, *, limit: int, page_token: str | None) -> tuple[list[Experiment], str | None]:
    """Return one page of experiments, the most recently used first."""
    offset, limit = decode_page_token(page_token), validate_limit(limit)
    last = sa.func.max(runs.c.started_at)
    query = (
        sa.select(experiments.c.name, experiments.c.created_at, sa.func.count(runs.c.id), last)
        .select_from(experiments.outerjoin(runs))
        .group_by(experiments.c.name, experiments.c.created_at)
        .order_by(sa.func.coalesce(last, experiments.c.created_at).desc(), experiments.c.name)
        .limit(limit + 1)
        .offset(offset)
    )
    with database.read() as connection:
        rows = connection.execute(query).all()
    page = [Experiment(*row) for row in rows[:limit]]
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def count_experiments(database: Database) -> int:
    """Return the number of experiments."""
    with database.read() as connection:
        return connection.execute(sa.select(sa.func.count()).select_from(experiments)).scalar_one()


def count_runs(database: Database) -> dict[RunStatus, int]:
    """Return the number of runs by status."""
    with database.read() as connection:
        rows = connection.execute(sa.select(runs.c.status, sa.func.count()).group_by(runs.c.status)).all()
    counts = {RunStatus(status): count for status, count in rows}
    return {status: counts.get(status, 0) for status in RunStatus}


def _complete(connection: sa.Connection, rows: Sequence[Any]) -> list[RunRecord]:
    ids = [row["id"] for row in rows]
    found: dict[str, dict[str, dict[str, Any]]] = {run_id: {"params": {}, "tags": {}, "metrics": {}} for run_id in ids}
    for name, table in (("params", params), ("tags", tags), ("metrics", latest_metrics)):
        query = sa.select(table.c.run_id, table.c.key, table.c.value).where(table.c.run_id.in_(ids))
        for run_id, key, value in connection.execute(query.order_by(table.c.key)):
            found[run_id][name][key] = float("nan") if value is None else value
    return [
        RunRecord(
            id=row["id"],
            name=row["name"],
            experiment=row["experiment"],
            status=RunStatus(row["status"]),
            user=row["user"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            **found[row["id"]],
        )
        for row in rows
    ]


def _replace_texts(connection: sa.Connection, table: sa.Table, run_id: str, content: dict[str, str]) -> None:
    connection.execute(table.delete().where(table.c.run_id == run_id))
    if content:
        rows = [{"run_id": run_id, "key": key, "value": value} for key, value in content.items()]
        connection.execute(table.insert(), rows)


def _end_if_gone(folder: RunFolder) -> Callable[[RunDocument], None]:
    last_change = folder.last_change()

    def change(document: RunDocument) -> None:
        is_running = document.status is RunStatus.RUNNING
        if is_running and document.process is not None and not document.process.is_alive():
            document.status = RunStatus.KILLED
            document.ended_at = last_change

    return change
