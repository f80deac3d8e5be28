"""Compaction: the points of a run in one Parquet file, sorted and compressed, in place of its segments.

The file names the segments that it replaces. It appears whole, before they are deleted; a crash in between leaves
segments that readers leave out, because the file names them, and that the next compaction deletes.
"""

from __future__ import annotations

import functools
import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.core.errors import IntegrityError
from kernel_tools.core.workspace import atomic_write
from kernel_tools.experiments.run_files import RunFolder
from kernel_tools.experiments.segment import lock_file
from kernel_tools.experiments.segment_reader import SegmentReader, point_type

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

COMPACT_AT_FINISH = 64 * 1024
"""Bytes of segments from which on a run is compacted when it finishes; below, the file would hardly be smaller."""
SEGMENTS_KEY = b"atelier.segments"
LATEST_KEY = b"atelier.latest"


class CompactedReader:
    """Reads a compacted file; offers what a `SegmentReader` offers.

    Attributes
    ----------
    keys
        Metric names, sorted.
    segments
        Names of the segments whose points are in the file.
    """

    def __init__(self, path: Path) -> None:
        import pyarrow as pa
        import pyarrow.parquet as pq

        try:
            self._file = pq.ParquetFile(path, memory_map=False)
            metadata = self._file.schema_arrow.metadata
            self.segments = frozenset(json.loads(metadata[SEGMENTS_KEY]))
            self._latest = {
                key: (step, timestamp, float(value)) for key, step, timestamp, value in json.loads(metadata[LATEST_KEY])
            }
        except (pa.ArrowInvalid, KeyError, TypeError, ValueError) as error:
            raise _damaged(path, error) from error
        self.path = path
        self.keys = sorted(self._latest)
        self._points: NDArray[np.void] | None = None

    def latest(self) -> dict[str, tuple[int, int, float]]:
        """Return step, timestamp and value of the latest point of every key."""
        return self._latest

    def points_of(self, key: str) -> NDArray[np.void]:
        """Return the points of one key by step, then time, then the order in which they were written."""
        points = self.points()
        index = self.keys.index(key)
        start, end = points["key"].searchsorted([index, index + 1])
        return points[start:end]

    def points(self) -> NDArray[np.void]:
        """Return all points, sorted by key, step and time."""
        import numpy as np
        import pyarrow as pa

        if self._points is not None:
            return self._points
        try:
            table = self._file.read(use_threads=False)
        except (pa.ArrowInvalid, OSError) as error:
            raise _damaged(self.path, error) from error
        points = np.empty(table.num_rows, point_type())
        for name in ("key", "step", "timestamp", "value"):
            points[name] = table.column(name).to_numpy()
        self._points = points
        return points


def read_compacted(path: Path) -> CompactedReader:
    """Return a reader of the file as it is now."""
    status = path.stat()
    return _reader(path, status.st_ino, status.st_mtime_ns)


def forget_compacted() -> None:
    """Let go of the points that are kept in memory."""
    _reader.cache_clear()


def compact(folder: RunFolder) -> int:
    """Put the points of a run into one compressed file, and delete the segments that it replaces.

    Segments that a process still writes stay; they are merged when reading.

    Parameters
    ----------
    folder
        The folder of a run that takes no more points.

    Returns
    -------
    int
        Number of segments that the file replaced.
    """
    with folder.locked():
        before = read_compacted(folder.compacted) if folder.compacted.exists() else None
        merged = before.segments if before is not None else frozenset()
        closed = [path for path in folder.segments() if path.name not in merged and _is_free(path)]
        readers = [SegmentReader(path) for path in closed]
        for reader in readers:
            reader.refresh()
        damaged = [reader.path for reader in readers if reader.damage is not None]
        readers = [reader for reader in readers if reader.damage is None]  # kept for whoever can repair them
        closed = [path for path in closed if path not in damaged]
        if closed:
            _write(folder.compacted, before, readers)
        done = merged | {path.name for path in closed}
        for path in folder.segments():
            if path.name in done:
                path.unlink(missing_ok=True)
        return len(closed)


def _write(path: Path, before: CompactedReader | None, readers: list[SegmentReader]) -> None:
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    parts: list[CompactedReader | SegmentReader] = [*readers]
    if before is not None:
        parts.insert(0, before)
    keys = sorted({key for part in parts for key in part.keys})
    index_of = {key: index for index, key in enumerate(keys)}
    blocks = [np.empty(0, point_type())]
    for part in parts:
        block = part.points().copy()
        if len(block):
            block["key"] = np.array([index_of[key] for key in part.keys], "<u4")[block["key"]]
        blocks.append(block)
    points = np.concatenate(blocks)
    points = points[np.lexsort((points["timestamp"], points["step"], points["key"]))]
    ends = np.flatnonzero(np.diff(points["key"], append=np.uint32(len(keys))))
    latest = [
        [keys[point["key"]], int(point["step"]), int(point["timestamp"]), repr(float(point["value"]))]
        for point in points[ends]
    ]
    names = {reader.path.name for reader in readers} | (before.segments if before is not None else set())
    segments = sorted(name for name in names if (path.parent / name).exists())
    columns = {name: pa.array(np.ascontiguousarray(points[name])) for name in ("key", "step", "timestamp", "value")}
    metadata = {SEGMENTS_KEY: json.dumps(segments), LATEST_KEY: json.dumps(latest)}
    table = pa.table(columns).replace_schema_metadata(metadata)
    with atomic_write(path) as file:
        pq.write_table(
            table,
            file,
            compression="zstd",
            compression_level=9,
            use_dictionary=["key"],
            column_encoding={
                "step": "DELTA_BINARY_PACKED",
                "timestamp": "DELTA_BINARY_PACKED",
                "value": "BYTE_STREAM_SPLIT",
            },
        )


def _is_free(path: Path) -> bool:
    """Say whether no process writes the segment any more."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        return lock_file(descriptor, exclusive=True)
    finally:
        os.close(descriptor)


def _damaged(path: Path, error: Exception) -> IntegrityError:
    return IntegrityError(
        f"{path} cannot be read ({error}). Restore it from a backup, or delete it to give up the points in it."
    )


@functools.lru_cache(maxsize=64)
def _reader(path: Path, inode: int, changed_ns: int) -> CompactedReader:
    return CompactedReader(path)
