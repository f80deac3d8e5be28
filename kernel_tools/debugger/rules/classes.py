"""Rules about classes: how often they come, and which of them are taken for which."""

from __future__ import annotations

from collections import deque
from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Finding, Severity
from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.rules import advice
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.knowledge import Knowledge
from kernel_tools.debugger.rules.patience import name_some
from kernel_tools.debugger.trial import Trial

CONFUSION = "confusion"
"""The tensor of counts that hooks save: int64 of shape (classes, classes), a row for each true class."""
_NONE = "It judges classifications, and no predictions of classes were captured."


class _Classes(Rule):
    """Takes in what was counted of classes step by step."""

    modes = (Mode.TRAIN, Mode.EVAL)

    def why_not(self, trial: Trial) -> str | None:
        return None if CONFUSION in Knowledge.of(trial).names("predictions") else _NONE

    def matrix(self, step: int, trial: Trial) -> np.ndarray[Any, Any] | None:
        """Return how often each true class (row) was taken for each (column) at a step; None if nothing was counted."""
        found = trial.readers()[0].array(CONFUSION, self.mode, step)
        return found if found is not None and found.ndim == 2 and len(found) > 1 else None


class ClassImbalance(_Classes):
    """Classes that come far too seldom beside others, and are mispredicted for it.

    It fires if the most frequent class comes more than `threshold_imbalance` times as often as the rarest, as a hint;
    and, as a warning, if in addition more than `threshold_misprediction` of the rows of a class with less than half of
    its fair share are mispredicted while the most frequent class is not. The original's page describes the second check
    so in words but tests all classes in its table, which any model fails before it has learned anything.

    Classes that never came are not counted as classes. Tokens of a text are no classes in this sense: rows that are
    more than the batch has are left out.

    Parameters
    ----------
    threshold_imbalance
        The largest ratio of the counts of two classes.
    threshold_misprediction
        The largest share of the rows of a class that may be mispredicted.
    samples
        So many labels must have been counted; mispredictions are judged by the latest so many.
    argmax
        As in the original; the hook takes the class with the highest probability already.
    """

    def __init__(
        self,
        *,
        threshold_imbalance: float = 10.0,
        threshold_misprediction: float = 0.7,
        samples: int = 500,
        argmax: bool = False,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.threshold_imbalance = threshold_imbalance
        self.threshold_misprediction = threshold_misprediction
        self.samples = samples
        self.argmax = argmax
        self._labels: np.ndarray[Any, Any] = np.zeros(0, "i8")
        self._recent: dict[Mode, deque[np.ndarray[Any, Any]]] = {Mode.TRAIN: deque(), Mode.EVAL: deque()}
        self._sums: dict[Mode, np.ndarray[Any, Any]] = {}

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        matrix = self.matrix(step, trial)
        if matrix is None or self._is_of_tokens(matrix, step, trial):
            return None
        if self.mode is Mode.TRAIN:
            rows = matrix.sum(axis=1)
            self._labels = rows if len(self._labels) != len(rows) else self._labels + rows
        self._remember(matrix)
        counts = self._labels if self._labels.sum() else self._sums[self.mode].sum(axis=1)
        if counts.sum() < self.samples:
            return None
        known = np.flatnonzero(counts)
        if len(known) < 2:
            return None
        rarest, commonest = int(known[counts[known].argmin()]), int(counts.argmax())
        ratio = float(counts[commonest] / counts[rarest])
        if ratio <= self.threshold_imbalance:
            return None
        return self._tell(step, trial, counts, known, rarest, commonest, ratio)

    def _tell(
        self,
        step: int,
        trial: Trial,
        counts: np.ndarray[Any, Any],
        known: np.ndarray[Any, Any],
        rarest: int,
        commonest: int,
        ratio: float,
    ) -> Finding:
        wrong = self._mispredicted(counts, known, commonest)
        message = (
            f"Class {commonest} comes {ratio:.0f} times as often as class {rarest} ({counts[commonest]:,} and "
            f"{counts[rarest]:,} of {counts.sum():,} labels up to step {step}); {self.threshold_imbalance:g} is the "
            "limit."
        )
        if wrong:
            shares = name_some([f"{share:.0%} of class {index}" for index, share in wrong])
            message += f" It shows: {shares} are mispredicted."
        steps = [
            advice.weigh_classes(counts.tolist()),
            Advice(
                "Draw rare classes more often",
                "Every batch then holds all classes.",
                "weights = (1.0 / torch.bincount(labels).clamp(min=1))[labels]\n"
                "sampler = torch.utils.data.WeightedRandomSampler(weights, len(labels))\n"
                "loader = torch.utils.data.DataLoader(dataset, batch_size=64, sampler=sampler)",
            ),
        ]
        return self.finding(
            step,
            message,
            value=ratio,
            threshold=self.threshold_imbalance,
            advice=steps,
            evidence={"figure": "confusion", "step": step, "mode": self.mode.name},
            severity=Severity.WARNING if wrong else Severity.HINT,
        )

    def _mispredicted(
        self, counts: np.ndarray[Any, Any], known: np.ndarray[Any, Any], commonest: int
    ) -> list[tuple[int, float]]:
        matrix = self._sums[self.mode]
        rows = matrix.sum(axis=1)
        errors = 1 - matrix.diagonal() / np.maximum(rows, 1)
        if rows.sum() < self.samples or not rows[commonest] or errors[commonest] > self.threshold_misprediction:
            return []
        fair = counts.sum() / len(known)
        return [
            (int(index), float(errors[index]))
            for index in known
            if rows[index] and counts[index] < fair / 2 and errors[index] > self.threshold_misprediction
        ]

    def _remember(self, matrix: np.ndarray[Any, Any]) -> None:
        recent = self._recent[self.mode]
        if recent and recent[0].shape != matrix.shape:
            recent.clear()
        if not recent:
            self._sums[self.mode] = np.zeros_like(matrix)
        recent.append(matrix)
        self._sums[self.mode] = self._sums[self.mode] + matrix
        while len(recent) > 1 and self._sums[self.mode].sum() - recent[0].sum() >= self.samples:
            self._sums[self.mode] = self._sums[self.mode] - recent.popleft()

    def _is_of_tokens(self, matrix: np.ndarray[Any, Any], step: int, trial: Trial) -> bool:
        if self.mode is not Mode.TRAIN:
            return False
        values = trial.tick_values()
        place = int(values[:, 0].searchsorted(step))
        rows = values[place, TICK.index("batch_size")] if place < len(values) else 0.0
        return bool(rows and matrix.sum() > 4 * rows)


class Confusion(_Classes):
    """A confusion matrix whose diagonal is too small, or that is too large beside it.

    Of the rows that were predicted to be a class, a share of at least `min_diag` must be of it, and at most
    `max_off_diag` may be of any one other. The original measures an element off the diagonal against the sum of its
    column and one on the diagonal against the sum of the diagonal, by which a perfect model of two balanced classes
    has 0.5: here both are measured against the column. Evaluations are judged; without any, the training.

    Parameters
    ----------
    category_no
        The number of classes. Default: as many as the matrix has.
    min_diag, max_off_diag
        The limits.
    """

    def __init__(
        self,
        *,
        category_no: int | None = None,
        min_diag: float = 0.9,
        max_off_diag: float = 0.1,
        collection_names: list[str] | None = None,
        tensor_regex: list[str] | str | None = None,
    ) -> None:
        super().__init__(collection_names=collection_names, tensor_regex=tensor_regex)
        self.category_no = category_no
        self.min_diag = min_diag
        self.max_off_diag = max_off_diag
        self._has_evaluation = False

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        self._has_evaluation = self._has_evaluation or self.mode is Mode.EVAL
        matrix = self.matrix(step, trial)
        if matrix is None or (self._has_evaluation and self.mode is not Mode.EVAL):
            return None
        matrix = matrix[: self.category_no, : self.category_no]
        columns = matrix.sum(axis=0)
        shares = matrix / np.maximum(columns, 1)
        precise = np.where(columns > 0, shares.diagonal(), 1.0)
        others = shares - np.diag(shares.diagonal())
        truth, guess = (int(place) for place in np.unravel_index(int(others.argmax()), others.shape))
        worst = int(precise.argmin())
        if precise[worst] >= self.min_diag and others[truth, guess] <= self.max_off_diag:
            return None
        message = (
            f"Of what is predicted to be class {worst}, {precise[worst]:.0%} is, at step {step}; {self.min_diag:.0%} "
            "is the least."
        )
        if others[truth, guess] > self.max_off_diag:
            message += (
                f" {others[truth, guess]:.0%} of what is predicted to be class {guess} is class {truth}; "
                f"{self.max_off_diag:.0%} is the most."
            )
        return self.finding(
            step,
            message,
            value=float(precise[worst]),
            threshold=self.min_diag,
            advice=[
                Advice(
                    f"Look at examples of class {truth} that are taken for class {guess}",
                    "This pair is confused most often: labels may be wrong, or what tells them apart may be missing.",
                    f"mask = (labels == {truth}) & (predictions == {guess})\nprint(mask.nonzero().flatten()[:20])",
                ),
                advice.weigh_classes(matrix.sum(axis=1).tolist()),
            ],
            evidence={"figure": "confusion", "step": step, "mode": self.mode.name},
        )
