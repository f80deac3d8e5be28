"""What the Debugger has captured, kept open between two requests, so that a view that is told of a step reads that step
and not the whole run again."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from kernel_tools import debugger
from kernel_tools.debugger.session import debugger_folder
from kernel_tools.debugger.trial import Trial
from kernel_tools.experiments.run import Run

KEPT = 4
"""Trials that are kept open, those that were asked for last."""


class _Entry:
    """A trial that one thread at a time works with."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.trial: Trial | None = None
        self.files: tuple[tuple[str, int], ...] = ()
        self.is_dropped = False

    def update(self, folder: Path, run: Run) -> Trial:
        """Return the trial with what was captured meanwhile; of other files than before, a new one."""
        files = tuple((path.name, path.stat().st_ino) for path in sorted(folder.glob("rank-*.db")))
        if self.trial is not None and files[: len(self.files)] == self.files:
            self.trial.refresh()
        else:
            self.close()
            self.trial = debugger.open(run)
        self.files = files
        self.trial.run = run
        return self.trial

    def close(self) -> None:
        """Close the trial."""
        if self.trial is not None:
            self.trial.close()
            self.trial = None


class Captures:
    """The trials that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._entries: OrderedDict[Path, _Entry] = OrderedDict()

    @contextmanager
    def open(self, run: Run) -> Iterator[Trial]:
        """Give the trial of a run to one thread at a time, as `kernel_tools.debugger.open` returns it."""
        folder = debugger_folder(run._workspace, run.id)
        while True:
            entry = self._find(folder)
            with entry.lock:
                if not entry.is_dropped:
                    yield entry.update(folder, run)
                    return

    def _find(self, folder: Path) -> _Entry:
        with self._lock:
            entry = self._entries.setdefault(folder, _Entry())
            self._entries.move_to_end(folder)
            dropped = [self._entries.popitem(last=False)[1] for _ in range(len(self._entries) - KEPT)]
        for other in dropped:
            with other.lock:
                other.is_dropped = True
                other.close()
        return entry
