"""Searches of logged models by MLflow's grammar: attributes, parameters, tags, metrics, and the data of the metrics."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.paging import DEFAULT_PAGE, decode_page_token, encode_page_token
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.search_grammar import Comparison, Expression, Vocabulary, parse_expression
from kernel_tools.registry.logged_model_rows import read_records
from kernel_tools.registry.records import LoggedModelRecord
from kernel_tools.registry.search import Condition, Searchable, check_limit
from kernel_tools.registry.tables import (
    logged_model_metrics,
    logged_model_params,
    logged_model_tags,
    logged_models,
)

_ATTRIBUTES = {
    "name": "name",
    **dict.fromkeys(("model_id", "id"), "id"),
    "model_type": "model_type",
    "status": "status",
    "source_run_id": "source_run_id",
    "experiment_id": "experiment_id",
    **dict.fromkeys(("creation_time", "creation_timestamp", "creation_timestamp_ms"), "created_at"),
    **dict.fromkeys(("last_updated_time", "last_updated_timestamp", "last_updated_timestamp_ms"), "updated_at"),
}
WORDS = Vocabulary(
    {
        **dict.fromkeys(("attributes", "attribute", "attr"), "attributes"),
        **dict.fromkeys(("metrics", "metric"), "metrics"),
        **dict.fromkeys(("params", "param"), "params"),
        **dict.fromkeys(("tags", "tag"), "tags"),
    },
    {"attributes": _ATTRIBUTES},
    frozenset(["metrics", ("attributes", "created_at"), ("attributes", "updated_at")]),
)
_COLUMNS: dict[str, sa.ColumnElement[Any]] = {key: logged_models.c[key] for key in _ATTRIBUTES.values()}
_TABLES = {"metrics": logged_model_metrics, "params": logged_model_params, "tags": logged_model_tags}


@dataclass(frozen=True, slots=True)
class Dataset:
    """The data that metrics were measured on: a name, and a digest if it matters which version of it."""

    name: str
    digest: str | None = None


@dataclass(frozen=True, slots=True)
class Order:
    """What to order by: an attribute, or ``metrics.<key>`` (its latest value, on a dataset if one is named)."""

    field: str
    is_ascending: bool = True
    dataset_name: str | None = None
    dataset_digest: str | None = None


def search(
    experiment_ids: Sequence[str],
    filter: str = "",
    datasets: Sequence[Dataset] = (),
    order_by: Sequence[Order] = (),
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> tuple[list[LoggedModelRecord], str | None]:
    """Search the logged models of experiments; deleted ones are left out.

    Parameters
    ----------
    experiment_ids
        Ids of the experiments.
    filter
        Such as ``metrics.auc > 0.9 and params.depth = '6' and name LIKE 'xgb%'``.
    datasets
        Count only metrics that were measured on one of these; without a condition on a metric, models that have any.
    order_by
        Default: the newest first.
    limit, page_token, workspace
        As for `kernel_tools.registry.search_version_records`.

    Returns
    -------
    tuple
        The models and the token of the next page, None on the last.

    Raises
    ------
    InvalidArgumentError
        If filter, ordering or token is not understood.
    """
    offset, limit = decode_page_token(page_token), check_limit(limit)
    table = logged_models.c
    measured = _on_datasets(datasets)
    query = sa.select(logged_models).where(table.lifecycle == "active", table.experiment_id.in_(experiment_ids))
    expression = parse_expression(filter, WORDS)
    if expression is not None:
        query = query.where(Searchable(_COLUMNS, _reach(measured)).condition(expression))
    if measured is not None and not _names_metric(expression):
        query = query.where(table.id.in_(sa.select(logged_model_metrics.c.model_id).where(measured)))
    for order in order_by:
        column = _order_column(order)
        query = query.order_by((column.asc() if order.is_ascending else column.desc()).nulls_last())
    query = query.order_by(table.created_at.desc(), table.id)
    with (workspace or current_workspace()).database.read() as connection:
        rows = connection.execute(query.limit(limit + 1).offset(offset)).all()
        page = read_records(connection, rows[:limit])
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def _on_datasets(datasets: Sequence[Dataset]) -> Condition | None:
    table = logged_model_metrics.c
    conditions = [
        (table.dataset_name == dataset.name)
        & (table.dataset_digest == dataset.digest if dataset.digest is not None else sa.true())
        for dataset in datasets
    ]
    return sa.or_(*conditions) if conditions else None


def _reach(
    measured: Condition | None,
) -> Callable[[str, str, Callable[[sa.ColumnElement[Any]], Condition] | None], Condition]:
    def reach(entity: str, key: str, test: Callable[[sa.ColumnElement[Any]], Condition] | None) -> Condition:
        table = _TABLES[entity].c
        query = sa.select(table.model_id).where(table.key == key)
        if test is not None:
            query = query.where(test(table.value))
        if entity == "metrics" and measured is not None:
            query = query.where(measured)
        return logged_models.c.id.in_(query)

    return reach


def _names_metric(expression: Expression | None) -> bool:
    if expression is None:
        return False
    if isinstance(expression, Comparison):
        return expression.field.entity == "metrics"
    return any(_names_metric(part) for part in expression.parts)


def _order_column(order: Order) -> sa.ColumnElement[Any]:
    entity, _, key = order.field.partition(".")
    if not key and order.field in _ATTRIBUTES:
        return _COLUMNS[_ATTRIBUTES[order.field]]
    if entity == "attributes" and key in _ATTRIBUTES:
        return _COLUMNS[_ATTRIBUTES[key]]
    if entity != "metrics" or not key:
        raise InvalidArgumentError(
            f"Invalid order by field name: {order.field!r}. Use metrics.<key> or one of {', '.join(_ATTRIBUTES)}."
        )
    table = logged_model_metrics.c
    query = sa.select(table.value).where(table.model_id == logged_models.c.id, table.key == key.strip('`"'))
    if order.dataset_name:
        query = query.where(table.dataset_name == order.dataset_name)
    if order.dataset_digest:
        query = query.where(table.dataset_digest == order.dataset_digest)
    latest = query.order_by(table.timestamp.desc(), table.step.desc(), table.run_id).limit(1)
    return latest.correlate(logged_models).scalar_subquery()
