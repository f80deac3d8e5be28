"""Average SHAP values of the features, as often as the budget allows: they cost far more than anything else."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np

from kernel_tools.debugger.rounds import RoundRecorder

_FREE = 0.005
"""Seconds that one look may cost in any case: the first rounds have few trees."""
_AT_END = 0.02
"""Seconds that the last look may cost where the budget leaves less."""


class ShapSaver:
    """Keeps the mean absolute SHAP value of every feature, ``shap/average``, of the validation data where there is any.

    The cost of a row grows with the number of trees; what the last look has taken says what the next one would.
    """

    MOST_ROWS: ClassVar[int] = 256
    _LEAST_ROWS: ClassVar[int] = 16

    def __init__(self) -> None:
        self._seconds: float | None = None

    def save(
        self,
        recorder: RoundRecorder,
        explain: Callable[[int], np.ndarray[Any, Any]] | None,
        rounds: int,
        *,
        is_last: bool = False,
    ) -> None:
        """Look if it may be afforded.

        Parameters
        ----------
        recorder
            What is written to.
        explain
            Returns contributions of shape (rows, [classes,] features + 1) of so many rows; None if there are none.
        rounds
            Rounds of trees so far.
        is_last
            Whether this is the end: then as many rows as can be afforded are looked at.
        """
        if explain is None:
            return
        count = self._LEAST_ROWS if self._seconds is None else self.MOST_ROWS
        if self._seconds is not None:  # of a row and a round
            allowed = max(recorder.allowance, _AT_END if is_last else _FREE)
            affordable = allowed / (self._seconds * max(rounds, 1))
            if affordable < self.MOST_ROWS and not is_last:
                return
            count = int(np.clip(affordable, self._LEAST_ROWS, self.MOST_ROWS))
        began = time.perf_counter()
        contributions = np.abs(explain(count)[..., :-1])
        features = contributions.shape[-1]
        self._seconds = (time.perf_counter() - began) / max(1, len(contributions)) / max(rounds, 1)
        average = contributions.reshape(-1, features).mean(axis=0, dtype="f8")
        recorder.add_array("shap/average", ("shap",), average)
        recorder.add_values("shap/average", ("shap",), average)
