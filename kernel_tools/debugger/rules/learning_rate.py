"""Rules about the learning rate: from how far the weights move in a step, and what the loss makes of it."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.loss_history import LossHistory
from kernel_tools.debugger.rules.optimizer_advice import (
    change_rate,
    clip_gradient,
    learning_rate,
    rounded,
    warm_up,
)
from kernel_tools.debugger.trial import Trial

_GOOD_RATIO = 1e-3
"""Updates of about a thousandth of a weight's size are what works for most networks (A. Karpathy, CS231n notes)."""
_JUMP = 5.0
_LEAST_GRADIENT = 1e-7
"""The gradient that vanishes as SageMaker Debugger documents it: no learning rate helps there."""


class UpdateRatios:
    """The share of its own size by which a weight moves in a step: the median over the weights of a step."""

    def __init__(self) -> None:
        self._pairs: dict[tuple[int, int], tuple[list[int], list[int], np.ndarray[Any, Any]]] = {}

    def of(self, block: StepStatistics) -> float:
        """Return the ratio of a sampled step; NaN if it is not known."""
        key = (block.tensors[0].id if block.tensors else -1, len(block.tensors))
        if key not in self._pairs:
            position = {tensor.name: index for index, tensor in enumerate(block.tensors)}
            pairs = [
                (position[f"update/{tensor.name}"], index)
                for index, tensor in enumerate(block.tensors)
                if "weights" in tensor.collections and len(tensor.shape) > 1 and f"update/{tensor.name}" in position
            ]
            updates, weights = [first for first, _ in pairs], [second for _, second in pairs]
            counts = [(block.tensors[weight].count, block.tensors[update].count) for update, weight in pairs]
            scale = np.sqrt([weight / max(update, 1) for weight, update in counts])
            self._pairs[key] = (updates, weights, scale)
        updates, weights, scale = self._pairs[key]
        if not updates:
            return math.nan
        size = block.column("l2")[weights].astype("f8")
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios = block.column("l2")[updates] / size * scale
        ratios = ratios[np.isfinite(ratios)]
        return float(np.median(ratios)) if len(ratios) else math.nan


