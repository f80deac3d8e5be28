"""The rules that the original does not have: each on a training that it is for, and on one that is well."""

from __future__ import annotations

import ast

import numpy as np
import pytest

from kernel_tools.debugger.finding import Finding
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules import Rule, make_rules
from tests.debugger.rules.recording import Recording

RNG = np.random.default_rng(0)
NAN = float("nan")
ADAM = {"class": "Adam", "lr": 0.1, "betas": [0.9, 0.999], "weight_decay": 0.01}


def rule(name: str, **parameters: object) -> Rule:
    """Make a rule."""
    return make_rules([(name, parameters)])[0]


def tensors(*, ratio: float = 1e-3, gradient: float = 0.01, **others: np.ndarray) -> dict[str, np.ndarray]:
    """Return the tensors of a step of a model of two layers; what `others` says takes their place."""
    made: dict[str, np.ndarray] = {"input_0": RNG.normal(size=(32, 8))}
    for layer in ("fc1", "fc2"):
        weight = RNG.normal(size=(8, 8))
        made[f"{layer}.output_0"] = RNG.normal(size=(32, 8))
        made[f"gradient/{layer}.weight"] = RNG.normal(size=(8, 8)) * gradient
        made[f"update/{layer}.weight"] = weight * ratio
        made[f"{layer}.weight"] = weight
    for name, values in others.items():
        made[{"input": "input_0", "output": "fc2.output_0", "gradient_2": "gradient/fc2.weight"}[name]] = values
    names = sorted(made, key=lambda name: ("output" not in name and "input" not in name, name.startswith("fc")))
    return {name: made[name] for name in names}


def check_patches(found: Finding) -> None:
    """Every finding has advice that says why, and its code can be parsed."""
    assert found.advice and all(advice.title and advice.reason for advice in found.advice)
    for advice in found.advice:
        ast.parse(advice.patch)
    assert found.evidence["figure"]


def bad(values: tuple[int, ...] = (32, 8), value: float = NAN) -> np.ndarray:
    """Return a tensor with one bad element."""
    made = RNG.normal(size=values)
    made[3, 3] = value
    return made


def confusion(classes: int = 5, right: int = 60, wrong: int = 10, *, is_even: bool = True) -> np.ndarray:
    """Return a matrix whose errors are spread evenly, or between neighbours only."""
    counts = wrong + RNG.integers(-1, 2, (classes, classes)) if is_even else np.zeros((classes, classes), "i8")
    if not is_even:
        for index in range(classes - 1):
            counts[index, index + 1] = counts[index + 1, index] = wrong * (classes - 1) // 2
    np.fill_diagonal(counts, right)
    return counts.astype("i8")


# ---- NaNLoss ----


def test_the_batch_that_has_made_a_loss_nan_is_named(recording: Recording) -> None:
    recording.step(0, tensors(), loss=2.0)
    recording.step(1, tensors(input=bad(), output=bad()), loss=NAN)
    recording.step(2, tensors(output=bad()), loss=NAN)
    (found,) = recording.findings(rule("NaNLoss"))
    assert (found.tensor, found.step, found.severity) == ("input_0", 1, "error")
    assert "the batch itself has some: input_0 at step 1" in found.message
    check_patches(found)


def test_the_first_layer_that_overflows_is_named(recording: Recording) -> None:
    recording.meta(optimizer=ADAM)
    recording.step(0, tensors(), loss=2.0)
    recording.step(1, tensors(output=bad(value=np.inf)), loss=np.inf)
    (found,) = recording.findings(rule("NaNLoss"))
    assert found.tensor == "fc2.output_0" and "infinite since step 1" in found.message
    assert "lr=0.01" in found.advice[0].patch and "betas=(0.9, 0.999)" in found.advice[0].patch
    check_patches(found)


def test_a_loss_function_that_divides_by_zero_is_told_from_a_layer(recording: Recording) -> None:
    recording.meta(loss_kind="cross_entropy")
    recording.step(0, tensors(), loss=2.0)
    recording.step(1, tensors(gradient_2=bad((8, 8))), loss=NAN)
    (found,) = recording.findings(rule("NaNLoss"))
    assert found.tensor == "" and "the loss function itself makes it" in found.message
    check_patches(found)


def test_a_loss_after_the_last_sampled_step_is_looked_at_too(recording: Recording) -> None:
    recording.step(0, tensors(), loss=2.0)
    recording.step(1, loss=np.inf, is_sampled=False)
    assert [found.rule for found in recording.findings(rule("NaNLoss"))] == ["NaNLoss"]


@pytest.mark.parametrize("losses", [(2.0, 1.9, 1.8), (NAN, 1.9, 1.8)])
def test_a_finite_loss_and_a_step_of_which_no_loss_was_seen_are_left_alone(
    recording: Recording, losses: tuple[float, ...]
) -> None:
    for step, loss in enumerate(losses):
        recording.step(step, tensors(), loss=loss)
    assert recording.findings(rule("NaNLoss")) == []


