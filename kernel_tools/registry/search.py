"""Searches of models, versions and logged models by MLflow's filters and orderings, turned into bound SQL."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.paging import DEFAULT_PAGE, decode_page_token, encode_page_token
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.search_grammar import (
    Comparison,
    Expression,
    Group,
    Vocabulary,
    parse_expression,
    parse_ordering,
)
from kernel_tools.registry import catalog
from kernel_tools.registry.records import ModelGroup, VersionRecord
from kernel_tools.registry.tables import model_groups, model_tags, model_versions, version_tags

MAX_PAGE = 200_000
"""MLflow's limit for versions; the pages of the studio are shorter."""
PROMPT_TAG = "mlflow.prompt.is_prompt"
"""MLflow keeps prompts as models that have this tag; a search leaves them out unless it asks for the tag."""

_ENTITIES = {
    "attributes": "attributes",
    "attribute": "attributes",
    "attr": "attributes",
    "tags": "tags",
    "tag": "tags",
}
_TIMES = ("creation_timestamp", "last_updated_timestamp")
_MODEL_KEYS = {key: key for key in ("name", "timestamp", "description", *_TIMES)}
_VERSION_KEYS = {
    key: key
    for key in ("name", "version_number", "run_id", "source_path", "status", "stage", "licence", "description", *_TIMES)
}
_MODEL_COLUMNS = {
    "name": model_groups.c.name,
    "description": model_groups.c.description,
    "timestamp": model_groups.c.updated_at,
    "creation_timestamp": model_groups.c.created_at,
    "last_updated_timestamp": model_groups.c.updated_at,
}
_VERSION_COLUMNS = {
    "name": model_versions.c.model,
    "version_number": model_versions.c.version,
    "run_id": model_versions.c.run_id,
    "source_path": model_versions.c.source,
    "status": model_versions.c.status,
    "stage": model_versions.c.stage,
    "licence": model_versions.c.licence,
    "description": model_versions.c.description,
    "creation_timestamp": model_versions.c.created_at,
    "last_updated_timestamp": model_versions.c.updated_at,
}
_NUMBERS = frozenset(("attributes", key) for key in ("version_number", "timestamp", *_TIMES))
MODEL_WORDS = Vocabulary(_ENTITIES, {"attributes": _MODEL_KEYS}, _NUMBERS)
VERSION_WORDS = Vocabulary(_ENTITIES, {"attributes": _VERSION_KEYS}, _NUMBERS)

Condition = sa.ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class Searchable:
    """What a search looks at: the columns of attributes, and how a condition on another entity reaches its table."""

    columns: Mapping[str, sa.ColumnElement[Any]]
    reach: Callable[[str, str, Callable[[sa.ColumnElement[Any]], Condition] | None], Condition]

    def condition(self, expression: Expression) -> Condition:
        """Turn an expression into SQL."""
        if isinstance(expression, Comparison):
            return self._compare(expression)
        parts = [self.condition(part) for part in expression.parts]
        return sa.and_(*parts) if expression.word == "AND" else sa.or_(*parts)

    def _compare(self, comparison: Comparison) -> Condition:
        entity, key = comparison.field.entity, comparison.field.key
        if comparison.operator == "IS NULL":
            exists = self.columns[key].is_not(None) if entity == "attributes" else self.reach(entity, key, None)
            return exists if comparison.is_negated else ~exists

        def test(column: sa.ColumnElement[Any]) -> Condition:
            return test_column(column, comparison)

        return test(self.columns[key]) if entity == "attributes" else self.reach(entity, key, test)


def test_column(column: sa.ColumnElement[Any], comparison: Comparison) -> Condition:
    """Compare a column as a comparison says."""
    operator, value = comparison.operator, comparison.value
    condition: Condition
    if operator == "IN":
        condition = column.in_(value)  # type: ignore[arg-type]  # the grammar gives IN a tuple
    elif operator == "LIKE":
        condition = column.like(str(value))
    elif operator == "ILIKE":
        condition = sa.func.lower(column).like(str(value).lower())
    elif operator == "CONTAINS":
        condition = column.contains(str(value), autoescape=True)
    else:
        condition = column.op(operator, is_comparison=True)(value)
    return ~condition if comparison.is_negated else condition


def _reach_model(entity: str, key: str, test: Callable[[sa.ColumnElement[Any]], Condition] | None) -> Condition:
    table = model_tags.c
    query = sa.select(table.model).where(table.key == key)
    return model_groups.c.name.in_(query if test is None else query.where(test(table.value)))


def _reach_version(entity: str, key: str, test: Callable[[sa.ColumnElement[Any]], Condition] | None) -> Condition:
    table, version = version_tags.c, model_versions.c
    conditions = [table.model == version.model, table.version == version.version, table.key == key]
    if test is not None:
        conditions.append(test(table.value))
    return sa.exists().where(*conditions)


_MODELS = Searchable(_MODEL_COLUMNS, _reach_model)
_VERSIONS = Searchable(_VERSION_COLUMNS, _reach_version)


