"""Runs by position: any part of a search of any length, and how many runs it finds.

A search is put into order once; its order, the numbers of the runs, is kept for those who scroll through it. They see
the same order until they ask for a new one, whatever is logged meanwhile, and a window costs no more than its rows.
"""

from __future__ import annotations

import itertools
import threading
from array import array
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments.filters import RUNS, parse_order
from kernel_tools.experiments.records import RunRecord, View
from kernel_tools.experiments.run_rows import to_records
from kernel_tools.experiments.run_scope import RunScope, open_scope
from kernel_tools.experiments.tables import runs

MAX_WINDOW = 500
"""Rows of one window."""
MAX_OFFSET = 10_000_000
MAX_FIND = 200
"""Runs whose positions are told at once."""
KEPT_NUMBERS = 4_000_000
"""Numbers of runs that are kept for all orders together, eight bytes each; the order used longest ago goes first."""


@dataclass(frozen=True, slots=True)
class RunWindow:
    """Some rows of a search.

    Attributes
    ----------
    rows
        The runs from `offset` on.
    total
        How many runs the search finds.
    order
        Names the order that the rows are from. Passed on, it gives further rows of the same order as long as the
        server has it; a reply with another name starts anew.
    child_counts
        How many runs of the scope are directly inside a row; rows that have none are left out.
    positions
        Where the runs that were asked for stand, from 0; runs that the search does not find are left out.
    """

    rows: list[RunRecord]
    offset: int
    total: int
    order: str
    child_counts: dict[str, int] = field(default_factory=dict)
    positions: dict[str, int] = field(default_factory=dict)


