"""Which runs a table shows: the search behind its windows, its groups and its fields, as conditions in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.filters import RUN_WORDS, RUNS
from kernel_tools.experiments.records import ARCHIVED_TAG, View
from kernel_tools.experiments.run_rows import RunSearch
from kernel_tools.experiments.search_grammar import parse_expression
from kernel_tools.experiments.tables import INDEXED_LENGTH, experiments, params, runs, tags

GROUP_ATTRIBUTES = ("experiment", "status", "user")
_TEXTS = {"params": params, "tags": tags}


@dataclass(frozen=True, slots=True)
class GroupKey:
    """What runs are grouped by: an attribute (``entity`` is empty), a parameter or a tag."""

    entity: str
    key: str

    def column(self) -> tuple[sa.ColumnElement[Any], sa.FromClause | None, sa.ColumnElement[bool] | None]:
        """Return the value of a run's group, and the table to be outer-joined for it."""
        if self.entity:
            table = _TEXTS[self.entity].alias()
            return table.c.value, table, sa.and_(table.c.run_number == runs.c.number, table.c.key == self.key)
        if self.key == "experiment":
            return RUNS.columns["experiment"], None, None
        return runs.c[self.key], None, None

    def condition(self, value: str | None) -> sa.ColumnElement[bool]:
        """Say that a run belongs to the group of a value; None is the group of those that have none."""
        if not self.entity:
            return self.column()[0] == value
        table = _TEXTS[self.entity]
        listed = sa.select(table.c.run_number).where(table.c.key == self.key)
        if value is None:
            return runs.c.number.not_in(listed)
        return runs.c.number.in_(listed.where(table.c.value == value[:INDEXED_LENGTH]))


def parse_group(by: str) -> GroupKey:
    """Read what to group by: ``params.<key>``, ``tags.<key>``, ``experiment``, ``status`` or ``user``.

    Raises
    ------
    InvalidArgumentError
        If it is something else.
    """
    if by in GROUP_ATTRIBUTES:
        return GroupKey("", by)
    entity, _, key = by.partition(".")
    if entity in _TEXTS and key:
        return GroupKey(entity, key)
    raise InvalidArgumentError(
        f"Runs are not grouped by {by[:80]!r}: use params.<key>, tags.<key>, {' or '.join(GROUP_ATTRIBUTES)}."
    )


@dataclass(frozen=True, slots=True)
class RunScope:
    """A search, and what a table adds to it.

    Attributes
    ----------
    search
        Where, which, in which order.
    is_archived
        Only archived runs, or only others; None for both.
    group_by, group_value
        Only the runs of one group, see `parse_group`; a value of None is the group without one.
    parent_run_id
        Only the runs directly inside this one.
    roots_only
        Leave out runs that are inside another run of the scope.
    """

    search: RunSearch
    is_archived: bool | None = None
    group_by: str | None = None
    group_value: str | None = None
    parent_run_id: str | None = None
    roots_only: bool = False

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return what a row of `runs` must fulfil."""
        matching = self._matching()
        if self.parent_run_id is not None:
            matching.append(runs.c.parent_run_id == self.parent_run_id)
        if self.roots_only:
            others = sa.select(runs.c.id).where(*self._matching()).correlate(None)
            matching.append(sa.or_(runs.c.parent_run_id.is_(None), runs.c.parent_run_id.not_in(others)))
        return matching

    def _matching(self) -> list[sa.ColumnElement[bool]]:
        conditions = self.search.conditions(RUNS)
        if self.is_archived is not None:
            archived = sa.select(tags.c.run_number).where(tags.c.key == ARCHIVED_TAG, tags.c.value == "true")
            chosen = runs.c.number.in_(archived)
            conditions.append(chosen if self.is_archived else ~chosen)
        if self.group_by is not None:
            conditions.append(parse_group(self.group_by).condition(self.group_value))
        return conditions

    def flat(self) -> RunScope:
        """Return the scope without its place in the tree."""
        return replace(self, parent_run_id=None, roots_only=False)


def open_scope(
    connection: sa.Connection,
    names: str | Sequence[str] | None,
    *,
    filter: str = "",
    order_by: Sequence[str] = (),
    view: View | str = View.ACTIVE_ONLY,
    is_archived: bool | None = None,
    group_by: str | None = None,
    group_value: str | None = None,
    parent_run_id: str | None = None,
    roots_only: bool = False,
) -> RunScope:
    """Make a scope of what a caller says; experiments are named, None for all.

    Raises
    ------
    InvalidArgumentError
        If the filter or the group is not understood.
    """
    parse_expression(filter, RUN_WORDS)  # refuses before the database is asked
    if group_by is not None:
        parse_group(group_by)
    ids = None
    if names is not None:
        listed = [names] if isinstance(names, str) else list(names)
        found = connection.execute(sa.select(experiments.c.id).where(experiments.c.name.in_(listed)))
        ids = tuple(found.scalars())
    search = RunSearch(ids, filter, tuple(order_by), View(view))
    return RunScope(search, is_archived, group_by, group_value, parent_run_id, roots_only)
