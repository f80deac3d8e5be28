"""Rules about what the labels say: known to the model beforehand, or partly wrong."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from kernel_tools.core.errors import NotFoundError
from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.rules.loss_history import LossHistory
from kernel_tools.debugger.trial import Trial


class DataLeak(Rule):
    """The model is right about everything it has not seen, or nearly at once: it may have been given the answer.

    Looks at classifications only, where guessing has a known loss, that of the shares of the labels. Fires when an
    evaluation of at least `samples` has not one error and a loss below `share` of that of guessing; or when, within
    the first `early` steps, training itself is below `share` of it for ten steps.

    Parameters
    ----------
    share
        The share of the loss of guessing that is not plausible.
    samples
        The least rows of an evaluation to judge by.
    early
        Steps within which training cannot have learned that much.
    """

    severity = Severity.WARNING
    modes = (Mode.TRAIN, Mode.EVAL)

    def __init__(self, *, share: float = 0.01, samples: int = 200, early: int = 50, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.share = share
        self.samples = samples
        self.early = early
        self._losses = LossHistory(kept=10)

    def why_not(self, trial: Trial) -> str | None:
        """It needs a classification."""
        if trial.has_tensor("confusion") or not trial.steps(Mode.TRAIN):
            return None
        return "It judges classifications, and no predictions of classes were seen."

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the evaluation, or at the first losses of training."""
        self._losses.read(trial, step)
        confusion = _confusion(trial, step, self.mode)
        if confusion is None:
            return None
        guessing = _guessing_loss(confusion)
        if self.mode is Mode.TRAIN:
            if trial.meta("framework") in ("xgboost", "lightgbm"):
                return None  # each of its steps sees all rows: some dozens can learn them by heart
            recent = self._losses.recent
            level = float(np.median(recent)) if len(recent) == 10 else math.nan
            if not (self._losses.last_step <= self.early and guessing > 0.3 and level < self.share * guessing):
                return None
            seen = f"the loss of training is {level:.2g} after {self._losses.last_step + 1} steps"
        else:
            rows = int(confusion.sum())
            level = _loss_at(trial, step)
            is_perfect = rows >= self.samples and int(np.trace(confusion)) == rows
            if not (is_perfect and guessing > 0.3 and level < self.share * guessing):
                return None
            seen = f"all {rows:,} rows of the evaluation are predicted right, with a loss of {level:.2g}"
        return self.finding(
            step,
            f"Better than plausible: {seen}, where guessing gives {guessing:.2g}. An input may hold the answer, or the "
            "rows of the evaluation may be among those of training.",
            value=level,
            threshold=self.share * guessing,
            advice=_LEAK_ADVICE,
            evidence={"figure": "confusion", "step": step, "mode": self.mode.name},
        )


