"""Each kind of model is called as it wants to be, and answers what its own predict answers."""

from __future__ import annotations

import json
from dataclasses import replace
from types import SimpleNamespace

import msgspec
import numpy as np
import pandas as pd
import pytest
import torch
import xgboost
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.hosting.client import encode_rows
from kernel_tools.hosting.engines.framework import FrameworkEngine
from kernel_tools.hosting.engines.xgboost_calls import coded_call, estimator_call
from kernel_tools.hosting.wire import ModelError
from kernel_tools.hosting.wire.replies import plain_values
from kernel_tools.registry.records import VersionRecord, VersionStatus
from kernel_tools.registry.signature import Signature, infer_signature


def answer(engine, body):
    """The reply of an engine, as JSON has it."""
    return plain_values(engine.predict(engine.read(body)))


def version_of(signature: Signature | None, sample: list[object] | None = None) -> VersionRecord:
    return VersionRecord("m", 1, VersionStatus.APPROVED, 0, "me", "f", "c", [], signature, sample or [], {})


@pytest.fixture(scope="module")
def numbers() -> SimpleNamespace:
    random = np.random.default_rng(1)
    X = pd.DataFrame({"a": random.normal(size=120), "b": random.normal(size=120)})
    return SimpleNamespace(X=X, two=(X["a"] > X["b"]).map({True: "yes", False: "no"}), three=np.arange(120) % 3)


def ask(model, frame, signature=None):
    engine = FrameworkEngine(version_of(signature or infer_signature(frame)), model)
    reply = answer(engine, msgspec.json.decode(encode_rows(frame)[0]))
    return msgspec.json.decode(msgspec.json.encode(reply))


@pytest.mark.parametrize("make", [LogisticRegression, lambda: RandomForestClassifier(7, max_depth=2, random_state=0)])
def test_a_scikit_learn_classifier_answers_labels_probabilities_and_classes(numbers, make):
    model = make().fit(numbers.X, numbers.two)
    reply = ask(model, numbers.X)
    assert reply["predictions"] == model.predict(numbers.X).tolist()
    assert (np.array(reply["probabilities"]) == model.predict_proba(numbers.X)).all()
    assert reply["classes"] == ["no", "yes"]


def test_a_regressor_answers_values_that_are_read_back_exactly(numbers):
    model = LinearRegression().fit(numbers.X, numbers.X["a"] / 3)
    assert ask(model, numbers.X) == {"predictions": model.predict(numbers.X).tolist()}


def test_a_multiclass_xgboost_model_answers_its_own_labels(numbers):
    model = xgboost.XGBClassifier(n_estimators=4).fit(numbers.X, numbers.three)
    reply = ask(model, numbers.X)
    assert reply["predictions"] == model.predict(numbers.X).tolist()
    assert (np.array(reply["probabilities"]) == model.predict_proba(numbers.X)).all()


def test_a_probability_of_exactly_one_half_gets_the_label_that_predict_gives():
    X = pd.DataFrame({"a": [0.0, 0.0, 0.0, 0.0]})
    model = xgboost.XGBClassifier(n_estimators=1, base_score=0.5).fit(X, [0, 1, 0, 1])
    assert (model.predict_proba(X) == 0.5).all()
    assert ask(model, X)["predictions"] == model.predict(X).tolist()


def test_a_multilabel_xgboost_model_decides_every_label_on_its_own(numbers):
    labels = np.stack([numbers.X["a"] > 0, numbers.X["b"] > 0], axis=1).astype(int)
    model = xgboost.XGBClassifier(n_estimators=3).fit(numbers.X, labels)
    assert ask(model, numbers.X)["predictions"] == model.predict(numbers.X).tolist()


def test_a_booster_and_a_ranker_answer_scores(numbers, census):
    booster = census.model.get_booster()
    reply = ask(booster, census.X)
    assert reply["predictions"] == booster.predict(xgboost.DMatrix(census.X, enable_categorical=True)).tolist()
    ranker = xgboost.XGBRanker(n_estimators=2).fit(numbers.X, numbers.three, qid=np.repeat(np.arange(12), 10))
    assert ask(ranker, numbers.X)["predictions"] == ranker.predict(numbers.X).tolist()


def test_the_fast_way_of_xgboost_gives_the_slow_ways_reply_to_the_last_bit(census):
    fast, slow = coded_call(census.model, infer_signature(census.X)), estimator_call(census.model)
    assert fast is not None
    for name, values in slow(census.X).items():
        assert (fast(census.X)[name] == values).all()


