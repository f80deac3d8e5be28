"""The rule about batch normalization: running statistics that are not those of the data."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.trial import Trial


class _Output(NamedTuple):
    """What a layer has returned in training: its mean, and the root of its mean square."""

    mean: float
    size: float


class BatchNormDrift(Rule):
    """A batch norm returns something else in evaluation than in training: its running statistics do not fit the data.

    In training it normalizes by the batch, in evaluation by what it has gathered. If both agree its output has the
    same size and mean in both. Fires when the root mean square of an output in evaluation is less than `low` times that
    of training or more than `high` times, or the means differ by more than `shift` of that of training, in `patience`
    evaluations in a row.

    Parameters
    ----------
    low, high
        How many times as large as in training an output must and may be in evaluation. A few rows that are far from
        all others make it larger without any drift, so that there is more room above than below.
    shift
        How far its mean may be, as a share of the root mean square in training.
    patience
        Evaluations in a row.
    start_step
        The running statistics have had no time before: with a momentum of 0.1 they are at 96 % after 30 steps.
    """

    severity = Severity.WARNING
    modes = (Mode.TRAIN, Mode.EVAL)
    collections = ("layers",)

    def __init__(
        self,
        *,
        low: float = 0.67,
        high: float = 2.5,
        shift: float = 0.5,
        patience: int = 2,
        start_step: int = 30,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.low = low
        self.high = high
        self.shift = shift
        self.patience = patience
        self.start_step = start_step
        self._training: dict[str, _Output] = {}
        self._since: dict[str, int] = {}

    def why_not(self, trial: Trial) -> str | None:
        """It needs a batch norm and an evaluation."""
        layers = trial.meta("layers")
        if layers is not None and not any("BatchNorm" in str(layer.get("kind")) for layer in layers):
            return "The model has no batch normalization."
        return None if trial.steps(Mode.EVAL) else "The model was not evaluated yet."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Remember what training returns, and compare an evaluation with it."""
        block = self.look(step, trial)
        if block is None:
            return None
        outputs = {
            tensor.name: _output(block, index)
            for index, tensor in enumerate(block.tensors)
            if "BatchNorm" in tensor.kind
        }
        if self.mode is Mode.TRAIN:
            self._training.update(outputs)
            return None
        if step < self.start_step:
            return None
        return [
            found
            for name, evaluated in outputs.items()
            if name in self._training and (found := self._compare(step, name, self._training[name], evaluated))
        ]

    def _compare(self, step: int, name: str, trained: _Output, evaluated: _Output) -> Finding | None:
        if not trained.size > 1e-12 or not math.isfinite(evaluated.size):
            return None
        factor = evaluated.size / trained.size
        shift = abs(evaluated.mean - trained.mean) / trained.size
        if self.low <= factor <= self.high and shift <= self.shift:
            self._since.pop(name, None)
            return None
        self._since[name] = self._since.get(name, 0) + 1
        if self._since[name] < self.patience:
            return None
        layer = name.partition(".output")[0]
        return self.finding(
            step,
            f"{layer} returns values of size {evaluated.size:.3g} around {evaluated.mean:.3g} in evaluation, and of "
            f"size {trained.size:.3g} around {trained.mean:.3g} in training: its running statistics do not fit the "
            "data of the evaluation.",
            tensor=name,
            value=factor,
            threshold=self.low if factor < 1 else self.high,
            advice=_advice(layer),
            evidence={"figure": "distribution", "tensor": name},
        )


def _output(block: StepStatistics, index: int) -> _Output:
    mean, std = float(block.column("mean")[index]), float(block.column("std")[index])
    return _Output(mean, math.hypot(mean, std))


def _advice(layer: str) -> tuple[Advice, ...]:
    return (
        Advice(
            "Prepare the data of the evaluation as that of training",
            "A scaling that is done for one of them only is the most frequent cause.",
            "print(train_inputs.mean(), train_inputs.std(), test_inputs.mean(), test_inputs.std())",
        ),
        Advice(
            "Let the running statistics follow faster",
            "With a small momentum they are still near where they began.",
            f'model.get_submodule("{layer}").momentum = 0.1',
        ),
        Advice(
            "Gather the running statistics again before an evaluation",
            "Averages over many batches with the weights as they are now fit them.",
            "torch.optim.swa_utils.update_bn(train_loader, model)",
        ),
        Advice(
            "Use a larger batch, or a normalization that knows no batch",
            "Statistics of a few rows are not those of the data.",
            "torch.nn.GroupNorm(num_groups=8, num_channels=channels)   # instead of BatchNorm",
        ),
    )
