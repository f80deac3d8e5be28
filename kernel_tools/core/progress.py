"""Progress of long work: one bar for notebooks and terminals, the same numbers for panels, and a stop that works.

Work reports to a `Progress`; who shows it is decided here, and showing it never breaks the work.
"""

from __future__ import annotations

import itertools
import logging
import sys
import threading
import time
import warnings
from collections.abc import Callable, Iterable, Iterator, Sized
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Any, TypeVar

from kernel_tools.core.errors import AtelierError

__all__ = [
    "Listener",
    "Progress",
    "ProgressState",
    "StoppedError",
    "listening",
    "progress",
    "running_work",
    "track",
]

_logger = logging.getLogger(__name__)

_REPORT_INTERVAL = 0.1
"""Seconds between two reports to bars and listeners; the first and the last are never left out."""

Item = TypeVar("Item")


class StoppedError(AtelierError):
    """Work that ended early because somebody asked it to."""


@dataclass(frozen=True, slots=True)
class ProgressState:
    """The numbers of one piece of work at one moment.

    Attributes
    ----------
    number
        Tells the pieces of work of one process apart; counts from 1.
    parent
        The number of the work that this one is a part of, if any.
    description, unit
        What is done, and what is counted.
    done, total
        How much of it; `total` is None when nobody knows.
    started_at
        Milliseconds since 1970 UTC.
    elapsed
        Seconds since then.
    remaining
        Seconds left at the mean speed so far; None while there is nothing to tell it from.
    is_finished
        Whether the work has ended, complete or not.
    """

    number: int
    parent: int | None
    description: str
    done: float
    total: float | None
    unit: str
    started_at: int
    elapsed: float
    remaining: float | None
    is_finished: bool


Listener = Callable[[ProgressState], None]

_numbers = itertools.count(1)
_current: ContextVar[Progress | None] = ContextVar("current_progress", default=None)
_listeners: list[Listener] = []
_running: dict[int, Progress] = {}


class Progress:
    """One piece of long work; made by `progress` or `track`, used as a context manager.

    Its methods may be called from any thread.
    """

    def __init__(self, description: str, total: float | None, unit: str, initial: float) -> None:
        self.number = next(_numbers)
        self._description = description
        self._total = total
        self._unit = unit
        self._initial = initial
        self._done = initial
        self._parent: Progress | None = None
        self._stop = threading.Event()
        self._lock = threading.RLock()
        self._bar: _Bar | None = None
        self._started_at = 0
        self._started = 0.0
        self._ended: float | None = None
        self._reported = 0.0

    def __enter__(self) -> Progress:
        parent = _current.get()
        while parent is not None and parent._ended is not None:
            parent = parent._parent
        self._parent = parent
        self._started_at = time.time_ns() // 1_000_000
        self._started = time.monotonic()
        _current.set(self)
        _running[self.number] = self
        with self._lock:
            self._bar = _open_bar(self.state())
            self._report()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._lock:
            self._ended = time.monotonic()
            self._report()
            if self._bar is not None:
                self._bar.close()
        _running.pop(self.number, None)
        if _current.get() is self:
            _current.set(self._parent)

    def advance(self, amount: float = 1) -> None:
        """Add to what is done.

        Raises
        ------
        StoppedError
            If this work, or work that it is a part of, was asked to stop. What is done has been counted then.
        """
        with self._lock:
            self._done += amount
            self._report_if_due()
        self.raise_if_stopped()

    def update(self, *, done: float | None = None, total: float | None = None, description: str | None = None) -> None:
        """Set what is done, how much there is, or what the work is called; errors as for `advance`."""
        with self._lock:
            self._done = self._done if done is None else done
            self._total = self._total if total is None else total
            self._description = self._description if description is None else description
            self._report_if_due()
        self.raise_if_stopped()

    def request_stop(self) -> None:
        """Ask the work to stop: its next `advance` or `update`, or that of a part of it, raises `StoppedError`."""
        self._stop.set()

    @property
    def stop_requested(self) -> bool:
        """Whether this work, or work that it is a part of, was asked to stop."""
        work: Progress | None = self
        while work is not None:
            if work._stop.is_set():
                return True
            work = work._parent
        return False

    def raise_if_stopped(self) -> None:
        """Raise `StoppedError` if the work was asked to stop; for work that cannot count on the way."""
        if self.stop_requested:
            state = self.state()
            amount = f"{state.done:g}" if state.total is None else f"{state.done:g} of {state.total:g}"
            raise StoppedError(f"{state.description} was stopped on request after {amount} {state.unit}.")

    def state(self) -> ProgressState:
        """Return the numbers as they are now."""
        with self._lock:
            elapsed = (time.monotonic() if self._ended is None else self._ended) - self._started
            return ProgressState(
                number=self.number,
                parent=None if self._parent is None else self._parent.number,
                description=self._description,
                done=self._done,
                total=self._total,
                unit=self._unit,
                started_at=self._started_at,
                elapsed=elapsed,
                remaining=self._remaining(elapsed),
                is_finished=self._ended is not None,
            )

    def _remaining(self, elapsed: float) -> float | None:
        if self._total is None or self._done > self._total:
            return None
        if self._done == self._total:
            return 0.0
        gained = self._done - self._initial
        return elapsed / gained * (self._total - self._done) if gained > 0 and elapsed > 0 else None

    def _report_if_due(self) -> None:
        if time.monotonic() - self._reported >= _REPORT_INTERVAL and self._ended is None:
            self._report()

    def _report(self) -> None:
        self._reported = time.monotonic()
        state = self.state()
        if self._bar is not None:
            self._bar.show(state)
        for listener in tuple(_listeners):
            try:
                listener(state)
            except Exception:
                _logger.warning("A listener to the progress of %r failed.", self._description, exc_info=True)