def test_the_fast_way_is_not_taken_where_the_categories_are_others_than_in_training(census):
    other = census.X.assign(job=census.X["job"].cat.reorder_categories(["tech", "sales", "farm"]))
    assert coded_call(census.model, infer_signature(other)) is None
    reply = ask(census.model, other)
    assert (np.array(reply["probabilities"]) == census.model.predict_proba(census.X)).all()


def test_the_fast_way_is_not_taken_for_a_model_that_is_not_made_of_trees(numbers):
    model = xgboost.XGBRegressor(booster="gblinear", n_estimators=2).fit(numbers.X, numbers.three)
    assert coded_call(model, infer_signature(numbers.X)) is None
    assert ask(model, numbers.X)["predictions"] == model.predict(numbers.X).tolist()


def test_a_torch_module_takes_arrays_of_its_shape(numbers):
    module = torch.nn.Linear(2, 3)
    batch = torch.tensor(numbers.X.to_numpy(), dtype=torch.float32)
    engine = FrameworkEngine(version_of(infer_signature(batch)), module)
    expected = module(batch).detach()
    assert (torch.tensor(answer(engine, {"instances": batch.tolist()})["predictions"]) == expected).all()
    with pytest.raises(InvalidDataError, match=r"shape \[1, 3\]; the model takes \[any, 2\]"):
        answer(engine, {"instances": [[1, 2, 3]]})
    with pytest.raises(InvalidDataError, match="different lengths"):
        answer(engine, {"instances": [[1, 2], [1]]})
    with pytest.raises(InvalidDataError, match=r"Instance 1, position \[0\]: 'x' does not fit"):
        answer(engine, {"instances": [[1, 2], ["x", 1]]})
    with pytest.raises(InvalidArgumentError, match="send it as 'instances'"):
        answer(engine, {"dataframe_records": [{"a": 1}]})


def test_a_torch_endpoint_answers_arrays(workspace):
    batch = torch.randn(4, 3)
    module = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.ReLU(), torch.nn.Linear(4, 2))
    kt.registry.register("net", module, sample_input=batch, workspace=workspace)
    endpoint = kt.hosting.deploy("net", 1, workspace=workspace)
    answer = endpoint.predict(batch)
    endpoint.delete()
    assert np.allclose(answer, module(batch).detach().numpy(), atol=1e-6)


def test_a_model_without_signature_takes_rows_as_they_come(numbers):
    model = LinearRegression().fit(numbers.X, numbers.three)
    engine = FrameworkEngine(version_of(None), model)
    expected = model.predict(numbers.X[:2]).tolist()
    assert answer(engine, {"dataframe_records": numbers.X[:2].to_dict("records")})["predictions"] == expected
    with pytest.raises(ModelError, match=r"The model raised ValueError: The feature names should match"):
        answer(engine, {"dataframe_records": [{"c": 1}]})
    with pytest.raises(InvalidDataError, match="not an array of numbers"):
        answer(engine, {"instances": [["x", {}]]})


def test_a_model_that_fails_tells_its_own_words_and_no_traceback(numbers):
    class Moody:
        def predict(self, rows):
            raise ZeroDivisionError("division by zero")

    with pytest.raises(ModelError, match="^The model raised ZeroDivisionError: division by zero$"):
        ask(Moody(), numbers.X)


def test_predictions_that_are_not_finite_are_null_on_the_wire(numbers):
    class Unsure:
        def predict(self, rows):
            return np.array([np.nan, np.inf, 0.1])

    assert ask(Unsure(), numbers.X) == {"predictions": [None, None, 0.1]}


def test_what_has_no_way_to_be_called_is_refused():
    with pytest.raises(InvalidArgumentError, match="A dict cannot answer requests"):
        FrameworkEngine(version_of(None), {"w": 1})


def test_the_fast_way_is_left_when_the_sample_shows_another_reply(census, monkeypatch):
    signature = infer_signature(census.X)
    sample = json.loads(census.X.head(3).to_json(orient="records"))
    wrong = {"predictions": np.array([9, 9, 9]), "probabilities": np.zeros((3, 2)), "classes": np.array([0, 1])}
    monkeypatch.setattr(
        "kernel_tools.hosting.engines.framework.coded_call", lambda model, signature: lambda rows: wrong
    )
    engine = FrameworkEngine(replace(version_of(signature), sample=sample), census.model)
    expected = census.model.predict(census.X.head(3)).tolist()
    assert answer(engine, {"dataframe_records": sample})["predictions"] == expected
