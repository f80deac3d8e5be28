"""Metrics that users put to an endpoint, for alarms to watch: a bounded file, written by any process."""

from __future__ import annotations

import math
import os
from dataclasses import dataclass
from pathlib import Path

import msgspec

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import validate_name

MAX_BYTES = 256 * 1024
"""A file that is longer is moved aside, over the one moved before."""


@dataclass(frozen=True, slots=True)
class MetricValue:
    """A value and when it was put, in milliseconds since 1970 UTC."""

    time: int
    name: str
    value: float


def put_metric(path: Path, metric: MetricValue) -> None:
    """Append a value.

    Raises
    ------
    InvalidArgumentError
        If the name cannot be used, or the value is not finite.
    """
    validate_name(metric.name, "metric")
    if not math.isfinite(metric.value):
        raise InvalidArgumentError(f"The value {metric.value!r} of metric {metric.name!r} is not finite.")
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    try:
        os.write(descriptor, msgspec.json.encode(metric) + b"\n")  # one write: lines of several processes do not mix
        size = os.fstat(descriptor).st_size
    finally:
        os.close(descriptor)
    if size > MAX_BYTES:
        try:
            path.replace(path.with_name(path.name + ".1"))
        except FileNotFoundError:
            return  # another process did it


def last_metrics(path: Path, since: int) -> dict[str, float]:
    """Return the last value of each metric that was put since a time."""
    values: dict[str, float] = {}
    for part in (path.with_name(path.name + ".1"), path):
        try:
            lines = part.read_bytes().split(b"\n")
        except FileNotFoundError:
            continue
        for line in lines:
            try:
                metric = msgspec.json.decode(line, type=MetricValue)
            except ValueError:
                continue  # empty, or torn by a crash
            if metric.time >= since:
                values[metric.name] = metric.value
    return values
