"""Versions side by side: what they are, what they were trained with, what they reached, and where they differ."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments.comparison import ComparedRow, Value, align
from kernel_tools.registry import catalog
from kernel_tools.registry.records import VersionRecord

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.experiments.records import RunRecord

MAX_COMPARED = 100


class HasRecord(Protocol):
    """A model version."""

    @property
    def record(self) -> VersionRecord:
        """What the registry knows of it."""


def compare(
    versions: Sequence[HasRecord | VersionRecord | tuple[str, int]],
    differences_only: bool = True,
    *,
    workspace: Workspace | None = None,
) -> pd.DataFrame:
    """Compare versions, of one model or of several.

    Parameters
    ----------
    versions
        Two or more (at most 100): versions, records, or pairs of name and number.
    differences_only
        Whether to leave out what is the same in all of them.
    workspace
        Default: the current workspace.

    Returns
    -------
    DataFrame
        One column a version, such as ``census 1``. The index has the part (version, params, metrics, tags, signature,
        libraries, files) and the name; parameters and metrics are those of the run that made the version.

    Raises
    ------
    NotFoundError
        If a version does not exist.
    InvalidArgumentError
        If there are fewer than two, or the same one twice.
    """
    import pandas as pd

    workspace = workspace or current_workspace()
    records = read_compared(workspace, versions)
    rows = [row for row in compare_records(workspace, records) if row.is_different or not differences_only]
    index = pd.MultiIndex.from_tuples([(row.part, row.name) for row in rows], names=["part", "name"])
    columns = [f"{record.model} {record.version}" for record in records]
    return pd.DataFrame([row.values for row in rows], index=index, columns=columns, dtype=object)


def read_compared(
    workspace: Workspace, versions: Iterable[HasRecord | VersionRecord | tuple[str, int]]
) -> list[VersionRecord]:
    """Return the records of versions as they stand now; raises as `compare` does."""
    keys = []
    for version in versions:
        if isinstance(version, tuple):
            keys.append(version)
        else:
            record = version if isinstance(version, VersionRecord) else version.record
            keys.append((record.model, record.version))
    if not 2 <= len(keys) <= MAX_COMPARED or len(set(keys)) < len(keys):
        raise InvalidArgumentError(
            f"A comparison is of 2 to {MAX_COMPARED} different versions; these are {len(set(keys))} of {len(keys)}."
        )
    with workspace.database.read() as connection:
        return [catalog.get_version(connection, *key) for key in keys]


def compare_records(workspace: Workspace, records: Sequence[VersionRecord]) -> list[ComparedRow]:
    """Return all lines of the comparison, those that are the same too."""
    runs = _read_runs(workspace, records)
    described = [dict(_describe(record, runs.get(record.run_id or ""))) for record in records]
    return align(described, in_order=("version",))


def _describe(record: VersionRecord, run: RunRecord | None) -> Iterator[tuple[str, Mapping[str, Value]]]:
    signature = record.signature
    inputs: dict[str, Value] = {}
    if signature is not None:
        inputs = {column.name: f"{column.type.value} ({column.dtype})" for column in signature.columns}
        if signature.tensor is not None:
            inputs["tensor"] = f"{signature.tensor.dtype} {signature.tensor.shape}"
        if signature.classes is not None:
            inputs["classes"] = ", ".join(signature.classes)
    yield (
        "version",
        {
            "status": record.status.value,
            "stage": record.stage.value,
            "aliases": ", ".join(record.aliases) or None,
            "created_by": record.created_by,
            "run": run.name if run is not None else record.run_id,
            "format": record.format,
            "model_class": record.model_class or None,
            "size": f"{sum(file.size for file in record.files):,} bytes",
            "licence": record.licence or None,
            "has_code": "yes" if record.has_code else "no",
        },
    )
    yield "params", run.params if run is not None else {}
    yield "metrics", run.metrics if run is not None else {}
    yield "tags", record.tags
    yield "signature", inputs
    yield "libraries", record.libraries
    yield "files", {file.path: f"{file.size:,} bytes, sha256 {file.sha256[:12]}" for file in record.files}


def _read_runs(workspace: Workspace, records: Sequence[VersionRecord]) -> dict[str, RunRecord]:
    from kernel_tools import experiments

    ids = sorted({record.run_id for record in records if record.run_id})
    if not ids:
        return {}
    listed = ", ".join("'" + run_id.replace("'", "''") + "'" for run_id in ids)
    runs, _ = experiments.search_run_records(filter=f"run_id IN ({listed})", limit=len(ids), workspace=workspace)
    return {run.id: run for run in runs}
