"""Reading metrics back: all segments of a run as one, latest values, histories, and min/max buckets for charts."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import InvalidArgumentError, NotFoundError
from kernel_tools.core.paging import decode_page_token, encode_page_token
from kernel_tools.experiments.compaction import CompactedReader, forget_compacted, read_compacted
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import Point
from kernel_tools.experiments.segment_reader import SegmentReader

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

        times = pd.DatetimeIndex(self.timestamps.astype("datetime64[ms]")).tz_localize("UTC")
        return pd.DataFrame({"step": self.steps, "timestamp": times, "value": self.values})


def read_latest(folder: RunFolder) -> dict[str, Point]:
    """Return the latest point of every metric: the highest step, then the latest time, then the last one written."""
    latest: dict[str, Point] = {}
    for reader in _read_parts(folder):
        for key, (step, timestamp, value) in reader.latest().items():
            before = latest.get(key)
            if before is None or (step, timestamp) >= (before.step, before.timestamp):
                latest[key] = Point(key, value, step, timestamp)
    return latest


def read_history_page(
    folder: RunFolder, key: str, limit: int, page_token: str | None = None
) -> tuple[list[Point], str | None]:
    """Return some points of a metric by step, then time, and the token of the next page, None at the end.

    A run that has no such metric has no points here.
    """
    offset = decode_page_token(page_token)
    try:
        history = read_history(folder, key)
    except NotFoundError:
        if not folder.path.exists():
            raise
        return [], None
    shown = slice(offset, offset + limit)
    columns = (history.values, history.steps, history.timestamps)
    points = [Point(key, *row) for row in zip(*(column[shown].tolist() for column in columns), strict=True)]
    return points, encode_page_token(offset + limit) if history.point_count > offset + limit else None


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

    readers = _read_parts(folder)
    parts = [reader.points_of(key) for reader in readers if key in reader.keys]
    if not parts:
        known = sorted({name for reader in readers for name in reader.keys})
        raise NotFoundError(
            f"Run {folder.id!r} has no metric {key!r}. "
            + (f"It has: {', '.join(known[:20])}." if known else "It has logged no metric yet.")
        )
    points = parts[0] if len(parts) == 1 else np.concatenate(parts)
    steps, timestamps, values = (np.ascontiguousarray(points[name]) for name in ("step", "timestamp", "value"))
    if not _is_ordered(steps, timestamps):
        order = np.lexsort((timestamps, steps))
        steps, timestamps, values = steps[order], timestamps[order], values[order]
    if max_points is not None:
        chosen = thin(values, max_points)
        steps, timestamps, values = steps[chosen], timestamps[chosen], values[chosen]
    return History(key, steps, timestamps, values, exact=len(values) == len(points), point_count=len(points))


def read_every_history(folder: RunFolder) -> Iterator[History]:
    """Give the whole history of every metric of a run."""
    for key in sorted({key for reader in _read_parts(folder) for key in reader.keys}):
        yield read_history(folder, key)


def read_points(folder: RunFolder, keys: Iterable[str]) -> dict[str, NDArray[np.void]]:
    """Return the points of several metrics by key, each ordered by step, then time; a metric the run lacks is left out.

    The points have the fields ``key`` (an index of no meaning here), ``step``, ``timestamp`` and ``value``.
    """
    import numpy as np

    wanted = {key: index for index, key in enumerate(dict.fromkeys(keys))}
    parts = []
    for reader in _read_parts(folder):
        block = reader.points()
        if not len(block):
            continue
        numbers = np.array([wanted.get(key, len(wanted)) for key in reader.keys], "<u4")
        number = numbers[block["key"]]
        is_wanted = number < len(wanted)
        part = block[is_wanted]
        part["key"] = number[is_wanted]
        parts.append(part)
    if not parts:
        return {}
    points = np.concatenate(parts)
    points = points[np.lexsort((points["timestamp"], points["step"], points["key"]))]
    names = list(wanted)
    starts = np.flatnonzero(np.diff(points["key"], prepend=np.uint32(len(names))))
    return {names[int(block["key"][0])]: block for block in np.split(points, starts)[1:]}


def _is_ordered(steps: NDArray[np.int64], timestamps: NDArray[np.int64]) -> bool:
    """Say whether points are ordered by step, then time, as most runs log them."""
    if bool((steps[1:] > steps[:-1]).all()):
        return True
    same = steps[1:] == steps[:-1]
    return bool(((steps[1:] > steps[:-1]) | (same & (timestamps[1:] >= timestamps[:-1]))).all())


def thin(values: NDArray[np.float64], max_points: int | None) -> NDArray[np.intp]:
    """Return the indices of the first, lowest, highest and last value of each bucket, in order and without repeats.

    They are all indices if there are at most `max_points` values, or if that is None.

    Raises
    ------
    InvalidArgumentError
        If that would be fewer than 4.
    """
    import numpy as np

    if max_points is not None and max_points < 4:
        raise InvalidArgumentError(f"max_points is {max_points}: give at least 4, or None for every point.")

    count = len(values)
    if max_points is None or count <= max_points:
        return np.arange(count)
    edges = np.linspace(0, count, max_points // 4 + 1).astype(np.intp)
    starts = edges[:-1]
    bucket = np.repeat(np.arange(len(starts)), np.diff(edges))
    by_value = np.lexsort((np.nan_to_num(values, nan=0.0), bucket))
    return np.unique(np.concatenate([starts, edges[1:] - 1, by_value[starts], by_value[edges[1:] - 1]]))


def _read_parts(folder: RunFolder) -> list[SegmentReader | CompactedReader]:
    """Return readers of everything that holds the run's points, the oldest first."""
    while True:
        parts: list[SegmentReader | CompactedReader] = []
        merged: frozenset[str] = frozenset()
        try:
            if folder.compacted.exists():
                compacted = read_compacted(folder.compacted)
                merged = compacted.segments
                parts.append(compacted)
            for path in folder.segments():
                if path.name not in merged:
                    reader = _reader(path)
                    reader.refresh()
                    parts.append(reader)
        except FileNotFoundError:
            continue  # compacted while it was read
        return parts


def forget_readers() -> None:
    """Let go of the points that are kept in memory; the next read is from the files."""
    _reader.cache_clear()
    forget_compacted()


@functools.lru_cache(maxsize=64)
def _reader(path: Path) -> SegmentReader:
    return SegmentReader(path)
