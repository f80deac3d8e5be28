"""How the tests of operators run a step: on an engine of their own, learned on the same rows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pyarrow as pa

from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.operators import make_operator


def run(op: str, params: Mapping[str, Any], *tables: Mapping[str, Any] | pa.Table) -> list[dict[str, Any]]:
    """Return the rows after a step."""
    return frame(op, params, *tables).to_pylist()


def frame(op: str, params: Mapping[str, Any], *tables: Mapping[str, Any] | pa.Table) -> pa.Table:
    """Return the table after a step."""
    with Engine() as engine:
        inputs = [engine.register(table if isinstance(table, pa.Table) else pa.table(dict(table))) for table in tables]
        operator = make_operator(op, dict(params))
        operator.check(*(table.schema() for table in inputs))
        state = operator.learn(*inputs)
        built = operator.build(*inputs, state=state)
        result = engine.arrow(built)
        assert result.schema.equals(built.schema().to_pyarrow(), check_metadata=False), "the engine kept other types"
        return result


def column(op: str, params: Mapping[str, Any], name: str, *tables: Mapping[str, Any] | pa.Table) -> list[Any]:
    """Return a column after a step."""
    return frame(op, params, *tables)[name].to_pylist()
