"""Whether the code of a case in a library of frames runs alone and gives the engine's table; what has none is named."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from kernel_tools.wrangler import read
from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.pandas_code import pandas_code
from kernel_tools.wrangler.lowering.polars_code import polars_code
from kernel_tools.wrangler.operators import operator_class
from kernel_tools.wrangler.recipe import Recipe
from tests.wrangler.cases import all_cases
from tests.wrangler.cases.tables import TABLES

CASES = [case for case in all_cases() if operator_class(case.op).applies_to_new]
WRITERS: dict[str, Callable[..., str]] = {"pandas": pandas_code, "polars": polars_code}


@cache
def _engine() -> Engine:
    return Engine()


@cache
def _registered(name: str) -> Any:
    return _engine().register(TABLES[name])


@cache
def _fitted(place: int) -> tuple[RecipeDocument, dict[str, Any], dict[str, Any], pa.Table]:
    """Return a case as a fitted recipe, the schemas, what it learned, and the engine's table."""
    case = CASES[place]
    sources = [Source(id=f"s{number}", kind="frame") for number in range(len(case.others) + 1)]
    inputs = [one.id for one in sources]
    document = RecipeDocument(sources=sources, nodes=[Node(id="n1", op=case.op, inputs=inputs, params=case.params)])
    engine = _engine()
    tables = {one: _registered(name) for one, name in zip(inputs, (case.table, *case.others), strict=True)}
    execution = Execution(document, engine, tables, is_trusted=True)
    execution.table("n1")
    fitted = execution.fitted()
    if operator_class(case.op).learns:
        execution = Execution(fitted, engine, tables, is_training=False, may_learn=False, is_trusted=True)
    expected = engine.arrow(execution.table("n1"))
    schemas = {one: execution.table(one).schema() for one in (*inputs, "n1")}
    return fitted, schemas, execution.state("n1"), expected


def check(place: int, dialect: str, unsaid: set[str]) -> None:
    """Compare the code of a case with the engine; it has none if its name is among those that begin like `unsaid`."""
    case = CASES[place]
    document, schemas, state, expected = _fitted(place)
    if any(case.id.startswith(one) for one in unsaid):
        with pytest.raises(UnsupportedError, match=r'The step n1 \(.*to_python\("sql"\)'):
            WRITERS[dialect](document, schemas, lambda _: state)
        return
    code = WRITERS[dialect](document, schemas, lambda _: state)
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
    frames = [
        pl.from_arrow(one) if dialect == "polars" else one.to_pandas(types_mapper=pd.ArrowDtype) for one in tables
    ]
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
    if isinstance(other, float):
        return isinstance(one, float) and math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-12)
    return type(one) is type(other) and bool(one == other)


def ten_steps(folder: Path) -> Recipe:
    """Return a fitted recipe of more than ten steps that reads two files."""
    people = pd.DataFrame(
        {
            "id": range(60),
            "age": [None if row % 9 == 4 else 20 + row * 7 % 50 for row in range(60)],
            "income": [1000.25 + row * 37 % 61 for row in range(60)],
            "job": [["clerk", "chef", "NA", "tech"][row * 5 % 4] for row in range(60)],
            "city": [[" Rome", "Paris ", "bonn", None, "Oslo"][row * 3 % 5] for row in range(60)],
            "born": [f"19{50 + row * 11 % 50}-0{1 + row % 9}-17" for row in range(60)],
            "seen": [f"2024-0{1 + row * 7 % 9}-{10 + row % 15} 10:{10 + row % 50}:00" for row in range(60)],
        }
    )
    people.to_csv(folder / "people.csv", index=False)
    pd.DataFrame({"job": ["clerk", "chef", "tech"], "level": [1, 3, 2]}).to_csv(folder / "jobs.csv", index=False)
    return (
        read(folder / "people.csv")
        .impute(columns=["age"], strategy="median")
        .formula(name="per_year", formula="income / age")
        .fill(columns=["city"], value="?")
        .format_string(columns=["city"], method="strip")
        .filter("age > 25")
        .date_parts(columns=["seen"], parts=["year", "month", "day_of_week"])
        .join(read(folder / "jobs.csv"), how="left", keys=["job"])
        .one_hot(columns=["job"])
        .standardize(columns=["income"])
        .bin(column="age", name="age_group", edges=[30, 50, 65])
        .lag(columns=["income"], order_by="seen", periods=[1])
        .rolling(columns=["per_year"], order_by="seen", group_by=["city"], window=3, statistics=["mean"])
        .outliers(columns=["per_year"], fix="clip")
        .replace_rare(columns=["city"])
        .sort(columns=["id"])
        .fit()
    )


def check_ten_steps(folder: Path, dialect: str) -> None:
    """Compare a whole recipe with the engine, and look at its code."""
    recipe = ten_steps(folder)
    code = recipe.to_python(dialect)
    steps = recipe.steps
    assert sum(line.startswith("# ") for line in code.splitlines()) == len(steps)
    assert max(map(len, code.replace(str(folder), "").splitlines())) <= 110
    names: dict[str, Any] = {}
    exec(compile(code, "<recipe>", "exec"), names)
    result, expected = names["df1"], recipe.transform()
    table = result.to_arrow() if dialect == "polars" else pa.Table.from_pandas(result)
    found = table.replace_schema_metadata(None).to_pandas()
    pd.testing.assert_frame_equal(found, expected, rtol=1e-9, check_dtype=False)
