"""The harness: measure ours and a peer in turn in one run, and tell medians, spread and ratio.

Every repetition runs ours, then the peer, so that a slow minute of the machine hits both.
"""

from __future__ import annotations

import json
import os
import platform
import statistics
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESULTS = Path(__file__).parent / "results"
Measurement = Callable[[], float]
"""Runs the thing once and returns what it took, in the unit of its benchmark."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one benchmark gave: all samples, in `unit`, of ours and of the peer."""

    what: str
    bar: str
    unit: str
    ours: list[float]
    met: bool
    peer_name: str = ""
    peer: list[float] = field(default_factory=list)
    note: str = ""

    @property
    def ratio(self) -> float | None:
        """Median of the peer divided by ours."""
        return statistics.median(self.peer) / statistics.median(self.ours) if self.peer else None

    def row(self) -> str:
        """Return the result as a row of a Markdown table."""
        ratio = f"{self.ratio:.3g}x" if self.ratio is not None else ""
        peer = f"{self.peer_name}: {spread(self.peer, self.unit)}" if self.peer else ""
        met = "met" if self.met else "**missed**"
        return f"| {self.what} | {self.bar} | {spread(self.ours, self.unit)} | {peer} | {ratio} | {met} | {self.note} |"


def spread(samples: list[float], unit: str) -> str:
    """Return median, lowest and highest of some samples."""
    median, low, high = statistics.median(samples), min(samples), max(samples)
    return f"{median:.3g} {unit} ({low:.3g} to {high:.3g}, n={len(samples)})"


def measure(ours: Measurement, peer: Measurement | None = None, *, repeat: int = 5) -> tuple[list[float], list[float]]:
    """Run ours and the peer in turn; a first round of both is thrown away."""
    samples: tuple[list[float], list[float]] = ([], [])
    for number in range(repeat + 1):
        for side, run in enumerate((ours, peer)):
            if run is not None:
                value = float(f"{run():.4g}")
                if number:
                    samples[side].append(value)
    return samples


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of this process that some work takes, user and system."""
    started = time.process_time()
    work()
    return time.process_time() - started


def wall_seconds(work: Callable[[], object]) -> float:
    """Return the wall time that some work takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def machine() -> str:
    """Describe the machine in a line."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    system = f"{platform.system()}, Python {platform.python_version()}"
    return f"{platform.machine()}, {os.cpu_count()} cores, {memory:.0f} GiB, {system}"


def load_average() -> float:
    """Return the load of the last minute; more than about 0.5 before a run means that the machine is not quiet."""
    return os.getloadavg()[0]


def save(name: str, results: list[Result], versions: dict[str, str]) -> None:
    """Keep the results of a benchmark as JSON, from which the documentation is made."""
    RESULTS.mkdir(exist_ok=True)
    content = {
        "benchmark": name,
        "date": time.strftime("%Y-%m-%d"),
        "machine": machine(),
        "load_average": round(load_average(), 2),
        "versions": versions,
        "results": [asdict(result) for result in results],
    }
    (RESULTS / f"{name}.json").write_text(json.dumps(content) + "\n")
