"""The host's look at one endpoint every few seconds: what its workers counted, and what they take of the machine."""

from __future__ import annotations

import psutil

from kernel_tools.hosting.asynchronous.dispatchers import backlog_of
from kernel_tools.hosting.configuration import Worker
from kernel_tools.hosting.counters import read_counters, sum_counters
from kernel_tools.hosting.folder import EndpointFolder, current_time
from kernel_tools.hosting.history import HistoryWriter, Sample, VariantSample
from kernel_tools.hosting.records import EndpointState


class Observer:
    """Notes samples of an endpoint in its history."""

    def __init__(self, folder: EndpointFolder) -> None:
        self._folder = folder
        self._writer = HistoryWriter(folder.history_path)
        self._processes: dict[int, psutil.Process] = {}
        self._cpu: dict[int, float] = {}
        self._spent = 0.0

    def look(self) -> None:
        """Note a sample if it is time."""
        now = current_time()
        if not self._writer.is_due(now):
            return
        status, scale = self._folder.status(), self._folder.scale()
        if status.state in (EndpointState.FAILED, EndpointState.DELETING):
            return
        workers = status.workers
        wanted = {item.name: item.workers for item in self._folder.configuration().production_variants}
        wanted |= scale.workers() if scale is not None else {}
        counted = read_counters(self._folder.metrics_path)
        variants = {}
        for name in dict.fromkeys([*wanted, *(item.variant for item in counted)]):
            ready = sum(worker.is_ready for worker in workers if worker.variant == name)
            mine = sum_counters(item for item in counted if item.variant == name)
            variants[name] = VariantSample.of(mine, ready, wanted.get(name, 0))
        memory = self._measure(workers)
        self._writer.add(Sample(now, variants, round(self._spent, 2), memory, backlog_of(self._folder)))

    def _measure(self, workers: tuple[Worker, ...]) -> int:
        """Add what the workers' processes have spent since the last look; returns their memory, PSS, in bytes."""
        memory, alive = 0, set()
        for worker in workers:
            pid = worker.process.pid
            try:
                known = self._processes.get(pid)
                process = known if known is not None and known.is_running() else psutil.Process(pid)
                spent = sum(process.cpu_times()[:2])
                memory += process.memory_full_info().pss
            except psutil.Error:
                continue  # it ended meanwhile
            self._spent += max(0.0, spent - self._cpu.get(pid, 0.0))
            self._cpu[pid], self._processes[pid] = spent, process
            alive.add(pid)
        for pid in self._processes.keys() - alive:
            del self._processes[pid], self._cpu[pid]
        return memory
