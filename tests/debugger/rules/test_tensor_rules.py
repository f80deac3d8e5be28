"""Rules about tensors, gradients and activations: each on a training that it is for, and on one that is well."""

from __future__ import annotations

import numpy as np
import pytest

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.rules.base import Rule
from tests.debugger.rules.recording import Recording

RNG = np.random.default_rng(0)


def rule(name: str, **parameters: object) -> Rule:
    """Make a rule."""
    return make_rules([(name, parameters)])[0]


def noise(scale: float = 1.0, *shape: int) -> np.ndarray:
    """Return random values."""
    return RNG.normal(0, scale, shape or (8, 4))


def test_a_gradient_below_the_threshold_has_vanished(recording: Recording) -> None:
    recording.step(0, {"gradient/fc1.weight": noise(1e-9), "gradient/fc2.weight": noise(1e-2)})
    recording.meta(optimizer={"class": "SGD", "lr": 0.1})
    (found,) = recording.findings(rule("VanishingGradient"))
    assert found.tensor == "gradient/fc1.weight"
    assert found.value is not None and found.value < found.threshold == 1e-7  # type: ignore[operator]
    assert "fc1.weight has vanished" in found.message and "kaiming_normal_" in found.advice[0].patch


def test_gradients_of_ordinary_size_have_not_vanished(recording: Recording) -> None:
    recording.step(0, {"gradient/fc1.weight": noise(1e-5), "gradient/fc2.weight": noise(1e-2)})
    assert recording.findings(rule("VanishingGradient")) == []


def test_a_vanishing_gradient_may_be_asked_to_last(recording: Recording) -> None:
    for step in range(0, 30, 10):
        recording.step(step, {"gradient/fc1.weight": noise(1e-9)})
    (found,) = recording.findings(rule("VanishingGradient", patience=20))
    assert found.step == 20


def test_gradients_of_biases_and_of_a_training_that_has_converged_can_be_left_out(recording: Recording) -> None:
    for step in range(60):
        tensors = {"gradient/fc1.weight": noise(1e-9 if step > 50 else 1), "gradient/fc1.bias": noise(1e-12, 4)}
        recording.step(step, tensors, loss=0.9**step)
    assert recording.findings(rule("VanishingGradient", with_biases=False, converged=0.5)) == []
    assert len(recording.findings(rule("VanishingGradient"))) == 1


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_a_tensor_that_is_not_finite_explodes(recording: Recording, value: float) -> None:
    bad = noise()
    bad[0, 0] = value
    recording.step(0, {"fc1.weight": noise(), "gradient/fc1.weight": noise()})
    recording.step(1, {"fc1.weight": noise(), "gradient/fc1.weight": bad})
    (found,) = recording.findings(rule("ExplodingTensor"))
    assert (found.step, found.tensor, found.severity) == (1, "gradient/fc1.weight", "error")


def test_finite_tensors_masks_and_on_request_infinities_do_not_explode(recording: Recording) -> None:
    mask = np.where(np.eye(4) > 0, 0.0, -np.inf)
    recording.step(0, {"fc1.weight": noise(1e20), "input_1": mask})
    assert recording.findings(rule("ExplodingTensor")) == []
    recording.step(1, {"fc1.weight": np.array([[1.0, np.inf]])})
    assert recording.findings(rule("ExplodingTensor", only_nan=True)) == []


@pytest.mark.parametrize(("share", "fires"), [(1.0, True), (0.6, True), (0.4, False)])
def test_dead_relus_are_told_by_their_share_of_a_layer(recording: Recording, share: float, fires: bool) -> None:
    recording.step(
        0,
        {"fc1.output_0": noise(), "act.output_0": noise()},
        given={"act.output_0": {"dead": share}},
        kinds={"act.output_0": "ReLU"},
    )
    found = recording.findings(rule("DeadRelu"))
    assert [finding.tensor for finding in found] == ["act.output_0"] * fires
    if fires:
        assert found[0].value == pytest.approx(100 * share)
        assert 'model.set_submodule("act", torch.nn.LeakyReLU(0.01))' in found[0].advice[0].patch


