"""Where the time of steps went, out of what is kept of every step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.debugger.records import TICK, Mode, to_mode

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.debugger.trial import Trial

PHASES = ("data", "forward", "backward", "optimizer", "other", "capture")
"""Waiting for data, the forward pass, the backward pass, the optimizer, anything else, and the Debugger's hook."""
PHASE_COLUMNS = [TICK.index(name) for name in PHASES]
WARM_UP = 5
"""First steps that are slow for reasons of their own: memory is taken, kernels are chosen, models compiled."""


def phases_of(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the seconds of each phase of steps, (steps, phases); what is unknown counts nothing."""
    found: np.ndarray[Any, Any] = np.nan_to_num(values[:, PHASE_COLUMNS], nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
    return found


def durations_of(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the seconds of steps, without those of the Debugger's hook."""
    return np.asarray(phases_of(values)[:, :-1].sum(axis=1))


def breakdown(trial: Trial, mode: Mode | str | None = None) -> pd.DataFrame:
    """Return where the time went: one row for each phase, the longest first.

    Returns
    -------
    DataFrame
        phase, seconds, share (of all phases), mean and p95 (milliseconds of a step).
    """
    import pandas as pd

    phases = phases_of(trial.tick_values(to_mode(mode)))
    total = float(phases.sum())
    rows = [
        {
            "phase": name,
            "seconds": float(phases[:, index].sum()),
            "share": float(phases[:, index].sum()) / total if total else 0.0,
            "mean": float(phases[:, index].mean()) * 1000 if len(phases) else 0.0,
            "p95": float(np.percentile(phases[:, index], 95)) * 1000 if len(phases) else 0.0,
        }
        for index, name in enumerate(PHASES)
    ]
    return pd.DataFrame(rows).sort_values("seconds", ascending=False, ignore_index=True)


def find_outliers(seconds: np.ndarray[Any, Any], stddev: float = 3.0) -> tuple[np.ndarray[Any, Any], float]:
    """Return the positions of steps that took longer than the mean plus `stddev` standard deviations, and that limit.

    The first `WARM_UP` steps are left out.
    """
    usual = seconds[WARM_UP:]
    if len(usual) < 2:
        return np.empty(0, "i8"), float("inf")
    limit = float(usual.mean() + stddev * usual.std())
    return np.flatnonzero(usual > limit) + WARM_UP, limit
