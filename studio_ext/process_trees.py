"""What trees of processes use: memory, processor time and I/O. Whose processes they are is said elsewhere."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

SHORTEST_SPAN = 1.0
"""Seconds between two measurements below which a share of processor time would be noise."""


@dataclass(frozen=True, slots=True)
class TreeUse:
    """What a process and all its descendants use.

    Attributes
    ----------
    memory
        Resident bytes; pages that processes share are counted in each.
    cpu_seconds
        Processor time so far, of children that have ended too.
    io_bytes
        Bytes read and written so far, by files and pipes; 0 where the system does not count them.
    processes
        How many there are.
    started_at
        When the root was started, in milliseconds since 1970 UTC.
    """

    memory: int
    cpu_seconds: float
    io_bytes: int
    processes: int
    started_at: int


def measure_trees(roots: Collection[int]) -> dict[int, TreeUse]:
    """Measure the trees below some processes; one that is gone is left out.

    A root that stands below another one, such as a job that a kernel has submitted, belongs to itself alone.
    """
    import psutil

    if not roots:
        return {}
    children: dict[int, list[psutil.Process]] = defaultdict(list)
    processes: dict[int, psutil.Process] = {}
    for process in psutil.process_iter(["ppid"]):
        processes[process.pid] = process
        children[process.info["ppid"]].append(process)
    return {
        root: use
        for root in roots
        if root in processes and (use := _measure(processes[root], children, set(roots) - {root})) is not None
    }


class CpuMeter:
    """Turns processor time so far into processors in use, between one measurement and the next."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._seen: dict[tuple[int, int], tuple[float, float, float | None]] = {}

    def shares(self, uses: Mapping[int, TreeUse], at: float) -> dict[int, float | None]:
        """Return the processors that each root's tree uses; None for one that was not seen before.

        Parameters
        ----------
        uses
            What was measured, by the pid of the root.
        at
            When, in seconds of a clock that is never set back.
        """
        shares: dict[int, float | None] = {}
        with self._lock:
            seen = {(root, use.started_at): self._follow((root, use.started_at), use, at) for root, use in uses.items()}
            self._seen = {**{key: value for key, value in self._seen.items() if at - value[0] < 60}, **seen}
            for (root, _), (_, _, share) in seen.items():
                shares[root] = share
        return shares

    def _follow(self, key: tuple[int, int], use: TreeUse, at: float) -> tuple[float, float, float | None]:
        before = self._seen.get(key)
        if before is None:
            return at, use.cpu_seconds, None
        then, seconds, share = before
        if at - then < SHORTEST_SPAN:
            return before
        # A descendant that leaves the tree takes its time along.
        return at, use.cpu_seconds, max(0.0, use.cpu_seconds - seconds) / (at - then)


def _measure(root: object, children: Mapping[int, list[object]], others: set[int]) -> TreeUse | None:
    import psutil

    memory, seconds, transferred, count = 0, 0.0, 0, 0
    waiting = [root]
    while waiting:
        process = waiting.pop()
        assert isinstance(process, psutil.Process)
        try:
            with process.oneshot():
                if process.status() == psutil.STATUS_ZOMBIE:
                    continue
                memory += process.memory_info().rss
                seconds += sum(process.cpu_times()[:4])
                transferred += _transferred(process)
        except psutil.Error:
            continue  # it ended meanwhile, or is not ours to look at
        count += 1
        waiting += [child for child in children.get(process.pid, ()) if getattr(child, "pid", 0) not in others]
    if count == 0:
        return None
    assert isinstance(root, psutil.Process)
    return TreeUse(memory, seconds, transferred, count, int(root.create_time() * 1000))


def _transferred(process: object) -> int:
    import psutil

    read = getattr(process, "io_counters", None)
    if read is None:
        return 0
    try:
        counters = read()
    except (psutil.Error, OSError):
        return 0
    return int(getattr(counters, "read_chars", counters.read_bytes)) + int(
        getattr(counters, "write_chars", counters.write_bytes)
    )
