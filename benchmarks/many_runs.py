"""A catalog of many runs, written straight into its tables: what a search is measured on, ours and MLflow's alike.

Every run has 5 metrics, 5 parameters and 3 tags, with values that depend on its number alone, so that both stores
hold the same and a search must find the same in both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass

METRICS = ("auc", "loss", "accuracy", "f1", "train_seconds")
PARAMS = ("max_depth", "eta", "objective", "subsample", "seed")
TAGS = ("team", "stage", "host")
FIRST_START = 1_700_000_000_000
SEARCHES = (
    ("metrics.auc > 0.9 and params.max_depth = '6'", ("metrics.auc DESC",)),
    ("metrics.auc > 0.5 and tags.team = 'red'", ("metrics.loss ASC",)),
    ("params.max_depth = '6' and params.objective = 'binary' and tags.stage = 'test'", ("attributes.start_time DESC",)),
    ("metrics.loss < 0.2 and attributes.status = 'FINISHED'", ("metrics.auc DESC",)),
    ("params.seed = '77'", ("metrics.auc DESC",)),
    ("", ("metrics.auc DESC",)),
)
"""Filter and order of the searches that are timed, from a narrow one to all runs."""


@dataclass(frozen=True, slots=True)
class SyntheticRun:
    """What a run of this number holds."""

    number: int
    id: str
    started_at: int
    metrics: dict[str, float]
    params: dict[str, str]
    tags: dict[str, str]


def synthetic_runs(count: int) -> Iterator[SyntheticRun]:
    """Iterate over the first `count` runs."""
    for number in range(count):
        digest = hashlib.md5(str(number).encode()).digest()
        parts = [int.from_bytes(digest[start : start + 4]) / 2**32 for start in (0, 4, 8, 12)]
        yield SyntheticRun(
            number=number,
            id=digest.hex(),
            started_at=FIRST_START + number * 1000,
            metrics={
                "auc": parts[0],
                "loss": parts[1],
                "accuracy": parts[2],
                "f1": parts[3],
                "train_seconds": 1000 * parts[0] * parts[1],
            },
            params={
                "max_depth": str(3 + digest[4] % 8),
                "eta": f"{parts[2]:.4f}",
                "objective": ("binary", "multi")[digest[6] % 2],
                "subsample": f"{parts[3]:.2f}",
                "seed": str(number % 1000),
            },
            tags={
                "team": ("red", "blue", "green", "grey")[digest[8] % 4],
                "stage": ("test", "train")[digest[9] % 2],
                "host": f"node{digest[10]}",
            },
        )
