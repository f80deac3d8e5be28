"""Everything that was captured, as one table in a Parquet file: a row for each tensor, step, mode and worker."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from kernel_tools.debugger.reading import StoreReader
from kernel_tools.debugger.records import COLUMNS, Mode
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    import pyarrow as pa

    from kernel_tools.experiments import Run

ARTIFACT = "debugger/tensors.parquet"


def export_trial(trial: Trial, path: Path) -> int:
    """Write the file, whole, by another name first; returns its number of rows.

    Columns: worker, tensor, collections (joined by commas), mode, step, the statistics of `records.COLUMNS` (float32),
    and value (float64) of what is a single number.
    """
    import os

    import pyarrow as pa
    import pyarrow.parquet as pq

    text = pa.dictionary(pa.int32(), pa.string())
    schema = pa.schema(
        [("worker", text), ("tensor", text), ("collections", text), ("mode", text), ("step", pa.int64())]
        + [(name, pa.float32()) for name in COLUMNS]
        + [("value", pa.float64())]
    )
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    rows = 0
    try:
        with pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            for reader in trial.readers():
                for name in reader.tensors:
                    for mode in Mode:
                        table = _table(reader, name, mode, schema)
                        if table is not None:
                            writer.write_table(table)
                            rows += len(table)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return rows


def log_export(run: Run, folder: Path) -> None:
    """Keep the table as an artifact of the run."""
    trial = Trial(folder, run)
    try:
        with tempfile.TemporaryDirectory() as place:
            path = Path(place) / Path(ARTIFACT).name
            if export_trial(trial, path):
                run.log_artifact(path, str(Path(ARTIFACT).parent))
    finally:
        trial.close()


def _table(reader: StoreReader, name: str, mode: Mode, schema: pa.Schema) -> pa.Table | None:
    import numpy as np
    import pyarrow as pa

    info = reader.tensors[name]
    if info.kind == "scalar":
        steps, values = reader.scalars(name, mode)
        statistics = np.full((len(steps), len(COLUMNS)), np.nan, "f4")
    else:
        steps, statistics = reader.series(name, mode)
        values = np.full(len(steps), np.nan)
    if not len(steps):
        return None
    words = (reader.worker, name, ",".join(info.collections), mode.name)
    columns = [pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(steps), "i4")), pa.array([word])) for word in words]
    columns += [pa.array(steps), *(pa.array(np.ascontiguousarray(column)) for column in statistics.T), pa.array(values)]
    return pa.Table.from_arrays(columns, schema=schema)