@pytest.mark.parametrize(("share", "fires"), [(0.9, True), (0.2, False)])
def test_saturated_units_are_told_by_their_share_of_a_layer(recording: Recording, share: float, fires: bool) -> None:
    recording.step(
        0, {"act.output_0": noise()}, given={"act.output_0": {"saturated": share}}, kinds={"act.output_0": "Tanh"}
    )
    assert len(recording.findings(rule("SaturatedActivation"))) == fires


@pytest.mark.parametrize(("scale", "fires"), [(40.0, True), (1.0, False)])
def test_values_at_the_ends_can_be_counted_instead_of_units(recording: Recording, scale: float, fires: bool) -> None:
    values = np.tanh(noise(scale, 64, 16)).astype("f4")
    recording.step(
        0, {"act.output_0": values}, given={"act.output_0": {"saturated": 0.0}}, kinds={"act.output_0": "Tanh"}
    )
    assert recording.findings(rule("SaturatedActivation")) == []
    found = recording.findings(rule("SaturatedActivation", of_values=True))
    assert ["at an end of Tanh" in finding.message for finding in found] == [True] * fires


def test_rules_say_why_they_have_nothing_to_look_at(recording: Recording) -> None:
    recording.step(0, {"fc1.output_0": noise()}, kinds={"fc1.output_0": "Linear"})
    assert recording.judge(rule("DeadRelu"))[0].reason == "The model has no ReLU."
    assert "no tanh or sigmoid" in recording.judge(rule("SaturatedActivation"))[0].reason
    assert "No gradients" in recording.judge(rule("VanishingGradient"))[0].reason
    assert "optimizer" in recording.judge(rule("WeightUpdateRatio"))[0].reason


def test_limits_that_the_capture_has_counted_by_cannot_be_changed_afterwards() -> None:
    with pytest.raises(InvalidArgumentError, match="threshold_inactivity=5"):
        rule("DeadRelu", threshold_inactivity=5.0)
    with pytest.raises(InvalidArgumentError, match="limits"):
        rule("SaturatedActivation", threshold_tanh_max=3.0)


@pytest.mark.parametrize(("scale", "kind"), [(100.0, "large"), (1e-10, "small"), (1e-3, None)])
def test_the_ratio_of_updates_to_weights_has_a_range(recording: Recording, scale: float, kind: str | None) -> None:
    recording.step(0, {"fc1.weight": noise(), "update/fc1.weight": noise(scale), "fc1.bias": np.zeros(4)})
    recording.step(1, {"fc1.weight": noise(), "update/fc1.weight": noise(scale), "update/fc1.bias": np.ones(4)})
    found = recording.findings(rule("WeightUpdateRatio"))
    assert [f"far too {kind}" in finding.message for finding in found] == [True] * (kind is not None)


def test_the_ratio_counts_elements_where_only_some_of_a_weight_were_measured(recording: Recording) -> None:
    recording.step(0, {"fc1.weight": np.ones(400), "update/fc1.weight": np.full(4, 9.0)})
    assert recording.findings(rule("WeightUpdateRatio")) == []
    (found,) = recording.findings(rule("WeightUpdateRatio", large_threshold=8.9))
    assert found.value == pytest.approx(9.0)


def test_updates_are_allowed_to_be_small_while_a_schedule_rests(recording: Recording) -> None:
    for step, rate in enumerate((0.1, 0.1, 0.0)):
        recording.step(step, {"fc1.weight": noise(), "update/fc1.weight": noise(rate)}, rate=rate)
    assert recording.findings(rule("WeightUpdateRatio")) == []


def test_a_tensor_of_zeros_is_told_and_one_of_numbers_is_not(recording: Recording) -> None:
    recording.step(0, {"input_0": np.zeros((4, 2)), "fc1.weight": noise()})
    (found,) = recording.findings(rule("AllZero"))
    assert found.tensor == "input_0" and found.value == 100.0
    assert recording.findings(rule("AllZero", collection_names=["weights"])) == []


def test_the_share_of_zeros_and_the_tensors_are_parameters(recording: Recording) -> None:
    recording.step(0, {"fc1.weight": np.array([[0.0, 0.0, 0.0, 1.0]]), "fc1.bias": np.zeros(3), "fc2.weight": noise()})
    assert len(recording.findings(rule("AllZero", threshold=75, collection_names=["weights"]))) == 1
    assert recording.findings(rule("AllZero", threshold=76, collection_names=["weights"])) == []
    (found,) = recording.findings(rule("AllZero", threshold=75, collection_names=["biases"], tensor_regex="fc1.w"))
    assert "fc1.bias" in found.message and "fc1.weight" in found.message  # the union of both


