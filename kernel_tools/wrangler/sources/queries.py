"""What is asked of a database: a table, or one statement that only reads.

``${name}`` is put in as a value, never as SQL: where a value may stand as a literal of its type, inside of a quoted
text as text, and as a name where a table or column is named: ``SELECT * FROM ${table} WHERE day >= ${since}``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.wrangler.sources.parameters import REFERENCE, formatted, value_of

_READING = (exp.Select, exp.SetOperation, exp.Subquery, exp.Values)
_CHANGING = (
    exp.Insert,
    exp.Update,
    exp.Delete,
    exp.Merge,
    exp.DDL,
    exp.Drop,
    exp.Alter,
    exp.Command,
    exp.Into,
    exp.Lock,
)
_MARK = re.compile(r"__atelier_(\d+)__")


def select_statement(query: str, dialect: str, values: Mapping[str, Any]) -> str:
    """Return the SELECT that a query is, with the parameters put in.

    Parameters
    ----------
    query
        The name of a table, also with its schema, or a SELECT.
    dialect
        Of sqlglot.

    Raises
    ------
    InvalidArgumentError
        If it is not one statement, or one that may change something.
    """
    marked, references = _marked(query)
    if re.fullmatch(r'\s*(?:[\w$]+|"[^"]+")(?:\.(?:[\w$]+|"[^"]+")){0,2}\s*', marked):
        tree: Any = exp.select("*").from_(exp.to_table(marked.strip(), dialect=dialect))
        for identifier in tree.find_all(exp.Identifier):
            identifier.set("quoted", True)
    else:
        tree = _parsed(marked, dialect)
        if not references:
            return query.strip().rstrip(";")
    replaced = tree.transform(lambda node: _put_in(node, references, values, dialect))
    return str(replaced.sql(dialect=dialect))


def _marked(query: str) -> tuple[str, list[tuple[str, str | None]]]:
    """Put names that SQL can parse where the parameters are; return these too: name and format."""
    references: list[tuple[str, str | None]] = []

    def mark(found: re.Match[str]) -> str:
        if found[0] == "$${":
            return "${"
        if found[2]:
            raise InvalidArgumentError(
                f"{found[0]!r}: a range stands for several addresses of files. Use two parameters."
            )
        references.append((found[1], found[3]))
        return f"__atelier_{len(references) - 1}__"

    return REFERENCE.sub(mark, query), references


def _parsed(text: str, dialect: str) -> Any:
    try:
        statements = [one for one in sqlglot.parse(text, read=dialect) if one is not None]
    except SqlglotError as error:
        details = getattr(error, "errors", None) or [{}]
        where = f" in line {details[0]['line']}, column {details[0]['col']}" if "line" in details[0] else ""
        reason = details[0].get("description") or str(error).split("\n", 1)[0]
        raise InvalidArgumentError(f"The query is not SQL{where}: {reason.rstrip('.')}.") from error
    if len(statements) != 1:
        raise InvalidArgumentError(f"The query must be one statement, not {len(statements)}: write one SELECT.")
    tree: Any = statements[0]
    changing = next(iter(tree.find_all(*_CHANGING)), None)
    if changing is not None or not isinstance(tree, _READING):
        what = type(changing or tree).__name__.upper()
        raise InvalidArgumentError(f"The query may only read, and {what} does not: write one SELECT.")
    return tree


def _put_in(node: Any, references: list[tuple[str, str | None]], values: Mapping[str, Any], dialect: str) -> Any:
    def text_of(found: re.Match[str]) -> str:
        name, how = references[int(found[1])]
        return formatted(name, value_of(name, values), how)

    if isinstance(node, exp.Column) and not node.table and (found := _MARK.fullmatch(node.name)):
        name, how = references[int(found[1])]
        return _literal(value_of(name, values), name, how, dialect)
    if isinstance(node, exp.Literal) and node.is_string and _MARK.search(node.this):
        return exp.Literal.string(_MARK.sub(text_of, node.this))
    if isinstance(node, exp.Identifier) and _MARK.search(node.this):
        return exp.to_identifier(_MARK.sub(text_of, node.this), quoted=True)
    return node


def _literal(value: Any, name: str, how: str | None, dialect: str) -> Any:
    if how or isinstance(value, str):
        return exp.Literal.string(formatted(name, value, how))
    if isinstance(value, datetime):
        text = exp.Literal.string(value.isoformat(" "))
        return text if dialect == "sqlite" else exp.cast(text, "timestamp")
    return exp.convert(value)