class _Orders:
    """The orders that are kept."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[Workspace, RunScope, str], array[int]] = OrderedDict()
        self._guard = threading.Lock()
        self._names = itertools.count(1)

    def add(self, workspace: Workspace, scope: RunScope, numbers: array[int]) -> str:
        with self._guard:
            name = str(next(self._names))
            self._kept[workspace, scope, name] = numbers
            while len(self._kept) > 1 and sum(map(len, self._kept.values())) > KEPT_NUMBERS:
                self._kept.popitem(last=False)
            return name

    def get(self, workspace: Workspace, scope: RunScope, name: str | None) -> array[int] | None:
        if name is None:
            return None
        key = (workspace, scope, name)
        with self._guard:
            numbers = self._kept.get(key)
            if numbers is not None:
                self._kept.move_to_end(key)
            return numbers


_orders = _Orders()


def read_run_window(
    experiments: str | Sequence[str] | None = None,
    filter: str = "",
    order_by: Sequence[str] = (),
    offset: int = 0,
    limit: int = 200,
    columns: Sequence[str] | None = None,
    *,
    order: str | None = None,
    view: View | str = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    group_by: str | None = None,
    group_value: str | None = None,
    parent_run_id: str | None = None,
    roots_only: bool = False,
    find: Sequence[str] = (),
    workspace: Workspace | None = None,
) -> RunWindow:
    """Return the runs from `offset` on, in the order of a search, and how many it finds.

    Parameters
    ----------
    experiments
        One experiment's name, several, or None for all.
    filter, order_by
        As for `search_run_records`.
    offset
        Rows before the window, 0 to 10,000,000.
    limit
        Rows of the window, 0 to 500.
    columns
        The values to read, such as ``["metrics.auc", "params.depth", "tags.team"]``. Default: all.
    order
        The order of an earlier window, to go on in it.
    view
        ``ACTIVE_ONLY``, ``DELETED_ONLY`` or ``ALL``.
    is_archived
        Only archived runs, or only others. Default: both.
    group_by, group_value
        Only the runs of one group of `group_runs`; a value of None is the group of runs without one.
    parent_run_id
        Only the runs directly inside this one.
    roots_only
        Leave out runs that are inside another run that the search finds.
    find
        Ids of at most 200 runs whose positions are wanted.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If the filter, an ordering or the group is not understood, or the window is too large.
    """
    if not 0 <= offset <= MAX_OFFSET or not 0 <= limit <= MAX_WINDOW or len(find) > MAX_FIND:
        raise InvalidArgumentError(
            f"A window of {limit:,} rows from {offset:,} on, with {len(find):,} runs to find, is not read: at most "
            f"{MAX_WINDOW} rows, from {MAX_OFFSET:,} on, and {MAX_FIND} runs to find."
        )
    workspace = workspace or current_workspace()
    if order is None:
        catalog.refresh_running(workspace)
    with workspace.database.read() as connection:
        scope = open_scope(
            connection,
            experiments,
            filter=filter,
            order_by=order_by,
            view=view,
            is_archived=is_archived,
            group_by=group_by,
            group_value=group_value,
            parent_run_id=parent_run_id,
            roots_only=roots_only,
        )
        numbers = _orders.get(workspace, scope, order)
        records = None if numbers is None else _read_rows(connection, numbers[offset : offset + limit], columns)
        if numbers is None or records is None or order is None:
            numbers = array("q", connection.execute(_ordered(scope)).scalars().all())
            order = _orders.add(workspace, scope, numbers)
            records = _read_rows(connection, numbers[offset : offset + limit], columns) or []
        is_tree = roots_only or parent_run_id is not None
        ids = [record.id for record in records]
        child_counts = _count_children(connection, scope, ids) if is_tree else {}
        positions = _find(connection, numbers, find)
    return RunWindow(records, offset, len(numbers), order, child_counts, positions)


def count_matching_runs(
    experiments: str | Sequence[str] | None = None,
    filter: str = "",
    *,
    view: View | str = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    workspace: Workspace | None = None,
) -> int:
    """Return how many runs a search finds.

    Raises
    ------
    InvalidArgumentError
        If the filter is not understood; the message gives the position.
    """
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    with workspace.database.read() as connection:
        scope = open_scope(connection, experiments, filter=filter, view=view, is_archived=is_archived)
        query = sa.select(sa.func.count()).select_from(runs).where(*scope.conditions())
        return int(connection.execute(query).scalar_one())


def _ordered(scope: RunScope) -> sa.Select[Any]:
    source: sa.FromClause = runs
    ordered: list[sa.ColumnElement[Any]] = []
    for text in scope.search.order_by:
        expressions, table, on = RUNS.ordering(parse_order(text))
        source = source if table is None else source.outerjoin(table, on)
        ordered += expressions
    query = sa.select(runs.c.number).select_from(source).where(*scope.conditions())
    return query.order_by(*ordered, runs.c.started_at.desc(), runs.c.id).limit(MAX_OFFSET + MAX_WINDOW)


def _read_rows(
    connection: sa.Connection, numbers: Sequence[int], columns: Sequence[str] | None
) -> list[RunRecord] | None:
    """Return runs by their numbers; None if one of them was removed for good since it got its place."""
    rows = {row["number"]: row for row in _rows_of(connection, numbers)}
    if len(rows) < len(numbers):
        return None
    return to_records(connection, [rows[number] for number in numbers], columns)


def _rows_of(connection: sa.Connection, numbers: Sequence[int]) -> Sequence[sa.RowMapping]:
    return connection.execute(sa.select(*runs.c).where(runs.c.number.in_(list(numbers)))).mappings().all()


def _count_children(connection: sa.Connection, scope: RunScope, ids: Sequence[str]) -> dict[str, int]:
    """Count the runs of the scope that are directly inside others, by the id of the outer run."""
    query = sa.select(runs.c.parent_run_id, sa.func.count()).where(*scope.flat().conditions())
    query = query.where(runs.c.parent_run_id.in_(list(ids))).group_by(runs.c.parent_run_id)
    return {str(parent): int(count) for parent, count in connection.execute(query)}


def _find(connection: sa.Connection, numbers: array[int], ids: Sequence[str]) -> dict[str, int]:
    if not ids:
        return {}
    found = connection.execute(sa.select(runs.c.number, runs.c.id).where(runs.c.id.in_(list(ids))))
    wanted = {int(number): str(run_id) for number, run_id in found}
    positions = {wanted[number]: place for place, number in enumerate(numbers) if number in wanted}
    return positions
