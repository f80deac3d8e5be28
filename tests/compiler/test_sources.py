"""Every kind of model answers compiled as it does itself, on rows that it was not compared on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import lightgbm as lgb
import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.ensemble import (
    GradientBoostingRegressor,
    HistGradientBoostingClassifier,
    RandomForestClassifier,
    RandomForestRegressor,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, OneHotEncoder, OrdinalEncoder, StandardScaler
from sklearn.svm import LinearSVC

from kernel_tools.compiler import CompiledPackage, UnsupportedModelError, compile
from kernel_tools.compiler.sources import find_source

SAMPLE = 200


def compiled(model: Any, rows: Any, **options: Any) -> CompiledPackage:
    """Compile with the first rows and hold the package against the original on all rows."""
    package = compile(model, "onnx", rows[:SAMPLE], measure_memory=False, **options)
    loaded = package.load()
    found = loaded.predict(loaded.read_rows(rows))
    expected = find_source(model).answer(model, rows)
    assert list(found["predictions"]) == pytest.approx(list(expected["predictions"]), rel=1e-5, nan_ok=True)
    if "probabilities" in expected:
        assert found["probabilities"] == pytest.approx(expected["probabilities"], abs=1e-6)
        assert list(found["classes"]) == list(expected["classes"])
    return package


TREES: dict[str, Callable[[], Any]] = {
    "xgboost, three classes": lambda: xgb.XGBClassifier(n_estimators=20, n_jobs=1),
    "xgboost, dropped trees": lambda: xgb.XGBClassifier(n_estimators=10, booster="dart", rate_drop=0.3, n_jobs=1),
    "xgboost, counts": lambda: xgb.XGBRegressor(n_estimators=20, objective="count:poisson", n_jobs=1),
    "lightgbm, three classes": lambda: lgb.LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1),
    "lightgbm, one against all": lambda: lgb.LGBMClassifier(
        n_estimators=20, n_jobs=1, verbose=-1, objective="multiclassova"
    ),
    "lightgbm, roots": lambda: lgb.LGBMRegressor(n_estimators=20, n_jobs=1, verbose=-1, reg_sqrt=True),
    "forest": lambda: RandomForestClassifier(20, random_state=0),
    "forest of values": lambda: RandomForestRegressor(20, random_state=0),
    "histograms": lambda: HistGradientBoostingClassifier(max_iter=10),
}


@pytest.mark.parametrize("kind", TREES)
def test_trees_with_missing_values_answer_the_same(kind: str, numbers: np.ndarray, target: np.ndarray) -> None:
    compiled(TREES[kind]().fit(numbers, target), numbers)


def test_boosting_begins_with_its_constant(numbers: np.ndarray, target: np.ndarray) -> None:
    known = np.nan_to_num(numbers)
    compiled(GradientBoostingRegressor(n_estimators=10).fit(known, target * 100.0), known)


def test_an_early_stop_leaves_later_trees_out(numbers: np.ndarray, target: np.ndarray) -> None:
    model = xgb.XGBClassifier(n_estimators=100, early_stopping_rounds=2, n_jobs=1)
    model.fit(numbers[:300], target[:300], eval_set=[(numbers[300:], target[300:])], verbose=False)
    assert model.best_iteration < model.get_booster().num_boosted_rounds() - 1
    compiled(model, numbers)


def test_a_booster_answers_with_its_values(numbers: np.ndarray, target: np.ndarray) -> None:
    booster = xgb.train({"objective": "binary:logistic", "nthread": 1}, xgb.DMatrix(numbers, target > 0), 10)
    compiled(booster, numbers)


@pytest.mark.parametrize("limit", [1, 100], ids=["sets", "one against the rest"])
def test_categories_of_xgboost_go_the_same_way(limit: int, people: pd.DataFrame, income: np.ndarray) -> None:
    rows = people.assign(job=people.job.astype("category"))
    model = xgb.XGBClassifier(n_estimators=20, enable_categorical=True, max_cat_to_onehot=limit, n_jobs=1)
    compiled(model.fit(rows, (income == ">50K") ^ (rows.job == "cook")), rows)


def test_categories_of_lightgbm_go_the_same_way(people: pd.DataFrame, income: np.ndarray) -> None:
    rows = people.assign(job=people.job.astype("category"))
    model = lgb.LGBMClassifier(n_estimators=20, n_jobs=1, verbose=-1, min_data_per_group=5, cat_smooth=1)
    compiled(model.fit(rows, np.where(rows.job == "cook", "c", income)), rows)


def test_other_categories_than_the_model_has_are_refused(people: pd.DataFrame, income: np.ndarray) -> None:
    rows = people[["age", "sex"]]
    model = xgb.XGBClassifier(n_estimators=2, enable_categorical=True, n_jobs=1).fit(rows, income == ">50K")
    other = rows.assign(sex=rows.sex.cat.reorder_categories(["m", "f"]))
    with pytest.raises(UnsupportedModelError, match="categories of column 'sex' in the sample are not those"):
        compile(model, "onnx", other, measure_memory=False)


PIPELINES: dict[str, Callable[[], Any]] = {
    "logistic regression": lambda: LogisticRegression(max_iter=300),
    "xgboost, for which zeros of a sparse matrix are missing": lambda: xgb.XGBClassifier(n_estimators=10, n_jobs=1),
    "forest": lambda: RandomForestClassifier(10, random_state=0),
}


@pytest.mark.parametrize("kind", PIPELINES)
def test_a_pipeline_over_texts_and_categories_answers_the_same(
    kind: str, people: pd.DataFrame, income: np.ndarray
) -> None:
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(), StandardScaler()), ["age", "hours"]),
        (OneHotEncoder(handle_unknown="ignore"), ["job", "sex"]),
        remainder="passthrough",
    )
    labels = income if "xgboost" not in kind else (income == ">50K").astype(int)
    compiled(make_pipeline(columns, PIPELINES[kind]()).fit(people, labels), people)


def test_positions_of_texts_and_what_fills_them_are_the_same(people: pd.DataFrame, income: np.ndarray) -> None:
    columns = make_column_transformer(
        (make_pipeline(SimpleImputer(strategy="most_frequent"), OneHotEncoder()), ["job"]),
        (OrdinalEncoder(handle_unknown="use_encoded_value", unknown_value=-1), ["job", "sex"]),
        ("passthrough", ["age"]),
    )
    compiled(make_pipeline(columns, HistGradientBoostingClassifier(max_iter=5)).fit(people, income), people)


def test_labels_without_probabilities_are_the_same(numbers: np.ndarray, target: np.ndarray) -> None:
    known = np.nan_to_num(numbers)
    package = compiled(LinearSVC().fit(known, target > 0), known)
    assert package.load().answer({"instances": known[:1].tolist()})["predictions"].dtype == bool


def test_what_cannot_be_converted_is_named(numbers: np.ndarray, target: np.ndarray) -> None:
    known = np.abs(np.nan_to_num(numbers))
    model = make_pipeline(FunctionTransformer(np.log1p), LinearRegression()).fit(known, target)
    with pytest.raises(UnsupportedModelError, match="FunctionTransformer is not supported"):
        compile(model, "onnx", known, measure_memory=False)
    linear = xgb.XGBRegressor(n_estimators=2, booster="gblinear", n_jobs=1).fit(known, target)
    with pytest.raises(UnsupportedModelError, match="gblinear is no model of trees"):
        compile(linear, "onnx", known, measure_memory=False)
    with pytest.raises(UnsupportedModelError, match=r"builtins\.dict cannot be compiled"):
        compile({}, "onnx", known)


@pytest.fixture(scope="module")
def forest(numbers: np.ndarray, target: np.ndarray) -> tuple[RandomForestClassifier, Any]:
    model = RandomForestClassifier(10, random_state=0).fit(numbers, target)
    return model, compile(model, "onnx", numbers, measure_memory=False).load()


@given(st.data())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_row_beside_a_threshold_falls_to_the_other_side(
    forest: tuple[RandomForestClassifier, Any], data: st.DataObject
) -> None:
    model, package = forest
    thresholds = [tree.tree_.threshold[place] for tree in model.estimators_[:3] for place in range(3)]
    near = st.sampled_from(thresholds).flatmap(
        lambda value: st.sampled_from(
            [value, np.nextafter(value, 9), np.nextafter(value, -9), float(np.float32(value)), value + 1e-8, np.nan]
        )
    )
    row = np.array([data.draw(st.lists(near, min_size=5, max_size=5))])
    found = package.predict(package.read_rows(row))
    assert (found["probabilities"] == model.predict_proba(row)).all()
