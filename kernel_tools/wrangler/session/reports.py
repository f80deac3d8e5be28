"""What a session says of the sources and steps of a recipe: what they do, what comes out, what is wrong."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from kernel_tools.core.errors import AtelierError
from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.graph import hashes
from kernel_tools.wrangler.kinds import kind_of
from kernel_tools.wrangler.operators import make_operator, operator_class
from kernel_tools.wrangler.session.tables import Computed
from kernel_tools.wrangler.sources import Loaded

SHOWN_REJECTS = 200
"""Rejected rows that a report holds."""
MAX_REJECT = 500
"""Characters of a rejected row."""


def column_list(engine: Engine, table: str) -> list[dict[str, Any]]:
    """Return the columns of a table: name, type in Ibis's words, kind."""
    schema = engine.table(table).schema()
    return [{"name": name, "type": str(dtype), "kind": kind_of(dtype)} for name, dtype in schema.items()]


def source_report(source: Source) -> dict[str, Any]:
    """Return what a source is, before it was read."""
    name = source.name or source.uri or source.query or "table"
    return _report(source.id, kind="source", title=name.rsplit("/", 1)[-1], sentence=_where(source))


def node_report(document: RecipeDocument, node: Node) -> dict[str, Any]:
    """Return what a step does, before it was computed; an operator that is not known here is an error of the step."""
    report = _report(node.id, kind="step", title=node.op, sentence=node.op, is_enabled=node.enabled)
    try:
        kind = operator_class(node.op)
        report.update(title=kind.title, family=kind.family, learns=kind.learns, row_effect=kind.row_effect)
        report["is_fitted"] = node.fit is not None and node.fit.parameters_hash == hashes(document)[node.id]
        report["sentence"] = make_operator(node.op, node.params).sentence()
    except AtelierError as error:
        set_error(report, error)
    return report


def set_error(report: dict[str, Any], error: AtelierError) -> None:
    """Note what is wrong."""
    report["error"], report["error_field"] = str(error), error.field


def set_result(report: dict[str, Any], engine: Engine, computed: Computed) -> None:
    """Note what came out."""
    report["columns"] = column_list(engine, computed.table)
    report["rows"], report["is_whole"] = computed.rows, computed.is_whole


def loaded_report(engine: Engine, loaded: Loaded, *, is_whole: bool) -> dict[str, Any]:
    """Return how the types of a source's columns were found, and the first of the rows that did not fit."""
    rejects = []
    if loaded.rejects_table is not None:
        rejects = engine.arrow(engine.table(loaded.rejects_table).limit(SHOWN_REJECTS)).to_pylist()
    return {
        "columns": [asdict(column) for column in loaded.columns],
        "warnings": list(loaded.warnings),
        "fingerprint": loaded.fingerprint,
        "rejected": loaded.rejected,
        "rejects": [{**row, "text": str(row["text"])[:MAX_REJECT]} for row in rejects],
        "is_whole": is_whole,
    }


def _where(source: Source) -> str:
    if source.kind == "database":
        return f"Read {source.query or 'a table'} from a database"
    return f"Read {source.uri}" if source.uri else "A table from Python"


def _report(part_id: str, **known: Any) -> dict[str, Any]:
    return {
        "id": part_id,
        "family": None,
        "columns": [],
        "rows": None,
        "is_whole": False,
        "error": None,
        "error_field": None,
        "blocked_by": None,
        "is_enabled": True,
        "learns": False,
        "is_fitted": False,
        "row_effect": "same",
        "warnings": [],
        "rejected": 0,
        **known,
    }
