"""Comparing runs side by side: what they were made with, what they reached, and which files they kept."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from kernel_tools.experiments.records import ArtifactRecord, RunRecord
from kernel_tools.experiments.run import Run

if TYPE_CHECKING:
    import pandas as pd

Value = str | float | None

_KINDS = {"run": "run", "params": "param", "metrics": "metric", "tags": "tag"}


@dataclass(frozen=True, slots=True)
class ComparedRow:
    """One line of a comparison: its value in every column, None where one has none."""

    part: str
    name: str
    values: list[Value]
    is_different: bool


@dataclass(frozen=True, slots=True)
class ComparedArtifact:
    """A path under which runs kept files: the file of each, None where one has none.

    `is_equal` says that all of those that have it have the same bytes.
    """

    path: str
    files: list[ArtifactRecord | None]
    is_equal: bool


def compare_runs(runs: Sequence[Run], differences_only: bool = True) -> pd.DataFrame:
    """Return parameters, metrics and tags of several runs side by side.

    Parameters
    ----------
    runs
        The runs; each becomes a column.
    differences_only
        Leave out the rows in which all runs are equal.

    Returns
    -------
    DataFrame
        Rows by (kind, key), where kind is run, param, metric or tag; a column per run, named by the run's name, and by
        its id where two have the same name. What a run does not have is None.
    """
    import pandas as pd

    records = [run.record for run in runs]
    rows = [row for row in compare_records(records) if row.is_different or not differences_only]
    names = [record.name for record in records]
    headers = [record.name if names.count(record.name) == 1 else f"{record.name} ({record.id})" for record in records]
    index = pd.MultiIndex.from_tuples([(_KINDS[row.part], row.name) for row in rows], names=["kind", "key"])
    return pd.DataFrame([row.values for row in rows], index=index, columns=headers, dtype=object)


def compare_records(records: Sequence[RunRecord]) -> list[ComparedRow]:
    """Return all lines of the comparison, those that are the same too."""
    described: list[dict[str, Mapping[str, Value]]] = [
        {
            "run": {"experiment": record.experiment, "status": record.status.value, "user": record.user},
            "params": record.params,
            "metrics": record.metrics,
            "tags": record.tags,
        }
        for record in records
    ]
    return align(described, in_order=("run",))


def align(columns: Sequence[Mapping[str, Mapping[str, Value]]], in_order: Collection[str] = ()) -> list[ComparedRow]:
    """Lay what is known of several things side by side.

    Parameters
    ----------
    columns
        For each thing its parts, all things having the same parts, and in each part values by name.
    in_order
        The parts whose names stay in the order in which they come; in the others they are sorted.
    """
    rows = []
    for part in columns[0] if columns else ():
        parts = [column[part] for column in columns]
        names = dict.fromkeys(name for values in parts for name in values)
        for name in names if part in in_order else sorted(names):
            values = [item.get(name) for item in parts]
            rows.append(ComparedRow(part, name, values, len({_identity(value) for value in values}) > 1))
    return rows


def compare_artifacts(runs: Sequence[Run]) -> list[ComparedArtifact]:
    """Return the files of runs by their paths: those that several runs kept first."""
    kept = [{artifact.path: artifact for artifact in run.artifacts} for run in runs]
    rows = []
    for path in sorted({path for artifacts in kept for path in artifacts}):
        files = [artifacts.get(path) for artifacts in kept]
        digests = {file.sha256 for file in files if file is not None}
        rows.append(ComparedArtifact(path, files, len(digests) == 1))
    return sorted(rows, key=lambda row: sum(file is not None for file in row.files) < 2)


def _identity(value: Value) -> Value:
    """Return what tells values apart; NaN is like NaN."""
    return "NaN" if isinstance(value, float) and value != value else value
