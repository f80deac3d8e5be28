"""The rule about weights that training cannot begin well with."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Finding
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.records import Mode, check_regex
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import ACTIVATIONS, Knowledge
from kernel_tools.debugger.trial import Trial


class PoorWeightInitialization(Rule):
    """Weights that begin so that the signal dies out or swells from layer to layer, or nothing is learned at first.

    It fires within the first `steps` steps if one of three things is so: the variances of what goes into the
    activations of two layers are too far apart; the gradient of a weight is too narrow; the loss does not fall. The
    original calls the first a variance of weights in one place and of activation inputs in another: the latter is
    meant. Its three checks are separate ones; each fires by itself.

    Parameters
    ----------
    activation_inputs_regex
        The names of what goes into activations. None: what is returned right before each activation.
    threshold
        How many times the largest of the variances may be the smallest.
    distribution_range
        The least distance between the 5th and the 95th percentile of a gradient.
    patience
        So many steps without a new lowest loss are too many; as many as `steps`, or more, leave the check out.
    steps
        The number of steps looked at.
    """

    def __init__(
        self,
        *,
        activation_inputs_regex: str | None = None,
        threshold: float = 10.0,
        distribution_range: float = 0.001,
        patience: int = 5,
        steps: int = 10,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if activation_inputs_regex is not None:
            check_regex(activation_inputs_regex, "PoorWeightInitialization(activation_inputs_regex=...)")
        self.activation_inputs_regex = activation_inputs_regex
        self.threshold = threshold
        self.distribution_range = distribution_range
        self.patience = patience
        self.steps = steps

    def why_not(self, trial: Trial) -> str | None:
        known = Knowledge.of(trial)
        return None if known.has("layers") or known.has("gradients") else "Neither layers nor gradients were captured."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        if step >= self.steps:
            return None
        block = trial.statistics(step, self.mode)
        if block is None:
            return None
        return self._variances(step, trial, block) or self._ranges(step, trial, block) or self._losses(step, trial)

    def _variances(self, step: int, trial: Trial, block: StepStatistics) -> Finding | None:
        places = self._activation_inputs(block)
        if len(places) < 2:
            return None
        variances = block.column("std")[places].astype("f8") ** 2
        if not np.isfinite(variances).all():
            return None
        low, high = int(variances.argmin()), int(variances.argmax())
        smallest, largest = float(variances[low]), float(variances[high])
        if smallest > 0 and not largest > self.threshold * smallest:
            return None
        names = [block.tensors[places[index]].name.removesuffix(".output_0") for index in (low, high)]
        ratio = largest / smallest if smallest > 0 else float("inf")
        reason = "The variance of the signal then stays the same from layer to layer."
        steps = [advice.initialise(trial, reason)]
        if not Knowledge.of(trial).has_norms():
            steps.append(advice.normalise_between(trial))
        return self.finding(
            step,
            f"What {names[0]} passes to its activation varies {_times(ratio)} less than what {names[1]} does "
            f"(variances {smallest:.2g} and {largest:.2g} at step {step}); a factor of {self.threshold:g} is the "
            "limit.",
            value=ratio if np.isfinite(ratio) else None,
            threshold=self.threshold,
            advice=steps,
            evidence={
                "figure": "series",
                "tensors": [block.tensors[place].name for place in places[:8]],
                "reduction": "std",
            },
        )

    def _activation_inputs(self, block: StepStatistics) -> list[int]:
        layers = [index for index, tensor in enumerate(block.tensors) if "layers" in tensor.collections]
        if self.activation_inputs_regex is not None:
            return [i for i, tensor in enumerate(block.tensors) if re.search(self.activation_inputs_regex, tensor.name)]
        return [
            before
            for before, after in zip(layers, layers[1:], strict=False)
            if block.tensors[after].kind in ACTIVATIONS and block.tensors[before].kind not in ACTIVATIONS
        ]

    def _ranges(self, step: int, trial: Trial, block: StepStatistics) -> Finding | None:
        places = [
            index
            for index, tensor in enumerate(block.tensors)
            if "gradients" in tensor.collections and len(tensor.shape) > 1
        ]
        if not places:
            return None
        ranges = block.column("q95")[places] - block.column("q05")[places]
        wrong: np.ndarray[Any, Any] = np.flatnonzero(ranges < self.distribution_range)
        if not len(wrong):
            return None
        worst = int(wrong[ranges[wrong].argmin()])
        name = block.tensors[places[worst]].name
        reason = "Weights that begin too small, or all alike, give gradients that are too small, or all alike."
        return self.finding(
            step,
            f"The gradient of {name.removeprefix('gradient/')} is too narrow: 90 % of it lie within "
            f"{float(ranges[worst]):.2g} at step {step}; {self.distribution_range:g} is the least.",
            value=float(ranges[worst]),
            threshold=self.distribution_range,
            advice=[advice.initialise(trial, reason)],
            evidence={"figure": "distribution", "tensor": name},
        )

    def _losses(self, step: int, trial: Trial) -> Finding | None:
        steps, losses = Knowledge.of(trial).losses(Mode.TRAIN, step)
        if len(losses) <= self.patience or not np.isfinite(losses).any():
            return None
        best = int(np.nanargmin(losses))
        waited = int(steps[-1] - steps[best])
        if waited < self.patience:
            return None
        reason = "Weights that begin in a good range let the loss fall from the first step on."
        return self.finding(
            step,
            f"The loss has not fallen in the last {waited} steps: {losses[-1]:.4g} at step {step}, "
            f"{losses[best]:.4g} at step {steps[best]}.",
            value=float(waited),
            threshold=float(self.patience),
            advice=[
                advice.initialise(trial, reason),
                advice.change_learning_rate(trial, step, 0.1, "The first steps may be too large."),
            ],
            evidence={"figure": "loss", "step": step},
        )


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if np.isfinite(ratio) else "infinitely many times"