def progress(description: str, *, total: float | None = None, unit: str = "items", initial: float = 0) -> Progress:
    """Begin a piece of long work.

    A bar is shown in a notebook and in a terminal, and nothing where nobody looks (a log file, a pipe). Work begun
    inside other work is a part of it: it is shown below it and stops with it.

    Parameters
    ----------
    description
        What is done: "Uploading".
    total
        How much there is to do; None if unknown.
    unit
        What is counted, in the plural: "rows".
    initial
        How much was done before, when work is resumed; it does not count for the speed.

    Examples
    --------
    >>> with progress("Uploading", total=2, unit="rows") as work:
    ...     work.advance()
    ...     work.state().done
    1
    """
    return Progress(description, total, unit, initial)


def track(
    iterable: Iterable[Item], description: str, *, total: float | None = None, unit: str = "items"
) -> Iterator[Item]:
    """Iterate with progress: an item is done when the next one is asked for.

    Raises
    ------
    StoppedError
        Between two items, if the work was asked to stop.
    """
    if total is None and isinstance(iterable, Sized):
        total = len(iterable)
    with progress(description, total=total, unit=unit) as work:
        for item in iterable:
            yield item
            work.advance()


@contextmanager
def listening(listener: Listener) -> Iterator[None]:
    """Call `listener` with the state of all work of this process, about ten times a second, during the block.

    It is called in the thread that works and should return at once. What it raises is logged, not passed on.
    """
    _listeners.append(listener)
    try:
        yield
    finally:
        _listeners.remove(listener)


def running_work() -> tuple[Progress, ...]:
    """Return the work of this process that has begun and not ended, the oldest first."""
    return tuple(_running[number] for number in sorted(_running.copy()) if number in _running)


class _Bar:
    """A tqdm bar that gives up quietly when it cannot be drawn (a closed terminal, a missing widget)."""

    def __init__(self, bar: Any) -> None:
        self._bar = bar

    def show(self, state: ProgressState) -> None:
        bar = self._bar
        if bar is None:
            return
        try:
            if bar.total != state.total:
                bar.total = state.total
                if hasattr(bar, "container"):  # the widget of a notebook keeps the total by itself
                    bar.container.children[1].max = state.total
            bar.set_description_str(state.description, refresh=False)
            bar.n = state.done
            bar.refresh()
        except Exception:
            self._give_up()

    def close(self) -> None:
        if self._bar is None:
            return
        try:
            self._bar.close()
        except Exception:
            self._give_up()

    def _give_up(self) -> None:
        self._bar = None
        _logger.debug("The progress bar cannot be drawn any more.", exc_info=True)


def _open_bar(state: ProgressState) -> _Bar | None:
    if not _somebody_looks():
        return None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from tqdm.auto import tqdm
        return _Bar(
            tqdm(
                desc=state.description,
                total=state.total,
                initial=state.done,
                unit=f" {state.unit}",
                leave=state.parent is None,
                dynamic_ncols=True,
            )
        )
    except Exception:
        _logger.debug("No progress bar can be drawn here.", exc_info=True)
        return None


def _somebody_looks() -> bool:
    """Say whether there is a terminal or a notebook to draw in."""
    try:
        if sys.stderr.isatty():
            return True
    except (AttributeError, ValueError):
        return False
    shell_module = sys.modules.get("IPython.core.getipython")
    shell = shell_module.get_ipython() if shell_module is not None else None
    return shell is not None and hasattr(shell, "kernel")
