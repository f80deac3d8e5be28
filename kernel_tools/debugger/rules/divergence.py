"""Rules about a training that blows up: a loss that is no number any more, and gradients that explode."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.loss_history import LossHistory
from kernel_tools.debugger.rules.optimizer_advice import change_rate, clip_gradient, learning_rate, rounded
from kernel_tools.debugger.trial import Trial

_FORWARD = ("inputs", "layers", "outputs")
_FEW = 5


class NaNLoss(Rule):
    """The loss is NaN or infinite; says which tensor was the first that was.

    The first one is looked for at the first sampled step that has a NaN or an infinity, which stays until the loss has
    them: among the inputs, then the layers in the order in which they ran, then the gradients from the last layer to
    the first, then the weights. If none has any while the loss does, the loss function itself has made it.
    """

    severity = Severity.ERROR
    collections = ("inputs", "layers", "outputs", "gradients", "weights", "biases")

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._losses = LossHistory(kept=1)
        self._bad_step: int | None = None
        self._loss = math.nan
        self._culprit: tuple[int, str, str] | None = None
        self._is_settled = False

    def why_not(self, trial: Trial) -> str | None:
        """It needs a loss."""
        return self._losses.why_not(trial)

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the losses since the last look, and for the first tensor that is bad."""
        new = self._losses.read(trial, step)
        bad = np.flatnonzero(~np.isfinite(new[:, 1]))
        if not self._is_settled:
            self._suspect(step, trial)
        if not len(bad) or (self._culprit is None and np.isnan(new[bad, 1]).all()):
            return None  # a NaN alone may be a loss that nobody saw; a real one is in the weights a step later
        if self._bad_step is None:
            self._bad_step, self._loss = int(new[bad[0], 0]), float(new[bad[0], 1])
        self._is_settled = True
        return self._found(step, trial)

    def finish(self, trial: Trial) -> Found:
        """Look at the losses after the last sampled step."""
        steps = trial.steps(self.mode)
        return self.invoke_at_step(2**62, trial) if steps else None

    def _suspect(self, step: int, trial: Trial) -> None:
        block = self.look(step, trial)
        if block is None:
            return
        counts = block.column("nan") + block.column("inf")
        if not counts.any():
            self._culprit = None
        elif self._culprit is None:
            self._culprit = _first_bad(step, block, counts)

    def _found(self, step: int, trial: Trial) -> Found:
        assert self._bad_step is not None
        kind = "NaN" if math.isnan(self._loss) else "infinite"
        at = f"The loss is {kind} since step {self._bad_step}"
        found_at = min(step, self._losses.last_step)
        culprit = self._culprit
        if culprit is None or (culprit[0] <= self._bad_step and culprit[2] == "gradients"):
            return self.finding(
                found_at,
                f"{at}, while no input and no layer that was captured has a NaN or an infinity: the loss "
                "function itself makes it, from a logarithm of 0, a division by 0 or a target out of range.",
                value=self._loss,
                advice=_advice_on_loss(trial),
                evidence={"figure": "loss", "step": self._bad_step},
            )
        when, tensor, collection = culprit
        where = {
            "inputs": f"the batch itself has some: {tensor} at step {when}",
            "gradients": f"the first to have any was {tensor} in the backward pass of step {when}",
            "weights": f"the first to have any was {tensor}, after the update of step {when}",
        }.get(collection, f"the first to have any was {tensor} in the forward pass of step {when}")
        return self.finding(
            found_at,
            f"{at}; {where}.",
            tensor=tensor,
            value=self._loss,
            advice=_advice_on(trial, collection, tensor, self._losses.rate),
            evidence={"figure": "series", "tensors": [tensor], "reduction": "abs_max"},
        )


