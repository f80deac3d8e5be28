"""What a page of runs holds beyond its rows: when the latest points were logged, and which datasets were read."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sqlalchemy as sa

from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments.records import DatasetInput
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import Point
from kernel_tools.experiments.tables import latest_metrics, run_inputs, runs

PART = 500
"""How many runs are asked for by one statement."""


def read_latest_points(workspace: Workspace, run_ids: Sequence[str]) -> dict[str, dict[str, Point]]:
    """Return the latest point of every metric of runs, as the catalog knows them: by the run's id, then by key."""
    found: dict[str, dict[str, Point]] = {run_id: {} for run_id in run_ids}
    table = latest_metrics.c
    query = sa.select(runs.c.id, table.key, table.value, table.step, table.timestamp)
    query = query.join_from(runs, latest_metrics)
    with workspace.database.read() as connection:
        for part in _parts(run_ids):
            for run_id, key, value, step, timestamp in connection.execute(query.where(runs.c.id.in_(part))):
                found[run_id][key] = Point(key, float("nan") if value is None else value, step, timestamp)
    return found


def read_inputs(workspace: Workspace, run_ids: Sequence[str]) -> dict[str, list[DatasetInput]]:
    """Return the datasets of those runs that read any, by the run's id."""
    query = sa.select(runs.c.id).where(sa.exists().where(run_inputs.c.run_number == runs.c.number))
    with workspace.database.read() as connection:
        having = [
            run_id
            for part in _parts(run_ids)
            for run_id in connection.execute(query.where(runs.c.id.in_(part))).scalars()
        ]
    return {run_id: RunFolder(workspace, run_id).load_inputs() for run_id in having}


def _parts(run_ids: Sequence[str]) -> Iterator[Sequence[str]]:
    return (run_ids[start : start + PART] for start in range(0, len(run_ids), PART))
