"""Rules about units that have stopped to pass anything on: dead and saturated ones."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Advice
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.records import COLUMN, QUANTILES
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import RECTIFIERS, SQUASHING, Knowledge
from kernel_tools.debugger.rules.patience import Patience, also
from kernel_tools.debugger.trial import Trial

_QUANTILES = [COLUMN[f"q{round(100 * chance):02d}"] for chance in QUANTILES]
_CHANCES = np.array(QUANTILES)
_ENDS = {"Tanh": (-1 + 1e-6, 1 - 1e-6), "Sigmoid": (1e-6, 1 - 1e-6)}


class _StillUnits(Rule):
    """Layers in which too many units are still, as the capture has counted them."""

    collections = ("layers",)
    column: ClassVar[str]
    kinds: ClassVar[frozenset[str]]
    lacking: ClassVar[str]

    def __init__(
        self,
        *,
        threshold_inactivity: float = 1.0,
        threshold_layer: float = 50.0,
        patience: int = 0,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if threshold_inactivity != 1.0:
            raise InvalidArgumentError(
                f"{self.name}(threshold_inactivity={threshold_inactivity:g}): units are counted while training, as "
                "still if they are active in at most 1.0 % of a batch. Leave it at 1.0."
            )
        self.threshold_inactivity = threshold_inactivity
        self.threshold_layer = threshold_layer
        self.patience = patience
        self._patience = Patience(patience)

    def why_not(self, trial: Trial) -> str | None:
        known = Knowledge.of(trial)
        if not known.has("layers"):
            return "What the layers return was not captured."
        return None if known.kinds() & self.kinds else self.lacking

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        shares = self.shares(block)
        where = {block.tensors[index].name: index for index in np.flatnonzero(shares > self.threshold_layer)}
        names = self._patience.wrong_for(where, step)
        if not names:
            return None
        share = float(shares[where[names[0]]])
        return self.finding(
            step,
            f"{self.sentence(block, int(where[names[0]]), share, step)}{also([_layer(name) for name in names[1:]])}",
            tensor=self._patience.first,
            value=share,
            threshold=self.threshold_layer,
            advice=self.advise(step, trial),
            evidence={"figure": "dead_units"},
        )

    def shares(self, block: StepStatistics) -> np.ndarray[Any, Any]:
        """Return the percentage of every layer that is still; NaN where that means nothing."""
        return 100.0 * block.column(self.column).astype("f8")

    def sentence(self, block: StepStatistics, index: int, share: float, step: int) -> str:
        """Say what is wrong with a layer of which a share of units is still."""
        raise NotImplementedError

    def advise(self, step: int, trial: Trial) -> list[Advice]:
        """Say what to do."""
        raise NotImplementedError


class DeadRelu(_StillUnits):
    """ReLUs that are dead: they return zero for nearly every example, and so pass no gradient on.

    A unit, which of images is a channel, is dead if it is active in at most 1 % of its values in a batch.

    Parameters
    ----------
    threshold_inactivity
        That percentage. The capture counts by 1.0 and keeps only the count.
    threshold_layer
        The percentage of dead units of a layer above which it fires.
    patience
        Steps of training for which it has to be so; 0, as in the original, for at once.
    """

    column = "dead"
    kinds = RECTIFIERS
    lacking = "The model has no ReLU."

    def sentence(self, block: StepStatistics, index: int, share: float, step: int) -> str:
        return (
            f"{share:.0f} % of the units of {_layer(block.tensors[index].name)} are dead at step {step}: "
            f"{block.tensors[index].kind} returns 0 for at least 99 % of the batch. {self.threshold_layer:g} % is the "
            "limit."
        )

    def advise(self, step: int, trial: Trial) -> list[Advice]:
        leaky = "It lets a little of the gradient through where a ReLU lets none, so that no unit stays dead."
        large = "A step that is too large pushes a unit to where no example reaches it any more."
        start = "Weights or biases that begin far below zero leave units that are never active."
        return [
            advice.replace_activations(trial, RECTIFIERS, "LeakyReLU(0.01)", leaky),
            advice.change_learning_rate(trial, step, 0.1, large),
            advice.initialise(trial, start),
        ]


class SaturatedActivation(_StillUnits):
    """Tanh and sigmoid units that are saturated: their inputs are so large that no gradient passes.

    A unit is saturated if at most 1 % of its inputs in a batch lie between the limits.

    Parameters
    ----------
    threshold_tanh_min, threshold_tanh_max, threshold_sigmoid_min, threshold_sigmoid_max
        The limits. The capture counts by these and keeps only the count, so they cannot be changed afterwards.
    threshold_inactivity
        That percentage, likewise.
    threshold_layer
        The percentage of saturated units of a layer above which it fires.
    patience
        Steps of training for which it has to be so; 0, as in the original, for at once.
    of_values
        Whether a layer also counts by the percentage of all that it returns, of whichever units, that is within 1e-6 of
        an end. The original does not: a unit that is at one end or the other for 98 % of a batch is well for it.
    """

    column = "saturated"
    kinds = SQUASHING
    lacking = "The model has no tanh or sigmoid."

    def __init__(
        self,
        *,
        threshold_tanh_min: float = -9.4999,
        threshold_tanh_max: float = 9.4999,
        threshold_sigmoid_min: float = -23.0,
        threshold_sigmoid_max: float = 16.99999,
        threshold_inactivity: float = 1.0,
        threshold_layer: float = 50.0,
        patience: int = 0,
        of_values: bool = False,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(
            threshold_inactivity=threshold_inactivity,
            threshold_layer=threshold_layer,
            patience=patience,
            collection_names=collection_names,
            tensor_regex=tensor_regex,
        )
        limits = (threshold_tanh_min, threshold_tanh_max, threshold_sigmoid_min, threshold_sigmoid_max)
        if limits != (-9.4999, 9.4999, -23.0, 16.99999):
            raise InvalidArgumentError(
                f"SaturatedActivation was given the limits {limits}: units are counted while training, by the limits "
                "(-9.4999, 9.4999, -23, 16.99999). Leave them out."
            )
        self.of_values = of_values
        self.threshold_tanh_min = threshold_tanh_min
        self.threshold_tanh_max = threshold_tanh_max
        self.threshold_sigmoid_min = threshold_sigmoid_min
        self.threshold_sigmoid_max = threshold_sigmoid_max

    def shares(self, block: StepStatistics) -> np.ndarray[Any, Any]:
        units = super().shares(block)
        if self.of_values:
            for index in np.flatnonzero(np.isfinite(units)):
                low, high = _ENDS.get(block.tensors[index].kind, (-np.inf, np.inf))
                quantiles = block.values[index, _QUANTILES].astype("f8")
                at_low, at_high = np.interp((low, high), quantiles, _CHANCES, left=0.0, right=1.0)
                units[index] = max(units[index], 100.0 * (at_low + 1 - at_high))
        return units

    def sentence(self, block: StepStatistics, index: int, share: float, step: int) -> str:
        if share > super().shares(block)[index]:
            return (
                f"{share:.0f} % of what {_layer(block.tensors[index].name)} returns is at an end of "
                f"{block.tensors[index].kind} at step {step}, where it is flat. {self.threshold_layer:g} % is the "
                "limit."
            )
        return (
            f"{share:.0f} % of the units of {_layer(block.tensors[index].name)} are saturated at step {step}: at least "
            f"99 % of what {block.tensors[index].kind} is given is where it is flat. {self.threshold_layer:g} % is the "
            "limit."
        )

    def advise(self, step: int, trial: Trial) -> list[Advice]:
        start = "Weights that begin too large drive every unit to its end."
        steep = "It has no upper end at which it is flat."
        found = [
            advice.initialise(trial, start),
            advice.replace_activations(trial, SQUASHING, "ReLU()", steep),
            advice.change_learning_rate(trial, step, 0.1, "Large steps make weights grow, and units with them."),
        ]
        return found if Knowledge.of(trial).has_norms() else [advice.normalise_between(trial), *found]


def _layer(name: str) -> str:
    return name.removesuffix(".output_0")
