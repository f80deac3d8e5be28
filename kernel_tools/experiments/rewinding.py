"""Taking a run's metrics back to where they were when a checkpoint was saved, so that work which is done again is not
logged twice."""

from __future__ import annotations

import os
from collections.abc import Mapping

from kernel_tools.core.errors import ConflictError
from kernel_tools.experiments import catalog
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.segment import lock_file
from kernel_tools.experiments.writers import close_writer


def metrics_position(run: Run) -> dict[str, int]:
    """Return where the metrics of an open run end: the size of each segment, by its file name."""
    return {path.name: path.stat().st_size for path in run._folder.segments()}


def rewind_metrics(run: Run, position: Mapping[str, int]) -> None:
    """Drop the points that were logged after `position` was taken.

    Raises
    ------
    ConflictError
        If the run has ended, or another process still logs to it.
    """
    if not run.status.is_open:
        raise ConflictError(f"Run {run.id!r} has ended; its metrics are not taken back.")
    close_writer(run._folder)
    with run._folder.locked():
        for path in run._folder.segments():
            kept = position.get(path.name, 0)
            descriptor = os.open(path, os.O_RDWR)
            try:
                if not lock_file(descriptor, exclusive=True):
                    raise ConflictError(
                        f"Another process logs to run {run.id!r}: its metrics cannot be taken back. End it first."
                    )
                if kept == 0:
                    path.unlink()
                elif kept < os.fstat(descriptor).st_size:
                    os.ftruncate(descriptor, kept)
                    os.fsync(descriptor)
            finally:
                os.close(descriptor)
    catalog.index_metrics(run._workspace.database, run._folder)
