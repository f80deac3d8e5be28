"""What an endpoint counted over time: samples that the host notes, and the rates and latencies between them.

A sample holds the sums of all counters so far, so what happened between two samples is their difference. Latencies are
differences of histograms: they are those of the window alone. Times are milliseconds since 1970 UTC.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.hosting.counters import Counters, Histogram

FORMAT_VERSION = 1
SAMPLE_MS = 5000
STILL_MS = 60_000
"""While nothing changes a sample is kept this often."""
GAP_MS = 150_000
"""Samples that are further apart say nothing of the time between: the host did not run."""
MAX_BYTES = 4 * 1024**2
"""A file that is longer is moved aside, over the one moved before."""
LONGEST_SECONDS = 7 * 86_400

_SAMPLE_BYTES = 4096
"""More than a sample usually has: how far back a file is read for a stretch of time."""


class VariantSample(msgspec.Struct, frozen=True, omit_defaults=True):
    """The sums of a variant's counters so far; histograms by bucket."""

    invocations: int = 0
    errors_4xx: int = 0
    errors_5xx: int = 0
    model_errors: int = 0
    in_flight: int = 0
    ready: int = 0
    wanted: int = 0
    model_us: dict[int, int] = {}
    overhead_us: dict[int, int] = {}

    @classmethod
    def of(cls, counted: Counters, ready: int, wanted: int) -> VariantSample:
        """Return what was counted as a sample."""
        return cls(
            counted.invocations, counted.invocation_4xx_errors, counted.invocation_5xx_errors,
            counted.invocation_model_errors, counted.concurrent_requests, ready, wanted,
            _sparse(counted.model_latency), _sparse(counted.overhead_latency),
        )  # fmt: skip


class Sample(msgspec.Struct, frozen=True, omit_defaults=True):
    """An endpoint at one time: its variants, the processor seconds of its workers so far, their memory in bytes."""

    time: int
    variants: dict[str, VariantSample]
    cpu_seconds: float = 0.0
    memory: int = 0
    backlog: int = 0
    format_version: int = FORMAT_VERSION
    """Left out of a line of the first format; lines of a newer Atelier are not read."""

    def is_like(self, other: Sample) -> bool:
        """Whether nothing happened between the two."""
        return self.variants == other.variants and self.backlog == other.backlog


@dataclass(frozen=True, slots=True)
class Traffic:
    """What one variant, or all of them, did in a window; rates per second, latencies in milliseconds, NaN if none."""

    requests: int = 0
    requests_per_second: float = math.nan
    errors_4xx_per_second: float = math.nan
    errors_5xx_per_second: float = math.nan
    model_errors_per_second: float = math.nan
    latency_p50: float = math.nan
    latency_p90: float = math.nan
    latency_p99: float = math.nan
    overhead_p99: float = math.nan
    in_flight: float = math.nan
    ready: float = math.nan
    wanted: float = math.nan


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time: the traffic of all variants and of each, processors, memory in bytes, requests in the queue.

    Everything is NaN in a window of which nothing is known.
    """

    start: int
    end: int
    whole: Traffic
    variants: dict[str, Traffic]
    cpu: float = math.nan
    memory: float = math.nan
    backlog: float = math.nan


_Change = tuple[VariantSample, VariantSample]


class HistoryWriter:
    """Appends samples to a file, the same again only now and then; one process writes."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._kept: Sample | None = None
        self._skipped: Sample | None = None

    def is_due(self, now: int) -> bool:
        """Whether it is time for a sample."""
        last = self._skipped or self._kept
        return last is None or now - last.time >= SAMPLE_MS or now < last.time

    def add(self, sample: Sample) -> None:
        """Keep a sample if it says something new; where a change begins, the last one before it is kept too."""
        is_still = self._kept is not None and sample.is_like(self._kept)
        if is_still and self._kept is not None and 0 <= sample.time - self._kept.time < STILL_MS:
            self._skipped = sample
            return
        lines = [sample] if is_still or self._skipped is None else [self._skipped, sample]
        if self._kept is None and not self._path.exists():
            lines.insert(0, Sample(sample.time - SAMPLE_MS, {}))  # what came before the first sample counts too
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
        try:
            os.write(descriptor, b"".join(b"\n" + msgspec.json.encode(line) for line in lines))
            size = os.fstat(descriptor).st_size
        finally:
            os.close(descriptor)
        if size > MAX_BYTES:
            self._path.replace(_older(self._path))
        self._kept, self._skipped = sample, None


