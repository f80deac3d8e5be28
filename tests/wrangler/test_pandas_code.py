"""The pandas code of each case runs alone and gives the engine's table, or says that there is none."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.pandas_code import pandas_code
from kernel_tools.wrangler.operators import operator_class
from tests.wrangler.cases import Case, all_cases
from tests.wrangler.cases.tables import TABLES

CASES = [case for case in all_cases() if not case.others and operator_class(case.op).applies_to_new]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_pandas_gives_what_the_engine_gives(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    table = TABLES[case.table]
    node = Node(id="n1", op=case.op, inputs=["s1"], params=case.params)
    document = RecipeDocument(sources=[Source(id="s1", kind="frame")], nodes=[node])
    with Engine() as engine:
        tables = {"s1": engine.register(table)}
        fitted = Execution(document, engine, tables, is_trusted=True)
        fitted.table("n1")
        execution = Execution(fitted.fitted(), engine, tables, is_training=False, may_learn=False, is_trusted=True)
        expected = engine.arrow(execution.table("n1"))
        schemas = {one: execution.table(one).schema() for one in ("s1", "n1")}
        try:
            code = pandas_code(document, schemas, execution.state)
        except UnsupportedError as error:
            assert "The step n1 (" in str(error)
            return
    names: dict[str, Any] = {"frame": table.to_pandas(types_mapper=pd.ArrowDtype)}
    monkeypatch.setattr(pd.DataFrame, "convert_dtypes", lambda self, **_: self)
    exec(compile(code, "<recipe>", "exec"), names)
    found = pa.Table.from_pandas(names["df"], preserve_index=False)
    assert found.column_names == expected.column_names, code
    for name in expected.column_names:
        one, other = found[name].to_pylist(), expected[name].to_pylist()
        assert len(one) == len(other), code
        assert all(_is_same(a, b) for a, b in zip(one, other, strict=True)), (name, one, other, code)


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and math.isnan(one):
        one = None
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