def test_variances_beyond_a_limit_are_told(recording: Recording) -> None:
    recording.step(0, {"fc1.weight": noise(10), "fc2.weight": noise(1), "fc3.weight": noise(1e-4)})
    found = recording.findings(rule("TensorVariance", max_threshold=10, min_threshold=1e-5))
    assert [(finding.tensor, finding.threshold) for finding in found] == [("fc1.weight", 10), ("fc3.weight", 1e-5)]
    assert recording.findings(rule("TensorVariance", max_threshold=1e4)) == []
    assert "no limit" in recording.judge(rule("TensorVariance"))[0].reason


def test_a_tensor_that_stays_the_same_over_three_sampled_steps_is_told(recording: Recording) -> None:
    same = noise()
    for step in (0, 7, 100):
        recording.step(step, {"fc1.weight": same, "fc2.weight": noise()})
    (found,) = recording.findings(rule("UnchangedTensor"))
    assert (found.tensor, found.step) == ("fc1.weight", 100)
    assert recording.findings(rule("UnchangedTensor", num_steps=4)) == []


def test_a_tensor_that_changes_by_more_than_the_tolerance_is_not_told(recording: Recording) -> None:
    start = noise()
    for step in range(5):
        recording.step(step, {"fc1.weight": start * (1 + 1e-4 * step)})
    assert recording.findings(rule("UnchangedTensor")) == []
    assert len(recording.findings(rule("UnchangedTensor", rtol=1e-3))) == 1


def test_frozen_weights_and_warm_up_can_be_left_out(recording: Recording) -> None:
    same = noise()
    for step in range(20):
        recording.step(step, {"fc1.weight": same, "fc2.weight": same, "gradient/fc2.weight": noise()}, rate=step * 1e-4)
    assert recording.findings(rule("UnchangedTensor", only_trained=True, converged=0.01)) == []
    (found,) = recording.findings(rule("UnchangedTensor", only_trained=True))
    assert found.tensor == "fc2.weight"


def test_variances_that_are_far_apart_show_poor_weights(recording: Recording) -> None:
    scales = {"fc1": 1.0, "fc2": 0.1, "fc3": 0.01}
    tensors, kinds = {}, {}
    for name, scale in scales.items():
        tensors |= {f"{name}.output_0": noise(scale), f"{name}.relu.output_0": np.maximum(noise(scale), 0)}
        kinds |= {f"{name}.output_0": "Linear", f"{name}.relu.output_0": "ReLU"}
    recording.step(0, tensors, kinds=kinds)
    (found,) = recording.findings(rule("PoorWeightInitialization"))
    assert "What fc3 passes to its activation varies" in found.message and "fc1" in found.message
    assert recording.findings(rule("PoorWeightInitialization", threshold=1e6)) == []
    assert recording.findings(rule("PoorWeightInitialization", steps=0)) == []


def test_narrow_gradients_and_a_loss_that_does_not_fall_show_poor_weights(recording: Recording) -> None:
    for step in range(12):
        recording.step(step, {"gradient/fc1.weight": noise(1e-2)}, loss=1.0)
    (found,) = recording.findings(rule("PoorWeightInitialization"))
    assert found.step == 5 and "loss has not fallen" in found.message
    assert recording.findings(rule("PoorWeightInitialization", patience=10)) == []
    (found,) = recording.findings(rule("PoorWeightInitialization", distribution_range=0.5))
    assert "too narrow" in found.message


def test_weights_that_begin_well_are_left_alone(recording: Recording) -> None:
    for step in range(12):
        tensors = {"fc1.output_0": noise(), "act.output_0": noise(), "gradient/fc1.weight": noise(0.1)}
        recording.step(step, tensors, loss=1.0 - 0.05 * step, kinds={"act.output_0": "ReLU"})
    assert recording.findings(rule("PoorWeightInitialization")) == []


def test_activations_in_evaluations_are_not_judged_as_training(recording: Recording) -> None:
    given = {"act.output_0": {"dead": 1.0}}
    recording.step(0, {"act.output_0": noise()}, mode=Mode.EVAL, given=given, kinds={"act.output_0": "ReLU"})
    assert recording.findings(rule("DeadRelu")) == []
