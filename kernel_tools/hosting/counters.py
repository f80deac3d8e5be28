"""What a worker counts about its requests, in a small file that survives the worker. Times are in microseconds."""

from __future__ import annotations

import contextlib
import hashlib
import math
import time
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from pathlib import Path

import msgspec

from kernel_tools.core.workspace import atomic_write

_PAST = "past-"
_FOLDED_SECONDS = 60.0
_RATIO = 1.25
_BUCKETS = 96
"""Bucket i of a histogram counts times of at most 1.25**i microseconds; the last, of 1,600 s, all longer ones."""
BOUNDS = tuple(_RATIO**place for place in range(_BUCKETS - 1))
"""The upper bounds of all buckets but the last."""


@dataclass(slots=True)
class Histogram:
    """Times by bucket, so that those of many workers can be summed; quantiles are right to within a quarter."""

    count: int = 0
    total: float = 0.0
    buckets: list[int] = field(default_factory=lambda: [0] * _BUCKETS)

    def add(self, microseconds: float) -> None:
        """Count one time."""
        self.count += 1
        self.total += microseconds
        self.buckets[bisect_left(BOUNDS, microseconds)] += 1

    def quantile(self, share: float) -> float:
        """Return the time that `share` of the requests did not exceed; NaN without requests."""
        seen = 0
        for place, count in enumerate(self.buckets):
            seen += count
            if count and seen >= share * self.count:
                return _RATIO**place
        return math.nan


@dataclass(slots=True)
class Counters:
    """SageMaker's metrics of requests, by its names in snake case: counts since the worker began."""

    variant: str = ""
    revision: int = 0
    invocations: int = 0
    invocation_4xx_errors: int = 0
    invocation_5xx_errors: int = 0
    invocation_model_errors: int = 0
    concurrent_requests: int = 0
    model_latency: Histogram = field(default_factory=Histogram)
    overhead_latency: Histogram = field(default_factory=Histogram)
    captured: int = 0
    capture_dropped: int = 0

    def record(self, status: int, total: float, model: float) -> None:
        """Count one answered invocation: its HTTP status, and its times in microseconds."""
        self.invocations += 1
        if status == 424:
            self.invocation_model_errors += 1
        elif status >= 500:
            self.invocation_5xx_errors += 1
        elif status >= 400:
            self.invocation_4xx_errors += 1
        if model > 0:
            self.model_latency.add(model)
        self.overhead_latency.add(max(total - model, 0.0))

    def write(self, path: Path) -> None:
        """Replace the file."""
        with atomic_write(path) as file:
            file.write(msgspec.json.encode(self))


def read_counters(folder: Path) -> list[Counters]:
    """Return what all workers of an endpoint counted, also those that ended."""
    return list(counters_by_worker(folder).values())


def counters_by_worker(folder: Path) -> dict[str, Counters]:
    """Return what all workers of an endpoint counted, by their ids, also those that ended."""
    found = {}
    for path in sorted(folder.glob("*.json")):
        try:
            found[path.stem] = msgspec.json.decode(path.read_bytes(), type=Counters)
        except (OSError, ValueError):
            continue  # replaced or removed meanwhile
    return found


def fold_counters(folder: Path, ended: Iterable[str]) -> None:
    """Sum what ended workers counted into one file for each variant and revision, so that the folder stays small."""
    known = counters_by_worker(folder)
    parts: dict[str, list[str]] = {}
    for worker_id in ended:
        if worker_id in known:
            counted = known[worker_id]
            key = hashlib.sha256(f"{counted.revision} {counted.variant}".encode()).hexdigest()[:16]
            parts.setdefault(_PAST + key, []).append(worker_id)
    for name, worker_ids in parts.items():
        first = known[worker_ids[0]]
        whole = sum_counters(known[item] for item in (name, *worker_ids) if item in known)
        whole.variant, whole.revision, whole.concurrent_requests = first.variant, first.revision, 0
        whole.write(folder / f"{name}.json")
        for worker_id in worker_ids:
            (folder / f"{worker_id}.json").unlink(missing_ok=True)


def ended_workers(folder: Path, alive: Iterable[str]) -> list[str]:
    """Return the ids of workers that left counters, are not among the living, and have had the time to drain."""
    living, found = set(alive), []
    for path in folder.glob("*.json"):
        if path.stem not in living and not path.stem.startswith(_PAST):
            with contextlib.suppress(FileNotFoundError):
                if time.time() - path.stat().st_mtime > _FOLDED_SECONDS:
                    found.append(path.stem)
    return found


def sum_counters(parts: Iterable[Counters]) -> Counters:
    """Return the sum of several workers' counters."""
    whole = Counters()
    for part in parts:
        for item in fields(Counters):
            mine, theirs = getattr(whole, item.name), getattr(part, item.name)
            if isinstance(mine, Histogram):
                mine.count += theirs.count
                mine.total += theirs.total
                mine.buckets = [a + b for a, b in zip(mine.buckets, theirs.buckets, strict=True)]
            elif isinstance(mine, int) and item.name != "revision":
                setattr(whole, item.name, mine + theirs)
    return whole


def named_metrics(counted: Counters) -> dict[str, float]:
    """Return counters by SageMaker's names; latencies as mean and quantiles in microseconds, NaN without requests."""
    latency, overhead = counted.model_latency, counted.overhead_latency
    return {
        "Invocations": counted.invocations,
        "Invocation4XXErrors": counted.invocation_4xx_errors,
        "Invocation5XXErrors": counted.invocation_5xx_errors,
        "InvocationModelErrors": counted.invocation_model_errors,
        "ConcurrentRequests": counted.concurrent_requests,
        "ModelLatency": latency.total / latency.count if latency.count else math.nan,
        "ModelLatencyP50": latency.quantile(0.5),
        "ModelLatencyP99": latency.quantile(0.99),
        "OverheadLatency": overhead.total / overhead.count if overhead.count else math.nan,
        "OverheadLatencyP99": overhead.quantile(0.99),
        "DataCaptureRecords": counted.captured,
        "DataCaptureDropped": counted.capture_dropped,
    }
