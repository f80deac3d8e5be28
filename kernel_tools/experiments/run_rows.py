"""Runs as rows: the catalog's search, and the records made of what it finds."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.database import Database
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.experiments.filters import PROBED_RUNS, RUN_WORDS, RUNS, Meaning, parse_order
from kernel_tools.experiments.records import Lifecycle, RunRecord, RunStatus, View
from kernel_tools.experiments.search_grammar import Field, Ordering, parse_expression
from kernel_tools.experiments.tables import experiments, runs

NEWEST_FIRST = Ordering(Field("attributes", "started_at", is_number=True, is_whole=True), is_descending=True)
_IDS_OF_NAMES = sa.select(experiments.c.id).where(experiments.c.name.in_(sa.bindparam("names", expanding=True)))
_NAMES_OF_IDS = sa.select(experiments.c.id, experiments.c.name).where(
    experiments.c.id.in_(sa.bindparam("ids", expanding=True))
)
_LAST_ORDER = (runs.c.started_at.desc(), runs.c.id)


WINDOW = 2500
"""How many runs the quick way looks at before the thorough one is taken."""


@dataclass(frozen=True, slots=True)
class RunSearch:
    """A search for runs: where, which, in which order. It can be compared, so that its statements are made once."""

    experiment_ids: tuple[str, ...] | None
    filter: str
    order_by: tuple[str, ...]
    view: View

    def conditions(self, meaning: Meaning) -> list[sa.ColumnElement[bool]]:
        """Return what a row must fulfil."""
        expression = parse_expression(self.filter, RUN_WORDS)
        conditions = [] if expression is None else [meaning.condition(expression)]
        ids = self.experiment_ids
        if ids is not None:
            column = runs.c.experiment_id
            conditions.append(column == ids[0] if len(ids) == 1 else column.in_(ids))
        if self.view is not View.ALL:
            lifecycle = Lifecycle.ACTIVE if self.view is View.ACTIVE_ONLY else Lifecycle.DELETED
            conditions.append(runs.c.lifecycle == lifecycle.value)
        return conditions


@dataclass(frozen=True, slots=True)
class Walk:
    """The statements of the quick way: where the window ends, and the rows before that edge or of the whole index."""

    edge: sa.Select[Any]
    inside: sa.Select[Any]
    everywhere: sa.Select[Any]
    finds_all: bool
    """Whether every run is in the index; those without a metric are not, and follow the others."""


def search(
    database: Database,
    *,
    names: Sequence[str] | None = None,
    experiment_ids: Sequence[str] | None = None,
    filter: str = "",
    order_by: Sequence[str] = (),
    view: View = View.ACTIVE_ONLY,
    limit: int,
    page_token: str | None,
) -> tuple[list[RunRecord], str | None]:
    """Return one page of runs and the token of the next page, None at the end.

    Two ways lead to the same rows. The quick one walks the index of what is ordered by, from its best end, and asks
    each run whether it fits; it gives up after `WINDOW` runs. The thorough one collects all runs that fit, and sorts.
    """
    offset = decode_page_token(page_token)
    limit = validate_limit(limit)
    parse_expression(filter, RUN_WORDS)  # refuses before the database is asked
    with database.read() as connection:
        ids = None if experiment_ids is None else list(experiment_ids)
        if names is not None:
            ids = [*(ids or []), *connection.execute(_IDS_OF_NAMES, {"names": list(names)}).scalars()]
        wanted = RunSearch(None if ids is None else tuple(ids), filter, tuple(order_by), view)
        rows = walk(connection, wanted, limit + 1, offset)
        if rows is None:
            rows = collect(connection, wanted, limit + 1, offset)
        records = to_records(connection, rows[:limit])
    return records, encode_page_token(offset + limit) if len(rows) > limit else None


def collect(connection: sa.Connection, wanted: RunSearch, limit: int, offset: int) -> Sequence[Any]:
    """Return rows the thorough way."""
    return connection.execute(_collect(wanted), {"row_limit": limit, "row_offset": offset}).mappings().all()


def walk(connection: sa.Connection, wanted: RunSearch, limit: int, offset: int) -> Sequence[Any] | None:
    """Return rows the quick way, None if it does not lead there."""
    statements = _walk(wanted)
    if statements is None or limit + offset > WINDOW:
        return None
    edge = connection.execute(statements.edge, {"window": WINDOW}).scalar()
    page = {"row_limit": limit, "row_offset": offset}
    if edge is not None:
        rows = connection.execute(statements.inside, {**page, "edge": edge}).mappings().all()
    else:
        rows = connection.execute(statements.everywhere, page).mappings().all()
    is_everything = edge is None and statements.finds_all
    return rows if len(rows) == limit or is_everything else None


@functools.lru_cache(maxsize=256)
def _collect(wanted: RunSearch) -> sa.Select[Any]:
    source: sa.FromClause = runs
    ordered: list[sa.ColumnElement[Any]] = []
    for text in wanted.order_by:
        source, expressions = _order(source, parse_order(text))
        ordered += expressions
    query = sa.select(*runs.c).select_from(source).where(*wanted.conditions(RUNS))
    return _page(query.order_by(*ordered, *_LAST_ORDER))


@functools.lru_cache(maxsize=256)
def _walk(wanted: RunSearch) -> Walk | None:
    orderings = [parse_order(text) for text in wanted.order_by]
    first = orderings[0] if orderings else NEWEST_FIRST
    is_value = first.field.entity in ("metrics", "params", "tags")
    if not (is_value or first.field.key == "started_at"):
        return None
    table = RUNS.tables[first.field.entity].alias() if is_value else runs
    value: sa.ColumnElement[Any] = table.c.value if is_value else runs.c.started_at
    walked = [table.c.key == first.field.key, value.is_not(None)] if is_value else []
    ids = wanted.experiment_ids
    if not is_value and ids is not None and len(ids) == 1:
        walked = [runs.c.experiment_id == ids[0]]
    direction = value.desc() if first.is_descending else value.asc()
    edge = sa.select(value).where(*walked).order_by(direction).limit(1).offset(sa.bindparam("window", type_=sa.Integer))
    source: sa.FromClause = sa.join(table, runs, table.c.run_number == runs.c.number) if is_value else runs
    ordered: list[sa.ColumnElement[Any]] = [direction]
    for ordering in orderings[1:]:
        source, expressions = _order(source, ordering)
        ordered += expressions
    query = sa.select(*runs.c).select_from(source).where(*walked, *wanted.conditions(PROBED_RUNS))
    everywhere = _page(query.order_by(*ordered, *_LAST_ORDER))
    bound = sa.bindparam("edge", type_=value.type)
    inside = everywhere.where(value > bound if first.is_descending else value < bound)
    return Walk(edge, inside, everywhere, finds_all=not is_value)


def _order(source: sa.FromClause, ordering: Ordering) -> tuple[sa.FromClause, list[sa.ColumnElement[Any]]]:
    expressions, table, on = RUNS.ordering(ordering)
    return source if table is None else source.outerjoin(table, on), expressions


def _page(query: sa.Select[Any]) -> sa.Select[Any]:
    limit, offset = (sa.bindparam(name, type_=sa.Integer) for name in ("row_limit", "row_offset"))
    return query.limit(limit).offset(offset)


def to_records(connection: sa.Connection, rows: Sequence[Any], columns: Sequence[str] | None = None) -> list[RunRecord]:
    """Make records of rows of `runs`, with their parameters, tags and latest metrics, or the `columns` of these."""
    found: dict[int, tuple[dict[str, str], dict[str, str], dict[str, float]]] = {
        row["number"]: ({}, {}, {}) for row in rows
    }
    numbers = list(found)
    for start in range(0, len(numbers), 500):
        _read_values(connection, numbers[start : start + 500], found, columns)
    ids = sorted({row["experiment_id"] for row in rows})
    names = dict(tuple(row) for row in connection.execute(_NAMES_OF_IDS, {"ids": ids})) if ids else {}
    return [
        RunRecord(
            id=row["id"],
            name=row["name"],
            experiment=names[row["experiment_id"]],
            status=RunStatus(row["status"]),
            user=row["user"],
            started_at=row["started_at"],
            ended_at=row["ended_at"],
            params=found[row["number"]][0],
            tags=found[row["number"]][1],
            metrics=found[row["number"]][2],
            experiment_id=row["experiment_id"],
            lifecycle=Lifecycle(row["lifecycle"]),
            parent_run_id=row["parent_run_id"],
        )
        for row in rows
    ]


def _read_values(
    connection: sa.Connection, numbers: list[int], found: dict[int, Any], columns: Sequence[str] | None
) -> None:
    """Add parameters, tags and metrics of some runs; in plain SQL, because a page has thousands of them."""
    listed = ", ".join(str(int(number)) for number in numbers)
    chosen = f"WHERE run_number IN ({listed})"
    keys: dict[str, list[str]] = {"params": [], "tags": [], "metrics": []}
    for column in columns or ():
        entity, _, key = column.partition(".")
        if entity in keys:
            keys[entity].append(key)
    mark = "?" if connection.dialect.name == "sqlite" else "%s"

    def narrowed(entity: str) -> tuple[str, tuple[str, ...]]:
        if columns is None:
            return chosen, ()
        marks = ", ".join(mark for _ in keys[entity]) or "NULL"
        return f"{chosen} AND key IN ({marks})", tuple(keys[entity])

    for place, table in enumerate(("params", "tags")):
        where, values = narrowed(table)
        texts = f"SELECT run_number, key, value, long_value FROM {table} {where} ORDER BY 1, 2"
        for number, key, value, long_value in connection.exec_driver_sql(texts, values or None).all():
            found[number][place][key] = value if long_value is None else long_value
    where, values = narrowed("metrics")
    measured = f"SELECT run_number, key, value FROM latest_metrics {where} ORDER BY 1, 2"
    for number, key, value in connection.exec_driver_sql(measured, values or None).all():
        found[number][2][key] = float("nan") if value is None else value
