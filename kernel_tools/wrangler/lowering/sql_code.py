"""A fitted recipe as SQL: one SELECT with a named part for each step, in any dialect that Ibis knows."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from kernel_tools.wrangler.document import Id, Node, RecipeDocument
from kernel_tools.wrangler.graph import before, last, ordered
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.operators import make_operator

if TYPE_CHECKING:
    import ibis

DIALECTS = ("duckdb", "postgres", "sqlite", "mysql", "trino", "athena", "snowflake", "bigquery", "clickhouse", "mssql")


def sql_code(
    document: RecipeDocument,
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    *,
    head: Id | None = None,
    dialect: str = "duckdb",
    tables: Mapping[Id, str] | None = None,
) -> str:
    """Return a SELECT that computes a recipe on new rows.

    Parameters
    ----------
    document
        The recipe.
    schemas
        The columns of each source and after each step.
    states
        What a step has learned.
    head
        The step to end with.
    dialect
        One of `DIALECTS`.
    tables
        What the table of each source is called in the database; default, the names of `source_names`.

    Raises
    ------
    UnsupportedError
        If a step, or a function in it, has no SQL in this dialect.
    """
    if dialect not in DIALECTS:
        raise UnsupportedError(f"There is no dialect {dialect!r}. Use one of: {', '.join(DIALECTS)}.")
    head = head or last(document)
    document = before(document, head)
    names: dict[Id, str] = {**source_names(document), **(tables or {})}
    parts: list[tuple[str, str, Any]] = []
    for node in ordered(document):
        if not node.enabled or not _applies(node):
            names[node.id] = names[node.inputs[0]]
            continue
        name = _free(node, [*names.values()])
        sentence = make_operator(node.op, node.params).sentence()
        parts.append((name, sentence, _select(node, names, schemas, states, dialect)))
        names[node.id] = name
    return _assembled(parts, names[head], dialect)


def source_names(document: RecipeDocument) -> dict[Id, str]:
    """Return a name for the table of each source: that of its file, as far as it is a name."""
    names: dict[Id, str] = {}
    for source in document.sources:
        stem = re.split(r"[/\\]", (source.name or source.uri or source.id).split("?")[0])[-1].split(".")[0]
        name = re.sub(r"\W+", "_", stem).strip("_") or source.id
        name = f"t_{name}" if name[0].isdigit() else name
        names[source.id] = name if name not in names.values() else f"{name}_{source.id}"
    return names


def _applies(node: Node) -> bool:
    return make_operator(node.op, node.params).applies_to_new


def _free(node: Node, taken: list[str]) -> str:
    name = re.sub(r"\W+", "_", f"{node.id}_{node.op}")
    return name if name not in taken else f"{name}_step"


def _select(
    node: Node,
    names: Mapping[Id, str],
    schemas: Mapping[Id, ibis.Schema],
    states: Callable[[Id], dict[str, Any]],
    dialect: str,
) -> Any:
    import ibis
    from ibis.common.exceptions import IbisError

    operator = make_operator(node.op, node.params)
    if operator.is_eager:
        raise UnsupportedError(f"The step {node.id} ({operator.title}) is computed by a library: it has no SQL.")
    tables = [ibis.table(schemas[one], name=names[one]) for one in node.inputs]
    expression = operator.build(*tables, state=states(node.id))
    try:
        return _compiled(expression, dialect)
    except (IbisError, NotImplementedError) as error:
        raise UnsupportedError(
            f"The step {node.id} ({operator.title}) has no SQL in the dialect {dialect}: {error}"
        ) from error


def _compiled(expression: Any, dialect: str) -> Any:
    import ibis
    import sqlglot

    if dialect == "duckdb":
        from kernel_tools.wrangler.compiler import compiler

        found: Any = compiler.to_sqlglot(expression)
        return found
    return sqlglot.parse_one(str(ibis.to_sql(expression, dialect=dialect)), dialect=dialect)


def _assembled(parts: list[tuple[str, str, Any]], head: str, dialect: str) -> str:
    from sqlglot import exp

    query = exp.select("*").from_(exp.Table(this=exp.to_identifier(head, quoted=True)))
    for name, sentence, select in parts:
        query = query.with_(exp.to_identifier(name, quoted=True), as_=select.copy())
        query.ctes[-1].add_comments([sentence.replace("*/", "* /")])
    return query.sql(dialect, pretty=True)
