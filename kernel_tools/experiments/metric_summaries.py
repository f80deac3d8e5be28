"""All metrics of a run at a glance: the last, lowest and highest value of each, and a small curve."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_tools.experiments.metrics import read_points, thin
from kernel_tools.experiments.run_files import RunFolder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

CURVE_POINTS = 64


@dataclass(frozen=True, slots=True)
class MetricSummary:
    """One metric of a run. Lowest and highest leave NaN out, unless there is nothing else.

    `curve_steps` and `curve_values` are all points, or the extremes of equal buckets, at most `CURVE_POINTS` points.
    """

    key: str
    last: float
    last_step: int
    lowest: float
    lowest_step: int
    highest: float
    highest_step: int
    point_count: int
    curve_steps: list[int]
    curve_values: list[float]


def summarize_metrics(folder: RunFolder, keys: Sequence[str]) -> list[MetricSummary]:
    """Return the summaries of those metrics that the run has, in the order of `keys`; the points are read once."""
    points_by_key = read_points(folder, keys)
    return [_summarize(key, points_by_key[key]) for key in keys if key in points_by_key]


def _summarize(key: str, points: NDArray[np.void]) -> MetricSummary:
    """Return the summary of points that are ordered by step, then time."""
    import numpy as np

    steps, values = points["step"], np.ascontiguousarray(points["value"])
    low = int(np.argmin(np.where(np.isnan(values), np.inf, values)))
    high = int(np.argmax(np.where(np.isnan(values), -np.inf, values)))
    curve = thin(values, CURVE_POINTS)
    return MetricSummary(
        key=key,
        last=float(values[-1]),
        last_step=int(steps[-1]),
        lowest=float(values[low]),
        lowest_step=int(steps[low]),
        highest=float(values[high]),
        highest_step=int(steps[high]),
        point_count=len(points),
        curve_steps=steps[curve].tolist(),
        curve_values=values[curve].tolist(),
    )
