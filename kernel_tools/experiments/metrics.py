"""Reading metrics back: all segments of a run as one, latest values, histories, and min/max buckets for charts."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import Point, SegmentReader

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class History:
    """The points of one metric ordered by step, then time.

    `exact` is False if the arrays hold only the first, lowest, highest and last point of each bucket of steps;
    `point_count` is always the number of points logged.
    """

    key: str
    steps: NDArray[np.int64]
    timestamps: NDArray[np.int64]
    values: NDArray[np.float64]
    exact: bool
    point_count: int

    def to_frame(self) -> pd.DataFrame:
        """Return the points as a DataFrame: step, timestamp (UTC), value."""
        import pandas as pd

        times = pd.to_datetime(self.timestamps, unit="ms", utc=True)
        return pd.DataFrame({"step": self.steps, "timestamp": times, "value": self.values})


def read_latest(folder: RunFolder) -> dict[str, Point]:
    """Return the latest point of every metric: the highest step, then the latest time, then the last one written."""
    latest: dict[str, Point] = {}
    for reader in _read_segments(folder):
        points = reader.points()
        for key, point in zip(reader.keys, _last_by_key(points, len(reader.keys)), strict=True):
            if point is None:
                continue
            step, timestamp, value = point
            before = latest.get(key)
            if before is None or (step, timestamp) >= (before.step, before.timestamp):
                latest[key] = Point(key, value, step, timestamp)
    return latest


def read_history(folder: RunFolder, key: str, max_points: int | None = None) -> History:
    """Return the history of one metric.

    Parameters
    ----------
    folder
        The run's folder.
    key
        Name of the metric.
    max_points
        At most this many points (at least 4), chosen as the extremes of equal buckets; None gives all of them.

    Raises
    ------
    NotFoundError
        If the run has no such metric.
    """
    import numpy as np

    if max_points is not None and max_points < 4:
        raise InvalidArgumentError(f"max_points is {max_points}: give at least 4, or None for every point.")
    readers = _read_segments(folder)
    parts = [
        reader.points()[reader.points()["key"] == reader.keys.index(key)] for reader in readers if key in reader.keys
    ]
    if not parts:
        known = sorted({name for reader in readers for name in reader.keys})
        raise NotFoundError(
            f"Run {folder.id!r} has no metric {key!r}. "
            + (f"It has: {', '.join(known[:20])}." if known else "It has logged no metric yet.")
        )
    points = np.concatenate(parts)
    order = np.lexsort((points["timestamp"], points["step"]))
    if not np.array_equal(order, np.arange(len(order))):
        points = points[order]
    chosen = np.arange(len(points)) if max_points is None else _extremes(points["value"], max_points)
    return History(
        key=key,
        steps=points["step"][chosen],
        timestamps=points["timestamp"][chosen],
        values=points["value"][chosen],
        exact=len(chosen) == len(points),
        point_count=len(points),
    )


def _extremes(values: NDArray[np.float64], max_points: int) -> NDArray[np.intp]:
    """Return the indices of the first, lowest, highest and last value of each bucket, in order and without repeats."""
    import numpy as np

    count = len(values)
    if count <= max_points:
        return np.arange(count)
    edges = np.linspace(0, count, max_points // 4 + 1).astype(np.intp)
    starts = edges[:-1]
    bucket = np.repeat(np.arange(len(starts)), np.diff(edges))
    by_value = np.lexsort((np.nan_to_num(values, nan=0.0), bucket))
    return np.unique(np.concatenate([starts, edges[1:] - 1, by_value[starts], by_value[edges[1:] - 1]]))


def _last_by_key(points: NDArray[np.void], key_count: int) -> list[tuple[int, int, float] | None]:
    import numpy as np

    last: list[tuple[int, int, float] | None] = [None] * key_count
    if not len(points):
        return last
    order = np.lexsort((points["timestamp"], points["step"], points["key"]))
    keys = points["key"][order]
    ends = order[np.append(np.flatnonzero(np.diff(keys)), len(keys) - 1)]
    for point in points[ends]:
        last[int(point["key"])] = (int(point["step"]), int(point["timestamp"]), float(point["value"]))
    return last


def _read_segments(folder: RunFolder) -> list[SegmentReader]:
    readers = [_reader(path) for path in folder.segments()]
    for reader in readers:
        reader.refresh()
    return readers


@functools.lru_cache(maxsize=64)
def _reader(path: Path) -> SegmentReader:
    return SegmentReader(path)
