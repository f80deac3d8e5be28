"""Samples of what a job uses, twice a second: fixed records behind a header that names their version. Beside them those
of the whole machine are written, see `machine.py`."""

from __future__ import annotations

import contextlib
import math
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from kernel_tools.jobs.supervision import machine
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
        self._machine = machine.MachineWriter(path.with_name(machine.FILE), len(self._gpus))
        self._file = open(path, "ab", buffering=0)  # noqa: SIM115  # closed by `close`
        if self._file.tell() == 0:
            self._file.write(MAGIC)
        self._gone: dict[int, tuple[float, int, int]] = {}
        self._base = [0.0, 0, 0]

    def sample(self, timestamp: int) -> None:
        """Write one record."""
        cpu, memory, read, written, count, workers = self._sum()
        received, sent = read_network()
        gpus = self._gpus.read()
        load = sum(each for each, _, _ in gpus if each == each) / len(gpus) if gpus else math.nan
        gpu_memory = sum(used for _, used, _ in gpus) if gpus else -1
        values: Sequence[Any] = (timestamp, cpu, memory, read, written, received, sent, count, load, gpu_memory)
        with contextlib.suppress(OSError):  # a full disk: the job goes on, this sample is missing
            self._file.write(RECORD.pack(*values))
        self._machine.sample(timestamp, (received, sent), gpus, workers)

    def close(self) -> None:
        """Close the files."""
        self._file.close()
        self._machine.close()

    def _sum(self) -> tuple[float, int, int, int, int, int]:
        seen: dict[int, tuple[float, int, int]] = {}
        memory = workers = 0
        for pid in self._family.members(self._attempt):
            process = _process(pid)
            if process is not None:
                seen[pid] = process[:3]
                memory += process[3]
                workers += process[4]
        for pid, values in self._gone.items():  # what ended since counts on with its last sample
            if pid not in seen:
                self._base = [old + new for old, new in zip(self._base, values, strict=True)]
        self._gone = seen
        cpu, read, written = (sum(column) for column in zip(self._base, *seen.values(), strict=True))
        return float(cpu), memory, int(read), int(written), len(seen), workers


def _process(pid: int) -> tuple[float, int, int, int, bool] | None:
    """Return CPU seconds, bytes read and written, and memory of a process, and whether it loads data."""
    try:
        name, _, rest = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")
        fields = rest.split()
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
    seconds = (int(fields[11]) + int(fields[12])) / _TICKS
    return seconds, read, written, int(fields[21]) * _PAGE, name.endswith(machine.LOADER)


def read_network() -> tuple[int, int]:
    """Return the bytes so far that the machine has received and sent, without loopback."""
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
