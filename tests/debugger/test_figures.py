"""Figures of the Debugger, drawn from a capture that is written by hand."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.debugger.figures import EVIDENCE, draw_evidence
from kernel_tools.debugger.figures.drawing import evenly, thin
from kernel_tools.debugger.finding import FILE, read_findings
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.debugger.trial import Trial
from scripts.recorded_run import STEPS, write_recorded_run


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captured")
    write_recorded_run(folder)
    return folder


@pytest.fixture
def trial(folder: Path) -> Iterator[Trial]:
    trial = Trial(folder)
    yield trial
    trial.close()


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Trial]:
    """A capture of which nothing but the file is there."""
    StoreWriter(store_path(tmp_path, 0), framework="pytorch", max_disk=1 << 20).close()
    trial = Trial(tmp_path)
    yield trial
    trial.close()


def draw(trial: Trial, name: str, **arguments: Any) -> dict[str, Any]:
    return figure_json(draw_evidence(trial, {"figure": name, **arguments}))


def test_the_loss_carries_every_finding_and_its_stretch(trial: Trial) -> None:
    figure = draw(trial, "loss", step=120)
    traces = {trace.get("name"): trace for trace in figure["data"] if trace.get("showlegend") is not False}
    assert len(traces["training"]["x"]) == STEPS
    assert len(traces["validation"]["x"]) == STEPS // 50
    assert traces["error"]["x"] == [4]
    assert traces["warning"]["customdata"] == ["DeadRelu:conv2.relu.output_0"]
    losses = dict(zip(traces["training"]["x"], traces["training"]["y"], strict=True))
    assert traces["warning"]["y"] == [losses[120]]
    stretches = [trace for trace in figure["data"] if trace["yaxis"] == "y2"]
    assert sorted(trace["x"][:2] for trace in stretches) == [[4, 40], [120, STEPS - 10], [350, 350]]


def test_the_loss_is_drawn_before_any_rule_was_evaluated(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "copy")
    (tmp_path / "copy" / FILE).unlink()
    trial = Trial(tmp_path / "copy")
    assert [trace["name"] for trace in draw(trial, "loss")["data"]] == ["training", "validation"]
    trial.close()


def test_gradient_flow_goes_through_the_weights_in_their_order(trial: Trial) -> None:
    chosen = draw(trial, "gradient_flow", step=123)["data"][-1]
    assert chosen["name"] == "step 120"
    assert chosen["x"] == ["conv1.weight", "conv2.weight", "fc1.weight", "fc2.weight"]
    tensor = trial.tensor("gradient/conv1.weight")
    assert chosen["y"][0] == pytest.approx(tensor.reduction_value(120, "mean", abs=True), rel=1e-5)


def test_update_ratios_are_root_mean_squares_against_each_other(trial: Trial) -> None:
    traces = {trace["name"]: trace for trace in draw(trial, "update_ratios")["data"]}
    update = trial.tensor("update/fc1.weight").reduction_value(4, "l2")
    weight = trial.tensor("fc1.weight").reduction_value(4, "l2")
    found = dict(zip(traces["fc1.weight"]["x"], traces["fc1.weight"]["y"], strict=True))
    assert found[4] == pytest.approx(update / weight, rel=1e-5)


def test_dead_units_are_shares_of_each_activation(trial: Trial) -> None:
    (trace,) = draw(trial, "dead_units")["data"]
    assert trace["y"] == ["conv1.relu · dead", "conv2.relu · dead", "fc1.relu · dead"]
    assert trace["z"][1][trace["x"].index(390)] == pytest.approx(64.0, abs=2)


def test_a_series_has_its_limit_and_every_tensor(trial: Trial) -> None:
    names = ["gradient/fc1.weight", "gradient/fc2.weight"]
    figure = draw(trial, "series", tensors=names, reduction="std", threshold=0.01)
    assert [trace["name"] for trace in figure["data"]] == names
    assert figure["layout"]["shapes"][0]["y0"] == 0.01
    assert draw(trial, "series", tensors=["learning_rate"])["data"][0]["y"][0] == 0.05


def test_a_distribution_holds_all_elements_of_each_step(trial: Trial) -> None:
    heat = draw(trial, "distribution", tensor="fc1.weight")["data"][0]
    columns = np.array([[cell or 0.0 for cell in row] for row in heat["z"]])
    assert columns.sum(axis=0) == pytest.approx(100.0)
    assert len(heat["x"]) == len(trial.steps())


def test_confusion_is_drawn_at_the_nearest_step_that_has_one(trial: Trial) -> None:
    figure = draw(trial, "confusion", step=160)
    assert figure["layout"]["title"]["text"] == "Confusion at step 150 (eval)"
    assert np.sum(figure["data"][0]["customdata"]) == 1000
    assert draw(trial, "class_counts")["data"][0]["name"] == "true"


def test_two_runs_are_drawn_in_one_figure(trial: Trial, tmp_path: Path) -> None:
    write_recorded_run(tmp_path, seed=1)
    other = Trial(tmp_path)
    names = [trace["name"] for trace in draw(trial, "compare_tensors", other=other, tensor="fc1.weight")["data"]]
    assert names == ["this run", "the other run"]
    other.close()


def test_the_strongest_features_come_first(tmp_path: Path) -> None:
    writer = StoreWriter(store_path(tmp_path, 0), framework="xgboost", max_disk=1 << 20)
    for place in range(30):
        name = writer.define(f"feature_importance/gain/f{place}", ["feature_importance"], kind="scalar")
        writer.write_scalars(7, 1, 0, [(name, float(place))])
    writer.close()
    trial = Trial(tmp_path)
    (trace,) = draw(trial, "importance", step=9)["data"]
    assert trace["y"][0] == "f29" and len(trace["y"]) == 20
    trial.close()


def test_the_evidence_of_every_finding_can_be_drawn(trial: Trial) -> None:
    for finding in read_findings(trial.folder).findings:
        assert draw_evidence(trial, finding.evidence).data


@pytest.mark.parametrize("name", sorted(name for name, module in EVIDENCE.items() if ".debugger.figures." in module))
def test_what_was_not_captured_is_said(bare: Trial, name: str) -> None:
    arguments = {"series": {"tensors": ["w"]}, "distribution": {"tensor": "w"}}
    if name == "compare_tensors":
        arguments[name] = {"tensor": "w", "other": bare}
    if name == "loss":
        assert not draw_evidence(bare, {"figure": name}).data
        return
    with pytest.raises(NotFoundError, match=r"captured|no tensor"):
        draw_evidence(bare, {"figure": name, **arguments.get(name, {})})


@pytest.mark.parametrize(
    ("evidence", "message"),
    [
        ({"figure": "pie"}, "There is no figure 'pie'"),
        ({}, "There is no figure ''"),
        ({"figure": "loss", "colour": "red"}, "knows no colour"),
        ({"figure": "distribution"}, "tensor"),
    ],
)
def test_evidence_that_cannot_be_drawn_is_explained(trial: Trial, evidence: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=message):
        draw_evidence(trial, evidence)


def test_thinning_keeps_peaks_and_what_is_no_number() -> None:
    values = np.zeros(100_000)
    values[777], values[5000], values[60_000] = 9.0, -9.0, np.nan
    steps, kept = thin(np.arange(100_000), values, 500)
    assert {777, 5000, 60_000, 0, 99_999} <= set(steps.tolist())
    assert len(steps) < 800
    assert np.isnan(kept[steps == 60_000]).all()


def test_evenly_keeps_both_ends() -> None:
    assert evenly(range(1000), 3)[::2] == [0, 999]
    assert evenly([1, 2], 3) == [1, 2]
