"""The thread that samples the machine for scripts and notebooks; of a job, its supervisor does so."""

from __future__ import annotations

import os
import threading
from pathlib import Path

from kernel_tools.jobs.folder import now
from kernel_tools.jobs.supervision.gpu import Gpus
from kernel_tools.jobs.supervision.machine import LOADER, MachineWriter
from kernel_tools.jobs.supervision.processes import children
from kernel_tools.jobs.supervision.usage import read_network

INTERVAL = 0.5


class SystemSampler:
    """Samples the machine into a file twice a second until it is closed; it never raises once it was made.

    Parameters
    ----------
    path
        The file, `system.bin` in the Debugger's folder of a run; one that is there goes on.
    interval
        Seconds between samples.

    Raises
    ------
    OSError
        If the file cannot be made, or the machine is no Linux.
    """

    def __init__(self, path: Path, interval: float = INTERVAL) -> None:
        self._gpus = Gpus()
        self._writer = MachineWriter(path, len(self._gpus))
        self._interval = interval
        self._owner = os.getpid()
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run, name="atelier-system-sampler", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write a last sample and end; a second call does nothing."""
        if self._end.is_set() or os.getpid() != self._owner:
            return
        self._end.set()
        self._thread.join()
        self._writer.close()

    def _run(self) -> None:
        try:
            while not self._end.wait(self._interval):
                self._sample()
            self._sample()
        except Exception:  # it cannot hurt: without samples the training goes on
            return

    def _sample(self) -> None:
        self._writer.sample(now(), read_network(), self._gpus.read(), sum(map(_is_loader, children(self._owner))))


def _is_loader(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_bytes().startswith(LOADER)
    except OSError:
        return False  # it ended meanwhile
