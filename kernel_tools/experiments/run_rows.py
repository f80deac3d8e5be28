"""Runs as rows: the catalog's search, and the records made of what it finds."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec
import sqlalchemy as sa

from kernel_tools.core.database import Database
from kernel_tools.core.paging import decode_page_token, encode_page_token, validate_limit
from kernel_tools.experiments.filters import PROBED_RUNS, RUN_WORDS, RUNS, Meaning, parse_order, value_condition
from kernel_tools.experiments.records import Lifecycle, RunRecord, RunStatus, View
from kernel_tools.experiments.search_grammar import Comparison, Expression, Field, Ordering, parse_expression
from kernel_tools.experiments.tables import experiments, runs

NEWEST_FIRST = Ordering(Field("attributes", "started_at", is_number=True, is_whole=True), is_descending=True)
_ID_OF_NAME = sa.select(experiments.c.id).where(experiments.c.name == sa.bindparam("name"))
_LAST_ORDER = (runs.c.started_at.desc(), runs.c.id)
_COLUMNS = [column.name for column in runs.c]
_STATUSES = {status.value: status for status in RunStatus}
_LIFECYCLES = {lifecycle.value: lifecycle for lifecycle in Lifecycle}
_read_texts = msgspec.json.Decoder(dict[str, str]).decode

WINDOW = 2500
"""How many runs the quick way looks at before the thorough one is taken."""
NARROW = 500
"""A condition that no more rows fulfil is narrow: these rows are sorted instead of walking an index to find them."""
PART = 500
"""How many runs' values are read by one statement."""


@dataclass(frozen=True, slots=True)
class RunSearch:
    """A search for runs: where, which, in which order. It can be compared, so that its statements are made once."""

    experiment_ids: tuple[str, ...] | None
    filter: str
    order_by: tuple[str, ...]
    view: View

    def conditions(self, meaning: Meaning) -> list[sa.ColumnElement[bool]]:
        """Return what a row must fulfil."""
        expression = _parse(self.filter)
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
    """The statements of the quick way: where its window ends, and the rows before that edge or of the whole index."""

    edge: sa.Select[Any]
    inside: sa.Select[Any]
    everywhere: sa.Select[Any]
    finds_all: bool
    """Whether every run is in the index; those without a metric are not, and follow the others."""


