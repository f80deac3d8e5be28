"""What rules know of a training besides its tensors, read once for all rules: its layers, losses, learning rates."""

from __future__ import annotations

import time
import weakref
from typing import Any

import numpy as np

from kernel_tools.debugger.reading import TensorInfo
from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.trial import Trial

RECTIFIERS = frozenset({"ReLU", "ReLU6", "Threshold"})
SQUASHING = frozenset({"Tanh", "Sigmoid", "Hardtanh", "Hardsigmoid"})
ACTIVATIONS = RECTIFIERS | SQUASHING | {"LeakyReLU", "PReLU", "RReLU", "ELU", "SELU", "CELU", "GELU", "SiLU", "Mish"}
ACTIVATIONS |= {"Hardswish", "Softplus", "GLU"}
NORMS = ("BatchNorm", "LayerNorm", "GroupNorm", "InstanceNorm", "RMSNorm", "SyncBatchNorm")

_STEP, _MODE, _AT, _LOSS, _RATE = (TICK.index(name) for name in ("step", "mode", "at", "loss", "learning_rate"))
_REST = 0.5
"""Seconds between two looks at losses that the hook did not see but that were logged."""


class Knowledge:
    """What is known of a trial; `Knowledge.of(trial)` gives all rules the same one.

    It takes in what is new, and only that, when it is asked, so that asking at every step costs next to nothing.
    """

    _known: weakref.WeakKeyDictionary[Trial, Knowledge] = weakref.WeakKeyDictionary()

    def __init__(self, trial: Trial) -> None:
        self._trial = weakref.ref(trial)
        self._tensors = 0
        self._collections: dict[str, list[str]] = {}
        self._kinds: frozenset[str] = frozenset()
        self._layers: list[TensorInfo] = []
        self._ticks = 0
        self._has_loss = False
        self._empty = (np.empty(0, "i8"), np.empty(0))
        self._losses: dict[Mode, tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = {}
        self._read_at: dict[Mode, float] = {}
        self._rates = self._empty
        self._ats = (np.empty(0, "i8"), np.empty(0, "i8"))

    @classmethod
    def of(cls, trial: Trial) -> Knowledge:
        """Return what is known of a trial."""
        found = cls._known.get(trial)
        if found is None:
            found = cls._known[trial] = cls(trial)
        return found

    @property
    def trial(self) -> Trial:
        """The trial."""
        found = self._trial()
        if found is None:
            raise ReferenceError("The trial is gone.")
        return found

    # ---- Layers ----

    def has(self, collection: str) -> bool:
        """Whether any tensor of a collection was captured."""
        self._see_tensors()
        return collection in self._collections

    def names(self, collection: str) -> list[str]:
        """Return the tensors of a collection."""
        self._see_tensors()
        return self._collections.get(collection, [])

    def kinds(self) -> frozenset[str]:
        """Return the kinds of layers and activations that were captured, such as Conv2d."""
        self._see_tensors()
        return self._kinds

    def layers(self) -> list[TensorInfo]:
        """Return what layers return, in the order of the forward pass."""
        self._see_tensors()
        return self._layers

    def has_norms(self) -> bool:
        """Whether the model normalises between layers."""
        return any(kind.startswith(NORMS) for kind in self.kinds())

    # ---- Losses and learning rates ----

    def losses(self, mode: Mode, until: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps (int64) up to `until` at which the loss of a mode is known, and the loss (float64)."""
        self._see_ticks()
        if not self._has_loss:
            self._see_logged(mode, until)
        steps, losses = self._losses.get(mode, self._empty)
        end = int(steps.searchsorted(until, side="right"))
        return steps[:end], losses[:end]

    def rates(self, until: int) -> np.ndarray[Any, Any]:
        """Return the learning rate (float64) of every step of training up to `until`."""
        self._see_ticks()
        steps, rates = self._rates
        return rates[: int(steps.searchsorted(until, side="right"))]

    def ats(self, until: int) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
        """Return the steps of all modes up to `until` (int64), and when they ended in ms since 1970 UTC (int64)."""
        self._see_ticks()
        steps, ats = self._ats
        end = int(steps.searchsorted(until, side="right"))
        return steps[:end], ats[:end]

    def is_resting(self, step: int, share: float = 0.01) -> bool:
        """Whether a schedule holds the learning rate below a share of its largest: nothing can move then."""
        rates = self.rates(step)
        if not len(rates) or not np.isfinite(rates[-1]):
            return False
        return bool(rates[-1] < share * np.nanmax(rates))

    def is_warming_up(self, step: int) -> bool:
        """Whether a schedule is still raising the learning rate from what it began with."""
        rates = self.rates(step)
        return len(rates) > 1 and bool(rates[0] < rates[-1]) and bool(rates[-2] < rates[-1])

    def has_converged(self, step: int, share: float, window: int = 20) -> bool:
        """Whether the training loss, averaged over a window of steps, is below a share of what it began with."""
        losses = self.losses(Mode.TRAIN, step)[1]
        if share <= 0 or len(losses) < 2 * window:
            return False
        return bool(np.mean(losses[-window:]) < share * np.mean(losses[: min(window, 5)]))

    def _see_tensors(self) -> None:
        count = sum(len(reader.tensors) for reader in self.trial.readers())
        if count != self._tensors:
            self._tensors = count
            self._collections = self.trial.collections()
            self._layers = [self.trial.tensor(name).info for name in self._collections.get("layers", ())]
            self._kinds = frozenset(tensor.kind for tensor in self._layers)

    def _see_ticks(self) -> None:
        values = self.trial.tick_values()
        if len(values) == self._ticks:
            return
        new, self._ticks = values[self._ticks :], len(values)
        self._has_loss = self._has_loss or bool(self.trial.meta("has_loss"))
        steps, modes = new[:, _STEP].astype("i8"), new[:, _MODE].astype("i8")
        if self._has_loss:
            for mode in Mode:
                rows = modes == mode
                if rows.any():
                    self._losses[mode] = _append(self._losses.get(mode, self._empty), steps[rows], new[rows, _LOSS])
        rows = modes == Mode.TRAIN
        self._rates = _append(self._rates, steps[rows], new[rows, _RATE])
        self._ats = _append(self._ats, steps, new[:, _AT].astype("i8"))

    def _see_logged(self, mode: Mode, until: int) -> None:
        known = self._losses.get(mode, self._empty)[0]
        now = time.monotonic()
        if (not len(known) or known[-1] < until) and now - self._read_at.get(mode, 0.0) > _REST:
            self._losses[mode] = self.trial.losses(mode)
            self._read_at[mode] = now


def _append(
    known: tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]], steps: np.ndarray[Any, Any], values: np.ndarray[Any, Any]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    return np.concatenate([known[0], steps]), np.concatenate([known[1], values])