class ExplodingGradient(Rule):
    """The gradient's norm grows far above what it was, or far above what the loss explains.

    The norm is that of all gradients together, as the optimizer sees them. A single high one is normal in recurrent
    networks and transformers, so `patience` sampled steps in a row must have one.

    Parameters
    ----------
    factor
        So many times the median of the norms before, and the largest of the first five, is too much.
    per_loss
        So many times the loss is too much from the first step on. A loss and its gradient grow alike if it is summed
        over a batch instead of averaged, so that this needs no absolute limit.
    patience
        Sampled steps in a row.
    """

    severity = Severity.WARNING
    collections = ("gradients",)

    def __init__(self, *, factor: float = 30.0, per_loss: float = 100.0, patience: int = 2, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.factor = factor
        self.per_loss = per_loss
        self.patience = patience
        self._losses = LossHistory(kept=20)
        self._norms: list[float] = []
        self._largest_at_first = 0.0
        self._since: list[int] = []

    def why_not(self, trial: Trial) -> str | None:
        """It needs gradients."""
        if self._norms or trial.tensor_names(collection="gradients"):
            return None
        return "No gradients were captured yet."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Compare the norm of the gradient with those before."""
        block = self.look(step, trial)
        if block is None:
            return None
        self._losses.read(trial, step)
        each = block.column("l2").astype("f8")
        is_finite = not (block.column("nan").any() or block.column("inf").any()) and bool(np.isfinite(each).all())
        norm = float(np.sqrt(each @ each)) if is_finite else math.inf
        limit, because = self._limit()
        if norm <= limit or norm < 1e-3:
            self._since = []
            self._norms = [*self._norms, norm][-50:]
            if len(self._norms) <= _FEW:
                self._largest_at_first = max(self._largest_at_first, norm)
            return None
        self._since.append(step)
        if len(self._since) < self.patience:
            return None
        worst = block.tensors[int(np.argmax(each))].name if is_finite else _named_bad(block)
        usual = float(np.median(self._norms)) if len(self._norms) >= _FEW else math.nan
        clip = max(rounded(2 * usual), 0.1) if usual > 0 and usual < 50 else 1.0
        size = f"has a norm of {norm:.3g}" if is_finite else "has NaN or infinities"
        return self.finding(
            self._since[0] if len(self._since) == self.patience else step,
            f"The gradient {size} at step {step}, {because}; most of it is in {worst}.",
            value=norm,
            threshold=limit,
            advice=(
                clip_gradient(
                    clip,
                    "A single step cannot carry the weights away any more; "
                    f"{'usual norms of this training pass' if usual > 0 else '1.0 suits most models'}.",
                ),
                change_rate(
                    trial,
                    learning_rate(trial, self._losses.rate),
                    0.1,
                    "Large steps lead to where the gradient is larger still.",
                ),
            ),
            evidence={"figure": "gradient_flow", "step": step},
        )

    def _limit(self) -> tuple[float, str]:
        """Return the limit for the next norm, and what one above it is."""
        losses = np.abs(self._losses.recent[np.isfinite(self._losses.recent)])
        level = max(float(np.median(losses)), 0.1 * abs(self._losses.first)) if len(losses) else math.nan
        limits = []
        if level > 0:
            limits.append((self.per_loss * level, f"{self.per_loss:g} times the loss or more"))
        if len(self._norms) >= _FEW:
            usual = max(float(np.median(self._norms)), self._largest_at_first)
            limits.append((self.factor * usual, f"against {usual:.3g} before"))
        return min(limits, default=(1e6, "which is beyond any use"))


def _first_bad(step: int, block: StepStatistics, counts: np.ndarray[Any, Any]) -> tuple[int, str, str]:
    """Return the step, name and collection of the first tensor that has a NaN or an infinity."""
    bad = [block.tensors[index] for index in np.flatnonzero(counts)]
    for collections, is_backward in ((_FORWARD[:1], False), (_FORWARD[1:], False), (("gradients",), True)):
        found = [tensor for tensor in bad if any(name in tensor.collections for name in collections)]
        if found:
            first = found[-1] if is_backward else found[0]
            return step, first.name, next(name for name in collections if name in first.collections)
    return step, bad[0].name, "weights"


def _named_bad(block: StepStatistics) -> str:
    counts = block.column("nan") + block.column("inf")
    return block.tensors[int(np.flatnonzero(counts)[-1])].name if counts.any() else block.tensors[-1].name


def _advice_on(trial: Trial, collection: str, tensor: str, rate: float) -> tuple[Advice, ...]:
    if collection == "inputs":
        return (
            Advice(
                "Remove or fill what is missing in the data",
                f"{tensor} has NaN or infinities before the model has touched it.",
                "assert torch.isfinite(inputs).all(), 'a batch has NaN or infinities'\n"
                "inputs = torch.nan_to_num(inputs, nan=0.0, posinf=0.0, neginf=0.0)",
            ),
        )
    lower = change_rate(
        trial,
        learning_rate(trial, rate),
        0.1,
        "Weights that grow too fast overflow in a few steps; it is the usual cause.",
    )
    clip = clip_gradient(1.0, "One bad batch cannot destroy the weights any more.")
    layer = tensor.partition(".output")[0].removeprefix("gradient/")
    trace = Advice(
        f"Look into {layer}",
        "Autograd names the operation that has made the first NaN; it is slow, so only for a few steps.",
        "torch.autograd.set_detect_anomaly(True)",
    )
    return (clip, lower, trace) if collection == "gradients" else (lower, clip, trace)


def _advice_on_loss(trial: Trial) -> tuple[Advice, ...]:
    kind = str(trial.meta("loss_kind") or "")
    if "nll" in kind or "cross_entropy" in kind:
        first = Advice(
            "Give raw scores to cross_entropy, and check the targets",
            "log(softmax(x)) is minus infinity where a probability is 0; cross_entropy is not. It is NaN for a batch "
            "of which all targets are ignored.",
            "loss = torch.nn.functional.cross_entropy(scores, targets)   # scores without softmax",
        )
    elif "binary" in kind or "bce" in kind.lower():
        first = Advice(
            "Use binary_cross_entropy_with_logits",
            "The logarithm of a sigmoid that has reached 0 or 1 is infinite.",
            "loss = torch.nn.functional.binary_cross_entropy_with_logits(scores, targets.float())",
        )
    else:
        first = Advice(
            "Keep logarithms, square roots and divisions of the loss away from 0",
            "The layers are finite, so an operation of the loss has made it.",
            "loss = torch.log(probability.clamp_min(1e-6))   # likewise sqrt(x + 1e-8), a / (b + 1e-8)",
        )
    check = Advice(
        "Look for what is missing in the targets",
        "A NaN in a target is a NaN in the loss.",
        "assert torch.isfinite(targets).all(), 'a target is NaN or infinite'",
    )
    return first, check
