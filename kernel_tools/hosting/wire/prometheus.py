"""Metrics as Prometheus reads them: the text format 0.0.4."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Counter:
    """A number that only grows."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Gauge:
    """A number that goes up and down."""

    name: str
    help: str
    value: float
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Histogram:
    """How often values fell where.

    Parameters
    ----------
    bounds
        The upper bounds of the buckets, ascending, without infinity.
    counts
        How many values fell into each bucket, and last how many were above all bounds: one more than `bounds`.
    sum
        The sum of all values.
    """

    name: str
    help: str
    bounds: Sequence[float]
    counts: Sequence[int]
    sum: float
    labels: Mapping[str, str] = field(default_factory=dict)


Metric = Counter | Gauge | Histogram


def render(metrics: Iterable[Metric]) -> bytes:
    """Return the text of metrics; those of one name stand together, however they come."""
    families: dict[str, list[Metric]] = {}
    for metric in metrics:
        families.setdefault(metric.name, []).append(metric)
    lines: list[str] = []
    for name, family in families.items():
        text = family[0].help.replace("\\", "\\\\").replace("\n", "\\n")
        lines += [f"# HELP {name} {text}", f"# TYPE {name} {type(family[0]).__name__.lower()}"]
        for metric in family:
            lines += _histogram(metric) if isinstance(metric, Histogram) else [_line(name, metric.labels, metric.value)]
    return "".join(f"{line}\n" for line in lines).encode()


def _histogram(metric: Histogram) -> list[str]:
    lines, total = [], 0
    for bound, count in zip((*metric.bounds, math.inf), metric.counts, strict=True):
        total += count
        lines.append(_line(f"{metric.name}_bucket", {**metric.labels, "le": _number(bound)}, total))
    lines.append(_line(f"{metric.name}_sum", metric.labels, metric.sum))
    lines.append(_line(f"{metric.name}_count", metric.labels, total))
    return lines


def _line(name: str, labels: Mapping[str, str], value: float) -> str:
    shown = ",".join(f'{label}="{_escape(text)}"' for label, text in labels.items())
    return f"{name}{{{shown}}} {_number(value)}" if shown else f"{name} {_number(value)}"


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    if math.isnan(value):
        return "NaN"
    return repr(value) if math.isfinite(value) else ("+Inf" if value > 0 else "-Inf")
