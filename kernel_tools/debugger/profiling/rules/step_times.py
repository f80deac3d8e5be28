"""Rules about how long steps take, and what comes before the first one."""

from __future__ import annotations

from typing import Any

import numpy as np

from kernel_tools.debugger.finding import Advice, Severity
from kernel_tools.debugger.profiling.rules.base import ProfilerRule
from kernel_tools.debugger.profiling.steps import PHASES, durations_of, find_outliers, phases_of
from kernel_tools.debugger.records import TICK, Mode, to_mode
from kernel_tools.debugger.rules.base import Found
from kernel_tools.debugger.trial import Trial

_AT = TICK.index("at")
_LOST = 0.1


class StepRule(ProfilerRule):
    """A rule that looks at the times of steps."""

    def why_not(self, trial: Trial) -> str | None:
        """It needs the times of steps."""
        has_times = len(trial.tick_values()) and np.nansum(phases_of(trial.tick_values())) > 0
        return None if has_times else "The times of steps are not known."


class MaxInitializationTime(ProfilerRule):
    """The first step comes late.

    Parameters
    ----------
    threshold
        Minutes from the start of the run to the end of the first step.
    """

    def __init__(self, *, threshold: float = 20, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.threshold = threshold

    def judge(self, trial: Trial) -> Found:
        """Compare the first step with the start."""
        values = trial.tick_values()
        began = trial.meta("began")
        if trial.run is not None and trial.run.record.started_at is not None:
            began = min(began or trial.run.record.started_at, trial.run.record.started_at)
        if began is None or not len(values):
            return None
        minutes = (float(values[0, _AT]) - began) / 60_000
        if minutes <= self.threshold:
            return None
        return self.finding(
            int(values[0, 0]),
            f"The first step ended {minutes:.0f} minutes after the start; {self.threshold:g} is the limit.",
            value=minutes,
            threshold=self.threshold,
            advice=[
                Advice(
                    "Prepare the data in a job of its own",
                    "A machine for training is paid for while it prepares data.",
                    "",
                    60 * minutes,
                ),
                Advice(
                    "Load data when it is needed",
                    "The first batch does not need all of it.",
                    "dataset = torch.utils.data.IterableDataset",
                ),
            ],
            evidence={"figure": "utilization"},
        )


class StepOutlier(StepRule):
    """Some steps take much longer than the others.

    It is a hint unless these steps have taken a tenth of the time: in thousands of steps some are always late. The
    first steps, which are slow for reasons of their own, and the time of the Debugger's hook are left out.

    Parameters
    ----------
    stddev
        Standard deviations above the mean from which a step is an outlier.
    n_outliers
        How many there may be.
    mode
        The mode of the steps. Default: TRAIN.
    """

    severity = Severity.HINT

    def __init__(self, *, stddev: float = 3, n_outliers: int = 10, mode: str | None = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.stddev, self.n_outliers, self.of_mode = stddev, n_outliers, to_mode(mode) or Mode.TRAIN

    def judge(self, trial: Trial) -> Found:
        """Find steps beyond the limit, and what they spent their time on."""
        values = trial.tick_values(self.of_mode)
        if len(values) < 20:
            return None
        seconds = durations_of(values)
        late, limit = find_outliers(seconds, self.stddev)
        if len(late) <= self.n_outliers or seconds.sum() < self.patience:
            return None
        lost = float((seconds[late] - np.median(seconds)).sum())
        share = lost / float(seconds.sum())
        usual, of_late = (phases_of(values[places])[:, :-1].mean(axis=0) for places in (slice(None), late))
        phase = PHASES[int((of_late - usual).argmax())]
        return self.finding(
            int(values[-1, 0]),
            f"{len(late)} of {len(values):,} steps took longer than {1000 * limit:.3g} ms, the mean and "
            f"{self.stddev:g} standard deviations; together {lost:.2g} s more than usual, most of it in {phase}.",
            value=len(late),
            threshold=self.n_outliers,
            severity=Severity.WARNING if share > _LOST else Severity.HINT,
            advice=_advice_on(phase, lost),
            evidence={"figure": "outliers", "stddev": self.stddev},
        )


class OverallFrameworkMetrics(StepRule):
    """What the steps spent their time on; it never fires."""

    severity = Severity.HINT

    def judge(self, trial: Trial) -> Found:
        """Say the shares, in what the board shows of the rule."""
        phases = phases_of(trial.tick_values())
        total = float(phases.sum())
        shares = sorted(
            zip(phases.sum(axis=0) / total if total else phases.sum(axis=0), PHASES, strict=True), reverse=True
        )
        shown = ", ".join(f"{name} {100 * share:.0f} %" for share, name in shares)
        self.conclusion = f"{len(phases):,} steps in {total:.3g} s: {shown}."
        return None


def _advice_on(phase: str, seconds: float) -> list[Advice]:
    found = {
        "data": Advice(
            "Prefetch batches",
            "Now and then a batch is not ready when it is needed.",
            "loader = torch.utils.data.DataLoader(dataset, batch_size=batch_size, num_workers=2, prefetch_factor=8)",
            seconds,
        ),
        "other": Advice(
            "Look at what the loop does now and then",
            "Saving, logging and printing happen between the phases.",
            "",
            seconds,
        ),
    }.get(
        phase,
        Advice(
            "Look at these steps with torch.profiler",
            f"It says which operators make the {phase} long.",
            "hook = kt.debugger.watch(model, optimizer, profile=(100, 120))",
            seconds,
        ),
    )
    return [
        found,
        Advice(
            "Look whether something else runs on the machine",
            "Steps of equal work that differ in time share it with others.",
        ),
    ]
