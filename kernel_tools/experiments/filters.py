"""What a search means in SQL: conditions and orderings over runs and over experiments, with every value bound.

``metrics.auc > 0.9 and params.max_depth = '6' and (tags.team IN ('a', 'b') or attributes.status = 'FINISHED')``
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, cast

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.experiments.search_grammar import (
    Comparison,
    Expression,
    Field,
    Ordering,
    Vocabulary,
    parse_expression,
    parse_ordering,
)
from kernel_tools.experiments.tables import (
    INDEXED_LENGTH,
    experiment_tags,
    experiments,
    latest_metrics,
    params,
    run_inputs,
    runs,
    tags,
)

RUN_WORDS = Vocabulary(
    entities={
        **dict.fromkeys(("metrics", "metric"), "metrics"),
        **dict.fromkeys(("params", "param", "parameters", "parameter"), "params"),
        **dict.fromkeys(("tags", "tag"), "tags"),
        **dict.fromkeys(("attributes", "attribute", "attr", "run"), "attributes"),
        **dict.fromkeys(("dataset", "datasets"), "dataset"),
    },
    attributes={
        "attributes": {
            **dict.fromkeys(("run_id", "run id", "Run ID"), "run_id"),
            **dict.fromkeys(("run_name", "name", "run name", "Run name", "Run Name"), "run_name"),
            "status": "status",
            **dict.fromkeys(("user_id", "user", "User"), "user"),
            **dict.fromkeys(("start_time", "started_at", "created", "Created"), "started_at"),
            **dict.fromkeys(("end_time", "ended_at"), "ended_at"),
            "experiment": "experiment",
            "experiment_id": "experiment_id",
            "parent_run_id": "parent_run_id",
        },
        "dataset": {"name": "name", "digest": "digest", "context": "context"},
    },
    numbers=frozenset(["metrics", ("attributes", "started_at"), ("attributes", "ended_at")]),
)
EXPERIMENT_WORDS = Vocabulary(
    entities={
        **dict.fromkeys(("tags", "tag"), "tags"),
        **dict.fromkeys(("attributes", "attribute", "attr"), "attributes"),
    },
    attributes={
        "attributes": {
            "name": "name",
            **dict.fromkeys(("experiment_id", "id"), "id"),
            **dict.fromkeys(("creation_time", "created_at"), "created_at"),
            **dict.fromkeys(("last_update_time", "updated_at"), "updated_at"),
        },
    },
    numbers=frozenset([("attributes", "created_at"), ("attributes", "updated_at")]),
)

_COMPARE: dict[str, Callable[[sa.ColumnElement[Any], Any], sa.ColumnElement[bool]]] = {
    "=": lambda column, value: column == value,
    "!=": lambda column, value: column != value,
    "<": lambda column, value: column < value,
    "<=": lambda column, value: column <= value,
    ">": lambda column, value: column > value,
    ">=": lambda column, value: column >= value,
    "IN": lambda column, value: column.in_(value),
    "LIKE": lambda column, value: column.like(value),
    "ILIKE": lambda column, value: sa.func.lower(column).like(value.lower()),
    "CONTAINS": lambda column, value: column.contains(value, autoescape=True),
}


def is_listed(key: sa.ColumnElement[Any], owner: sa.Column[Any], *conditions: Any) -> sa.ColumnElement[bool]:
    """Say that a row has a fitting value by listing all rows that have: good when many rows are asked."""
    return key.in_(sa.select(owner).where(*conditions))


def is_probed(key: sa.Column[Any], owner: sa.Column[Any], *conditions: Any) -> sa.ColumnElement[bool]:
    """Say that a row has a fitting value by looking at its own values alone: good when few rows are asked."""
    return sa.exists().where(owner == key, *conditions).correlate(key.table)


@dataclass(frozen=True, slots=True)
class Meaning:
    """Where the fields of one vocabulary stand in the catalog.

    `key` is the column that tells one row from another, `owner` the name of the column that refers to it, `has` how a
    row is asked whether it has a fitting value. `walked` is a field whose values stand in a table that is joined
    already, so that nothing has to be looked up for it; `listed` is a comparison that few rows fulfil.
    """

    columns: Mapping[str, sa.ColumnElement[Any]]
    key: sa.ColumnElement[Any]
    tables: Mapping[str, sa.Table]
    owner: str
    has: Callable[..., sa.ColumnElement[bool]] = is_listed
    walked: tuple[Field, sa.FromClause] | None = None
    listed: Comparison | None = None

    def condition(self, expression: Expression) -> sa.ColumnElement[bool]:
        """Return the condition that an expression puts on a row."""
        if isinstance(expression, Comparison):
            return self._compare(expression)
        parts = [self.condition(part) for part in expression.parts]
        return sa.and_(*parts) if expression.word == "AND" else sa.or_(*parts)

    def ordering(
        self, ordering: Ordering
    ) -> tuple[list[sa.ColumnElement[Any]], sa.FromClause | None, sa.ColumnElement[bool] | None]:
        """Return the expressions to order by, and the table to be outer-joined for them.

        Rows that lack the value come last in both directions, before them those whose value is not a number.
        """
        field = ordering.field
        if field.entity not in ("attributes", "metrics", "params", "tags"):
            raise InvalidArgumentError(
                f"Nothing is ordered by {field.entity}.{field.key}, of which a row may have several: order by an "
                "attribute, a metric, a parameter or a tag."
            )
        if field.entity == "attributes":
            table, on = None, None
            column: sa.ColumnElement[Any] = self.columns[field.key]
            missing: list[sa.ColumnElement[Any]] = []
        else:
            alias = self.tables[field.entity].alias()
            column = alias.c.value
            owner = alias.c[self.owner]
            table, on = alias, sa.and_(owner == self.key, alias.c.key == field.key)
            missing = [owner.is_(None)] if field.entity == "metrics" else []
        ordered = column.desc() if ordering.is_descending else column.asc()
        return [*missing, ordered.nulls_last()], table, on

    def _compare(self, comparison: Comparison) -> sa.ColumnElement[bool]:
        field = comparison.field
        if field.entity == "attributes":
            return compare(self.columns[field.key], comparison)
        if self.walked is not None and self.walked[0] == field and comparison.operator != "IS NULL":
            return value_condition(self.walked[1], comparison)
        table = self.tables[field.entity]
        owner = table.c[self.owner]
        if comparison.operator == "IS NULL":
            wanted = self.has(self.key, owner, *_rows_of(table, field))
            return wanted if comparison.is_negated else ~wanted
        has = is_listed if comparison == self.listed else self.has
        return has(self.key, owner, *_rows_of(table, field), value_condition(table, comparison))


def _rows_of(table: sa.Table, field: Field) -> list[sa.ColumnElement[bool]]:
    return [] if table is run_inputs else [table.c.key == field.key]


def value_condition(table: sa.FromClause, comparison: Comparison) -> sa.ColumnElement[bool]:
    """Return the condition on the value of a row of metrics, parameters, tags or inputs."""
    if comparison.field.entity == "dataset":
        return compare(table.c[comparison.field.key], comparison)
    column: sa.ColumnElement[Any] = table.c.value
    if "long_value" not in table.c:
        return compare(column, comparison)
    values = comparison.value if isinstance(comparison.value, tuple) else (comparison.value,)
    texts = [str(value) for value in values]
    is_equality = comparison.operator in ("=", "!=", "IN")
    if is_equality and all(len(text) < INDEXED_LENGTH for text in texts):
        return compare(column, comparison)  # a longer value begins with INDEXED_LENGTH characters and equals none
    whole = compare(sa.func.coalesce(table.c.long_value, column), comparison)
    if is_equality and comparison.operator != "!=" and not comparison.is_negated:
        return sa.and_(column.in_([text[:INDEXED_LENGTH] for text in texts]), whole)
    return whole


def compare(column: sa.ColumnElement[Any], comparison: Comparison) -> sa.ColumnElement[bool]:
    """Return the condition that a comparison puts on a column."""
    if comparison.operator == "IS NULL":
        return column.is_not(None) if comparison.is_negated else column.is_(None)
    found = _COMPARE[comparison.operator](column, cast(Any, comparison.value))
    return ~found if comparison.is_negated else found


RUNS = Meaning(
    columns={
        "run_id": runs.c.id,
        "run_name": runs.c.name,
        "status": runs.c.status,
        "user": runs.c.user,
        "started_at": runs.c.started_at,
        "ended_at": runs.c.ended_at,
        "experiment": sa.select(experiments.c.name).where(experiments.c.id == runs.c.experiment_id).scalar_subquery(),
        "experiment_id": runs.c.experiment_id,
        "parent_run_id": runs.c.parent_run_id,
    },
    key=runs.c.number,
    tables={"metrics": latest_metrics, "params": params, "tags": tags, "dataset": run_inputs},
    owner="run_number",
)
PROBED_RUNS = replace(RUNS, has=is_probed)
EXPERIMENTS = Meaning(
    columns={name: experiments.c[name] for name in ("name", "id", "created_at", "updated_at")},
    key=experiments.c.id,
    tables={"tags": experiment_tags},
    owner="experiment_id",
)


def parse_filter(text: str) -> sa.ColumnElement[bool] | None:
    """Turn a filter over runs into a condition; None for an empty one.

    Raises
    ------
    InvalidArgumentError
        If it is not understood; the message gives the position, from 1.
    """
    expression = parse_expression(text, RUN_WORDS)
    return None if expression is None else RUNS.condition(expression)


def parse_order(text: str) -> Ordering:
    """Read an ordering of runs, such as ``metrics.auc DESC``."""
    ordering = parse_ordering(text, RUN_WORDS)
    RUNS.ordering(ordering)  # refuses what nothing is ordered by
    return ordering


def parse_experiment_filter(text: str) -> sa.ColumnElement[bool] | None:
    """Turn a filter over experiments into a condition; None for an empty one. Errors as for `parse_filter`."""
    expression = parse_expression(text, EXPERIMENT_WORDS)
    return None if expression is None else EXPERIMENTS.condition(expression)


def parse_experiment_order(text: str) -> sa.ColumnElement[Any]:
    """Turn an ordering of experiments such as ``name DESC`` into an expression; tags do not order experiments."""
    ordering = parse_ordering(text, EXPERIMENT_WORDS)
    expressions, table, _ = EXPERIMENTS.ordering(ordering)
    if table is not None:
        raise InvalidArgumentError(
            f"Experiments cannot be ordered by {text!r}: use name, experiment_id, creation_time or last_update_time."
        )
    return expressions[0]
