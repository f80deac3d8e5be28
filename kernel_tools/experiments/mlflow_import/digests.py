"""One digest for everything that a run holds, computed the same way of MLflow's store and of the workspace.

The rows of a run (its facts, parameters, tags, datasets and files) are sorted and hashed as JSON lines; the points of
each metric are sorted by step, time and the bits of the value, and hashed as 24 bytes each. NaN is NaN, whatever its
bits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from kernel_tools.experiments.records import DatasetInput

CHUNK = 1024 * 1024


@dataclass(frozen=True, slots=True)
class RunDigest:
    """The digest of a run and the counts of what went into it."""

    sha256: str
    params: int
    tags: int
    points: int
    datasets: int
    artifacts: int


class PointColumns:
    """The points of one metric, collected in any order, 24 bytes each."""

    def __init__(self) -> None:
        from array import array

        self.steps = array("q")
        self.timestamps = array("q")
        self.values = array("d")

    def add(self, step: int, timestamp: int, value: float) -> None:
        """Add a point."""
        self.steps.append(step)
        self.timestamps.append(timestamp)
        self.values.append(value)

    def to_arrays(self) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]:
        """Return steps, timestamps and values."""
        import numpy as np

        return np.array(self.steps), np.array(self.timestamps), np.array(self.values)


def digest_run(
    facts: Mapping[str, Any],
    params: Mapping[str, str],
    tags: Mapping[str, str],
    inputs: Iterable[DatasetInput],
    metrics: Mapping[str, tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.float64]]],
    files: Mapping[str, str],
) -> RunDigest:
    """Return the digest of a run.

    Parameters
    ----------
    facts
        Id, name, status and the like.
    params, tags
        Keys and values.
    inputs
        The datasets.
    metrics
        Steps, timestamps and values of every metric, in any order.
    files
        The sha256 of every artifact by its path.
    """
    datasets = sorted(json.dumps(_dataset(item), sort_keys=True) for item in inputs)
    digest = hashlib.sha256()
    content = [facts, sorted(params.items()), sorted(tags.items()), datasets, sorted(files.items())]
    for part in content:
        digest.update(json.dumps(part, sort_keys=True).encode() + b"\n")
    points = 0
    for key in sorted(metrics):
        rows = _sorted_rows(*metrics[key])
        points += len(rows)
        digest.update(json.dumps([key, len(rows)]).encode() + b"\n" + rows.tobytes())
    return RunDigest(digest.hexdigest(), len(params), len(tags), points, len(datasets), len(files))


def _sorted_rows(
    steps: NDArray[np.int64], timestamps: NDArray[np.int64], values: NDArray[np.float64]
) -> NDArray[np.int64]:
    import numpy as np

    values = values.astype(np.float64)
    values[np.isnan(values)] = np.nan
    rows = np.column_stack([steps.astype(np.int64), timestamps.astype(np.int64), values.view(np.int64)])
    return rows[np.lexsort((rows[:, 2], rows[:, 1], rows[:, 0]))]


def _dataset(item: DatasetInput) -> dict[str, Any]:
    from dataclasses import asdict

    return asdict(item)


def digest_file(file: Any) -> str:
    """Return the sha256 of what is left of a binary stream."""
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK):
        digest.update(chunk)
    return digest.hexdigest()
