"""Rules about how weights move: gradients that vanish, and updates that are out of proportion."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Advice, Finding
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import SQUASHING, Knowledge
from kernel_tools.debugger.rules.patience import Patience, also
from kernel_tools.debugger.trial import Trial


class VanishingGradient(Rule):
    """Gradients so small that their weights no longer learn.

    It fires if the mean of the absolute values of a gradient is below `threshold`. That is the original's definition,
    which also holds for training that has ended well, and for a bias before a normalisation, whose gradient is zero by
    construction. The other parameters leave those out; they are off unless given.

    Parameters
    ----------
    threshold
        The mean absolute gradient below which it vanishes.
    patience
        Steps of training for which it has to be so.
    with_biases
        Whether tensors of one dimension are looked at too.
    converged
        Not once the training loss is below this share of what it began with.
    """

    collections = ("gradients",)

    def __init__(
        self,
        *,
        threshold: float = 1e-7,
        patience: int = 0,
        with_biases: bool = True,
        converged: float = 0.0,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.threshold = threshold
        self.patience = patience
        self.with_biases = with_biases
        self.converged = converged
        self._patience = Patience(patience)

    def why_not(self, trial: Trial) -> str | None:
        return None if Knowledge.of(trial).has("gradients") else "No gradients were captured."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        means = np.where(_is_finite(block), block.column("l1") / self.counts(block), np.nan)
        below = [
            index
            for index in np.flatnonzero(means < self.threshold)
            if self.with_biases or len(block.tensors[index].shape) > 1
        ]
        wrong = set(self._patience.wrong_for([block.tensors[index].name for index in below], step))
        below = [index for index in below if block.tensors[index].name in wrong]
        if not below or Knowledge.of(trial).has_converged(step, self.converged):
            return None
        names = [block.tensors[index].name for index in below]
        smallest = float(min(means[index] for index in below))
        first = float(means[below[0]])
        return self.finding(
            step,
            f"The gradient of {_weight(names[0])} has vanished: the mean of its absolute values is {first:.2g} at step "
            f"{step}, below {self.threshold:g}.{also([_weight(name) for name in names[1:]])}",
            tensor=self._patience.first,
            value=smallest,
            threshold=self.threshold,
            advice=self._advice(trial),
            evidence={"figure": "gradient_flow", "step": step},
        )

    def _advice(self, trial: Trial) -> list[Advice]:
        found = []
        known = Knowledge.of(trial)
        if known.kinds() & SQUASHING:
            reason = "The slope of these is at most 0.25 (sigmoid) or 1 (tanh): it shrinks the gradient layer by layer."
            found.append(advice.replace_activations(trial, SQUASHING, "ReLU()", reason))
        reason = "Weights that start too small shrink the signal on its way forth, and the gradient on its way back."
        found.append(advice.initialise(trial, reason))
        if not known.has_norms():
            found.append(advice.normalise_between(trial))
        return found


class WeightUpdateRatio(Rule):
    """Updates that are far too large or far too small beside the weights that they change.

    The ratio is that of the root mean squares of what a step has changed in a weight and of the weight itself. The
    original subtracts two saved weights, and so needs every step saved, which its own configuration does not do; here
    each sampled step holds its own update, so that any sampling will do.

    Parameters
    ----------
    num_steps
        Steps of training for which the ratio has to be out of range; None for at once.
    large_threshold, small_threshold
        The range of ratios that is right.
    epsilon
        Added to the weight.
    """

    collections = ("updates",)

    def __init__(
        self,
        *,
        num_steps: int | None = None,
        large_threshold: float = 10.0,
        small_threshold: float = 1e-8,
        epsilon: float = 1e-9,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if not small_threshold < large_threshold:
            raise InvalidArgumentError(
                f"WeightUpdateRatio(small_threshold={small_threshold:g}, large_threshold={large_threshold:g}): "
                "the small one must be below the large one."
            )
        self.num_steps = num_steps
        self.large_threshold = large_threshold
        self.small_threshold = small_threshold
        self.epsilon = epsilon
        self._patience = {"large": Patience(num_steps or 0), "small": Patience(num_steps or 0)}
        self._pairs: dict[tuple[int, int], tuple[list[int], list[int]]] = {}

    def why_not(self, trial: Trial) -> str | None:
        if Knowledge.of(trial).has("updates"):
            return None
        return "No updates were captured: the hook needs the optimizer, watch(model, optimizer=optimizer)."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = trial.statistics(step, self.mode)
        if block is None:
            return None
        key = (id(block.tensors[0]), len(block.tensors)) if block.tensors else (0, 0)
        if key not in self._pairs:
            places = {tensor.name: index for index, tensor in enumerate(block.tensors)}
            pairs = [
                (index, places[tensor.name.removeprefix("update/")])
                for index, tensor in enumerate(block.tensors)
                if "updates" in tensor.collections
                and tensor.name.removeprefix("update/") in places
                and self._is_weight(tensor.name.removeprefix("update/"), trial)
            ]
            self._pairs[key] = ([pair[0] for pair in pairs], [pair[1] for pair in pairs])
        updates, weights = self._pairs[key]
        if not updates:
            return None
        norms, counts = block.column("l2"), np.sqrt(self.counts(block))
        ratios = (norms[updates] / counts[updates]) / (norms[weights] / counts[weights] + self.epsilon)
        is_finite = _is_finite(block)
        ratios = np.where(is_finite[updates] & is_finite[weights], ratios, np.nan)
        names = [block.tensors[index].name for index in weights]
        large = self._held("large", names, ratios > self.large_threshold, step)
        small = self._held("small", names, ratios < self.small_threshold, step)
        if small and Knowledge.of(trial).is_resting(step):
            small = []
        return [
            self._tell(step, trial, names, ratios, found, is_large)
            for found, is_large in ((large, True), (small, False))
            if found
        ]

    def _is_weight(self, name: str, trial: Trial) -> bool:
        info = trial.tensor(name).info
        if self.collection_names is None and self.tensor_regex is None:
            return "weights" in info.collections
        return self.looks_at(name, info.collections)

    def _held(self, kind: str, names: list[str], wrong: np.ndarray[Any, Any], step: int) -> list[int]:
        where = {names[index]: int(index) for index in np.flatnonzero(wrong)}
        return [where[name] for name in self._patience[kind].wrong_for(where, step)]

    def _tell(
        self, step: int, trial: Trial, names: list[str], ratios: np.ndarray[Any, Any], found: list[int], is_large: bool
    ) -> Finding:
        threshold = self.large_threshold if is_large else self.small_threshold
        worst = max(ratios[found]) if is_large else min(ratios[found])
        kind = "large" if is_large else "small"
        if is_large:
            reason = "An update larger than the weight itself throws away what was learned before."
            steps = [advice.change_learning_rate(trial, step, 0.1, reason), advice.clip_gradients()]
        else:
            reason = "Updates this small are lost in the rounding of the weights: they hardly move at all."
            steps = [advice.change_learning_rate(trial, step, 10.0, reason)]
        return self.finding(
            step,
            f"The updates of {names[found[0]]} are far too {kind}: {ratios[found[0]]:.2g} times the weight at step "
            f"{step}, where {'at most' if is_large else 'at least'} {threshold:g} is right."
            f"{also([names[index] for index in found[1:]])}",
            tensor=self._patience[kind].first,
            value=worst,
            threshold=threshold,
            advice=steps,
            evidence={"figure": "update_ratios"},
        )


def _is_finite(block: StepStatistics) -> np.ndarray[Any, Any]:
    """Whether every tensor has finite elements only; norms are of those alone and say nothing of the others."""
    return np.asarray((block.column("nan") == 0) & (block.column("inf") == 0))


def _weight(name: str) -> str:
    return name.removeprefix("gradient/")
