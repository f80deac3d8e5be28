"""What the runs of a table hold: the keys of their metrics, parameters and tags, how often, and some values."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.records import SYSTEM_TAG_PREFIXES, View
from kernel_tools.experiments.run_scope import open_scope
from kernel_tools.experiments.tables import latest_metrics, params, runs, tags

MAX_FIELDS = 2000
"""Keys of one kind, those that most runs have."""
SAMPLED_RUNS = 300
"""The newest runs, whose values are the samples."""
SAMPLES = 8
SAMPLE_LENGTH = 100


@dataclass(frozen=True, slots=True)
class RunField:
    """A key, how many runs have it, and values that the newest runs have most often.

    `is_system` is true for tags that programs set; `is_numeric` if all the samples are numbers.
    """

    key: str
    run_count: int
    samples: list[str]
    is_numeric: bool
    is_system: bool = False


@dataclass(frozen=True, slots=True)
class RunFields:
    """The keys that most runs have come first; `is_complete` is false if there are more than are listed."""

    run_count: int
    metrics: list[RunField]
    params: list[RunField]
    tags: list[RunField]
    is_complete: bool


def read_run_fields(
    experiments: str | Sequence[str] | None = None,
    *,
    view: View | str = View.ACTIVE_ONLY,
    workspace: Workspace | None = None,
) -> RunFields:
    """Return what the runs of some experiments, or of all, hold.

    Raises
    ------
    UnavailableError
        If the catalog cannot be read.
    """
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    with workspace.database.read() as connection:
        scope = open_scope(connection, experiments, view=view)
        chosen = sa.select(runs.c.number).where(*scope.conditions())
        run_count = int(connection.execute(sa.select(sa.func.count()).select_from(chosen.subquery())).scalar_one())
        newest = connection.execute(chosen.order_by(runs.c.number.desc()).limit(SAMPLED_RUNS)).scalars().all()
        read = functools.partial(_read_kind, connection, chosen, list(newest))
        found = {name: read(table) for name, table in (("metrics", latest_metrics), ("params", params), ("tags", tags))}
    return RunFields(
        run_count=run_count,
        is_complete=all(len(fields) < MAX_FIELDS for fields in found.values()),
        **found,
    )


def _read_kind(connection: sa.Connection, chosen: sa.Select[Any], newest: list[int], table: sa.Table) -> list[RunField]:
    count = sa.func.count().label("runs")
    keys = sa.select(table.c.key, count).where(table.c.run_number.in_(chosen)).group_by(table.c.key)
    counted = connection.execute(keys.order_by(count.desc(), table.c.key).limit(MAX_FIELDS)).all()
    samples = {} if table is latest_metrics else _read_samples(connection, newest, table)
    return [
        RunField(
            key=key,
            run_count=int(number),
            samples=samples.get(key, []),
            is_numeric=table is latest_metrics or all(map(_is_number, samples.get(key, ["no sample"]))),
            is_system=table is tags and key.startswith(SYSTEM_TAG_PREFIXES),
        )
        for key, number in counted
    ]


def _read_samples(connection: sa.Connection, newest: list[int], table: sa.Table) -> dict[str, list[str]]:
    count = sa.func.count().label("runs")
    query = sa.select(table.c.key, table.c.value, count).where(table.c.run_number.in_(newest))
    grouped = query.group_by(table.c.key, table.c.value).subquery()
    place = sa.func.row_number().over(partition_by=grouped.c.key, order_by=(grouped.c.runs.desc(), grouped.c.value))
    placed = sa.select(grouped.c.key, grouped.c.value, place.label("place")).subquery()
    rows = connection.execute(sa.select(placed).where(placed.c.place <= SAMPLES).order_by(placed.c.key, placed.c.place))
    samples: dict[str, list[str]] = {}
    for key, value, _ in rows:
        if len(value) <= SAMPLE_LENGTH:
            samples.setdefault(key, []).append(value)
    return samples


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
