"""Every case runs on the engine: fitted, applied to its own rows and to new ones, and again from the JSON of its
recipe."""

from __future__ import annotations

import pytest

from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.operators import OPERATORS
from tests.wrangler.cases import Case, all_cases
from tests.wrangler.cases.tables import TABLES

CASES = all_cases()


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
def test_a_step_runs_and_what_it_learned_is_json(case: Case) -> None:
    names = [case.table, *case.others]
    sources = [Source(id=f"s{i}", kind="frame") for i in range(len(names))]
    node = Node(id="n", op=case.op, inputs=[source.id for source in sources], params=case.params)
    document = RecipeDocument(sources=sources, nodes=[node])
    with Engine() as engine:
        tables = {f"s{i}": engine.register(TABLES[name]) for i, name in enumerate(names)}
        first = Execution(document, engine, tables, is_trusted=True)
        result = engine.arrow(first.table("n"))
        assert result.num_columns > 0
        again = RecipeDocument.model_validate_json(first.fitted().model_dump_json())
        applied = Execution(again, engine, tables, is_training=False, may_learn=False, is_trusted=True)
        engine.arrow(applied.table("n"))
        if case.new is not None:
            new = {**tables, "s0": engine.register(TABLES[case.new])}
            engine.arrow(Execution(again, engine, new, is_training=False, may_learn=False, is_trusted=True).table("n"))


def test_every_operator_has_a_case() -> None:
    assert set(OPERATORS) == {case.op for case in CASES}