def read_samples(path: Path, since: int, now: int) -> list[Sample]:
    """Return the samples since a time and the one before; lines that a crash tore off are left out."""
    wanted = (now - since) // SAMPLE_MS * _SAMPLE_BYTES + 16 * _SAMPLE_BYTES
    content = b""
    for part in (path, _older(path)):
        try:
            with part.open("rb") as file:
                size = file.seek(0, os.SEEK_END)
                file.seek(max(0, size - (wanted - len(content))))
                content = file.read() + content
        except FileNotFoundError:
            continue
        if len(content) >= wanted:
            break
    samples: list[Sample] = []
    for line in content.split(b"\n"):
        try:
            sample = msgspec.json.decode(line, type=Sample)
        except ValueError:
            continue  # the first line may be cut, the last one torn
        if sample.format_version <= FORMAT_VERSION:
            samples.append(sample)
    samples.sort(key=lambda sample: sample.time)
    first = next((place for place, sample in enumerate(samples) if sample.time >= since), len(samples))
    return samples[max(0, first - 1) :]


def windows(samples: Sequence[Sample], since: int, now: int, points: int) -> list[Window]:
    """Return the stretch from `since` to `now` in windows of one length, at least as long as samples are apart."""
    width = max(SAMPLE_MS, math.ceil((now - since) / points))
    count = max(1, math.ceil((now - since) / width))
    inside: list[list[tuple[Sample, Sample]]] = [[] for _ in range(count)]
    for before, after in zip(samples, samples[1:], strict=False):
        if after.time < since or not 0 < after.time - before.time <= GAP_MS:
            continue
        first = max(0, (before.time - since) // width)
        last = min(count - 1, (after.time - since - 1) // width)
        if before.variants == after.variants:
            for place in range(first, last + 1):
                inside[place].append((before, after))  # nothing happened in all of these windows
        elif last >= 0:
            inside[last].append((before, after))
    return [
        _window(since + place * width, min(now, since + (place + 1) * width), inside[place]) for place in range(count)
    ]


def require_seconds(seconds: float) -> float:
    """Return a number of seconds to look back; InvalidArgumentError if it is out of range."""
    if not SAMPLE_MS / 1000 <= seconds <= LONGEST_SECONDS:
        raise InvalidArgumentError(f"seconds={seconds!r} is out of range: {SAMPLE_MS // 1000} to {LONGEST_SECONDS:,}.")
    return seconds


def _window(start: int, end: int, pairs: list[tuple[Sample, Sample]]) -> Window:
    if not pairs:
        return Window(start, end, Traffic(), {})
    seconds = sum(after.time - before.time for before, after in pairs) / 1000
    changes: dict[str, list[_Change]] = {}
    for before, after in pairs:
        for name, present in after.variants.items():
            changes.setdefault(name, []).append((before.variants.get(name, VariantSample()), present))
    return Window(
        start,
        end,
        _traffic([change for found in changes.values() for change in found], seconds, len(pairs)),
        {name: _traffic(found, seconds, len(pairs)) for name, found in changes.items()},
        sum(max(after.cpu_seconds - before.cpu_seconds, 0.0) for before, after in pairs) / seconds,
        max(after.memory for _, after in pairs),
        max(after.backlog for _, after in pairs),
    )


def _traffic(changes: list[_Change], seconds: float, samples: int) -> Traffic:
    def total(name: str) -> int:
        return sum(max(getattr(after, name) - getattr(before, name), 0) for before, after in changes)

    model = _between((before.model_us, after.model_us) for before, after in changes)
    overhead = _between((before.overhead_us, after.overhead_us) for before, after in changes)
    return Traffic(
        requests=total("invocations"),
        requests_per_second=total("invocations") / seconds,
        errors_4xx_per_second=total("errors_4xx") / seconds,
        errors_5xx_per_second=total("errors_5xx") / seconds,
        model_errors_per_second=total("model_errors") / seconds,
        latency_p50=model.quantile(0.5) / 1000,
        latency_p90=model.quantile(0.9) / 1000,
        latency_p99=model.quantile(0.99) / 1000,
        overhead_p99=overhead.quantile(0.99) / 1000,
        in_flight=sum(after.in_flight for _, after in changes) / samples,
        ready=sum(after.ready for _, after in changes) / samples,
        wanted=sum(after.wanted for _, after in changes) / samples,
    )


def _between(pairs: Iterable[tuple[dict[int, int], dict[int, int]]]) -> Histogram:
    """Return the histogram of what was counted between the pairs."""
    found = Histogram()
    for before, after in pairs:
        for bucket, count in after.items():
            new = count - before.get(bucket, 0)
            if new > 0 and 0 <= bucket < len(found.buckets):
                found.buckets[bucket] += new
                found.count += new
    return found


def _sparse(histogram: Histogram) -> dict[int, int]:
    return {place: count for place, count in enumerate(histogram.buckets) if count}


def _older(path: Path) -> Path:
    return path.with_name(path.name + ".1")