# ---- ExplodingGradient ----


def test_gradients_that_grow_are_told_with_a_limit_from_what_was_usual(recording: Recording) -> None:
    for step in range(12):
        recording.step(step, tensors(gradient=0.01 if step < 8 else 5.0), loss=2.0)
    (found,) = recording.findings(rule("ExplodingGradient"))
    assert found.step == 8 and found.value == pytest.approx(57, rel=0.2)
    usual = 0.01 * np.sqrt(128)
    assert "clip_grad_norm_" in found.advice[0].patch
    assert usual < float(found.advice[0].title.rpartition(" ")[2]) <= 2 * usual + 0.05
    check_patches(found)


def test_one_high_gradient_and_a_summed_loss_are_left_alone(recording: Recording) -> None:
    for step in range(12):
        recording.step(step, tensors(gradient=20.0 if step == 8 else 1.0), loss=640.0)
    assert recording.findings(rule("ExplodingGradient")) == []


def test_gradients_that_are_far_too_large_from_the_first_step_are_told(recording: Recording) -> None:
    for step in range(3):
        recording.step(step, tensors(gradient=100.0), loss=2.0)
    assert "100 times the loss" in recording.findings(rule("ExplodingGradient"))[0].message


# ---- Learning rates ----


def test_a_loss_that_grows_asks_for_a_lower_rate(recording: Recording) -> None:
    recording.meta(optimizer=ADAM)
    for step in range(60):
        recording.step(step, tensors(ratio=0.3), loss=2.0 + step, rate=0.1, is_sampled=step % 5 == 0)
    (found,) = recording.findings(rule("LearningRateTooHigh"))
    assert found.severity == "error" and "grows instead of falling" in found.message
    assert found.advice[0].title == "Lower the learning rate from 0.1 to 0.001"
    check_patches(found)


def test_a_loss_that_goes_up_and_down_while_weights_jump_asks_for_a_lower_rate(recording: Recording) -> None:
    for step in range(100):
        recording.step(step, tensors(ratio=0.3), loss=2.0 + 0.5 * (-1) ** step, is_sampled=step % 5 == 0)
    (found,) = recording.findings(rule("LearningRateTooHigh"))
    assert found.severity == "warning" and "goes up and down around" in found.message


def test_a_loss_that_has_jumped_and_never_came_back_asks_for_a_lower_rate(recording: Recording) -> None:
    for step in range(60):
        recording.step(step, tensors(), loss=200.0 if 1 <= step < 5 else 2.3, is_sampled=step % 5 == 0)
    assert "jumped to 200" in recording.findings(rule("LearningRateTooHigh"))[0].message


def test_a_rate_that_hardly_moves_the_weights_is_to_be_raised(recording: Recording) -> None:
    recording.meta(optimizer={"class": "SGD", "lr": 1e-6, "momentum": 0.9})
    for step in range(100):
        recording.step(step, tensors(ratio=1e-6), loss=2.3 - 1e-5 * step, rate=1e-6, is_sampled=step % 5 == 0)
    (found,) = recording.findings(rule("LearningRateTooLow"))
    assert found.step == 60 and found.advice[0].title == "Raise the learning rate from 1e-06 to 0.001"
    assert "torch.optim.SGD(model.parameters(), lr=0.001, momentum=0.9)" in found.advice[0].patch
    check_patches(found)


@pytest.mark.parametrize(
    ("ratio", "rate", "gradient", "loss"),
    [
        (1e-3, lambda step: 0.1, 0.01, lambda step: 2.3),  # moves as usual
        (1e-6, lambda step: 0.1 * 0.95**step, 0.01, lambda step: 2.3),  # a schedule has lowered it
        (1e-6, lambda step: 1e-3 * step, 0.01, lambda step: 2.3),  # a warm-up raises it
        (1e-6, lambda step: 0.1, 0.0, lambda step: 2.3),  # no rate helps without a gradient
        (1e-6, lambda step: 0.1, 0.01, lambda step: 2.3 * 0.95**step),  # it has learned
    ],
)  # fmt: skip
def test_rates_that_are_well_are_left_alone(recording: Recording, ratio, rate, gradient, loss) -> None:  # type: ignore[no-untyped-def]  # of the table above
    for step in range(100):
        made = tensors(ratio=ratio, gradient=gradient)
        recording.step(step, made, loss=loss(step), rate=rate(step), is_sampled=step % 5 == 0)
    assert recording.findings(rule("LearningRateTooLow")) == []
    assert recording.findings(rule("LearningRateTooHigh")) == []


# ---- Labels ----


