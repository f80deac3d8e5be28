"""Steps as scikit-learn transformers give what the engine gives, and behave as transformers do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from kernel_tools.core.errors import InvalidDataError
from kernel_tools.wrangler import read
from kernel_tools.wrangler.document import Node, RecipeDocument, Source
from kernel_tools.wrangler.engine import Engine
from kernel_tools.wrangler.execution import Execution
from kernel_tools.wrangler.lowering.errors import UnsupportedError
from kernel_tools.wrangler.lowering.estimators import StepSampler, StepTransformer, is_sampler, to_sklearn
from kernel_tools.wrangler.operators import make_operator
from tests.wrangler.cases import Case, all_cases
from tests.wrangler.cases.tables import TABLES

PEOPLE = TABLES["people"].to_pandas()


def transforms(case: Case) -> bool:
    operator = make_operator(case.op, case.params)
    return not case.others and not operator.runs_code and not is_sampler(operator)


def frame(table: str) -> pd.DataFrame:
    return TABLES[table].to_pandas(types_mapper=pd.ArrowDtype)


def first_cases() -> list[Case]:
    """Return a case of each operator: a transformer runs what the engine runs, whose cases are run elsewhere."""
    found: dict[str, Case] = {}
    for case in filter(transforms, all_cases()):
        if case.new or case.op not in found:
            found[case.op] = case
    return [case for op, case in found.items() if op != "similarity_encode"]


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        yield made


@pytest.mark.parametrize("case", first_cases(), ids=lambda case: case.id)
def test_a_transformer_gives_what_the_engine_gives(case: Case, engine: Engine) -> None:
    document = RecipeDocument(
        sources=[Source(id="s", kind="frame")], nodes=[Node(id="n", op=case.op, inputs=["s"], params=case.params)]
    )
    step = StepTransformer(case.op, case.params)
    tables = {"s": engine.register(TABLES[case.table])}
    training = Execution(document, engine, tables, is_trusted=True)
    expected = engine.arrow(training.table("n")).to_pandas()
    pd.testing.assert_frame_equal(step.fit_transform(frame(case.table)), expected)
    assert list(step.get_feature_names_out()) == list(expected.columns)
    for table in [case.table, *([case.new] if case.new else [])]:
        tables["s"] = engine.register(TABLES[table])
        options: dict[str, Any] = {"is_training": False, "may_learn": False, "is_trusted": True}
        applied = Execution(training.fitted(), engine, tables, **options)
        expected = engine.arrow(applied.table("n")).to_pandas()
        pd.testing.assert_frame_equal(step.transform(frame(table)), expected)


def test_a_step_is_cloned_with_its_parameters_and_without_what_it_learned() -> None:
    step = StepTransformer("impute", {"columns": ["age"]}).fit(PEOPLE)
    twin = clone(step)
    assert twin.get_params() == step.get_params()
    assert not hasattr(twin, "state_")


def test_frames_come_out_as_they_went_in_or_as_set_output_says() -> None:
    step = StepTransformer("standardize", {"columns": ["age"]}).fit(PEOPLE)
    moved = PEOPLE.set_index(PEOPLE.index + 5)
    assert list(step.transform(moved).index) == list(moved.index)
    assert isinstance(step.transform(pl.from_pandas(PEOPLE)), pl.DataFrame)
    assert isinstance(step.set_output(transform="polars").transform(PEOPLE), pl.DataFrame)
    assert isinstance(step.set_output(transform="pandas").transform(pl.from_pandas(PEOPLE)), pd.DataFrame)


def test_an_array_has_columns_by_number() -> None:
    step = StepTransformer("impute", {"columns": ["x1"], "strategy": "mean"})
    found = step.fit_transform(np.array([[1.0, 2.0], [3.0, np.nan]]))
    assert found["x1"].tolist() == [2.0, 2.0]
    assert step.transform(np.array([[np.nan, np.nan]]))["x1"].tolist() == [2.0]


def test_a_column_that_vanished_is_named() -> None:
    step = StepTransformer("impute", {"columns": ["age"]}).fit(PEOPLE)
    with pytest.raises(InvalidDataError, match="'born'"):
        step.transform(PEOPLE.drop(columns=["born"]))


def test_the_target_of_an_encoding_is_y() -> None:
    rows = PEOPLE.drop(columns=["income"])
    step = StepTransformer("target_encode", {"columns": ["job"], "target": "income", "folds": 3})
    with_target = StepTransformer("target_encode", {"columns": ["job"], "target": "income", "folds": 3})
    found, expected = step.fit_transform(rows, PEOPLE["income"]), with_target.fit_transform(PEOPLE)
    pd.testing.assert_series_equal(found["job"], expected["job"])
    assert "income" not in found
    assert list(step.transform(rows).columns) == list(rows.columns)


def test_a_sampler_takes_its_rows_out_of_y_as_well_and_only_in_fit() -> None:
    rows, y = PEOPLE[["age", "id"]], np.arange(9)
    kept, labels = StepSampler("drop_missing").fit_resample(rows, y)
    assert labels.tolist() == [0, 2, 3, 4, 6, 7, 8]
    assert len(kept) == 7
    with pytest.raises(UnsupportedError, match="StepSampler"):
        StepTransformer("drop_missing").fit(rows)


def test_a_recipe_becomes_a_pipeline_that_trains_and_predicts_every_row() -> None:
    frame = pd.concat([PEOPLE[["age", "job", "is_member"]]] * 5, ignore_index=True).dropna(subset=["is_member"])
    recipe = read(frame).filter("age IS NULL OR age > 30").impute(["age"]).standardize(["age"]).one_hot(["job"])
    pipeline = to_sklearn(recipe, target="is_member")
    pipeline.steps.append(("model", LogisticRegression()))
    X, y = frame[["age", "job"]], frame["is_member"].astype(int).rename("is_member")
    predicted = pipeline.fit(X, y).predict(X)
    assert len(predicted) == len(X)
    assert clone(pipeline).fit(X, y).predict(X).tolist() == predicted.tolist()


def test_a_fitted_recipe_becomes_a_fitted_pipeline() -> None:
    recipe = read(PEOPLE).impute(["age"]).standardize(["age"]).fit()
    found = to_sklearn(recipe).transform(PEOPLE)
    pd.testing.assert_series_equal(found["age"], recipe.transform(PEOPLE)["age"])


def test_a_step_that_makes_other_rows_is_refused_by_name() -> None:
    recipe = read(PEOPLE).aggregate(aggregations=[{"function": "rows"}])
    with pytest.raises(UnsupportedError, match="'n1'"):
        to_sklearn(recipe)


def test_code_of_a_recipe_does_not_get_into_a_pipeline() -> None:
    with pytest.raises(UnsupportedError, match="FunctionTransformer"):
        StepTransformer("custom_pandas", {"source": "df['x'] = 1"}).fit(PEOPLE)


def test_skops_keeps_a_fitted_step() -> None:
    skops = pytest.importorskip("skops.io")
    pipeline = make_pipeline(
        StepTransformer("impute", {"columns": ["born"], "strategy": "mode"}),
        StepTransformer("one_hot", {"columns": ["job"]}),
    ).fit(PEOPLE)
    data = skops.dumps(pipeline)
    again = skops.loads(data, trusted=skops.get_untrusted_types(data=data))
    pd.testing.assert_frame_equal(again.transform(PEOPLE), pipeline.transform(PEOPLE))
