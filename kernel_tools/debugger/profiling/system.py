"""Reading what the machine did while a run trained; the samples are those of `jobs.supervision.machine`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from kernel_tools.core.errors import IntegrityError
from kernel_tools.jobs.supervision.machine import FIELDS, FILE, HEADER, MAGIC, UNKNOWN

if TYPE_CHECKING:
    import pandas as pd

    from kernel_tools.debugger.trial import Trial

Array = np.ndarray[Any, Any]
_START = len(MAGIC) + HEADER.size


@dataclass(frozen=True, slots=True)
class SystemSeries:
    """What the machine did, a row for each sample, in the order of time; NaN where it is unknown.

    Attributes
    ----------
    at
        Milliseconds since 1970 UTC, int64.
    cores, waiting
        Percent of the time since the sample before that each core was busy, and waited for a disk: (samples, cores).
    gpus, gpu_memory
        Load, and share of the memory in use, of each GPU in percent: (samples, GPUs).
    memory
        Memory in use, in percent.
    disk_read, disk_written, network_received, network_sent
        Bytes per second.
    workers
        Processes of data loaders.
    memory_total
        Bytes of memory of the machine.
    """

    at: Array
    cores: Array
    waiting: Array
    gpus: Array
    gpu_memory: Array
    memory: Array
    disk_read: Array
    disk_written: Array
    network_received: Array
    network_sent: Array
    workers: Array
    memory_total: int

    def __len__(self) -> int:
        return len(self.at)

    @property
    def interval(self) -> float:
        """Seconds between samples, their median."""
        return float(np.median(np.diff(self.at))) / 1000 if len(self.at) > 1 else 0.0

    @property
    def seconds(self) -> float:
        """Seconds that the samples stand for."""
        return len(self) * self.interval

    def between(self, start: float | None = None, end: float | None = None) -> SystemSeries:
        """Return the samples of a time, in milliseconds since 1970 UTC, both ends included."""
        first = 0 if start is None else int(self.at.searchsorted(start, "left"))
        last = len(self.at) if end is None else int(self.at.searchsorted(end, "right"))
        values: dict[str, Any] = {item.name: getattr(self, item.name) for item in fields(self)}
        cut = {name: value[first:last] for name, value in values.items() if name != "memory_total"}
        return SystemSeries(**cut, memory_total=self.memory_total)

    def last(self, seconds: float) -> SystemSeries:
        """Return the samples of so many last seconds."""
        return self.between(start=float(self.at[-1]) - seconds * 1000) if len(self) else self


def system_paths(folder: Path, job: str | None = None) -> list[Path]:
    """Return the files of samples of a run: in its Debugger's folder, or one for each attempt of its job."""
    own = folder / FILE
    if own.exists() or job is None:
        return [own] if own.exists() else []
    attempts = folder.parents[2] / "jobs" / job / "attempts"
    return sorted(attempts.glob(f"*/{FILE}"), key=lambda path: (len(path.parent.name), path.parent.name))


def read_series(paths: Sequence[Path]) -> SystemSeries:
    """Read files of samples one after the other; IntegrityError if one is none of ours."""
    parts = [part for path in paths if (part := _read_one(path)) is not None]
    if not parts:
        none, wide = np.empty(0), np.empty((0, 0))
        return SystemSeries(np.empty(0, "i8"), wide, wide, wide, wide, none, none, none, none, none, none, 0)
    joined: dict[str, Any] = {"memory_total": parts[-1].memory_total}
    for item in fields(SystemSeries):
        columns = [getattr(part, item.name) for part in parts]
        if item.name != "memory_total":
            joined[item.name] = np.concatenate(_as_wide(columns) if columns[0].ndim == 2 else columns)
    return SystemSeries(**joined)


def system_of(trial: Trial) -> SystemSeries:
    """Return what the machine did while a run trained; without samples it is empty."""
    return read_series(system_paths(trial.folder, trial.meta("job")))


def read_system(trial: Trial) -> pd.DataFrame:
    """Return what the machine did while a run trained, a row for each sample.

    Returns
    -------
    DataFrame
        timestamp (UTC); cpu and iowait (percent, mean of all cores), memory (percent), disk_read, disk_written,
        network_received and network_sent (bytes per second), workers (processes of data loaders); for each core
        core_0, ... and iowait_0, ... and for each GPU gpu_0, ... and gpu_memory_0, ..., in percent.

    Raises
    ------
    IntegrityError
        If a file of samples is none of ours.
    """
    import pandas as pd

    series = system_of(trial)
    table: dict[str, Any] = {
        "timestamp": pd.to_datetime(series.at, unit="ms", utc=True),
        "cpu": mean_of(series.cores),
        "iowait": mean_of(series.waiting),
    }
    names = ("memory", "disk_read", "disk_written", "network_received", "network_sent", "workers")
    table |= {name: getattr(series, name) for name in names}
    wide = {"core": series.cores, "iowait": series.waiting, "gpu": series.gpus, "gpu_memory": series.gpu_memory}
    for name, values in wide.items():
        table |= {f"{name}_{index}": values[:, index] for index in range(values.shape[1])}
    return pd.DataFrame(table)


def mean_of(values: Array) -> Array:
    """Return the mean of what is known of each row; NaN for a row of which nothing is."""
    known = np.isfinite(values)
    counts = known.sum(axis=1)
    return np.where(counts > 0, np.where(known, values, 0).sum(axis=1) / np.maximum(counts, 1), np.nan)


def _read_one(path: Path) -> SystemSeries | None:
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None
    if len(content) < _START and MAGIC.startswith(content[: len(MAGIC)]):
        return None  # it is being made
    if not content.startswith(MAGIC):
        raise IntegrityError(f"{path} does not hold samples of this Atelier's format.")
    cores, gpus, memory_total = HEADER.unpack_from(content, len(MAGIC))
    kind = np.dtype(
        [
            *((name, "<u2" if name == "workers" else "<i8") for name in FIELDS),
            *((name, "u1", (cores,)) for name in ("cores", "waiting")),
            *((name, "<f4", (gpus,)) for name in ("gpus", "gpu_memory")),
        ]
    )
    rows = np.frombuffer(content, kind, (len(content) - _START) // kind.itemsize, _START)
    if len(rows) < 2:
        return None
    seconds = np.maximum(np.diff(rows["timestamp"]), 1) / 1000
    rates = {name: np.maximum(np.diff(rows[name]), 0) / seconds for name in FIELDS[2:6]}
    rows = rows[1:]  # the first one has nothing before it
    return SystemSeries(
        at=rows["timestamp"].astype("i8"),
        cores=_percent(rows["cores"]),
        waiting=_percent(rows["waiting"]),
        gpus=rows["gpus"].astype("f8"),
        gpu_memory=rows["gpu_memory"].astype("f8"),
        memory=100 * rows["memory"] / max(memory_total, 1),
        workers=rows["workers"].astype("f8"),
        memory_total=memory_total,
        **rates,
    )


def _percent(values: Array) -> Array:
    return np.where(values == UNKNOWN, np.nan, values.astype("f8"))


def _as_wide(columns: Sequence[Array]) -> list[Array]:
    """Give all parts as many columns as the widest has: attempts may have run on other machines."""
    width = max(part.shape[1] for part in columns)
    return [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=np.nan) for part in columns]
