"""When a hook saves: always at first, then as often as its budget of time allows."""

from __future__ import annotations

import time

from kernel_tools.debugger.records import Mode, SaveConfig

GROWTH = 1.5
"""However small the budget, a step is saved when the number of steps has grown by half since the last one that was: so
that something is seen of every part of a short training."""


class Sampler:
    """Decides which steps are saved, from what saving has cost so far; all times are in seconds.

    Examples
    --------
    >>> sampler = Sampler(SaveConfig(every=2))
    >>> [sampler.wants(step, Mode.TRAIN) for step in range(4)]
    [True, False, True, False]
    """

    def __init__(self, save: SaveConfig) -> None:
        self._save = save
        self._modes = {Mode[name] for name in save.modes}
        self._taken = dict.fromkeys(Mode, 0)
        self._spent_on_samples = dict.fromkeys(Mode, 0.0)
        self._last: dict[Mode, int] = {}
        self._begun: float | None = None
        self._ended: float | None = None
        self.spent = 0.0
        """Everything that the hook has taken, sampled or not."""

    def wants(self, step: int, mode: Mode) -> bool:
        """Whether a step is to be saved."""
        save = self._save
        if self._begun is None:
            self._begun = time.perf_counter()
        if mode not in self._modes or step < save.start or (save.end is not None and step >= save.end):
            return False
        if save.every is not None:
            return self._is_due(step, mode, save.every)
        if self._taken[mode] < save.first:
            return True
        if step >= GROWTH * self._last.get(mode, step):
            return True
        cost = self._spent_on_samples[mode] / max(1, self._taken[mode])
        return self.spent + cost <= save.budget * (time.perf_counter() - self._begun)

    def _is_due(self, step: int, mode: Mode, every: int) -> bool:
        """An evaluation is due if none was saved in so many steps of training: it comes when it comes."""
        if mode is Mode.TRAIN:
            return (step - self._save.start) % every == 0
        last = self._last.get(mode)
        return last is None or step - last >= every

    def took(self, mode: Mode, step: int, seconds: float) -> None:
        """Count what one sampled step has cost."""
        self._last[mode] = step
        self._taken[mode] += 1
        self._spent_on_samples[mode] += seconds

    def end(self) -> None:
        """Stop the clock."""
        self._ended = time.perf_counter()

    @property
    def overhead(self) -> float:
        """The share of the time since the first step that the hook has taken, measured."""
        if self._begun is None:
            return 0.0
        elapsed = (self._ended or time.perf_counter()) - self._begun
        return self.spent / elapsed if elapsed > 0 else 0.0
