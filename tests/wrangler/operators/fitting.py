"""How the tests of learning operators run a step: learned from rows, kept as JSON, applied to these and to new rows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution

Rows = Mapping[str, Any] | pa.Table


class Fitted:
    """A step that has learned.

    Attributes
    ----------
    state
        What it has learned.
    training
        The rows that it learned from, after the step.
    """

    def __init__(self, op: str, params: Mapping[str, Any], rows: Rows) -> None:
        node = Node(id="n1", op=op, inputs=["s1"], params=dict(params))
        document = RecipeDocument(sources=[Source(id="s1", kind="frame")], nodes=[node])
        with Engine() as engine:
            execution = Execution(document, engine, {"s1": engine.register(_table(rows))})
            self.training = engine.arrow(execution.table("n1"))
            self.state = execution.state("n1")
            self._document = json.dumps(execution.fitted().model_dump(mode="json"))

    def apply(self, rows: Rows) -> pa.Table:
        """Return new rows after the step."""
        document = RecipeDocument.model_validate(json.loads(self._document))
        with Engine() as engine:
            tables = {"s1": engine.register(_table(rows))}
            return engine.arrow(Execution(document, engine, tables, is_training=False, may_learn=False).table("n1"))


def fit(op: str, params: Mapping[str, Any], rows: Rows) -> Fitted:
    """Let a step learn."""
    return Fitted(op, params, rows)


def _table(rows: Rows) -> pa.Table:
    return rows if isinstance(rows, pa.Table) else pa.table(dict(rows))
