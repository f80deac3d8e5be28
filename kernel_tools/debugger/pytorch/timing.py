"""Where the time of a step goes, without a profiler: between which calls of the hook it has passed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from kernel_tools.debugger.finding import now
from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.store import StoreWriter

FLUSH_STEPS = 512
FLUSH_SECONDS = 0.25
"""What is kept of every step is written after so many steps, or seconds."""
_PHASES = ("data", "forward", "backward", "optimizer", "other")


class StepClock:
    """Adds up the phases of the step under way; `cost` is what the hook itself has taken of it, in seconds."""

    def __init__(self, writer: StoreWriter, first_step: int) -> None:
        self._writer = writer
        self._rows: list[tuple[float, ...]] = []
        self._flushed = 0.0
        self._mark = time.perf_counter()
        self._spent = dict.fromkeys(_PHASES, 0.0)
        self._waited = 0.0
        self._has_loader = False
        self._batch = 0
        self.cost = 0.0
        self.is_running = False

    def start(self, moment: float) -> None:
        """Begin a step: what has passed since the last one ended was waiting for data, unless a loader says less."""
        self.is_running = True
        self._spent = dict.fromkeys(_PHASES, 0.0)
        self._batch = 0

    def mark(self, phase: str, moment: float, is_first: bool = False) -> None:
        """Count the time since the last mark for a phase; between two forward passes it is for other things."""
        passed = moment - self._mark
        if is_first:
            waited = (
                min(self._waited, passed) if self._has_loader else (passed if not any(self._spent.values()) else 0.0)
            )
            self._spent["data"] += waited
            self._spent["other"] += passed - waited
            self._waited = 0.0
        else:
            self._spent[phase] += passed
        self._mark = moment

    def waited(self, seconds: float) -> None:
        """Count what a data loader has taken."""
        self._waited += seconds
        self._has_loader = True

    def took(self, seconds: float) -> None:
        """Count what the hook has taken since the last mark; it belongs to no phase."""
        self.cost += seconds
        self._mark = time.perf_counter()

    def see_batch(self, inputs: Any) -> None:
        """Count the rows that a model was given."""
        first = (
            next((item for item in inputs if isinstance(item, torch.Tensor)), None)
            if isinstance(inputs, tuple)
            else None
        )
        if first is not None and first.dim():
            self._batch += int(first.shape[0])

    def end(self, step: int, mode: Mode, loss: float, rate: float, moment: float) -> None:
        """End the step, and write those of the last moments if it is time."""
        self._spent["other"] += max(0.0, moment - self._mark)
        phases = (self._spent[name] for name in _PHASES)
        self._rows.append((step, mode, now(), *phases, self.cost, loss, rate, self._batch))
        self.cost, self.is_running = 0.0, False
        if moment - self._flushed > FLUSH_SECONDS or len(self._rows) >= FLUSH_STEPS:
            self.flush()
            self._flushed = moment
        self._mark = time.perf_counter()

    def abandon(self) -> None:
        """Forget the step under way."""
        self.cost, self.is_running = 0.0, False

    def flush(self) -> None:
        """Write what is kept of the last steps."""
        if self._rows:
            self._writer.write_ticks(np.array(self._rows).reshape(-1, len(TICK)))
            self._rows = []
