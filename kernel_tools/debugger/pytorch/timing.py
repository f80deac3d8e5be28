"""Where the time of a step goes, without a profiler: between which calls of the hook it has passed."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch

from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.store import StoreWriter

FLUSH_STEPS = 512
FLUSH_SECONDS = 0.25
"""What is kept of every step is written after so many steps, or seconds."""
DATA, FORWARD, BACKWARD, OPTIMIZER, OTHER = range(5)
"""The phases of a step, in the order in which `TICK` has them."""
clock = time.perf_counter


class StepClock:
    """Adds up the phases of the step under way; `cost` is what the hook itself has taken of it, in seconds.

    It is called several times a step, when the user's code has just been busy with something else: few calls matter.
    """

    def __init__(self, writer: StoreWriter, first_step: int) -> None:
        self._writer = writer
        self._rows: list[tuple[float, ...]] = []
        self._flushed = 0.0
        self._mark = clock()
        self._spent = [0.0] * 5
        self._waited = 0.0
        self._has_loader = False
        self._batch = 0
        self.cost = 0.0
        self.is_running = False

    def start(self) -> None:
        """Begin a step."""
        self.is_running = True
        self._spent = [0.0] * 5
        self._batch = 0

    def enter(self, phase: int) -> float:
        """Count the time since the last mark for a phase; returns the moment, which `leave` is given."""
        moment = clock()
        self._spent[phase] += moment - self._mark
        self._mark = moment
        return moment

    def enter_forward(self) -> float:
        """Count the time before a forward pass: waiting for data before the first one, unless a loader says less."""
        moment = clock()
        passed = moment - self._mark
        is_waiting = self._has_loader or not any(self._spent)
        waited = (min(self._waited, passed) if self._has_loader else passed) if is_waiting else 0.0
        self._spent[DATA] += waited
        self._spent[OTHER] += passed - waited
        self._waited = 0.0
        self._mark = moment
        return moment

    def leave(self, began: float) -> None:
        """Count what the hook has taken since a moment; it belongs to no phase."""
        moment = self._mark = clock()
        self.cost += moment - began

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
        if isinstance(inputs, tuple):
            for item in inputs:
                if isinstance(item, torch.Tensor):
                    self._batch += item.shape[0] if item.dim() else 0
                    return

    def end(self, step: int, mode: Mode, loss: float, rate: float) -> bool:
        """End the step, and write those of the last moments if it is time; returns whether it was."""
        moment = self._mark
        self._rows.append((step, mode, time.time() * 1000 // 1, *self._spent, self.cost, loss, rate, self._batch))
        self.cost, self.is_running = 0.0, False
        is_time = moment - self._flushed > FLUSH_SECONDS or len(self._rows) >= FLUSH_STEPS
        if is_time:
            self.flush()
            self._flushed = moment
        self._mark = clock()
        return is_time

    def abandon(self) -> None:
        """Forget the step under way."""
        self.cost, self.is_running = 0.0, False

    def flush(self) -> None:
        """Write what is kept of the last steps."""
        if self._rows:
            self._writer.write_ticks(np.array(self._rows).reshape(-1, len(TICK)))
            self._rows = []
