"""The losses of the steps of training, read once each however often a rule looks."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.trial import Trial

_COLUMNS = [TICK.index(name) for name in ("step", "loss", "learning_rate")]
_MODE = TICK.index("mode")


class LossHistory:
    """Reads what is new of the losses of a trial.

    Attributes
    ----------
    first
        The loss of the first step, NaN until it is known.
    recent
        The last `kept` losses, float64.
    rate, highest_rate
        The learning rate of the last step, and the highest so far; NaN if unknown.
    """

    def __init__(self, kept: int) -> None:
        self.first = float("nan")
        self.recent: np.ndarray[Any, Any] = np.empty(0)
        self.rate = self.highest_rate = float("nan")
        self.count = 0
        self._kept = kept
        self._read = 0
        self._last_step = -1
        self._has_loss = False

    @property
    def last_step(self) -> int:
        """The last step that was read."""
        return self._last_step

    def why_not(self, trial: Trial) -> str | None:
        """Return why nothing can be said about the losses of training, as a sentence; None if there are some."""
        if self.count == 0 and trial.meta("has_loss") is False and not len(trial.losses(Mode.TRAIN)[0]):
            return "The loss of training is not known: call backward() on it, or log it as a metric."
        return None

    def read(self, trial: Trial, until: int) -> np.ndarray[Any, Any]:
        """Take in the steps up to `until` that are new: float64 of shape (steps, 3), a step, its loss and its rate."""
        new = self._new(trial, until)
        if len(new):
            self._last_step = int(new[-1, 0])
            self.count += len(new)
            losses, rates = new[:, 1], new[:, 2]
            if np.isnan(self.first):
                self.first = float(losses[0])
            self.recent = np.concatenate([self.recent, losses])[-self._kept :]
            self.rate = float(rates[-1])
            self.highest_rate = float(np.fmax(self.highest_rate, np.fmax.reduce(rates)))
        return new

    def _new(self, trial: Trial, until: int) -> np.ndarray[Any, Any]:
        if not self._has_loss:
            self._has_loss = bool(trial.meta("has_loss"))
        if not self._has_loss:
            steps, losses = trial.losses(Mode.TRAIN, until)
            start = int(np.searchsorted(steps, self._last_step, side="right"))
            return np.column_stack([steps[start:], losses[start:], np.full(len(steps) - start, np.nan)])
        rows = trial.tick_values()[self._read :]
        later = np.flatnonzero(rows[:, 0] > until)
        rows = rows[: later[0]] if len(later) else rows
        self._read += len(rows)
        rows = rows[rows[:, _MODE] == Mode.TRAIN]
        found: np.ndarray[Any, Any] = rows[:, _COLUMNS]
        return found