@dataclass(frozen=True, slots=True)
class Ways:
    """The ways to the rows of a search.

    `survey` answers one row: for each condition in `countable` None if it is narrow, then the edge of `walk`.
    """

    survey: sa.Select[Any] | None
    countable: tuple[Comparison, ...]
    walk: Walk | None


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
    each run whether it fits; it gives up after `WINDOW` runs. The thorough one collects all runs that fit, and sorts;
    it is the quicker one where a condition is narrow, from whose runs it starts.
    """
    offset = decode_page_token(page_token)
    limit = validate_limit(limit)
    _parse(filter)  # refuses before the database is asked
    with database.read() as connection:
        ids = None if experiment_ids is None else list(experiment_ids)
        if names is not None:
            found = [connection.execute(_ID_OF_NAME, {"name": name}).scalar() for name in dict.fromkeys(names)]
            ids = [*(ids or []), *(experiment_id for experiment_id in found if experiment_id is not None)]
        wanted = RunSearch(None if ids is None else tuple(ids), filter, tuple(order_by), view)
        rows = find(connection, wanted, limit + 1, offset)
        records = _make_records(connection, rows[:limit])
    return records, encode_page_token(offset + limit) if len(rows) > limit else None


def find(connection: sa.Connection, wanted: RunSearch, limit: int, offset: int) -> Sequence[sa.Row[Any]]:
    """Return rows of `runs` the way that is the quicker one."""
    ways = _ways(wanted)
    if ways.survey is None or limit + offset > WINDOW:
        return collect(connection, wanted, limit, offset)
    *wide, edge = connection.execute(ways.survey, {"window": WINDOW, "narrow": NARROW}).one()
    if None in wide:
        return collect(connection, wanted, limit, offset, ways.countable[wide.index(None)])
    rows = None if ways.walk is None else walk(connection, ways.walk, edge, limit, offset)
    return collect(connection, wanted, limit, offset) if rows is None else rows


def collect(
    connection: sa.Connection, wanted: RunSearch, limit: int, offset: int, narrow: Comparison | None = None
) -> Sequence[sa.Row[Any]]:
    """Return rows the thorough way, starting from those that fulfil a narrow condition if there is one."""
    return connection.execute(_collect(wanted, narrow), {"row_limit": limit, "row_offset": offset}).all()


def walk(connection: sa.Connection, way: Walk, edge: object, limit: int, offset: int) -> Sequence[sa.Row[Any]] | None:
    """Return rows the quick way, None if it does not lead there."""
    page = {"row_limit": limit, "row_offset": offset}
    if edge is not None:
        rows = connection.execute(way.inside, {**page, "edge": edge}).all()
    else:
        rows = connection.execute(way.everywhere, page).all()
    is_everything = edge is None and way.finds_all
    return rows if len(rows) == limit or is_everything else None


@functools.lru_cache(maxsize=256)
def _parse(filter: str) -> Expression | None:
    return parse_expression(filter, RUN_WORDS)


@functools.lru_cache(maxsize=256)
def _ways(wanted: RunSearch) -> Ways:
    countable = tuple(_may_be_narrow(_parse(wanted.filter)))
    walk = _walk(wanted)
    parts = [_reaches_beyond(comparison) for comparison in countable]
    edge = sa.null() if walk is None else walk.edge.scalar_subquery()
    return Ways(sa.select(*parts, edge) if parts or walk else None, countable, walk)


@functools.lru_cache(maxsize=256)
def _collect(wanted: RunSearch, narrow: Comparison | None) -> sa.Select[Any]:
    source: sa.FromClause = runs
    ordered: list[sa.ColumnElement[Any]] = []
    for text in wanted.order_by:
        source, expressions = _order(source, parse_order(text))
        ordered += expressions
    meaning = RUNS if narrow is None else replace(PROBED_RUNS, listed=narrow)
    query = sa.select(*runs.c).select_from(source).where(*wanted.conditions(meaning))
    return _page(query.order_by(*ordered, *_LAST_ORDER))


def _walk(wanted: RunSearch) -> Walk | None:
    orderings = [parse_order(text) for text in wanted.order_by]
    first = orderings[0] if orderings else NEWEST_FIRST
    is_value = first.field.entity in ("metrics", "params", "tags")
    if not (is_value or first.field.key == "started_at"):
        return None
    table = (RUNS.tables[first.field.entity] if is_value else runs).alias()
    number, value = (table.c.run_number, table.c.value) if is_value else (table.c.number, table.c.started_at)
    walked = [table.c.key == first.field.key, value.is_not(None)] if is_value else []
    ids = wanted.experiment_ids
    if not is_value and ids is not None and len(ids) == 1:
        walked = [table.c.experiment_id == ids[0]]
    direction = value.desc() if first.is_descending else value.asc()
    edge = sa.select(value).where(*walked).order_by(direction).limit(1).offset(sa.bindparam("window", type_=sa.Integer))
    source: sa.FromClause = sa.join(table, runs, number == runs.c.number)
    ordered: list[sa.ColumnElement[Any]] = [direction]
    for ordering in orderings[1:]:
        source, expressions = _order(source, ordering)
        ordered += expressions
    meaning = replace(PROBED_RUNS, key=number, walked=(first.field, table) if is_value else None)
    query = sa.select(*runs.c).select_from(source).where(*walked, *wanted.conditions(meaning))
    everywhere = _page(query.order_by(*ordered, *_LAST_ORDER))
    bound = sa.bindparam("edge", type_=value.type)
    inside = everywhere.where(value > bound if first.is_descending else value < bound)
    return Walk(edge, inside, everywhere, finds_all=not is_value)


def _may_be_narrow(expression: Expression | None) -> Iterator[Comparison]:
    """Iterate over the conditions that every row must fulfil and that an index counts."""
    if isinstance(expression, Comparison):
        counted = ("=", "IN", "<", "<=", ">", ">=") if expression.field.entity == "metrics" else ("=", "IN")
        is_value = expression.field.entity in ("metrics", "params", "tags")
        if is_value and expression.operator in counted and not expression.is_negated:
            yield expression
    elif expression is not None and expression.word == "AND":
        for part in expression.parts:
            yield from _may_be_narrow(part)


def _reaches_beyond(comparison: Comparison) -> sa.ScalarSelect[Any]:
    """Return the key of a row after the first `NARROW` that fulfil a condition, None if there are no more."""
    table = RUNS.tables[comparison.field.entity].alias()
    rows = sa.select(table.c.key).where(table.c.key == comparison.field.key, value_condition(table, comparison))
    return rows.limit(1).offset(sa.bindparam("narrow", type_=sa.Integer)).scalar_subquery()


def _order(source: sa.FromClause, ordering: Ordering) -> tuple[sa.FromClause, list[sa.ColumnElement[Any]]]:
    expressions, table, on = RUNS.ordering(ordering)
    return source if table is None else source.outerjoin(table, on), expressions


def _page(query: sa.Select[Any]) -> sa.Select[Any]:
    limit, offset = (sa.bindparam(name, type_=sa.Integer) for name in ("row_limit", "row_offset"))
    return query.limit(limit).offset(offset)


def to_records(
    connection: sa.Connection, rows: Sequence[sa.RowMapping], columns: Sequence[str] | None = None
) -> list[RunRecord]:
    """Make records of rows of `runs`, with their parameters, tags and latest metrics, or the `columns` of these."""
    return _make_records(connection, [tuple(row[name] for name in _COLUMNS) for row in rows], columns)


def _make_records(
    connection: sa.Connection, rows: Sequence[Sequence[Any]], columns: Sequence[str] | None = None
) -> list[RunRecord]:
    texts: dict[int, tuple[str, str | None, str | None]] = {}
    metrics: dict[int, dict[str, float]] = {row[0]: {} for row in rows}
    for start in range(0, len(rows), PART):
        _read_values(connection, [row[0] for row in rows[start : start + PART]], columns, texts, metrics)
    records = []
    for number, run_id, name, experiment_id, status, user, started_at, ended_at, lifecycle, parent_run_id, _ in rows:
        experiment, params, tags = texts[number]
        records.append(
            RunRecord(
                run_id,
                name,
                experiment,
                _STATUSES[status],
                user,
                started_at,
                ended_at,
                _read_texts(params) if params else {},
                metrics[number],
                _read_texts(tags) if tags else {},
                experiment_id,
                _LIFECYCLES[lifecycle],
                parent_run_id,
            )
        )
    return records


def _read_values(
    connection: sa.Connection,
    numbers: list[int],
    columns: Sequence[str] | None,
    texts: dict[int, tuple[str, str | None, str | None]],
    metrics: dict[int, dict[str, float]],
) -> None:
    """Read the experiment's name, parameters, tags and metrics of some runs.

    In plain SQL, because a page has thousands of values; parameters and tags come as one JSON object per run.
    """
    is_sqlite = connection.dialect.name == "sqlite"
    mark = "?" if is_sqlite else "%s"
    keys = {entity: _keys_of(entity, columns) for entity in ("params", "tags", "metrics")}
    chosen = {
        entity: "" if columns is None else f" AND key IN ({', '.join(mark for _ in found) or 'NULL'})"
        for entity, found in keys.items()
    }
    content = "json_group_object({})" if is_sqlite else "json_object_agg({} ORDER BY key)::text"
    pairs = content.format("key, coalesce(long_value, value)")
    objects = ", ".join(
        f"(SELECT {pairs} FROM {table} WHERE run_number = number{chosen[table]})" for table in ("params", "tags")
    )
    listed = ", ".join(str(int(number)) for number in numbers)
    name = "(SELECT name FROM experiments WHERE id = experiment_id)"
    described = f"SELECT number, {name}, {objects} FROM runs WHERE number IN ({listed})"
    for number, *described_run in connection.exec_driver_sql(described, keys["params"] + keys["tags"] or None).all():
        texts[number] = tuple(described_run)
    measured = f"SELECT run_number, key, value FROM latest_metrics WHERE run_number IN ({listed}){chosen['metrics']}"
    for number, key, value in connection.exec_driver_sql(f"{measured} ORDER BY 1, 2", keys["metrics"] or None).all():
        metrics[number][key] = float("nan") if value is None else value


def _keys_of(entity: str, columns: Sequence[str] | None) -> tuple[str, ...]:
    """Return the keys of an entity among columns such as ``metrics.auc``."""
    return tuple(column.partition(".")[2] for column in columns or () if column.partition(".")[0] == entity)
