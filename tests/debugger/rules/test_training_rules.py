"""Rules about losses, classes, inputs and runs: each on a training that it is for, and on one that is well."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.evaluation import Evaluator
from kernel_tools.debugger.finding import Finding
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules import DEFAULT, RULES, make_rules, rule_class
from kernel_tools.debugger.rules.base import Rule
from tests.debugger.rules.recording import SECOND, START, Recording

RNG = np.random.default_rng(0)


def rule(name: str, **parameters: object) -> Rule:
    """Make a rule."""
    return make_rules([(name, parameters)])[0]


def train(recording: Recording, loss: Callable[[int], float], steps: int = 60, every: int = 5) -> None:
    """Record steps of a loss, of which some are sampled."""
    for step in range(steps):
        recording.step(step, loss=loss(step), is_sampled=step % every == 0)


def test_every_rule_has_a_summary_and_says_its_documented_defaults() -> None:
    for name in RULES:
        made = rule_class(name)()
        assert made.summary.endswith(".") and made.name == name
    assert rule_class("StalledTrainingRule").__name__ == "StalledTraining"
    assert len(make_rules("default")) == len(DEFAULT)
    assert rule("VanishingGradient").parameters["threshold"] == 1e-7
    assert list(RULES) == sorted(RULES)


def test_a_loss_that_stands_still_is_told(recording: Recording) -> None:
    train(recording, lambda step: 2.0)
    (found,) = recording.findings(rule("LossNotDecreasing"))
    assert (found.step, found.severity, found.value) == (10, "warning", 0.0)
    assert found.evidence == {"figure": "loss", "step": found.last_step}


def test_a_loss_that_falls_is_left_alone(recording: Recording) -> None:
    train(recording, lambda step: 2.0 * 0.99**step)
    assert recording.findings(rule("LossNotDecreasing")) == []
    assert len(recording.findings(rule("LossNotDecreasing", diff_percent=20))) == 1


def test_a_loss_that_rises_by_much_is_an_error(recording: Recording) -> None:
    train(recording, lambda step: 2.0 * 1.05**step)
    (found,) = recording.findings(rule("LossNotDecreasing"))
    assert found.severity == "error" and "risen by" in found.message


def test_the_loss_of_evaluations_comes_first(recording: Recording) -> None:
    for step in range(60):
        recording.step(step, loss=2.0 * 0.9**step)
        if step % 6 == 0:
            recording.step(step, {}, mode=Mode.EVAL, loss=1.0)
    (found,) = recording.findings(rule("LossNotDecreasing"))
    assert "validation loss" in found.message
    assert recording.findings(rule("LossNotDecreasing", mode="TRAIN")) == []


def test_noise_is_smoothed_and_a_loss_that_has_fallen_may_rest(recording: Recording) -> None:
    noise = RNG.normal(0, 0.2, 200)
    train(recording, lambda step: float(max(1.0, 3.0 - 0.05 * step) + noise[step]), steps=200)
    assert len(recording.findings(rule("LossNotDecreasing", mode="TRAIN"))) == 1
    calm = rule("LossNotDecreasing", mode="TRAIN", smooth=20, num_steps=40, learned_percent=10)
    assert recording.findings(calm) == []


def test_a_rule_about_losses_says_that_it_knows_none(recording: Recording) -> None:
    recording.meta(has_loss=False)
    for step in range(20):
        recording.step(step)
    status, found = recording.judge(rule("LossNotDecreasing"))
    assert found == [] and status.reason == "No loss is known."
    assert "No validation loss" in recording.judge(rule("Overfit"))[0].reason


def evaluate_every(recording: Recording, losses: Callable[[int], tuple[float, float]], steps: int = 100) -> None:
    """Record the training loss of every step and the validation loss of every tenth."""
    for step in range(steps):
        training, validation = losses(step)
        recording.step(step, loss=training, is_sampled=step % 5 == 0)
        if step % 10 == 9:
            recording.step(step, {}, mode=Mode.EVAL, loss=validation)


def test_a_validation_loss_far_above_the_training_loss_is_overfit(recording: Recording) -> None:
    evaluate_every(recording, lambda step: (0.95**step, 1 + step / 100))
    (found,) = recording.findings(rule("Overfit"))
    assert found.step == 9 and found.last_step == 99 and "validation loss is" in found.message
    (found,) = recording.findings(rule("Overfit", patience=3, start_step=30))
    assert found.step == 59
    assert "weight_decay" in " ".join(advice.title for advice in found.advice)


def test_losses_that_go_together_are_not_overfit(recording: Recording) -> None:
    evaluate_every(recording, lambda step: (0.95**step, 0.95 ** (step - 3)))
    assert recording.findings(rule("Overfit", ratio_threshold=0.3)) == []


def test_a_gap_at_which_the_model_still_gets_better_can_be_left_out(recording: Recording) -> None:
    evaluate_every(recording, lambda step: (0.9**step, 0.97**step))
    assert len(recording.findings(rule("Overfit"))) == 1
    assert recording.findings(rule("Overfit", rise=0.1)) == []


def test_training_that_no_longer_gets_better_is_overtraining(recording: Recording) -> None:
    evaluate_every(recording, lambda step: (max(0.2, 0.95**step), max(0.3, 0.95**step)), steps=300)
    (found,) = recording.findings(rule("Overtraining"))
    assert found.severity == "hint" and "best.pt" in found.advice[0].patch
    assert found.advice[0].seconds is not None and found.advice[0].seconds > 50


def test_training_that_gets_better_is_not_overtraining(recording: Recording) -> None:
    evaluate_every(recording, lambda step: (3 - 0.02 * step, 3 - 0.02 * step))
    assert recording.findings(rule("Overtraining")) == []


def matrix(counts: list[int], recall: list[float]) -> np.ndarray:
    """Return a confusion matrix with these counts of classes and shares of them that are right."""
    found = np.diag([round(count * share) for count, share in zip(counts, recall, strict=True)])
    wrong = np.array(counts) - found.diagonal()
    for row, count in enumerate(wrong):
        found[row, (row + 1) % len(counts)] += count
    return found.astype("i8")


@pytest.mark.parametrize(
    ("counts", "recall", "severity"),
    [
        ([950, 50], [0.99, 0.1], "warning"),
        ([950, 50], [0.99, 0.9], "hint"),
        ([700, 300], [0.99, 0.1], None),
        ([90, 5], [0.99, 0.1], None),
    ],
)
def test_classes_that_come_seldom_are_told(
    recording: Recording, counts: list[int], recall: list[float], severity: str | None
) -> None:
    recording.step(0)
    recording.step(0, {}, mode=Mode.EVAL)
    recording.array("confusion", 0, matrix(counts, recall), Mode.EVAL)
    found = recording.findings(rule("ClassImbalance"))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    if severity:
        assert "CrossEntropyLoss(weight=weight)" in found[0].advice[0].patch


def test_labels_gather_over_steps_until_there_are_enough(recording: Recording) -> None:
    for step in range(20):
        recording.step(step)
        recording.array("confusion", step, matrix([60, 4], [1.0, 1.0]))
    (found,) = recording.findings(rule("ClassImbalance"))
    assert found.step == 7  # 8 steps of 64 labels
    assert "comes 15 times as often" in found.message


def test_tokens_are_no_classes(recording: Recording) -> None:
    recording.step(0)
    recording.array("confusion", 0, matrix([5000, 10], [1.0, 0.0]))
    assert recording.findings(rule("ClassImbalance")) == []


def test_a_confusion_matrix_is_judged_by_its_columns(recording: Recording) -> None:
    recording.step(0)
    recording.array("confusion", 0, np.array([[50, 0, 0], [20, 80, 0], [0, 0, 100]]))
    (found,) = recording.findings(rule("Confusion"))
    assert found.value == pytest.approx(50 / 70) and "class 0" in found.message
    assert recording.findings(rule("Confusion", min_diag=0.7, max_off_diag=0.3)) == []


def test_a_perfect_model_of_many_classes_is_not_confused(recording: Recording) -> None:
    recording.step(0)
    recording.array("confusion", 0, np.diag([10] * 10))
    assert recording.findings(rule("Confusion")) == []
    assert recording.judge(rule("Confusion"))[0].reason == ""


def test_without_predictions_of_classes_there_is_nothing_to_judge(recording: Recording) -> None:
    recording.step(0)
    for name in ("Confusion", "ClassImbalance"):
        assert "no predictions" in recording.judge(rule(name))[0].reason


@pytest.mark.parametrize(("low", "high", "severity"), [(0, 255, "warning"), (0, 1, "hint"), (-1, 1, None)])
def test_images_that_are_not_normalised_are_told(
    recording: Recording, low: float, high: float, severity: str | None
) -> None:
    for step in range(10):
        recording.step(step, {"input_0": RNG.uniform(low, high, (64, 3, 4, 4))})
    found = recording.findings(rule("CheckInputImages"))
    assert [finding.severity for finding in found] == ([severity] if severity else [])
    if severity:
        assert found[0].step == 7 and "Normalize" in found[0].advice[0].patch  # 8 batches of 64 images


def test_channels_are_judged_apart_where_their_elements_are_saved(recording: Recording) -> None:
    images = RNG.normal(0, 1, (600, 3, 2, 2))
    images[:, 0] += 0.5
    images[:, 1] -= 0.5
    recording.step(0, {"input_0": images})
    assert recording.findings(rule("CheckInputImages")) == []
    recording.array("input_0", 0, images)
    (found,) = recording.findings(rule("CheckInputImages"))
    assert abs(found.value or 0) == pytest.approx(0.5, abs=0.1)


def test_rows_of_a_table_are_no_images(recording: Recording) -> None:
    recording.step(0, {"input_0": RNG.uniform(5, 6, (600, 8))})
    assert "no images" in recording.judge(rule("CheckInputImages"))[0].reason


def tokens(share: float, token: int = 0) -> np.ndarray:
    """Return sequences of tokens of which a share is the same."""
    found = RNG.integers(4, 100, (50, 20))
    found.reshape(-1)[: round(share * found.size)] = token
    return found


@pytest.mark.parametrize(("share", "fires"), [(0.7, True), (0.3, False)])
def test_sequences_of_padding_are_told(recording: Recording, share: float, fires: bool) -> None:
    kinds = {"embedding.output_0": "Embedding"}
    recording.step(0, {"input_0": tokens(share), "embedding.output_0": np.ones((50, 4))}, kinds=kinds)
    assert len(recording.findings(rule("NLPSequenceRatio"))) == fires


def test_other_tokens_are_counted_where_their_elements_are_saved(recording: Recording) -> None:
    recording.step(0, {"input_0": tokens(0.4, token=3)})
    given = rule("NLPSequenceRatio", token_values="0, 3", token_thresholds_percent="50, 20", tensor_regex="input")
    assert recording.findings(given) == []
    recording.array("input_0", 0, tokens(0.4, token=3))
    (found,) = recording.findings(
        rule("NLPSequenceRatio", token_values="0, 3", token_thresholds_percent="50, 20", tensor_regex="input")
    )
    assert found.value == pytest.approx(40)
    assert "no embedding" in recording.judge(rule("NLPSequenceRatio"))[0].reason
    with pytest.raises(InvalidArgumentError, match="token_values='a'"):
        rule("NLPSequenceRatio", token_values="a")


def test_runs_that_differ_are_told_at_the_first_step_at_which_they_do(recording: Recording, tmp_path: Path) -> None:
    other = Recording(tmp_path / "other")
    for step in range(4):
        weights = RNG.normal(0, 1, (4, 4))
        recording.step(step, {"fc1.weight": weights})
        other.step(step, {"fc1.weight": weights + (0.1 if step > 1 else 0)})
    (found,) = recording.findings(rule("SimilarAcrossRuns", other_trial=other.trial()))
    assert (found.step, found.tensor) == (2, "fc1.weight")
    assert recording.findings(rule("SimilarAcrossRuns", other_trial=other.folder, rtol=10, atol=10)) == []
    assert recording.findings(rule("SimilarAcrossRuns", other_trials=[recording.folder])) == []
    assert "no run to compare" in recording.judge(rule("SimilarAcrossRuns"))[0].reason
    other.writer.close()


def test_a_gap_between_steps_is_a_standstill(recording: Recording) -> None:
    recording.step(0)
    recording.step(1, at=START + 3000 * SECOND, is_sampled=False)
    recording.step(2, at=START + 3001 * SECOND)
    (found,) = recording.findings(rule("StalledTraining"))
    assert found.value == 3000 and "after step 0" in found.message
    assert recording.findings(rule("StalledTraining", threshold=4000)) == []


def test_a_training_that_does_not_go_on_is_told_by_the_clock(recording: Recording) -> None:
    recording.step(0)
    trial = recording.trial()
    stalled = rule("StalledTraining", threshold=60)
    assert stalled.tick(trial, START) is None
    assert stalled.tick(trial, START + 59 * SECOND) is None
    found = stalled.tick(trial, START + 61 * SECOND)
    assert isinstance(found, Finding) and found.value == 61
    recording.meta(closed=START)
    assert stalled.tick(trial, START + 61 * SECOND) is None
    trial.close()


def test_rules_find_the_same_live_as_afterwards(recording: Recording) -> None:
    recording.step(0, loss=2.0)
    trial = recording.trial()
    rules = make_rules(["LossNotDecreasing", "Overtraining", ("StalledTraining", {"threshold": 1e12})])
    evaluator = Evaluator(trial, rules)
    for step in range(1, 40):
        recording.step(step, loss=2.0)
        evaluator.poll()
    evaluator.finish()
    live = [(finding.id, finding.step, finding.last_step) for finding in evaluator.findings]
    after = [
        (finding.id, finding.step, finding.last_step)
        for name in ("LossNotDecreasing", "Overtraining")
        for finding in recording.findings(rule(name))
    ]
    assert sorted(live) == sorted(after) and len(live) == 2
    trial.close()
