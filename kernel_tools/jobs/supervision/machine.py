"""Samples of what the whole machine does, core by core and GPU by GPU: fixed records behind a header that names their
version and shape. Linux and standard library only: a job's supervisor writes them, and the Debugger for scripts."""

from __future__ import annotations

import contextlib
import math
import os
import struct
from collections.abc import Sequence
from pathlib import Path

MAGIC = b"ATSYSTM1"
HEADER = struct.Struct("<HHq")
"""Cores, GPUs, and bytes of memory of the machine."""
FIELDS = ("timestamp", "memory", "disk_read", "disk_written", "network_received", "network_sent", "workers")
"""Milliseconds since 1970 UTC; bytes of memory in use; bytes so far of all disks and of the network without loopback;
worker processes of PyTorch data loaders. Then for each core the percent of time that it was busy, and for each core the
percent that it waited for a disk, since the sample before (a byte each, 255 if unknown); for each GPU its load, and for
each GPU the used share of its memory, in percent (float32, NaN if unknown)."""
UNKNOWN = 255
FILE = "system.bin"
LOADER = b"pt_data_worker"
"""What PyTorch calls the processes of a data loader."""
_SECTOR = 512


def record_of(cores: int, gpus: int) -> struct.Struct:
    """Return the layout of a record."""
    return struct.Struct(f"<6qH{2 * cores}B{2 * gpus}f")


class MachineWriter:
    """Samples the machine into a file, which goes on if it is of a machine of the same shape."""

    def __init__(self, path: Path, gpus: int) -> None:
        self._cores = len(_core_times())
        self._record = record_of(self._cores, gpus)
        self._disks = _disk_names()
        self._before = _core_times()
        header = MAGIC + HEADER.pack(self._cores, gpus, _memory()[1])
        self._file = open(path, "a+b", buffering=0)  # noqa: SIM115  # closed by `close`
        self._file.seek(0)
        known = self._file.read(len(header))
        if not known:
            self._file.write(header)
        self._is_ours = known in (b"", header)
        if self._is_ours and known:
            self._drop_torn(len(header))

    def sample(
        self, timestamp: int, network: tuple[int, int], gpus: Sequence[tuple[float, int, int]], workers: int
    ) -> None:
        """Write one record; `gpus` is the load in percent, and the used and all bytes, of each."""
        if not self._is_ours:
            return
        shares = self._shares()
        loads = [load for load, _, _ in gpus]
        memories = [100 * used / total if total > 0 else math.nan for _, used, total in gpus]
        values = (timestamp, _memory()[0], *self._disk(), *network, min(workers, 65535), *shares, *loads, *memories)
        with contextlib.suppress(OSError):  # a full disk: the job goes on, this sample is missing
            if self._file.write(self._record.pack(*values)) < self._record.size:
                self._drop_torn(len(MAGIC) + HEADER.size)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _drop_torn(self, start: int) -> None:
        """Cut off a record that was not written to its end."""
        size = os.fstat(self._file.fileno()).st_size
        self._file.truncate(size - (size - start) % self._record.size)

    def _shares(self) -> list[int]:
        """Return the busy, then the waiting percent of each core since the call before."""
        before, self._before = self._before, _core_times()
        busy, waiting = [], []
        for old, new in zip(before, self._before, strict=False):
            spent = [after - earlier for earlier, after in zip(old, new, strict=True)]
            total = sum(spent)
            busy.append(_percent(spent[0], total))
            waiting.append(_percent(spent[1], total))
        lost = [UNKNOWN] * (self._cores - len(busy))  # a core that was taken away
        return [*busy, *lost, *waiting, *lost]

    def _disk(self) -> tuple[int, int]:
        read = written = 0
        with contextlib.suppress(OSError):
            for line in Path("/proc/diskstats").read_bytes().splitlines():
                fields = line.split()
                if fields[2] in self._disks:
                    read += int(fields[5])
                    written += int(fields[9])
        return read * _SECTOR, written * _SECTOR


def _percent(part: int, total: int) -> int:
    return max(0, min(100, round(100 * part / total))) if total > 0 else UNKNOWN


def _core_times() -> list[tuple[int, int, int]]:
    """Return the ticks so far that each core was busy, waited for a disk, and rested."""
    found = []
    for line in Path("/proc/stat").read_bytes().splitlines()[1:]:
        if not line.startswith(b"cpu"):
            break
        user, nice, system, idle, waiting, irq, softirq, *rest = map(int, line.split()[1:])
        found.append((user + nice + system + irq + softirq + sum(rest[:1]), waiting, idle))
    return found


def _memory() -> tuple[int, int]:
    """Return the bytes of memory in use, and all there are."""
    values = {}
    for line in Path("/proc/meminfo").read_bytes().splitlines()[:4]:
        name, _, value = line.partition(b":")
        values[name] = int(value.split()[0]) * 1024
    total = values.get(b"MemTotal", 0)
    return total - values.get(b"MemAvailable", total), total


def _disk_names() -> frozenset[bytes]:
    """Return the names of whole disks that are made of something: not their partitions, no loops, no memory."""
    with contextlib.suppress(OSError):
        return frozenset(
            os.fsencode(name) for name in os.listdir("/sys/block") if os.path.exists(f"/sys/block/{name}/device")
        )
    return frozenset()
