"""The work of a batch transform: parts that are read, predicted and written at the same time, each once."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.progress import Progress, progress
from kernel_tools.core.workspace import Workspace, atomic_write
from kernel_tools.hosting.batch.filters import select_columns
from kernel_tools.hosting.batch.plan import BatchPlan, InputFile
from kernel_tools.hosting.batch.predicting import predict_table
from kernel_tools.hosting.batch.tables import join_parts, read_tables, remove_parts, write_part
from kernel_tools.hosting.engines.opening import open_engine
from kernel_tools.hosting.engines.protocol import Engine

if TYPE_CHECKING:
    import pyarrow as pa

SUMMARY = "transform.json"
_NAMES = "names.json"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a transform did: files, all rows, those of this attempt, and its seconds."""

    files: int
    rows: int
    rows_now: int
    seconds: float
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
    began, rows, rows_now = time.monotonic(), 0, 0
    output = Path(plan.output)
    with progress("Transforming", unit="rows") as work:
        for file in plan.inputs:
            counted = _transform_file(plan, file, engine, output, work)
            rows, rows_now = rows + counted[0], rows_now + counted[1]
    summary = Summary(len(plan.inputs), rows, rows_now, round(time.monotonic() - began, 3))
    with atomic_write(output / SUMMARY) as written:
        written.write(msgspec.json.encode(summary))
    engine.close()
    return summary


def _transform_file(plan: BatchPlan, file: InputFile, engine: Engine, output: Path, work: Progress) -> tuple[int, int]:
    """Transform one file; returns its rows, and those of them that are new."""
    name = Path(file.path).name
    target, folder = output / f"{name}.out", output / f".{name}.parts"
    count = folder / "rows"
    if target.exists():
        return _known_rows(output, name), 0
    folder.mkdir(parents=True, exist_ok=True)
    done = {int(path.stem): int(path.suffix[1:]) for path in folder.glob("*.[0-9]*")}
    names: list[str] = msgspec.json.decode((folder / _NAMES).read_bytes()) if (folder / _NAMES).exists() else []
    waiting: deque[Future[tuple[int, int]]] = deque()
    new = 0

    def predict(number: int, table: pa.Table) -> tuple[int, int]:
        found = _predicted(plan, file, engine, table, number * plan.batch_rows)
        if not names:
            names.extend(found.column_names)
            with atomic_write(folder / _NAMES) as written:
                written.write(msgspec.json.encode(names))
        write_part(found, folder / f"{number:08d}.{found.num_rows}", file.format)
        return number, found.num_rows

    with ThreadPoolExecutor(plan.max_concurrent, thread_name_prefix="transform") as pool:
        for number, table in read_tables(file, engine.signature, plan.batch_rows, set(done)):
            work.raise_if_stopped()
            waiting.append(pool.submit(predict, number, table))
            if len(waiting) > plan.max_concurrent:
                key, rows = waiting.popleft().result()
                done[key], new = rows, new + rows
                work.advance(rows)
        while waiting:
            key, rows = waiting.popleft().result()
            done[key], new = rows, new + rows
            work.advance(rows)
    parts = [folder / f"{key:08d}.{done[key]}" for key in sorted(done)]
    total = sum(done.values())
    with atomic_write(output / f".{name}.rows") as written:
        written.write(str(total).encode())
    join_parts(parts, names, target, file.format)
    (folder / _NAMES).unlink(missing_ok=True)
    count.unlink(missing_ok=True)
    remove_parts(parts) if parts else folder.rmdir()
    return total, new


def _known_rows(output: Path, name: str) -> int:
    try:
        return int((output / f".{name}.rows").read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _predicted(plan: BatchPlan, file: InputFile, engine: Engine, table: pa.Table, first_row: int) -> pa.Table:
    given = select_columns(table.column_names, plan.input_filter, "input_filter")
    found = predict_table(engine, table, given, first_row, file.path)
    if plan.joins_input:
        for name in found.column_names:
            label = name if name not in table.column_names else f"{name}_predicted"
            table = table.append_column(label, found.column(name))
        found = table
    return found.select(select_columns(found.column_names, plan.output_filter, "output_filter"))
