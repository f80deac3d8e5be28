"""The rules about boosted trees: when they fire, and when they do not."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import xgboost
from sklearn.datasets import load_breast_cancer

import kernel_tools as kt
from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger import Finding, Rule, Severity, XGBoostCallback
from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.figures import draw_evidence
from kernel_tools.debugger.records import COLUMNS, Mode
from kernel_tools.debugger.rules.trees import CreateXgboostReport, FeatureImportanceOverweight, TreeDepth
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.debugger.trial import Trial


def record(folder: Path, rounds: list[Mapping[str, float]], **meta: object) -> Trial:
    """Write rounds of single numbers, as the callbacks do."""
    writer = StoreWriter(store_path(folder, 0), framework="xgboost", max_disk=1 << 28)
    layout = writer.layout(np.array([writer.define("trees/leaf_values", ["trees"], (4,))]))
    for step, values in enumerate(rounds):
        for name, value in values.items():
            tensor = writer.define(name, [name.partition("/")[0]], (), "scalar")
            writer.write_scalars(step, Mode.TRAIN, step + 1, [(tensor, value)])
        writer.write_step(step, Mode.TRAIN, step + 1, layout, np.zeros((1, len(COLUMNS)), "f4"))
    for key, value in meta.items():
        writer.set_meta(key, value)
    writer.close()
    return Trial(folder)


def tree(largest: int, depth: int) -> dict[str, float]:
    return {"trees/largest_node": largest, "trees/depth": depth, "trees/leaves": largest / 2 + 1}


def importances(kind: str = "weight", **values: float) -> dict[str, float]:
    return {f"feature_importance/{kind}/{name}": value for name, value in values.items()}


def found(trial: Trial, rule: Rule) -> tuple[Finding, ...]:
    report = evaluate_trial(trial, [rule])
    assert report.rules[0].state != "failed", report.rules[0].reason
    return report.findings


def why_not(trial: Trial, rule: Rule) -> str:
    return evaluate_trial(trial, [rule]).rules[0].reason


class TestTreeDepth:
    @pytest.mark.parametrize(("largest", "fires"), [(30, False), (16, False), (15, True), (2, True)])
    def test_the_depth_is_the_logarithm_of_the_largest_node_number(self, tmp_path, largest, fires) -> None:
        trial = record(tmp_path, [tree(30, 4), tree(largest, 4)])
        assert [finding.step for finding in found(trial, TreeDepth())] == [1] * fires

    def test_a_model_is_measured_by_its_own_limit(self, tmp_path) -> None:
        assert not found(record(tmp_path / "a", [tree(6, 2)], hyperparameters={"max_depth": 2}), TreeDepth())
        trial = record(tmp_path / "b", [tree(12, 6)], framework="lightgbm", hyperparameters={"num_leaves": 7})
        assert not found(trial, TreeDepth())

    def test_trees_that_never_split_are_a_warning_and_later_ones_a_hint(self, tmp_path) -> None:
        never = found(record(tmp_path / "a", [tree(0, 0)] * 3, hyperparameters={"gamma": 1000}), TreeDepth())
        assert [finding.severity for finding in never] == [Severity.WARNING]
        assert "gamma is 1000" in never[0].advice[0].reason and "'gamma': 0" in never[0].advice[0].patch
        later = found(record(tmp_path / "b", [tree(60, 6), tree(0, 0)]), TreeDepth())
        assert [finding.severity for finding in later] == [Severity.HINT]

    def test_other_models_are_left_alone(self, tmp_path) -> None:
        assert why_not(record(tmp_path, [{"metrics/loss": 1.0}]), TreeDepth()) == (
            "The model is not made of boosted trees."
        )
        with pytest.raises(InvalidArgumentError, match="depth=0"):
            TreeDepth(depth=0)


class TestFeatureImportanceOverweight:
    def test_few_features_that_hold_most_splits(self, tmp_path) -> None:
        rounds = [importances(a=50, b=30, c=10, d=5, e=5)] * 12
        (finding,) = found(record(tmp_path, rounds), FeatureImportanceOverweight())
        assert (finding.step, finding.value) == (9, pytest.approx(0.9))
        assert "'a', 'b', 'c'" in finding.message

    def test_importance_that_is_spread(self, tmp_path) -> None:
        rounds = [importances(a=20, b=20, c=20, d=20, e=20) | importances("total_gain", a=85, b=10, c=5)] * 12
        assert not found(record(tmp_path, rounds), FeatureImportanceOverweight())

    def test_the_others_count_in_the_whole_but_are_no_feature(self, tmp_path) -> None:
        rounds = [{**importances(a=5, b=5, c=5), "feature_importance/weight/(others)": 85}] * 12
        assert not found(record(tmp_path, rounds), FeatureImportanceOverweight())

    def test_a_short_training_is_looked_at_when_it_ends(self, tmp_path) -> None:
        assert found(record(tmp_path, [importances(a=97, b=1, c=1, d=1)] * 2), FeatureImportanceOverweight())

    def test_a_model_of_three_features_is_left_alone(self, tmp_path) -> None:
        trial = record(tmp_path, [importances(a=9, b=1)] * 12, features=["a", "b", "c"])
        assert why_not(trial, FeatureImportanceOverweight()) == "The model has only 3 features."

    def test_a_leak_is_found_on_real_data_and_its_evidence_can_be_drawn(self, tmp_path) -> None:
        X, y = load_breast_cancer(return_X_y=True, as_frame=True)
        leak = y + np.random.default_rng(0).normal(0, 0.2, len(y))
        for name, data in (("healthy", X), ("leak", X.assign(leak=leak))):
            callback = XGBoostCallback(tmp_path / name)
            xgboost.train(
                {"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(data, y), 20, callbacks=[callback]
            )
        healthy, leaking = (kt.debugger.findings(tmp_path / name).findings for name in ("healthy", "leak"))
        assert "FeatureImportanceOverweight" not in {finding.rule for finding in healthy}
        finding = next(finding for finding in leaking if finding.rule == "FeatureImportanceOverweight")
        assert "'leak' alone" in finding.message
        assert "X.drop(columns=['leak'])" in finding.advice[1].patch
        figure = draw_evidence(kt.debugger.open(tmp_path / "leak"), finding.evidence)
        assert figure.data[0].y[0] == "leak"


class TestCreateXgboostReport:
    def test_it_makes_a_page_at_the_end(self, tmp_path) -> None:
        (finding,) = found(record(tmp_path, [tree(30, 4)] * 3), CreateXgboostReport())
        assert finding.severity is Severity.HINT
        assert "<h2>Trees</h2>" in (tmp_path / "boosting-report.html").read_text()

    def test_other_models_have_none(self, tmp_path) -> None:
        trial = record(tmp_path, [{"metrics/loss": 1.0}])
        assert why_not(trial, CreateXgboostReport()) == "The model is not made of boosted trees."
        assert not (tmp_path / "boosting-report.html").exists()