class LearningRateTooHigh(Rule):
    """The loss grows instead of falling, or goes up and down while the weights move by a large share of themselves.

    The loss has diverged if the median of the last `window` losses is above `growth` times the first loss, or if it
    has jumped to five times the first loss or more in two steps and is not below the first one since. It
    oscillates if the weights move by more than `ratio` of their size in each sampled step, in the median of the
    weights and of the last five samples, while the loss of the second half of the last 2 x `window` steps is not below
    that of the first half, and still above `unfinished` of the first loss.

    Parameters
    ----------
    growth
        The loss, as a multiple of the first, that is diverged.
    window
        Steps that a loss must stay for.
    ratio
        The share of its size by which a weight may move in a step.
    unfinished
        The share of the first loss below which a training that does not improve may simply be done.
    start_step
        Not before this step.
    """

    severity = Severity.ERROR

    def __init__(
        self,
        *,
        growth: float = 2.0,
        window: int = 20,
        ratio: float = 0.1,
        unfinished: float = 0.3,
        start_step: int = 20,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.growth = growth
        self.window = window
        self.ratio = ratio
        self.unfinished = unfinished
        self.start_step = start_step
        self._losses = LossHistory(kept=2 * window)
        self._update_ratios = UpdateRatios()
        self._ratios: list[float] = []
        self._jumps = 0
        self._highest = 0.0

    def why_not(self, trial: Trial) -> str | None:
        """It needs a loss."""
        return self._losses.why_not(trial)

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the last losses and at the size of the last updates."""
        self._read(trial, step)
        block = trial.statistics(step, self.mode)
        if block is not None:
            ratio = self._update_ratios.of(block)
            self._ratios = [*self._ratios, ratio][-5:] if math.isfinite(ratio) else self._ratios
        return self._judge(step, trial)

    def finish(self, trial: Trial) -> Found:
        """Look at the losses after the last sampled step."""
        steps = trial.steps(self.mode)
        if not steps:
            return None
        self._read(trial, 2**62)
        return self._judge(steps[-1], trial)

    def _read(self, trial: Trial, until: int) -> None:
        new = self._losses.read(trial, until)[:, 1]
        jumps = new[new > _JUMP * self._first(trial)]
        if len(jumps):
            self._jumps += len(jumps)
            self._highest = max(self._highest, float(jumps.max()))

    def _judge(self, step: int, trial: Trial) -> Found:
        losses = self._losses
        recent = losses.recent[np.isfinite(losses.recent)]
        first = self._first(trial)
        if losses.last_step < self.start_step or len(recent) < self.window or not first > 0:
            return None
        last = float(np.median(recent[-self.window :]))
        ratio = float(np.median(self._ratios)) if self._ratios else math.nan
        rate = learning_rate(trial, losses.rate)
        moved = f" The weights move by {ratio:.2g} of their size in a step." if math.isfinite(ratio) else ""
        if last > self.growth * first:
            return self.finding(
                step,
                f"The loss grows instead of falling: {last:.3g} over the last {self.window} steps, {first:.3g} at "
                f"first.{moved}",
                value=last,
                threshold=self.growth * first,
                advice=self._advice(trial, rate, ratio, 0.1),
                evidence={"figure": "loss", "step": step},
            )
        if self._jumps >= 2 and last > 0.95 * first:
            return self.finding(
                step,
                f"The loss has jumped to {self._highest:.3g} and is at {last:.3g} since; it was {first:.3g} at "
                f"first.{moved}",
                value=self._highest,
                threshold=_JUMP * first,
                advice=self._advice(trial, rate, ratio, 0.1),
                evidence={"figure": "loss", "step": step},
            )
        if not ratio > self.ratio or len(self._ratios) < 5 or len(recent) < 2 * self.window:
            return None
        before = float(np.median(recent[: self.window]))
        if last < 0.95 * before or last < self.unfinished * first:
            return None
        return self.finding(
            step,
            f"The loss goes up and down around {last:.3g} and does not fall, while the weights move by {ratio:.2g} of "
            f"their size in a step; {_GOOD_RATIO:g} is usual.",
            value=ratio,
            threshold=self.ratio,
            advice=self._advice(trial, rate, ratio, 0.3),
            evidence={"figure": "update_ratios"},
            severity=Severity.WARNING,
        )

    def _first(self, trial: Trial) -> float:
        """Return the loss to start from: the first one, or that of guessing if the first was luck."""
        first = abs(self._losses.first)
        classes = trial.tensor("confusion").info.shape[0] if trial.has_tensor("confusion") else 1
        return max(first, math.log(classes))

    def _advice(self, trial: Trial, rate: float, ratio: float, least: float) -> tuple[Advice, ...]:
        factor = min(least, max(3 * _GOOD_RATIO / ratio, 1e-4)) if ratio > 0 else least
        return (
            change_rate(trial, rate, factor, "Each step overshoots: steps must be shorter than the valleys are wide."),
            warm_up(rate, 200, "The first steps are the ones in which the gradient is least reliable."),
            clip_gradient(1.0, "It bounds what a step can do where the gradient is steep."),
        )


class LearningRateTooLow(Rule):
    """The weights hardly move, and the loss hardly falls, though its gradient says that it could.

    Fires when the weights have moved by less than `ratio` of their size per step, in the median of the weights and of
    all samples since the tenth, while the loss is still above `unfinished` of the first. A schedule that has lowered
    the rate, or still raises it, is left alone: the rate must be at least half of its highest and not growing.

    Parameters
    ----------
    ratio
        The share of its size by which a weight should at least move in a step.
    unfinished
        The share of the first loss; below it the training goes on well.
    min_steps, min_samples
        Steps and sampled steps before it says anything.
    """

    severity = Severity.WARNING

    def __init__(
        self,
        *,
        ratio: float = 5e-5,
        unfinished: float = 0.8,
        min_steps: int = 60,
        min_samples: int = 10,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.ratio = ratio
        self.unfinished = unfinished
        self.min_steps = min_steps
        self.min_samples = min_samples
        self._losses = LossHistory(kept=40)
        self._update_ratios = UpdateRatios()
        self._ratios: list[float] = []
        self._rate_before = math.nan

    def why_not(self, trial: Trial) -> str | None:
        """It needs a loss and updates."""
        if not self._ratios and not trial.tensor_names(collection="updates") and trial.steps(self.mode):
            return "Updates of the weights were not captured."
        return self._losses.why_not(trial)

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the last updates, and at what the loss has done so far."""
        losses = self._losses
        before, self._rate_before = self._rate_before, losses.rate
        losses.read(trial, step)
        block = trial.statistics(step, self.mode)
        ratio = self._update_ratios.of(block) if block is not None else math.nan
        if not math.isfinite(ratio):
            return None
        self._ratios = [*self._ratios, ratio][-20:]
        recent = losses.recent[np.isfinite(losses.recent)]
        is_scheduled = losses.rate < 0.5 * losses.highest_rate or losses.rate > before * 1.001
        if losses.last_step < self.min_steps or len(self._ratios) < self.min_samples or is_scheduled:
            return None
        usual = float(np.median(self._ratios))
        if usual >= self.ratio or len(recent) < 10 or not losses.first > 0:
            return None
        last = float(np.median(recent))
        if last < self.unfinished * losses.first or last > 1.5 * losses.first:
            return None
        if block is None or not _usual_gradient(block) > _LEAST_GRADIENT:
            return None
        rate = learning_rate(trial, losses.rate)
        factor = min(rounded(_GOOD_RATIO / max(usual, 1e-9)), 1e4)
        steps = f"{1 / usual:,.0f} steps" if usual > 1e-9 else "forever"
        return self.finding(
            step,
            f"The weights move by {usual:.2g} of their size in a step, so that to change by it they would need "
            f"{steps}; the loss is {last:.3g} after {losses.last_step + 1} steps, {losses.first:.3g} at first.",
            value=usual,
            threshold=self.ratio,
            advice=(
                change_rate(trial, rate, factor, f"Updates of about {_GOOD_RATIO:g} of a weight's size are usual."),
                *self._other_optimizer(trial),
            ),
            evidence={"figure": "update_ratios"},
        )

    def _other_optimizer(self, trial: Trial) -> tuple[Advice, ...]:
        if str((trial.meta("optimizer") or {}).get("class")) != "SGD":
            return ()
        return (
            Advice(
                "Use Adam, which finds the scale of the steps itself",
                "Plain SGD moves each weight in proportion to its gradient, however small.",
                "optimizer = torch.optim.Adam(model.parameters(), lr=1e-3)",
            ),
        )


def _usual_gradient(block: StepStatistics) -> float:
    """Return the root mean square of the gradient of a weight, the median over the weights."""
    sizes = [
        float(block.column("l2")[index]) / math.sqrt(max(tensor.count, 1))
        for index, tensor in enumerate(block.tensors)
        if "gradients" in tensor.collections and len(tensor.shape) > 1
    ]
    return float(np.median(sizes)) if sizes else math.nan