def search_model_records(
    filter: str = "",
    order_by: Sequence[str] = (),
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> tuple[list[ModelGroup], str | None]:
    """Search models.

    Parameters
    ----------
    filter
        MLflow's grammar with AND, OR and parentheses, such as ``name ILIKE '%census%' and tags.team = 'risk'``.
        Attributes: name, description, creation_timestamp, last_updated_timestamp.
    order_by
        Such as ``["last_updated_timestamp DESC"]``; ties are ordered by name.
    limit
        Models in a page, 1 to 200,000.
    page_token
        The token that came with the page before.
    workspace
        Default: the current workspace.

    Returns
    -------
    tuple
        The models and the token of the next page, None on the last.

    Raises
    ------
    InvalidArgumentError
        If filter, ordering or token is not understood; the message names the position.
    """
    offset, limit = decode_page_token(page_token), check_limit(limit)
    query = catalog.group_query()
    expression = _without_prompt_clause(parse_expression(filter, MODEL_WORDS))
    if expression is not None:
        query = query.where(_MODELS.condition(expression))
    if not _asks_for_prompts(expression):
        is_prompt = (model_tags.c.key == PROMPT_TAG) & (model_tags.c.value == "true")
        query = query.where(model_groups.c.name.not_in(sa.select(model_tags.c.model).where(is_prompt)))
    query = query.order_by(*orderings(order_by, MODEL_WORDS, _MODEL_COLUMNS), model_groups.c.name)
    with (workspace or current_workspace()).database.read() as connection:
        rows = connection.execute(query.limit(limit + 1).offset(offset)).all()
        page = catalog.group_records(connection, rows[:limit])
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def search_version_records(
    filter: str = "",
    order_by: Sequence[str] = (),
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> tuple[list[VersionRecord], str | None]:
    """Search versions of all models.

    Parameters
    ----------
    filter
        As for `search_model_records`. Attributes: name, version_number, run_id, source_path, status, stage, licence,
        description, creation_timestamp, last_updated_timestamp.
    order_by
        Such as ``["version_number DESC"]``. Default: the last changed first; ties by name, then the highest number.
    limit, page_token, workspace
        As for `search_model_records`.

    Returns
    -------
    tuple
        The versions and the token of the next page, None on the last.

    Raises
    ------
    InvalidArgumentError
        If filter, ordering or token is not understood; the message names the position.
    """
    offset, limit = decode_page_token(page_token), check_limit(limit)
    table = model_versions.c
    query = sa.select(model_versions)
    expression = _without_prompt_clause(parse_expression(filter, VERSION_WORDS))
    if expression is not None:
        query = query.where(_VERSIONS.condition(expression))
    if not _asks_for_prompts(expression):
        is_prompt = (version_tags.c.key == PROMPT_TAG) & (version_tags.c.value == "true")
        query = query.where(table.model.not_in(sa.select(version_tags.c.model).where(is_prompt)))
    given = orderings(order_by, VERSION_WORDS, _VERSION_COLUMNS) or [table.updated_at.desc()]
    query = query.order_by(*given, table.model, table.version.desc())
    with (workspace or current_workspace()).database.read() as connection:
        rows = connection.execute(query.limit(limit + 1).offset(offset)).mappings().all()
        page = catalog.version_records(connection, rows[:limit])
    return page, encode_page_token(offset + limit) if len(rows) > limit else None


def orderings(
    order_by: Sequence[str], words: Vocabulary, columns: Mapping[str, sa.ColumnElement[Any]]
) -> list[sa.ColumnElement[Any]]:
    """Turn orderings of attributes into SQL; missing values come last.

    Raises
    ------
    InvalidArgumentError
        If one is not understood, names no attribute, or orders by the same column again.
    """
    seen: dict[sa.ColumnElement[Any], bool] = {}
    for text in order_by:
        ordering = parse_ordering(text, words)
        if ordering.field.entity != "attributes":
            raise InvalidArgumentError(
                f"{text!r} cannot be ordered by: use one of the attributes {', '.join(sorted(columns))}."
            )
        column = columns[ordering.field.key]
        if column in seen:
            raise InvalidArgumentError(f"The ordering {list(order_by)} contains duplicate fields: name each one once.")
        seen[column] = ordering.is_descending
    return [(column.desc() if seen[column] else column.asc()).nulls_last() for column in seen]


def check_limit(limit: int) -> int:
    """Return the length of a page if it is 1 to 200,000, else raise InvalidArgumentError."""
    if not isinstance(limit, int) or not 1 <= limit <= MAX_PAGE:
        raise InvalidArgumentError(f"A page cannot have {limit!r} rows: ask for 1 to {MAX_PAGE:,}.")
    return limit


def _asks_for_prompts(expression: Expression | None) -> bool:
    if expression is None:
        return False
    if not isinstance(expression, Comparison):
        return any(_asks_for_prompts(part) for part in expression.parts)
    if expression.field.entity != "tags" or expression.field.key != PROMPT_TAG:
        return False
    value = str(expression.value).lower()
    return (expression.operator, value) in (("=", "true"), ("!=", "false"))


def _without_prompt_clause(expression: Expression | None) -> Expression | None:
    """Leave out ``tags.mlflow.prompt.is_prompt != 'true'``, which MLflow's clients add to every search.

    They mean that prompts are left out, as they are anyway, and not that a model must have the tag.
    """
    if isinstance(expression, Comparison):
        is_tag = (expression.field.entity, expression.field.key) == ("tags", PROMPT_TAG)
        is_clause = (expression.operator, str(expression.value).lower()) in (("!=", "true"), ("=", "false"))
        return None if is_tag and is_clause else expression
    if expression is None or expression.word == "OR":
        return expression
    parts = [part for part in map(_without_prompt_clause, expression.parts) if part is not None]
    if len(parts) <= 1:
        return parts[0] if parts else None
    return Group(expression.word, tuple(parts))
