"""Samples of what a job uses, twice a second: fixed records behind a header that names their version."""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools.jobs.supervision.gpu import Gpus
from kernel_tools.jobs.supervision.processes import Family

MAGIC = b"ATUSAGE1"
RECORD = struct.Struct("<qdqqqqqifq")
FIELDS = (
    "timestamp",
    "cpu_seconds",
    "memory",
    "disk_read",
    "disk_written",
    "network_received",
    "network_sent",
    "processes",
    "gpu_utilization",
    "gpu_memory",
)
"""Milliseconds since 1970 UTC; seconds of all processors; bytes of memory now; bytes so far of disk (the job's) and of
network (the machine's, without loopback); processes now; percent and bytes of all GPUs (the machine's), NaN and -1
where there are none."""
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class UsageWriter:
    """Samples the processes of an attempt into a file."""

    def __init__(self, path: Path, family: Family, attempt: str) -> None:
        self._family = family
        self._attempt = attempt
        self._gpus = Gpus()
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  # closed by `close`
        if self._file.tell() == 0:
            self._file.write(MAGIC)
        self._gone: dict[int, tuple[float, int, int]] = {}
        self._base = [0.0, 0, 0]

    def sample(self, timestamp: int) -> None:
        """Write one record."""
        cpu, memory, read, written, count = self._sum()
        received, sent = _network()
        load, gpu_memory = self._gpus.read()
        values: Sequence[Any] = (timestamp, cpu, memory, read, written, received, sent, count, load, gpu_memory)
        with contextlib.suppress(OSError):  # a full disk: the job goes on, this sample is missing
            self._file.write(RECORD.pack(*values))

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _sum(self) -> tuple[float, int, int, int, int]:
        seen: dict[int, tuple[float, int, int]] = {}
        memory = 0
        for pid in self._family.members(self._attempt):
            process = _process(pid)
            if process is not None:
                seen[pid] = process[:3]
                memory += process[3]
        for pid, values in self._gone.items():  # what ended since counts on with its last sample
            if pid not in seen:
                self._base = [old + new for old, new in zip(self._base, values, strict=True)]
        self._gone = seen
        cpu, read, written = (sum(column) for column in zip(self._base, *seen.values(), strict=True))
        return float(cpu), memory, int(read), int(written), len(seen)


def _process(pid: int) -> tuple[float, int, int, int] | None:
    """Return CPU seconds, bytes read and written, and memory of a process."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()
    except OSError:
        return None
    read = written = 0
    try:
        for line in Path(f"/proc/{pid}/io").read_bytes().splitlines():
            name, _, value = line.partition(b": ")
            if name == b"read_bytes":
                read = int(value)
            elif name == b"write_bytes":
                written = int(value)
    except OSError:
        pass  # the kernel keeps this from us
    return (int(fields[11]) + int(fields[12])) / _TICKS, read, written, int(fields[21]) * _PAGE


def _network() -> tuple[int, int]:
    received = sent = 0
    try:
        lines = Path("/proc/net/dev").read_text().splitlines()[2:]
    except OSError:
        return 0, 0
    for line in lines:
        name, _, values = line.partition(":")
        if name.strip() != "lo":
            columns = values.split()
            received += int(columns[0])
            sent += int(columns[8])
    return received, sent