class LabelNoise(Rule):
    """Errors are spread evenly over the classes, as if labels had been drawn at random.

    A model that confuses classes confuses some more than others, and goes on learning to tell them apart; wrong labels
    look wrong in every way alike, and stay. The rule compares the cells off the diagonal of the confusion matrix with
    what they would be if truth and prediction were independent there (quasi-independence, fitted by iterative
    scaling), by chi-squared per degree of freedom, and waits until errors have become no fewer for `patience` looks: a
    look is an evaluation, or as many sampled batches of training as it needs. It says nothing of labels that are wrong
    in one direction only, of two classes, nor of a model that has learned little.

    Parameters
    ----------
    noise
        The least share of errors to speak of.
    evenness
        The largest chi-squared per degree of freedom; 1 is chance alone.
    per_cell
        Errors per cell off the diagonal that are needed to judge.
    right
        The least share of right ones, and at least twice that of guessing.
    patience
        Looks in a row that must be even, the last with no less than 0.95 of the errors of the first.
    """

    severity = Severity.HINT
    modes = (Mode.TRAIN, Mode.EVAL)

    def __init__(
        self,
        *,
        noise: float = 0.1,
        evenness: float = 1.5,
        per_cell: float = 1.5,
        right: float = 0.4,
        patience: int = 4,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.noise = noise
        self.evenness = evenness
        self.per_cell = per_cell
        self.right = right
        self.patience = patience
        self._counts: np.ndarray[Any, Any] | None = None
        self._errors: dict[Mode, list[float]] = {}

    def why_not(self, trial: Trial) -> str | None:
        """It needs a classification of three classes or more."""
        if not trial.has_tensor("confusion"):
            return "It judges classifications, and no predictions of classes were seen." if trial.steps() else None
        return (
            None if trial.tensor("confusion").info.shape[0] > 2 else "Of two classes, each error looks like any other."
        )

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Look at the errors of this evaluation, or of the last sampled batches of training."""
        confusion = _confusion(trial, step, self.mode)
        if confusion is None or len(confusion) > 50:
            return None
        if self.mode is Mode.TRAIN:
            known = self._counts
            self._counts = confusion = confusion + (0 if known is None or known.shape != confusion.shape else known)
        judged = self._judge(confusion)
        if judged is None:
            return None
        errors, unevenness = judged
        if self.mode is Mode.TRAIN:
            self._counts = None
        known_errors = self._errors.setdefault(self.mode, [])
        if errors < self.noise or unevenness > self.evenness:
            known_errors.clear()
            return None
        known_errors.append(errors)
        if len(known_errors) < self.patience or errors < 0.95 * known_errors[-self.patience]:
            return None
        where = "in training" if self.mode is Mode.TRAIN else "in the evaluation"
        return self.finding(
            step,
            f"{errors:.0%} of the labels are contradicted {where}, and evenly so over all pairs of classes "
            f"(chi-squared {unevenness:.2g} per degree of freedom, where 1 is chance): some labels may be wrong.",
            value=errors,
            threshold=self.noise,
            advice=_NOISE_ADVICE,
            evidence={"figure": "confusion", "step": step, "mode": self.mode.name},
        )

    def _judge(self, confusion: np.ndarray[Any, Any]) -> tuple[float, float] | None:
        """Return the share of errors and how uneven they are; None if there is too little to judge by."""
        kept = np.flatnonzero(confusion.sum(1) > 0)
        counts = confusion[np.ix_(kept, kept)].astype("f8")
        size, total = len(kept), counts.sum()
        wrong = total - np.trace(counts)
        if size < 3 or wrong < self.per_cell * size * (size - 1):
            return None
        guessing = float(((counts.sum(1) / total) * (counts.sum(0) / total)).sum())
        if np.trace(counts) / total < max(self.right, 2 * guessing):
            return None
        np.fill_diagonal(counts, 0)
        expected = 1.0 - np.eye(size)
        for _ in range(10):
            expected *= (counts.sum(1) / np.maximum(expected.sum(1), 1e-12))[:, None]
            expected *= counts.sum(0) / np.maximum(expected.sum(0), 1e-12)
        cells = expected > 0
        squared = ((counts[cells] - expected[cells]) ** 2 / expected[cells]).sum()
        freedom = max(size * size - 3 * size + 1, 1)
        return float(wrong / total), float(squared / freedom)


def _confusion(trial: Trial, step: int, mode: Mode) -> np.ndarray[Any, Any] | None:
    """Return the counts of a step, truth by rows; None if they were not captured."""
    if not trial.has_tensor("confusion"):
        return None
    try:
        return np.asarray(trial.tensor("confusion").value(step, mode))
    except NotFoundError:
        return None


def _guessing_loss(confusion: np.ndarray[Any, Any]) -> float:
    """Return the cross-entropy of always predicting the shares of the labels: their entropy."""
    shares = confusion.sum(1) / max(confusion.sum(), 1)
    shares = shares[shares > 0]
    return float(-(shares * np.log(shares)).sum())


def _loss_at(trial: Trial, step: int) -> float:
    steps, losses = trial.losses(Mode.EVAL, until=step)
    return float(losses[-1]) if len(losses) and int(steps[-1]) == step else math.nan


_LEAK_ADVICE = (
    Advice(
        "Look for a column that is known only after the answer",
        "An identifier, a date of an outcome, or the label itself in another form is what leaks most often.",
        "frame.corrwith(labels, numeric_only=True).abs().sort_values(ascending=False).head(10)",
    ),
    Advice(
        "Look for rows that are in both parts",
        "Copies of a row, or rows of the same person, in training and evaluation are recognised, not predicted.",
        "len(train.merge(test, how='inner'))   # rows that are in both",
    ),
    Advice(
        "Split before anything is fitted",
        "Scalers, encoders of targets and selections of features that saw all rows carry the answer over.",
        "train, test = sklearn.model_selection.train_test_split(frame, stratify=frame['label'], random_state=0)",
    ),
)
_NOISE_ADVICE = (
    Advice(
        "Look at the rows whose label the model contradicts most",
        "Wrong labels have the largest losses once the model has learned, before it learns them by heart.",
        "each = torch.nn.functional.cross_entropy(model(inputs), targets, reduction='none')\n"
        "suspicious = each.topk(20).indices",
    ),
    Advice(
        "Smooth the labels",
        "The model is then not pushed to be certain of what may be wrong.",
        "loss_function = torch.nn.CrossEntropyLoss(label_smoothing=0.1)",
    ),
    Advice(
        "Stop early",
        "Wrong labels are learned last; the loss of the evaluation is lowest before that.",
    ),
)
