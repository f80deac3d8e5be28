"""The runtime: what it imports, how it reads rows, and what it refuses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xgboost as xgb
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sklearn.compose import make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from kernel_tools.compiler import CompiledModel, CompiledPackage, compile
from kernel_tools.core.errors import AtelierError, IntegrityError, InvalidArgumentError, InvalidDataError
from kernel_tools.core.forms import InputReader

ROW = {"age": 30, "hours": 40.5, "job": "cook", "sex": "m", "is_new": True}


@pytest.fixture(scope="module")
def package(people: pd.DataFrame, income: np.ndarray) -> CompiledPackage:
    rows = people.assign(job=people.job.astype("category"))
    model = xgb.XGBClassifier(n_estimators=10, enable_categorical=True, n_jobs=1).fit(rows, income == ">50K")
    return compile(model, "onnx", rows, measure_memory=False)


@pytest.fixture(scope="module")
def model(package: CompiledPackage) -> CompiledModel:
    return package.load()


def test_a_worker_imports_no_library_of_the_original(package: CompiledPackage) -> None:
    code = (
        "import sys; from kernel_tools.compiler.runtime import CompiledModel; "
        f"CompiledModel({str(package.folder)!r}).answer({{'dataframe_records': [{ROW!r}]}}); "
        "print([name for name in ('pandas', 'sqlalchemy', 'pydantic', 'sklearn', 'xgboost', 'onnx', 'plotly') "
        "if name in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_all_forms_say_the_same(model: CompiledModel, package: CompiledPackage) -> None:
    values = list(ROW.values())
    bodies: list[Any] = [
        {"dataframe_records": [ROW]},
        {"dataframe_records": [{**ROW, "id": "a"}]},
        {"dataframe_split": {"columns": list(ROW)[::-1], "data": [values[::-1]]}},
        {"instances": [values]},
        {"inputs": [ROW]},
        {"inputs": {name: [value] for name, value in ROW.items()}},
    ]
    answers = [model.answer(body) for body in bodies]
    answers += [model.predict(model.read_rows(rows)) for rows in (ROW, [ROW], pd.DataFrame([ROW]))]
    assert len({answer["probabilities"].tobytes() for answer in answers}) == 1
    assert json.dumps(answers[0]["predictions"].tolist()) in ("[0]", "[1]")


@pytest.mark.parametrize(
    "row",
    [
        {**ROW, "age": "30"},
        {**ROW, "age": 30.5},
        {**ROW, "age": None},
        {**ROW, "age": True},
        {**ROW, "age": 2**70},
        {**ROW, "hours": 10**400},
        {**ROW, "job": "pilot"},
        {**ROW, "job": 1},
        {**ROW, "is_new": 1},
        {key: value for key, value in ROW.items() if key != "sex"},
        {},
        [1],
    ],
)
def test_a_row_is_refused_in_the_words_of_the_original(model: CompiledModel, row: Any) -> None:
    for body in ({"dataframe_records": [ROW, row]}, {"dataframe_records": [row]}):
        with pytest.raises(AtelierError) as expected:
            InputReader(model.signature).read(body)
        with pytest.raises(type(expected.value)) as found:
            model.answer(body)
        assert str(found.value) == str(expected.value)


def test_what_is_no_form_is_refused(model: CompiledModel) -> None:
    for body in (None, [], {}, {"rows": []}, {"instances": [], "inputs": []}, {"dataframe_records": []}):
        with pytest.raises(InvalidArgumentError):
            model.answer(body)


values = {
    "age": st.integers(-(2**63), 2**63 - 1),
    "hours": st.none() | st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**9), 10**9),
    "job": st.sampled_from(["clerk", "boss", "cook", None]),
    "sex": st.sampled_from(["m", "f", None]),
    "is_new": st.booleans(),
}


@given(st.fixed_dictionaries(values))
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_quick_way_reads_a_row_as_the_thorough_one(model: CompiledModel, row: dict[str, Any]) -> None:
    quick = model.read({"dataframe_records": [row]})
    thorough = model.read({"dataframe_records": [row, row]})
    for name, array in quick.items():
        np.testing.assert_array_equal(array, thorough[name][:1])


@pytest.fixture(scope="module")
def encoded() -> tuple[Pipeline, CompiledModel]:
    """A pipeline that scales numbers and encodes texts, whose numbers come as one input."""
    random = np.random.default_rng(3)
    rows = pd.DataFrame(random.normal(size=(300, 3)), columns=["a", "b", "c"])
    rows = rows.assign(job=random.choice(["clerk", "boss"], 300), sex=random.choice(["m", "f"], 300))
    columns = make_column_transformer(
        (StandardScaler(), ["a", "b", "c"]), (OneHotEncoder(handle_unknown="ignore"), ["job", "sex"])
    )
    model = make_pipeline(columns, LogisticRegression()).fit(rows, rows.a + (rows.job == "boss") > 0.5)
    compiled = compile(model, "onnx", rows, measure_memory=False).load()
    assert [feed.columns for feed in compiled.manifest.feeds] == [["a", "b", "c"], ["job"], ["sex"]]
    return model, compiled


numbers = st.floats(-1e6, 1e6) | st.integers(-(10**6), 10**6)
texts = st.sampled_from(["clerk", "boss", "m", "f", "", "pilot"])


@given(st.fixed_dictionaries({"a": numbers, "b": numbers, "c": numbers, "job": texts, "sex": texts}), st.booleans())
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_columns_that_come_together_answer_as_the_original(encoded, row: dict[str, Any], is_list: bool) -> None:
    original, compiled = encoded
    body = (
        {"instances": [[row[name] for name in ("a", "b", "c", "job", "sex")]]}
        if is_list
        else {"dataframe_records": [row]}
    )
    quick, thorough = compiled.read(body), compiled.read({"dataframe_records": [row, row]})
    for name, array in quick.items():
        assert array.dtype == thorough[name].dtype
        np.testing.assert_array_equal(array, thorough[name][:1])
    expected = original.predict_proba(pd.DataFrame([row]))
    np.testing.assert_allclose(compiled.predict(quick)["probabilities"], expected, atol=1e-6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"a": None}, "'a'"),
        ({"job": None}, "'job'"),
        ({"job": 1}, "'job'"),
        ({"b": "1"}, "'b'"),
        ({"c": True}, "'c'"),
        ({"c": 10**400}, "'c'"),
    ],
)
def test_a_row_with_texts_that_does_not_fit_is_refused_as_ever(encoded, change: dict[str, Any], message: str) -> None:
    _, compiled = encoded
    row = {"a": 1.0, "b": 2, "c": 3.5, "job": "boss", "sex": "f"} | change
    if change == {"job": None}:  # a text may be missing
        assert compiled.answer({"dataframe_records": [row]})["predictions"].shape == (1,)
        return
    with pytest.raises(InvalidDataError, match=message):
        compiled.answer({"dataframe_records": [row]})


def test_an_unknown_category_of_a_frame_is_named(model: CompiledModel) -> None:
    rows = pd.DataFrame([ROW, {**ROW, "job": "pilot"}])
    with pytest.raises(InvalidDataError, match="Row 1, column 'job': 'pilot' is not a known category"):
        model.read_rows(rows)
    with pytest.raises(InvalidDataError, match="Column 'sex' is missing"):
        model.read_rows(rows.drop(columns="sex"))


def test_a_changed_package_is_refused(package: CompiledPackage, tmp_path: Path) -> None:
    folder = package.save(tmp_path / "package")
    assert CompiledModel(folder).manifest == package.manifest
    graph = folder / "model.onnx"
    content = graph.read_bytes()
    graph.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    with pytest.raises(IntegrityError, match=r"'model\.onnx' is not the one that was compiled"):
        CompiledModel(folder)
    graph.unlink()
    with pytest.raises(IntegrityError, match="has lost its file"):
        CompiledModel(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    for change in ({"format_version": 99}, {"files": {"model.onnx": "", "../secret": ""}}, {"feeds": 1}):
        (folder / "manifest.json").write_text(json.dumps({**manifest, **change}))
        with pytest.raises(IntegrityError):
            CompiledModel(folder)


def test_a_missing_number_is_refused_where_the_original_refuses_it() -> None:
    from sklearn.compose import make_column_transformer
    from sklearn.ensemble import GradientBoostingClassifier
    from sklearn.impute import SimpleImputer
    from sklearn.pipeline import make_pipeline

    rows = pd.DataFrame(np.random.default_rng(0).normal(size=(60, 3)), columns=["a", "b", "c"])
    filled = make_column_transformer((SimpleImputer(), ["b"]), remainder="passthrough")
    estimator = make_pipeline(filled, GradientBoostingClassifier(n_estimators=3)).fit(rows, rows.a > 0)
    package = compile(estimator, "onnx", rows, measure_memory=False)
    assert package.manifest.refuses_missing == ["a", "c"]
    compiled, row = package.load(), {"a": 1.0, "b": np.nan, "c": 0.5}
    frame = pd.DataFrame([row])
    assert compiled.predict(compiled.read_rows(frame))["predictions"] == estimator.predict(frame)
    with pytest.raises(InvalidDataError, match="Column 'c' of row 1 is missing"):
        compiled.predict(compiled.read_rows(pd.DataFrame([row, row | {"c": np.nan}])))
    array = compile(
        GradientBoostingClassifier(n_estimators=3).fit(rows.to_numpy(), rows.a > 0), "onnx", rows.to_numpy()
    )
    with pytest.raises(InvalidDataError, match="A value of row 0 is missing"):
        array.load().answer({"instances": [[1.0, None, 2.0]]})
