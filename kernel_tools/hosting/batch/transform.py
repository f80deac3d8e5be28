"""The work of a batch transform: parts that are read, predicted and written at the same time, each once."""

from __future__ import annotations

import shutil
import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kernel_tools.core.errors import InvalidArgumentError, InvalidDataError
from kernel_tools.core.progress import Progress, progress
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.hosting.batch.filters import select_columns
from kernel_tools.hosting.batch.plan import BatchPlan, InputFile
from kernel_tools.hosting.batch.predicting import predict_table
from kernel_tools.hosting.batch.recording import (
    BROKEN_COLUMN,
    FailedRow,
    predict_or_record,
    read_failed,
    write_failed,
)
from kernel_tools.hosting.batch.tables import join_parts, read_tables, write_part
from kernel_tools.hosting.engines.opening import open_engine
from kernel_tools.hosting.engines.protocol import Engine

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY = "transform.json"
_NAMES = "names.json"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a transform did: files, all rows, those of this attempt, those that failed, and its seconds."""

    files: int
    rows: int
    rows_now: int
    seconds: float
    failed: int = 0
    format_version: int = 1


def run_transform(workspace: Workspace, plan: BatchPlan) -> Summary:
    """Transform all files of a plan; what an earlier attempt finished stays.

    Raises
    ------
    ConflictError
        If an input has changed since the transform was asked for.
    InvalidDataError
        If rows cannot be read, or do not fit the model.
    StoppedError
        If it was asked to stop.
    """
    for file in plan.inputs:
        file.require_unchanged()
    engine = open_engine(workspace, plan.variant)
    if not isinstance(engine, Engine):
        raise InvalidArgumentError("Code of the model's own reads bodies, not tables: deploy it, and send them.")
    began, rows, rows_now, failed = time.monotonic(), 0, 0, 0
    output = Path(plan.output)
    total = max(sum(file.size for file in plan.inputs), 1)
    with progress("Transforming", total=total, unit="bytes") as work:
        for number, file in enumerate(plan.inputs):
            begun = sum(before.size for before in plan.inputs[:number])
            counted = _transform_file(plan, file, engine, output, _Meter(work, begun))
            rows, rows_now, failed = rows + counted[0], rows_now + counted[1], failed + counted[2]
            work.update(done=begun + file.size)
    summary = Summary(len(plan.inputs), rows, rows_now, round(time.monotonic() - began, 3), failed)
    with atomic_write(output / SUMMARY) as written:
        written.write(msgspec.json.encode(summary))
    engine.close()
    return summary


@dataclass
class _Meter:
    """How far one file is in the work as a whole, which counts bytes of input; `begun` are those of files before."""

    work: Progress
    begun: int

    def reach(self, position: int) -> None:
        self.work.raise_if_stopped()
        self.work.update(done=self.begun + position)


def _transform_file(
    plan: BatchPlan, file: InputFile, engine: Engine, output: Path, meter: _Meter
) -> tuple[int, int, int]:
    """Transform one file; returns its rows, those of them that are new, and those that failed."""
    name = Path(file.path).name
    target, folder, errors = output / f"{name}.out", output / f".{name}.parts", output / f"{name}.errors.jsonl"
    if target.exists():
        return _known_rows(output, name), 0, len(read_failed(errors))
    folder.mkdir(parents=True, exist_ok=True)
    done = {int(path.stem): int(path.suffix[1:]) for path in folder.glob("*.[0-9]*")}
    names: list[str] = msgspec.json.decode((folder / _NAMES).read_bytes()) if (folder / _NAMES).exists() else []
    waiting: deque[Future[tuple[int, int]]] = deque()
    lines: list[FailedRow] = []
    new = 0

    def predict(number: int, table: pa.Table) -> tuple[int, int]:
        found, failed = _predicted(plan, file, engine, table, number * plan.batch_rows)
        if not names:
            names.extend(found.column_names)
            with atomic_write(folder / _NAMES) as written:
                written.write(msgspec.json.encode(names))
        if failed:
            write_failed(failed, folder / f"{number:08d}.failed")
        write_part(found, folder / f"{number:08d}.{found.num_rows}", file.format)
        return number, found.num_rows

    recorded = lines if plan.on_error == "record" else None
    with ThreadPoolExecutor(plan.max_concurrent, thread_name_prefix="transform") as pool:
        for number, table in read_tables(file, engine.signature, plan.batch_rows, set(done), recorded, meter.reach):
            waiting.append(pool.submit(predict, number, table))
            if len(waiting) > plan.max_concurrent:
                key, rows = waiting.popleft().result()
                done[key], new = rows, new + rows
        while waiting:
            meter.work.raise_if_stopped()
            key, rows = waiting.popleft().result()
            done[key], new = rows, new + rows
    parts = [folder / f"{key:08d}.{done[key]}" for key in sorted(done)]
    total = sum(done.values())
    failed = [row for path in sorted(folder.glob("*.failed")) for row in read_failed(path)] + lines
    _require_share(plan, file, failed, total + len(lines))
    if failed:
        write_failed(failed, errors)
    with atomic_write(output / f".{name}.rows") as written:
        written.write(str(total).encode())
    join_parts(parts, names, target, file.format)
    shutil.rmtree(folder)
    return total, new, len(failed)


def _require_share(plan: BatchPlan, file: InputFile, failed: list[FailedRow], rows: int) -> None:
    if failed and len(failed) > plan.max_failed_share * rows:
        raise InvalidDataError(
            f"{len(failed):,} of {rows:,} rows of {file.path!r} cannot be predicted, more than "
            f"max_failed_share={plan.max_failed_share:g}. The first: {failed[0].reason}"
        )


def _known_rows(output: Path, name: str) -> int:
    try:
        return int((output / f".{name}.rows").read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _predicted(
    plan: BatchPlan, file: InputFile, engine: Engine, table: pa.Table, first_row: int
) -> tuple[pa.Table, list[FailedRow]]:
    """Return what is written of some rows, and those of them that failed."""
    known = [name for name in table.column_names if name != BROKEN_COLUMN]
    given = select_columns(known, plan.input_filter, "input_filter")

    def predict(rows: pa.Table, first: int) -> pa.Table:
        if plan.strategy == "multi-record" or rows.num_rows < 2:
            return predict_table(engine, rows, given, first, file.path)
        parts = [
            predict_table(engine, rows.slice(place, 1), given, first + place, file.path)
            for place in range(rows.num_rows)
        ]
        return pa.concat_tables(parts, promote_options="permissive")

    import pyarrow as pa

    failed: list[FailedRow] = []
    if plan.on_error == "record":
        found, failed = predict_or_record(predict, table, first_row)
    else:
        found = predict(table, first_row)
    if plan.joins_input:
        joined = table.select(known)
        for name in found.column_names:
            label = name if name not in joined.column_names else f"{name}_predicted"
            joined = joined.append_column(label, found.column(name))
        found = joined
    return found.select(select_columns(found.column_names, plan.output_filter, "output_filter")), failed
