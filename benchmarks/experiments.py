"""Logging and searching runs."""

from __future__ import annotations

import statistics
import tempfile
from collections.abc import Iterator

from benchmarks.harness import Result, cpu_seconds, measure, wall_seconds
from kernel_tools import experiments
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import Run

LIBRARIES = ("jupyter-atelier", "sqlalchemy", "numpy")
POINTS = 100_000


def run() -> Iterator[Result]:
    """Log many single points, and read them back."""
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(folder)
        runs: list[Run] = []

        def log() -> float:
            runs.append(experiments.start_run("benchmark", workspace=workspace))
            log_metric = runs[-1].log_metric
            return cpu_seconds(lambda: [log_metric("loss", step / 7, step) for step in range(POINTS)])

        samples, _ = measure(log)
        met = statistics.median(samples) < 1
        yield Result(f"CPU of {POINTS:,} single log_metric calls", "under 1 s", "s", samples, met)
        unread = iter(runs)
        samples, _ = measure(lambda: 1000 * wall_seconds(lambda: next(unread).history("loss")))
        yield Result(f"full history of {POINTS:,} points, first read", "", "ms", samples, True)
