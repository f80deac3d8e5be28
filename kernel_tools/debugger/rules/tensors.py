"""Rules that hold for any tensor: not finite, all zero, of wrong variance, unchanged."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.reading import StepStatistics
from kernel_tools.debugger.records import COLUMN, Mode
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import Knowledge
from kernel_tools.debugger.rules.patience import Patience, also
from kernel_tools.debugger.trial import Trial

_COMPARED = [COLUMN[name] for name in COLUMN if name not in ("dead", "saturated")]


class ExplodingTensor(Rule):
    """Tensors that hold NaN or infinity.

    It looks at every tensor that was captured. Infinities in what a model is given do not count: attention masks hold
    them on purpose.

    Parameters
    ----------
    only_nan
        Whether infinities are passed over everywhere.
    """

    severity = Severity.ERROR
    modes = (Mode.TRAIN, Mode.EVAL, Mode.PREDICT)

    def __init__(
        self,
        *,
        only_nan: bool = False,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.only_nan = only_nan
        self._first = ""

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = trial.statistics(step, self.mode)
        if block is None:
            return None
        nans, infinities = block.column("nan"), block.column("inf")
        wrong = nans > 0
        if not self.only_nan:
            wrong = wrong | (infinities > 0)
        if not wrong.any():
            return None
        found = [index for index in np.flatnonzero(wrong) if self._counts_as_wrong(block, int(index), nans)]
        if not found:
            return None
        found.sort(key=lambda index: _ORDER.get(block.tensors[index].collections[0], len(_ORDER)))
        names = [block.tensors[index].name for index in found]
        self._first = self._first or names[0]
        first, count = found[0], max(block.tensors[found[0]].count, 1)
        what = f"{nans[first]:.0f} NaN" if nans[first] > 0 else f"{infinities[first]:.0f} infinite values"
        reason = "Numbers that grow without bounds mostly come from steps that are too large."
        return self.finding(
            step,
            f"{names[0]} holds {what} among {count:,} values at step {step}.{also(names[1:])}",
            tensor=self._first,
            value=float(nans[first] + (0 if self.only_nan else infinities[first])),
            threshold=0.0,
            advice=[
                advice.change_learning_rate(trial, step, 0.1, reason),
                advice.clip_gradients(),
                Advice(
                    "Look for what makes it",
                    "The logarithm of 0, a division by 0 and the exponential of a large number make NaN and infinity; "
                    "anomaly detection names the line.",
                    "with torch.autograd.detect_anomaly():\n    loss = step(batch)\n    loss.backward()",
                ),
            ],
            evidence={"figure": "series", "tensors": names[:5], "reduction": "abs_max"},
        )

    def _counts_as_wrong(self, block: StepStatistics, index: int, nans: np.ndarray[Any, Any]) -> bool:
        tensor = block.tensors[index]
        if "inputs" in tensor.collections and not nans[index] > 0:
            return False
        if self.collection_names is None and self.tensor_regex is None:
            return True
        return self.looks_at(tensor.name, tensor.collections)


_ORDER = {"inputs": 0, "layers": 1, "outputs": 2, "gradients": 3, "updates": 4}
"""Of several tensors the one is named first that the others may have it from."""


class AllZero(Rule):
    """Tensors of which all values, or too large a share of them, are zero.

    The original demands that the tensors be named. Without names these are weights, gradients, inputs and outputs.

    Parameters
    ----------
    threshold
        The percentage of zeros at which it fires.
    """

    modes = (Mode.TRAIN, Mode.EVAL)
    collections = ("weights", "gradients", "inputs", "outputs")

    def __init__(
        self,
        *,
        threshold: float = 100.0,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.threshold = threshold
        self._patience = Patience(0)

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        shares = 100.0 * block.column("zeros").astype("f8")
        names = self._patience.wrong_for(
            [block.tensors[index].name for index in np.flatnonzero(shares >= self.threshold - 1e-6)], step
        )
        if not names:
            return None
        index = block.names.index(names[0])
        return self.finding(
            step,
            f"{shares[index]:.3g} % of the values of {names[0]} are zero at step {step}.{also(names[1:])}",
            tensor=self._patience.first,
            value=float(shares[index]),
            threshold=self.threshold,
            advice=_advice_on_zeros(trial, block.tensors[index].collections),
            evidence={"figure": "series", "tensors": names[:5], "reduction": "zeros"},
        )


def _advice_on_zeros(trial: Trial, collections: tuple[str, ...]) -> list[Advice]:
    if "inputs" in collections:
        reason = "The model is given nothing but zeros: the fault is in the data or in how it is loaded."
        return [Advice("Look at a batch", reason, "batch = next(iter(loader))\nprint(batch)")]
    if "gradients" in collections:
        reason = (
            "What comes after it passes no gradient on: dead units, a detach(), or a loss that does not depend on it."
        )
        patch = "print([name for name, weight in model.named_parameters() if weight.grad is None])"
        return [Advice("Look for what cuts the gradient off", reason, patch)]
    return [
        advice.initialise(trial, "Units that begin with the same weights learn the same, and zeros pass nothing on.")
    ]


class TensorVariance(Rule):
    """Tensors whose variance is too high or too low.

    The original demands that the tensors be named, and a limit. Without names these are the weights; without a limit
    the rule does not apply.

    Parameters
    ----------
    max_threshold, min_threshold
        The limits of the variance.
    """

    modes = (Mode.TRAIN, Mode.EVAL)
    collections = ("weights",)

    def __init__(
        self,
        *,
        max_threshold: float | None = None,
        min_threshold: float | None = None,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.max_threshold = max_threshold
        self.min_threshold = min_threshold
        self._patience = {"high": Patience(0), "low": Patience(0)}

    def why_not(self, trial: Trial) -> str | None:
        if self.max_threshold is None and self.min_threshold is None:
            return "It was given no limit: use TensorVariance(max_threshold=..., min_threshold=...)."
        return None

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        variances = block.column("std").astype("f8") ** 2
        return [
            self._tell(step, trial, block, variances, kind, limit)
            for kind, limit, wrong in (
                ("high", self.max_threshold, variances > _or(self.max_threshold, np.inf)),
                ("low", self.min_threshold, variances < _or(self.min_threshold, -np.inf)),
            )
            if limit is not None
            and self._patience[kind].wrong_for([block.tensors[index].name for index in np.flatnonzero(wrong)], step)
        ]

    def _tell(
        self,
        step: int,
        trial: Trial,
        block: StepStatistics,
        variances: np.ndarray[Any, Any],
        kind: str,
        limit: float,
    ) -> Finding:
        wrong = variances > limit if kind == "high" else variances < limit
        names = [block.tensors[index].name for index in np.flatnonzero(wrong)]
        value = float(variances[block.names.index(names[0])])
        reason = "Weights of too high or too low a variance saturate units, or pass too little on."
        steps = [advice.initialise(trial, reason), advice.normalise_between(trial)]
        return self.finding(
            step,
            f"The variance of {names[0]} is too {kind}: {value:.3g} at step {step}, "
            f"{'above' if kind == 'high' else 'below'} {limit:g}.{also(names[1:])}",
            tensor=self._patience[kind].first,
            value=value,
            threshold=limit,
            advice=steps,
            evidence={"figure": "distribution", "tensor": names[0]},
        )


class UnchangedTensor(Rule):
    """Tensors that do not change from step to step.

    The original compares all elements by `numpy.allclose`. Here it is all the statistics that were captured, smallest
    and largest value, norms and quantiles included: of equal elements they are equal, and elements that change leave
    some of them changed. The original demands that the tensors be named; without names these are the weights. The last
    three parameters leave out what rightly stands still; they are off unless given.

    Parameters
    ----------
    num_steps
        So many sampled steps are compared, this one included.
    rtol, atol, equal_nan
        As in `numpy.allclose`.
    min_steps
        Steps of training that must lie between the first and the last of them.
    only_trained
        Only weights that get a gradient; frozen ones are meant to stay as they are.
    converged
        Not once the training loss is below this share of what it began with, nor while the learning rate is rising from
        its first value or below a hundredth of its largest; 0 for regardless of all that.
    """

    collections = ("weights",)

    def __init__(
        self,
        *,
        num_steps: int = 3,
        rtol: float = 1e-5,
        atol: float = 1e-8,
        equal_nan: bool = False,
        min_steps: int = 0,
        only_trained: bool = False,
        converged: float = 0.0,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        if not num_steps >= 2:
            raise InvalidArgumentError(f"UnchangedTensor(num_steps={num_steps}): it takes at least 2 steps to compare.")
        self.num_steps = num_steps
        self.rtol = rtol
        self.atol = atol
        self.equal_nan = equal_nan
        self.min_steps = min_steps
        self.only_trained = only_trained
        self.converged = converged
        self._kept_steps: deque[tuple[int, list[str], np.ndarray[Any, Any]]] = deque()
        self._first = ""

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        block = self.look(step, trial)
        if block is None:
            return None
        values, names = block.values, [tensor.name for tensor in block.tensors]
        if self._kept_steps and self._kept_steps[0][1] != names:
            self._kept_steps.clear()
        self._kept_steps.append((step, names, values))
        while len(self._kept_steps) > self.num_steps and step - self._kept_steps[1][0] >= self.min_steps:
            self._kept_steps.popleft()
        if len(self._kept_steps) < self.num_steps or step - self._kept_steps[0][0] < self.min_steps:
            return None
        is_same = np.ones(len(names), bool)
        for _, _, earlier in self._kept_steps:
            if earlier is not values:
                is_same &= rows_close(earlier, values, self.rtol, self.atol, self.equal_nan)
            if not is_same.any():
                return None
        known = Knowledge.of(trial)
        found = [names[index] for index in np.flatnonzero(is_same)]
        if self.only_trained:
            found = [name for name in found if trial.has_tensor(f"gradient/{name}")]
        if not found or (self.converged and self._is_at_rest(known, step)):
            return None
        self._first = self._first or found[0]
        since = self._kept_steps[0][0]
        return self.finding(
            step,
            f"{found[0]} has not changed between step {since} and step {step}.{also(found[1:])}",
            tensor=self._first,
            value=float(step - since),
            threshold=float(self.min_steps or self.num_steps),
            advice=[
                Advice(
                    "Look whether the optimizer has these weights",
                    "Weights that were made, replaced or thawed after the optimizer was made are not in it.",
                    "known = {id(weight) for group in optimizer.param_groups for weight in group['params']}\n"
                    "print([name for name, weight in model.named_parameters() if id(weight) not in known])",
                ),
                advice.change_learning_rate(trial, step, 10.0, "The updates are too small to change the weights."),
            ],
            evidence={"figure": "series", "tensors": found[:5], "reduction": "l2"},
        )

    def _is_at_rest(self, known: Knowledge, step: int) -> bool:
        return known.is_resting(step) or known.is_warming_up(step) or known.has_converged(step, self.converged)


def rows_close(
    earlier: np.ndarray[Any, Any], later: np.ndarray[Any, Any], rtol: float, atol: float, equal_nan: bool
) -> np.ndarray[Any, Any]:
    """Return for every tensor whether its statistics are as close as `numpy.allclose` demands.

    Statistics that mean nothing for a tensor are NaN at both steps and pass. A tensor with NaN among its elements has
    them counted, and passes only with `equal_nan`.
    """
    has_nan = later[:, COLUMN["nan"]] > 0
    earlier, later = earlier[:, _COMPARED], later[:, _COMPARED]
    with np.errstate(invalid="ignore"):
        is_close = (np.abs(earlier - later) <= atol + rtol * np.abs(later)) | (earlier == later)
    is_close |= np.isnan(earlier) & np.isnan(later)
    return np.asarray(is_close.all(axis=1) & (equal_nan | ~has_nan))


def _or(value: float | None, instead: float) -> float:
    return instead if value is None else value
