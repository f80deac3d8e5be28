"""Runs grouped by a parameter, a tag or an attribute, with what their metrics come to in each group."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.records import View
from kernel_tools.experiments.run_scope import GroupKey, RunScope, open_scope, parse_group
from kernel_tools.experiments.tables import latest_metrics, runs

MAX_GROUPS = 1000
MAX_METRICS = 20
LARGEST = 1e150
"""Values beyond it, and infinities, are left out of mean and deviation: their squares are no numbers."""


@dataclass(frozen=True, slots=True)
class GroupedMetric:
    """The latest values of one metric in a group of runs.

    `count` is how many runs have a value that is a number; `mean` and the sample deviation `std` leave out infinite
    ones and are None if too few are left. `best_run_id` is the run with the highest value, or the lowest.
    """

    count: int
    mean: float | None
    std: float | None
    min: float
    max: float
    best_run_id: str


@dataclass(frozen=True, slots=True)
class RunGroup:
    """Runs that share a value; `value` is None for those that have none. Long values count by their beginning."""

    value: str | None
    count: int
    metrics: dict[str, GroupedMetric] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunGroups:
    """The largest groups first, at most 1,000 of them, and how many groups and runs there are."""

    groups: list[RunGroup]
    total: int
    run_count: int


def group_runs(
    by: str,
    metrics: Sequence[str] = (),
    experiments: str | Sequence[str] | None = None,
    filter: str = "",
    *,
    lowest: Sequence[str] = (),
    view: View | str = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    workspace: Workspace | None = None,
) -> RunGroups:
    """Group the runs that a search finds.

    Parameters
    ----------
    by
        ``params.<key>``, ``tags.<key>``, ``experiment``, ``status`` or ``user``.
    metrics
        Keys of at most 20 metrics to summarize.
    experiments, filter, view, is_archived, workspace
        As for `read_run_window`.
    lowest
        Those of the metrics whose lowest value is the best, such as a loss.

    Raises
    ------
    InvalidArgumentError
        If the filter or `by` is not understood, or there are too many metrics.
    """
    if len(metrics) > MAX_METRICS:
        raise InvalidArgumentError(f"{len(metrics)} metrics are not summarized at once: name at most {MAX_METRICS}.")
    key = parse_group(by)
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    with workspace.database.read() as connection:
        scope = open_scope(connection, experiments, filter=filter, view=view, is_archived=is_archived)
        counted = _grouped(scope, key)
        size = sa.func.count().label("size")
        totals = sa.select(counted.c.value, size, sa.func.count().over(), sa.func.sum(size).over())
        ranked = totals.group_by(counted.c.value).order_by(size.desc(), counted.c.value).limit(MAX_GROUPS)
        rows = connection.execute(ranked).all()
        groups = {value: RunGroup(value, int(count)) for value, count, _, _ in rows}
        if metrics and groups:
            _summarize(connection, scope, key, list(metrics), set(lowest), groups)
    total, run_count = (int(rows[0][2]), int(rows[0][3])) if rows else (0, 0)
    return RunGroups(list(groups.values()), total, run_count)


def read_best_values(
    highest: Sequence[str],
    lowest: Sequence[str] = (),
    experiments: str | Sequence[str] | None = None,
    filter: str = "",
    *,
    view: View | str = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    workspace: Workspace | None = None,
) -> dict[str, float]:
    """Return the best finite value of metrics among the runs that a search finds; keys without one are left out.

    Parameters
    ----------
    highest, lowest
        Keys of metrics whose highest, or lowest, value is the best.
    experiments, filter, view, is_archived, workspace
        As for `read_run_window`.

    Raises
    ------
    InvalidArgumentError
        If the filter is not understood.
    """
    workspace = workspace or current_workspace()
    table = latest_metrics.c
    found: dict[str, float] = {}
    with workspace.database.read() as connection:
        scope = open_scope(connection, experiments, filter=filter, view=view, is_archived=is_archived)
        is_shown = sa.exists().where(runs.c.number == table.run_number, *scope.conditions())
        for key in dict.fromkeys([*highest, *lowest]):
            order = table.value.asc() if key in lowest else table.value.desc()
            is_finite = table.value.between(-sys.float_info.max, sys.float_info.max)
            query = sa.select(table.value).where(table.key == key, is_finite, is_shown).order_by(order).limit(1)
            value = connection.execute(query).scalar()
            if value is not None:
                found[key] = value
    return found


def _grouped(scope: RunScope, key: GroupKey) -> sa.CTE:
    """Return the number and the group of every run of a scope."""
    value, table, on = key.column()
    source: sa.FromClause = runs if table is None else runs.outerjoin(table, on)
    return sa.select(runs.c.number, value.label("value")).select_from(source).where(*scope.conditions()).cte("grouped")


def _summarize(
    connection: sa.Connection,
    scope: RunScope,
    key: GroupKey,
    metrics: list[str],
    lowest: set[str],
    groups: dict[str | None, RunGroup],
) -> None:
    grouped = _grouped(scope, key)
    number, value = latest_metrics.c.run_number, latest_metrics.c.value
    is_usual = value.between(-LARGEST, LARGEST)
    usual = sa.case((is_usual, value))
    shown = sa.select(grouped.c.value.label("group"), latest_metrics.c.key, number, value, usual.label("usual"))
    shown = shown.join_from(grouped, latest_metrics, grouped.c.number == number)
    points = shown.where(latest_metrics.c.key.in_(metrics), value.is_not(None)).cte("points")
    place = (points.c.group, points.c.key)
    middle = sa.func.avg(points.c.usual).over(partition_by=place)
    score = sa.case((points.c.key.in_(sorted(lowest)), -points.c.value), else_=points.c.value)
    rank = sa.func.row_number().over(partition_by=place, order_by=(score.desc(), points.c.run_number))
    placed = sa.select(points, middle.label("middle"), rank.label("rank")).cte("placed")
    off = placed.c.usual - placed.c.middle
    best = sa.func.max(sa.case((placed.c.rank == 1, placed.c.run_number)))
    summary: sa.Select[Any] = (
        sa.select(
            placed.c.group,
            placed.c.key,
            sa.func.count(),
            sa.func.count(placed.c.usual),
            sa.func.min(placed.c.middle),
            sa.func.sum(off * off),
            sa.func.min(placed.c.value),
            sa.func.max(placed.c.value),
            best.label("best"),
        )
        .group_by(placed.c.group, placed.c.key)
        .subquery()
        .select()
    )
    rows = connection.execute(summary).all()
    ids = _ids(connection, {row[-1] for row in rows if row[0] in groups})
    for group, metric, count, usual_count, mean, squares, low, high, winner in rows:
        if group in groups:
            std = math.sqrt(squares / (usual_count - 1)) if usual_count > 1 else None
            groups[group].metrics[metric] = GroupedMetric(count, mean, std, low, high, ids[winner])


def _ids(connection: sa.Connection, numbers: set[int]) -> dict[int, str]:
    found: dict[int, str] = {}
    listed = sorted(numbers)
    for start in range(0, len(listed), 500):
        query = sa.select(runs.c.number, runs.c.id).where(runs.c.number.in_(listed[start : start + 500]))
        found |= {int(number): str(run_id) for number, run_id in connection.execute(query)}
    return found
