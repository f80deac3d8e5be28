"""What SageMaker Debugger's documentation says that its rules test, written down plainly over whole tensors.

Nothing here uses the rules of Atelier, nor statistics: each function reads the elements that were saved at every step
and returns the first step at which its rule fires, None if it never does. Where the documentation contradicts itself,
the reading is the one that `docs/debugger-rules.md` gives.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.trial import Trial

Definition = Callable[[Trial], int | None]


def elements(trial: Trial, collection: str) -> Iterator[tuple[int, str, np.ndarray[Any, Any]]]:
    """Yield the elements of the tensors of a collection at every step of training."""
    names = trial.tensor_names(collection=collection)
    for step in trial.steps(Mode.TRAIN):
        for name in names:
            array = trial.readers()[0].array(name, Mode.TRAIN, step)
            if array is not None:
                yield step, name, array


def first(steps: Iterator[int]) -> int | None:
    """Return the first of some steps."""
    return min(steps, default=None)


def vanishing_gradient(trial: Trial) -> int | None:
    """The mean of the absolute values of a gradient is below 1e-7."""
    return first(step for step, _, value in elements(trial, "gradients") if np.abs(value).mean() < 1e-7)


def exploding_tensor(trial: Trial) -> int | None:
    """A tensor has a value that is not finite."""
    collections = ("weights", "biases", "gradients", "layers", "outputs", "inputs")
    found = (step for name in collections for step, _, value in elements(trial, name) if not np.isfinite(value).all())
    return first(found)


def _units(value: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    return value.reshape(len(value), -1) if value.ndim == 2 else np.moveaxis(value, 1, -1).reshape(-1, value.shape[1])


def dead_relu(trial: Trial) -> int | None:
    """More than 50 % of the ReLUs of a layer are active in less than 1 % of what they return."""
    return first(
        step
        for step, name, value in elements(trial, "layers")
        if trial.tensor(name).info.kind == "ReLU" and 100 * ((100 * (_units(value) > 0).mean(axis=0)) < 1.0).mean() > 50
    )


def saturated_activation(trial: Trial) -> int | None:
    """More than 50 % of the nodes of a layer have less than 1 % of their inputs within the limits."""
    limits = {"Tanh": (-9.4999, 9.4999), "Sigmoid": (-23.0, 16.99999)}
    found = []
    before: np.ndarray[Any, Any] | None = None
    for step, name, value in elements(trial, "layers"):
        low, high = limits.get(trial.tensor(name).info.kind, (0.0, 0.0))
        if low < high and before is not None:
            inside = 100 * ((before > low) & (before < high)).mean(axis=0)
            found += [step] if 100 * (inside < 1.0).mean() > 50 else []
        before = value
    return min(found, default=None)


def weight_update_ratio(trial: Trial) -> int | None:
    """What a step has changed in a weight, beside the weight, is above 10 or below 1e-8."""
    before: dict[str, np.ndarray[Any, Any]] = {}
    found = []
    for step, name, value in elements(trial, "weights"):
        if name in before:
            ratio = np.linalg.norm(value - before[name]) / (np.linalg.norm(value) + 1e-9)
            found += [step] if ratio > 10.0 or ratio < 1e-8 else []
        before[name] = value
    return min(found, default=None)


def all_zero(trial: Trial) -> int | None:
    """100 % of the values of a tensor are zero."""
    collections = ("weights", "gradients", "inputs", "outputs")
    return first(step for name in collections for step, _, value in elements(trial, name) if not value.any())


def tensor_variance(trial: Trial) -> int | None:
    """The variance of a weight is above 10 or below 1e-5, the limits of the documentation's example."""
    return first(step for step, _, value in elements(trial, "weights") if not 1e-5 <= np.var(value, dtype="f8") <= 10)


def unchanged_tensor(trial: Trial) -> int | None:
    """A weight at the last three steps is the same, by numpy.allclose."""
    kept: dict[str, list[np.ndarray[Any, Any]]] = {}
    found = []
    for step, name, value in elements(trial, "weights"):
        kept[name] = [*kept.get(name, [])[-2:], value]
        if len(kept[name]) == 3 and all(np.allclose(earlier, value, 1e-5, 1e-8) for earlier in kept[name][:2]):
            found.append(step)
    return min(found, default=None)


def poor_weight_initialization(trial: Trial) -> int | None:
    """In the first 10 steps: variances 10 times apart, a gradient within 0.001, or no new lowest loss in 5 steps."""
    found = []
    variances: dict[int, list[float]] = {}
    before: np.ndarray[Any, Any] | None = None
    for step, name, value in elements(trial, "layers"):
        if trial.tensor(name).info.kind in ("ReLU", "Tanh", "Sigmoid") and before is not None:
            variances.setdefault(step, []).append(float(np.var(before, dtype="f8")))
        before = value
    found += [step for step, of in variances.items() if len(of) > 1 and (min(of) == 0 or max(of) > 10 * min(of))]
    for step, _, value in elements(trial, "gradients"):
        if value.ndim > 1 and np.subtract(*np.nanpercentile(value, (95, 5))) < 0.001:
            found.append(step)
    losses = trial.losses(Mode.TRAIN)[1].tolist()
    for step in range(len(losses)):
        if step - int(np.nanargmin(losses[: step + 1])) >= 5:
            found.append(step)
    return min((step for step in found if step < 10), default=None)


