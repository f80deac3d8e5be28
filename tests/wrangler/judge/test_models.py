"""Predictive power and the quick model, on tables of which the truth is known."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.wrangler.checks.predictive_power import predictive_power
from kernel_tools.wrangler.checks.quick_model import quick_model
from kernel_tools.wrangler.engine import Engine


@pytest.fixture(scope="module")
def engine():
    generator = np.random.default_rng(0)
    n = 1_500
    signal = generator.normal(size=n)
    group = generator.choice(["a", "b", "c"], size=n)
    chance = 1 / (1 + np.exp(-2 * signal - (group == "a")))
    label = np.where(generator.random(n) < chance, "yes", "no")
    with Engine() as engine:
        engine.register(
            pa.table(
                {
                    "signal": pa.array(signal, mask=generator.random(n) < 0.05),
                    "group": group,
                    "noise": generator.normal(size=n),
                    "code": [f"u{number}" for number in range(n)],
                    "leak": np.where(label == "yes", "1", "0"),
                    "label": pa.array(label, mask=generator.random(n) < 0.02),
                    "amount": np.exp(signal + 0.1 * generator.normal(size=n)),
                    "constant": np.ones(n),
                    "list": [[1, 2]] * n,
                }
            ),
            "t",
        )
        yield engine


def test_a_leak_has_all_the_power_and_noise_has_none(engine):
    found = {power.column: power for power in predictive_power(engine, "t", "label")}
    assert found["leak"].power == pytest.approx(1)
    assert 0.5 < found["signal"].power < 0.8
    assert found["noise"].power < 0.08
    assert found["code"].power == found["constant"].power == 0
    assert found["signal"].metric == "roc_auc" and found["signal"].is_exact and found["signal"].n < 1_500
    assert "list" not in found


def test_power_for_a_number_is_the_variance_explained(engine):
    found = {power.column: power for power in predictive_power(engine, "t", "amount", ["signal", "noise"])}
    assert found["signal"].power > 0.7 and found["noise"].power < 0.05
    assert found["signal"].metric == "r2"


def test_a_sample_says_that_it_is_one_and_is_the_same_each_time(engine):
    first = predictive_power(engine, "t", "label", ["signal"], rows=500, seed=3)
    assert first == predictive_power(engine, "t", "label", ["signal"], rows=500, seed=3)
    assert not first[0].is_exact and 400 < first[0].n < 600


def test_the_quick_model_beats_its_baseline_and_tells_what_it_used(engine):
    found = quick_model(engine, "t", "label", columns=["signal", "group", "noise", "code", "list"])
    assert found.metrics["roc_auc"] > 0.8 > found.baseline["roc_auc"] == 0.5
    assert found.importances[0][0] == "signal" and sum(share for _, share in found.importances) == pytest.approx(1)
    assert set(found.left_out) == {"code", "list"}
    assert sum(map(sum, found.confusion)) == found.rows_test
    assert sorted(found.classes) == ["no", "yes"]


def test_the_quick_model_predicts_numbers(engine):
    found = quick_model(engine, "t", "amount", columns=["signal", "noise"])
    assert found.task == "regression" and found.metrics["r2"] > 0.8 > found.baseline["r2"]


def test_what_cannot_be_predicted_is_refused(engine):
    with pytest.raises(InvalidArgumentError, match="fewer than two"):
        quick_model(engine, "t", "constant")
    with pytest.raises(InvalidArgumentError, match="type"):
        predictive_power(engine, "t", "list")
    with pytest.raises(InvalidArgumentError, match="no numbers"):
        quick_model(engine, "t", "label", task="regression")
    engine.register(pa.table({"x": [1.0, 2.0, 3.0], "y": ["a", "b", "a"]}), "small")
    with pytest.raises(InvalidDataError, match="3 rows"):
        quick_model(engine, "small", "y")