def test_an_evaluation_without_an_error_and_hardly_a_loss_is_a_leak(recording: Recording) -> None:
    recording.step(0, tensors(), loss=2.0)
    recording.step(50, tensors(), loss=0.001, mode=Mode.EVAL)
    recording.array("confusion", 50, np.diag([100, 100, 100]), Mode.EVAL)
    (found,) = recording.findings(rule("DataLeak"))
    assert found.mode == "EVAL" and "all 300 rows" in found.message
    check_patches(found)


def test_a_training_that_knows_all_at_once_is_a_leak(recording: Recording) -> None:
    for step in range(30):
        recording.step(step, tensors(), loss=2.0 if step < 5 else 1e-4)
        recording.array("confusion", step, np.diag([10, 11, 10]))
    assert "the loss of training" in recording.findings(rule("DataLeak"))[0].message


@pytest.mark.parametrize(
    ("loss", "matrix"),
    [
        (0.05, np.diag([100, 100, 100])),  # all right, and not certain of it
        (0.001, np.diag([10, 10, 10])),  # too few rows
        (0.001, np.diag([300, 0, 0])),  # nothing to guess
        (0.001, confusion(3, 100, 3)),
    ],
)
def test_a_good_model_is_no_leak(recording: Recording, loss: float, matrix: np.ndarray) -> None:
    recording.step(0, tensors(), loss=2.0)
    recording.step(50, tensors(), loss=loss, mode=Mode.EVAL)
    recording.array("confusion", 50, matrix, Mode.EVAL)
    assert recording.findings(rule("DataLeak")) == []


def test_errors_that_are_even_and_stay_hint_at_wrong_labels(recording: Recording) -> None:
    for step in range(0, 80, 20):
        recording.step(step, tensors(), loss=1.0)
        recording.step(step, tensors(), loss=1.0, mode=Mode.EVAL)
        recording.array("confusion", step, confusion(), Mode.EVAL)
    (found,) = recording.findings(rule("LabelNoise"))
    assert found.severity == "hint" and found.value == pytest.approx(0.4, abs=0.05)
    check_patches(found)


@pytest.mark.parametrize("is_even", [True, False])
def test_errors_that_vanish_or_are_between_neighbours_are_left_alone(recording: Recording, is_even: bool) -> None:
    for index, wrong in enumerate((16, 12, 8, 6)):
        recording.step(20 * index, tensors(), loss=1.0)
        recording.step(20 * index, tensors(), loss=1.0, mode=Mode.EVAL)
        matrix = confusion(wrong=wrong if is_even else 16, right=100, is_even=is_even)
        recording.array("confusion", 20 * index, matrix, Mode.EVAL)
    assert recording.findings(rule("LabelNoise")) == []


def test_rules_of_labels_say_why_they_do_not_apply(recording: Recording) -> None:
    recording.step(0, tensors(), loss=1.0)
    assert "no predictions of classes" in recording.judge(rule("DataLeak"))[0].reason
    recording.array("confusion", 0, confusion(2))
    assert "Of two classes" in recording.judge(rule("LabelNoise"))[0].reason


# ---- BatchNormDrift ----


def normalized(recording: Recording, scale: float, shift: float = 0.0, start: int = 40, every: int = 20) -> None:
    """Record a batch norm whose output is other in evaluation than in training."""
    for step in range(start, start + 3 * every, every):
        values = RNG.normal(size=(64, 8))
        recording.step(step, {"norm.output_0": values}, loss=1.0, kinds={"norm.output_0": "BatchNorm1d"})
        evaluated = {"norm.output_0": values * scale + shift}
        recording.step(step, evaluated, loss=1.0, mode=Mode.EVAL, kinds={"norm.output_0": "BatchNorm1d"})


@pytest.mark.parametrize(("scale", "shift"), [(0.5, 0.0), (5.0, 0.0), (1.0, 1.0)])
def test_running_statistics_that_do_not_fit_are_told(recording: Recording, scale: float, shift: float) -> None:
    normalized(recording, scale, shift)
    (found,) = recording.findings(rule("BatchNormDrift"))
    assert (found.tensor, found.step) == ("norm.output_0", 60)
    check_patches(found)


def test_running_statistics_that_fit_are_left_alone(recording: Recording) -> None:
    normalized(recording, 1.1, 0.1)
    assert recording.findings(rule("BatchNormDrift")) == []


def test_running_statistics_that_had_no_time_yet_are_left_alone(recording: Recording) -> None:
    normalized(recording, 0.3, start=5, every=8)
    assert recording.findings(rule("BatchNormDrift")) == []


def test_a_model_without_batch_norm_is_none_of_its_business(recording: Recording) -> None:
    recording.meta(layers=[{"name": "fc1", "kind": "Linear", "parameters": 8}])
    recording.step(0, tensors(), loss=1.0)
    assert recording.judge(rule("BatchNormDrift"))[0].reason == "The model has no batch normalization."
