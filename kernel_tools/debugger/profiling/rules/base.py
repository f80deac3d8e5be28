"""What the rules of the profiler share: when they look, and what they know of the machine and its price."""

from __future__ import annotations

from typing import Any, ClassVar

from kernel_tools.debugger.profiling.system import SystemSeries, system_of
from kernel_tools.debugger.records import Mode
from kernel_tools.debugger.rules.base import Found, Rule
from kernel_tools.debugger.trial import Trial

PERIOD = 2000
"""Milliseconds between two looks: the samples come twice a second."""


class ProfilerRule(Rule):
    """A rule that looks at samples of the machine or at the times of steps, every two seconds and at the end.

    Where the original counts its patience in samples (1,000 of them, more than eight minutes), it is seconds here.

    Parameters
    ----------
    patience
        Seconds of training before it says anything.
    """

    kind: ClassVar[str] = "profiler"
    modes: ClassVar[tuple[Mode, ...]] = ()

    def __init__(self, *, patience: float = 20.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patience = float(patience)
        self._looked_at = 0

    def invoke_at_step(self, step: int, trial: Trial) -> Found:
        """Nothing is said of a single step."""
        return None

    def tick(self, trial: Trial, now: int) -> Found:
        """Look when it is time."""
        if now - self._looked_at < PERIOD:
            return None
        self._looked_at = now
        return self._look_again(trial)

    def finish(self, trial: Trial) -> Found:
        """Look at everything."""
        return self._look_again(trial)

    def _look_again(self, trial: Trial) -> Found:
        return self.judge(trial) if self.why_not(trial) is None else None

    def judge(self, trial: Trial) -> Found:
        """Say what is wrong with what was recorded so far."""
        raise NotImplementedError


class MachineRule(ProfilerRule):
    """A rule that looks at samples of the machine."""

    needs_gpus: ClassVar[int] = 0

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._series: tuple[int, SystemSeries] | None = None

    def why_not(self, trial: Trial) -> str | None:
        """It needs samples, and most rules need a GPU."""
        series = self.series(trial)
        if not len(series):
            return "The machine was not sampled."
        if series.gpus.shape[1] < self.needs_gpus:
            return "There is no GPU." if self.needs_gpus == 1 else f"There are no {self.needs_gpus} GPUs to compare."
        return None

    def series(self, trial: Trial) -> SystemSeries:
        """Return what the machine did so far; the file is read at most once for each look."""
        if self._series is None or self._series[0] != self._looked_at or trial.loaded_all_steps:
            self._series = (self._looked_at, system_of(trial))
        return self._series[1]

    def is_too_early(self, series: SystemSeries) -> bool:
        """Whether too little was recorded to say anything."""
        return series.seconds < self.patience
