"""Rules about the losses of training and validation: standstill, overfitting, training for too long."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.records import Mode, to_mode
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import Knowledge
from kernel_tools.debugger.trial import Trial

_ORDER = (Mode.EVAL, Mode.TRAIN, Mode.GLOBAL)
_WAIT = 5
"""Sampled steps without any loss after which a rule says that there is none."""
_EVER = 2**62


class LossNotDecreasing(Rule):
    """A loss that does not fall, or not fast enough.

    Every `num_steps` steps the loss is compared with the newest one that is at least as many steps older. It fires if
    it has not fallen by `diff_percent`.

    The original gives two defaults for `diff_percent`, none and 0.1; it is the latter, which its newer page has. It
    also lets a loss rise by up to 5 % in one sentence and calls a standstill a fault in another; here a standstill and
    a rise both fire, and a rise above `increase_threshold_percent` is an error. The last two parameters, off unless
    given, are for losses of single batches, which jump up and down.

    Parameters
    ----------
    num_steps
        Steps between the losses that are compared.
    diff_percent
        The percentage by which the loss has to fall.
    increase_threshold_percent
        The percentage above which a rise is an error instead of a warning.
    mode
        Whose loss: EVAL, TRAIN or GLOBAL. Default: the first of these that there are losses of.
    use_losses_collection
        As in the original. What the hook has seen as the loss comes first here; then this collection, then metrics.
    smooth
        Losses are averaged over so many steps before they are compared.
    learned_percent
        Once the loss is by this percentage below what it began with, it has been seen to fall and may rest; so it may
        while a schedule still raises the learning rate.
    """

    modes = (Mode.TRAIN, Mode.EVAL)

    def __init__(
        self,
        *,
        num_steps: int = 10,
        diff_percent: float = 0.1,
        increase_threshold_percent: float = 5.0,
        mode: Mode | str | None = None,
        use_losses_collection: bool = True,
        smooth: int = 1,
        learned_percent: float | None = None,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if num_steps < 1 or smooth < 1 or not 0 <= diff_percent < 100:
            raise InvalidArgumentError(
                f"LossNotDecreasing(num_steps={num_steps}, smooth={smooth}, diff_percent={diff_percent:g}): use 1 or "
                "more steps, and a percentage from 0 to below 100."
            )
        self.num_steps = num_steps
        self.diff_percent = diff_percent
        self.increase_threshold_percent = increase_threshold_percent
        self.of_mode = to_mode(mode)
        self.use_losses_collection = use_losses_collection
        self.smooth = smooth
        self.learned_percent = learned_percent
        self._checked: dict[Mode, int] = {}
        self._has_learned = False
        self._looked = 0

    @property
    def parameters(self) -> dict[str, Any]:
        """The values of its parameters; `mode` as it was given."""
        given = {name: value for name, value in super().parameters.items() if name != "mode"}
        return given if self.of_mode is None else {**given, "mode": self.of_mode.name}

    def why_not(self, trial: Trial) -> str | None:
        return "No loss is known." if self._looked > _WAIT else None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        mode, steps, losses = self._losses(step, trial)
        if mode is None:
            self._looked += 1
            return None
        self._looked = 0
        checked = self._checked.get(mode, int(steps[0]))
        if self._has_learned or steps[-1] - checked < self.num_steps or len(losses) < 2 * self.smooth:
            return None
        older = int(steps.searchsorted(steps[-1] - self.num_steps, side="right")) - 1
        if older + 1 < self.smooth:
            return None
        self._checked[mode] = int(steps[-1])
        new, old = (float(losses[end - self.smooth : end].mean()) for end in (len(losses), older + 1))
        if not np.isfinite([new, old]).all():
            return None
        if self.learned_percent is not None:
            if Knowledge.of(trial).is_warming_up(step):
                return None
            first = float(losses[: self.smooth].mean())
            self._has_learned = new <= first - abs(first) * self.learned_percent / 100
            if self._has_learned:
                return None
        fallen = 100 * (old - new) / (abs(old) or 1e-12)
        if fallen >= self.diff_percent:
            return None
        return self._tell(trial, mode, int(steps[older]), int(steps[-1]), old, new, fallen)

    def _losses(self, step: int, trial: Trial) -> Any:
        known = Knowledge.of(trial)
        for mode in _ORDER if self.of_mode is None else (self.of_mode,):
            steps, losses = known.losses(mode, step)
            if len(steps) > 1:
                return mode, steps, losses
        return None, None, None

    def _tell(self, trial: Trial, mode: Mode, before: int, step: int, old: float, new: float, fallen: float) -> Finding:
        is_rising = -fallen > self.increase_threshold_percent
        of = "validation" if mode is Mode.EVAL else "training"
        how = f"risen by {-fallen:.2g} %" if fallen < 0 else f"fallen by only {fallen:.2g} %"
        large = "A step that is too large jumps over the minimum, or away from it."
        steps = [advice.change_learning_rate(trial, step, 0.1, large)]
        if not is_rising:
            small = "Steps that are too small do not get anywhere; try both and watch the loss."
            steps.append(advice.change_learning_rate(trial, step, 3.0, small))
        steps.append(
            Advice(
                "Let it learn a single batch by heart",
                "A loss that does not fall to near zero on one batch shows that model, loss, labels or the order of "
                "zero_grad, backward and step are at fault, not the data.",
                "batch = next(iter(loader))\nfor _ in range(200):\n    optimizer.zero_grad()\n"
                "    loss = compute_loss(batch)\n    loss.backward()\n    optimizer.step()\nprint(float(loss))",
            )
        )
        return self.finding(
            step,
            f"The {of} loss has {how} from step {before} to step {step} ({old:.4g} to {new:.4g}); it should fall by at "
            f"least {self.diff_percent:g} %.",
            value=fallen,
            threshold=self.diff_percent,
            advice=steps,
            evidence={"figure": "loss", "step": step},
            severity=Severity.ERROR if is_rising else None,
        )


class Overfit(Rule):
    """A validation loss far above the training loss.

    At every evaluation the validation loss is compared with the mean training loss since the one before.

    Parameters
    ----------
    ratio_threshold
        It is too far above if (validation - training) / training is larger.
    patience
        Evaluations in a row for which it may be.
    start_step
        Evaluations before this step do not count.
    rise
        Only if the validation loss is also by this share above its lowest. The original does not ask for that; with
        None any gap counts, also one at which the model still gets better.
    """

    modes = (Mode.TRAIN, Mode.EVAL)

    def __init__(
        self,
        *,
        ratio_threshold: float = 0.1,
        patience: int = 1,
        start_step: int = 0,
        rise: float | None = None,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.ratio_threshold = ratio_threshold
        self.patience = patience
        self.start_step = start_step
        self.rise = rise
        self._judged = 0
        self._above = 0
        self._best = (float("inf"), -1)
        self._found: tuple[int, float, float, float] | None = None

    def why_not(self, trial: Trial) -> str | None:
        if self._judged or len(Knowledge.of(trial).losses(Mode.EVAL, _EVER)[0]):
            return None
        return "No validation loss is known: evaluate the model while it trains."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        known = Knowledge.of(trial)
        steps, losses = known.losses(Mode.EVAL, step)
        if len(steps) <= self._judged:
            return None
        train_steps, train = known.losses(Mode.TRAIN, step)
        found = None
        for index in range(self._judged, len(steps)):
            start = train_steps.searchsorted(steps[index - 1], side="right") if index else 0
            end = train_steps.searchsorted(steps[index], side="right")
            window = train[start:end] if end > start else train[max(0, end - 1) : end]
            found = self._judge(int(steps[index]), float(losses[index]), window) or found
        self._judged = len(steps)
        return self._tell(trial, *found) if found else None

    def _judge(self, step: int, loss: float, window: np.ndarray[Any, Any]) -> tuple[int, float, float, float] | None:
        if loss < self._best[0]:
            self._best = (loss, step)
        train = float(np.nanmean(window)) if np.isfinite(window).any() else float("nan")
        ratio = (loss - train) / abs(train) if train else float("nan")
        has_risen = self.rise is None or loss > self._best[0] * (1 + self.rise)
        self._above = self._above + 1 if ratio > self.ratio_threshold and has_risen and step >= self.start_step else 0
        return (step, loss, train, ratio) if self._above >= max(self.patience, 1) else None

    def _tell(self, trial: Trial, step: int, loss: float, train: float, ratio: float) -> Finding:
        best, at = self._best
        is_past_best = at < step
        steps = advice.regularise(trial)
        return self.finding(
            step,
            f"The validation loss is {ratio:.0%} above the training loss ({loss:.4g} and {train:.4g} at step {step}); "
            f"{self.ratio_threshold:.0%} is the limit."
            + (f" It was lowest at step {at}, {best:.4g}." if is_past_best else ""),
            value=ratio,
            threshold=self.ratio_threshold,
            advice=[advice.stop_early(at), *steps] if is_past_best else steps,
            evidence={"figure": "loss", "step": step},
        )


class Overtraining(Rule):
    """Training that goes on although the model no longer gets better.

    It fires if neither loss has had a new lowest for as long as `patience_train` and `patience_validation` say; where
    only one of them is known, that one decides. A loss counts as lower if it is so by `delta`, for which the original
    gives 0.1 in its library and 0.01 on its page: it is 0.01, because losses of classification end below 0.1.

    Parameters
    ----------
    patience_train
        Steps of training.
    patience_validation
        Evaluations.
    delta
        By how much a loss has to fall to count as lower.
    """

    severity = Severity.HINT
    modes = (Mode.TRAIN, Mode.EVAL)

    def __init__(
        self,
        *,
        patience_train: int = 5,
        patience_validation: int = 10,
        delta: float = 0.01,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.patience_train = patience_train
        self.patience_validation = patience_validation
        self.delta = delta
        self._lowest = {mode: (float("inf"), -1, 0) for mode in (Mode.TRAIN, Mode.EVAL)}
        self._seen = {Mode.TRAIN: 0, Mode.EVAL: 0}

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        for mode in (Mode.TRAIN, Mode.EVAL):
            self._follow(mode, *Knowledge.of(trial).losses(mode, step))
        patience = {Mode.TRAIN: self.patience_train, Mode.EVAL: self.patience_validation}
        known = [mode for mode in (Mode.TRAIN, Mode.EVAL) if self._seen[mode]]
        if not known or any(self._lowest[mode][2] < patience[mode] for mode in known):
            return None
        of = known[-1]
        lowest, at, waited = self._lowest[of]
        unit = "evaluations" if of is Mode.EVAL else "steps"
        began, ended = trial.at(at, of), trial.at(step, self.mode)
        seconds = (ended - began) / 1000 if began and ended else None
        return self.finding(
            step,
            f"The {'validation' if of is Mode.EVAL else 'training'} loss was lowest at step {at}, {lowest:.4g}, and "
            f"has not fallen by {self.delta:g} in the {waited} {unit} since.",
            value=float(waited),
            threshold=float(patience[of]),
            advice=[advice.stop_early(at, seconds)],
            evidence={"figure": "loss", "step": at},
        )

    def _follow(self, mode: Mode, steps: np.ndarray[Any, Any], losses: np.ndarray[Any, Any]) -> None:
        lowest, at, waited = self._lowest[mode]
        for step, loss in zip(steps[self._seen[mode] :].tolist(), losses[self._seen[mode] :].tolist(), strict=True):
            if loss < lowest - self.delta:
                lowest, at, waited = loss, step, 0
            else:
                waited += 1
        self._lowest[mode] = (lowest, at, waited)
        self._seen[mode] = len(steps)
