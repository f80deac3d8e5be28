"""Steps on the engine: what they learn, that it is frozen, and that what does not fit is refused in words."""

from __future__ import annotations

import pytest

from kernel_tools.core.errors import ConflictError
from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.operators import schema_of
from kernel_tools.wrangler.operators.base import StepError
from tests.wrangler.cases.tables import TABLES


def recipe(*steps: tuple[str, dict]) -> RecipeDocument:
    """Return a chain of steps on one source."""
    nodes = [
        Node(id=f"n{i}", op=op, inputs=[f"n{i - 1}" if i else "s1"], params=params)
        for i, (op, params) in enumerate(steps)
    ]
    return RecipeDocument(sources=[Source(id="s1", kind="frame")], nodes=nodes)


STEPS = (
    ("impute", {"columns": ["age"], "strategy": "median"}),
    ("one_hot", {"columns": ["job"], "max_categories": 2}),
    ("drop", {"columns": ["born", "seen"]}),
)


def test_what_was_learned_is_used_for_new_rows() -> None:
    with Engine() as engine:
        first = Execution(recipe(*STEPS), engine, {"s1": engine.register(TABLES["people"])})
        assert engine.arrow(first.table("n2")).column_names == [
            "id",
            "age",
            "income",
            "is_member",
            "job_clerk",
            "job_Ärztin",
        ]
        fitted = RecipeDocument.model_validate_json(first.fitted().model_dump_json())
        new = Execution(
            fitted, engine, {"s1": engine.register(TABLES["new_people"])}, is_training=False, may_learn=False
        )
        rows = engine.arrow(new.table("n2")).to_pylist()
        assert [row["age"] for row in rows] == [49, 17, 99]
        assert [row["job_clerk"] for row in rows] == [0, 0, 1]


def test_a_step_that_was_changed_after_the_fit_has_to_be_fitted_again() -> None:
    with Engine() as engine:
        tables = {"s1": engine.register(TABLES["people"])}
        execution = Execution(recipe(*STEPS), engine, tables)
        execution.table("n2")
        fitted = execution.fitted()
        fitted.nodes[0].params["strategy"] = "mean"
        with pytest.raises(ConflictError, match="has not learned yet"):
            Execution(fitted, engine, tables, may_learn=False).table("n1")


def test_a_missing_column_is_named_with_its_neighbours() -> None:
    with Engine() as engine:
        execution = Execution(
            recipe(("drop", {"columns": ["agee"]})), engine, {"s1": engine.register(TABLES["people"])}
        )
        with pytest.raises(StepError, match="no column 'agee'. Did you mean 'age'"):
            execution.table("n0")


def test_the_schema_says_which_columns_fit() -> None:
    hint = schema_of("one_hot")["properties"]["columns"]["x-ui"]
    assert hint == {"widget": "columns", "kinds": ["string", "boolean", "number"]}