def loss_not_decreasing(trial: Trial) -> int | None:
    """Every 10 steps, the loss has not fallen by 0.1 % since the newest one at least 10 steps before.

    At each step it is the loss of EVAL if two are known by then, else that of TRAIN.
    """
    checked: dict[Mode, int] = {}
    for now in trial.steps():
        for mode in (Mode.EVAL, Mode.TRAIN):
            steps, losses = (values.tolist() for values in trial.losses(mode, now))
            if len(steps) > 1:
                break
        else:
            continue
        if steps[-1] - checked.get(mode, steps[0]) >= 10:
            checked[mode] = steps[-1]
            older = [loss for at, loss in zip(steps, losses, strict=True) if at <= steps[-1] - 10][-1]
            if np.isfinite([older, losses[-1]]).all() and 100 * (older - losses[-1]) / older < 0.1:
                return int(steps[-1])
    return None


def overfit(trial: Trial) -> int | None:
    """(validation - training) / training is above 0.1."""
    train_steps, train = (values.tolist() for values in trial.losses(Mode.TRAIN))
    last = -1
    for step, loss in zip(*(values.tolist() for values in trial.losses(Mode.EVAL)), strict=True):
        mean = np.mean([known for at, known in zip(train_steps, train, strict=True) if last < at <= step])
        last = step
        if (loss - mean) / mean > 0.1:
            return int(step)
    return None


def overtraining(trial: Trial) -> int | None:
    """Neither the training loss (5 steps) nor the validation loss (10 evaluations) has fallen by 0.01."""

    def waits(mode: Mode, until: int) -> int | None:
        lowest, waited = np.inf, 0
        steps, losses = trial.losses(mode, until)
        for loss in losses.tolist():
            lowest, waited = (loss, 0) if loss < lowest - 0.01 else (lowest, waited + 1)
        return waited if len(steps) else None

    for step in trial.steps(Mode.TRAIN):
        train, validation = waits(Mode.TRAIN, step), waits(Mode.EVAL, step)
        if (train is None or train >= 5) and (validation is None or validation >= 10):
            return step
    return None


def confusions(trial: Trial) -> Iterator[tuple[int, Mode, np.ndarray[Any, Any]]]:
    """Yield the confusion matrices of a training."""
    for step in trial.steps():
        for mode in (Mode.TRAIN, Mode.EVAL):
            found = trial.readers()[0].array("confusion", mode, step) if trial.has_tensor("confusion") else None
            if found is not None:
                yield step, mode, found


def class_imbalance(trial: Trial) -> int | None:
    """After 500 labels, the most frequent class comes more than 10 times as often as the rarest."""
    total: np.ndarray[Any, Any] | float = 0.0
    for step, mode, matrix in confusions(trial):
        total = total + matrix.sum(axis=1) if mode is Mode.TRAIN else total
        counts = np.asarray(total)
        if counts.ndim and counts.sum() >= 500 and counts.max() / counts[counts > 0].min() > 10:
            return step
    return None


def confusion(trial: Trial) -> int | None:
    """By columns, less than 0.9 on the diagonal, or more than 0.1 off it."""
    for step, _, matrix in confusions(trial):
        for guess in range(len(matrix)):
            total = sum(int(matrix[truth, guess]) for truth in range(len(matrix)))
            for truth in range(len(matrix)):
                share = matrix[truth, guess] / total if total else float(truth == guess)
                if (share < 0.9) if truth == guess else (share > 0.1):
                    return step
    return None


def check_input_images(trial: Trial) -> int | None:
    """After 500 images, the mean of a channel is further than 0.2 from 0."""
    seen: list[np.ndarray[Any, Any]] = []
    for step, _, value in elements(trial, "inputs"):
        if value.ndim == 4:
            seen.append(value)
            images = np.concatenate(seen)
            if len(images) >= 500 and np.abs(images.mean(axis=(0, 2, 3))).max() > 0.2:
                return step
    return None


def nlp_sequence_ratio(trial: Trial) -> int | None:
    """More than 50 % of the tokens are 0."""
    tokens = ((step, value) for step, _, value in elements(trial, "inputs") if value.dtype.kind == "i")
    return first(step for step, value in tokens if 100 * (value == 0).mean() > 50)


def similar_across_runs(trial: Trial, other: Trial) -> int | None:
    """A tensor differs from that of the other run at the same step."""
    found = []
    for name in ("weights", "gradients", "layers"):
        theirs = {(step, tensor): value for step, tensor, value in elements(other, name)}
        for step, tensor, value in elements(trial, name):
            their = theirs.get((step, tensor))
            if their is not None and (their.shape != value.shape or not np.allclose(their, value, equal_nan=True)):
                found.append(step)
    return min(found, default=None)


def stalled_training(trial: Trial) -> int | None:
    """Nothing was saved for 1800 s."""
    ats = [(trial.at(step) or 0, step) for step in trial.steps(Mode.TRAIN)]
    gaps = ((step, later - at) for (at, step), (later, _) in zip(ats, ats[1:], strict=False))
    return first(step for step, gap in gaps if gap > 1_800_000)
