"""The pandas and polars code of each case runs alone and gives the engine's table; what has none is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.pandas_code import pandas_code
from kernel_tools.wrangler.lowering.polars_code import polars_code
from kernel_tools.wrangler.operators import operator_class
from tests.wrangler.cases import all_cases
from tests.wrangler.cases.tables import TABLES

CASES = [case for case in all_cases() if operator_class(case.op).applies_to_new]
WRITERS: dict[str, Callable[..., str]] = {"pandas": pandas_code, "polars": polars_code}
UNSAID: dict[str, set[str]] = {"pandas": set(), "polars": set()}
"""The operators of which some parameters have no code."""


@cache
def _fitted(place: int) -> tuple[RecipeDocument, dict[str, Any], dict[str, Any], pa.Table]:
    """Return a case as a fitted recipe, the schemas, what it learned, and the engine's table."""
    case = CASES[place]
    sources = [Source(id=f"s{number}", kind="frame") for number in range(len(case.others) + 1)]
    inputs = [one.id for one in sources]
    document = RecipeDocument(sources=sources, nodes=[Node(id="n1", op=case.op, inputs=inputs, params=case.params)])
    with Engine() as engine:
        tables = {one: engine.register(TABLES[name]) for one, name in zip(inputs, (case.table, *case.others), strict=True)}
        first = Execution(document, engine, tables, is_trusted=True)
        first.table("n1")
        fitted = first.fitted()
        execution = Execution(fitted, engine, tables, is_training=False, may_learn=False, is_trusted=True)
        expected = engine.arrow(execution.table("n1"))
        schemas = {one: execution.table(one).schema() for one in (*inputs, "n1")}
        return fitted, schemas, execution.state("n1"), expected


@pytest.mark.parametrize("dialect", list(WRITERS))
@pytest.mark.parametrize("place", range(len(CASES)), ids=lambda place: CASES[place].id)
def test_the_code_gives_what_the_engine_gives(place: int, dialect: str) -> None:
    case = CASES[place]
    document, schemas, state, expected = _fitted(place)
    try:
        code = WRITERS[dialect](document, schemas, lambda _: state)
    except UnsupportedError as error:
        assert "The step n1 (" in str(error)
        assert case.op in UNSAID[dialect], str(error)
        return
    found = run(code, dialect, [TABLES[name] for name in (case.table, *case.others)])
    assert found.column_names == expected.column_names, code
    for name in expected.column_names:
        one, other = _plain(found[name].to_pylist()), _plain(expected[name].to_pylist())
        if not case.is_ordered:
            one, other = sorted(one, key=repr), sorted(other, key=repr)
        assert len(one) == len(other), code
        assert all(_is_same(a, b) for a, b in zip(one, other, strict=True)), (name, one, other, code)


def run(code: str, dialect: str, tables: list[pa.Table]) -> pa.Table:
    """Run code whose sources are frames, and return what it leaves in the first variable."""
    frames = [pl.from_arrow(one) if dialect == "polars" else one.to_pandas(types_mapper=pd.ArrowDtype) for one in tables]
    first = "df" if len(frames) == 1 else "df1"
    names: dict[str, Any] = {"frame": frames[0], **{f"frame{place}": one for place, one in enumerate(frames, start=1)}}
    exec(compile(code, "<recipe>", "exec"), names)
    result = names[first]
    if dialect == "polars":
        table: pa.Table = result.to_arrow()
        return table
    assert list(result.index) == list(range(len(result))), code
    return pa.Table.from_pandas(result, preserve_index=False)


def _plain(values: list[Any]) -> list[Any]:
    return [None if isinstance(one, float) and math.isnan(one) else one for one in values]


def _is_same(one: Any, other: Any) -> bool:
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(_is_same(a, b) for a, b in zip(one, other, strict=True))
    if isinstance(one, float) or isinstance(other, float):
        is_number = isinstance(one, (int, float)) and isinstance(other, (int, float))
        return is_number and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return bool(one == other)
