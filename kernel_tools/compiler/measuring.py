"""What a model costs on this machine: time for one row and a batch, and the memory of a process of its own."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from importlib import metadata
from pathlib import Path
from typing import Any

from kernel_tools.core.progress import Progress

BATCH_ROWS = 256
ROW_SECONDS = 0.1
"""How long single rows are asked for."""
PROBE_SECONDS = 120


def time_call(call: Callable[[], object], seconds: float = ROW_SECONDS, work: Progress | None = None) -> float:
    """Return the median time of a call in microseconds, over as many calls as fit, at least 5.

    Raises
    ------
    StoppedError
        If the work was asked to stop.
    """
    for _ in range(3):
        call()
    samples: list[float] = []
    ends = time.perf_counter() + seconds
    while len(samples) < 5 or (time.perf_counter() < ends and len(samples) < 20_000):
        started = time.perf_counter_ns()
        call()
        samples.append((time.perf_counter_ns() - started) / 1000)
        if work is not None and len(samples) % 100 == 0:
            work.raise_if_stopped()
    return statistics.median(samples)


def probe(request: dict[str, Any], work: Progress | None = None) -> tuple[float, float] | None:
    """Answer one request in a new process; see `probe.main` for what it is asked.

    Returns
    -------
    (memory, seconds) or None
        MiB that the process holds after its answer, and seconds from its start until then; None if it failed.

    Raises
    ------
    StoppedError
        If the work was asked to stop.
    """
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    started = time.perf_counter()
    command = [sys.executable, "-m", "kernel_tools.compiler.probe", json.dumps(request)]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, env=environment, text=True
    ) as process:
        try:
            while True:
                try:
                    output, _ = process.communicate(timeout=0.2)
                    break
                except subprocess.TimeoutExpired:
                    if time.perf_counter() - started > PROBE_SECONDS:
                        return None
                    if work is not None:
                        work.raise_if_stopped()
        finally:
            if process.poll() is None:
                process.kill()
    if process.returncode != 0:
        return None
    return float(output.split()[-1]), time.perf_counter() - started


def folder_size(folder: Path) -> int:
    """Return the bytes of all files of a folder."""
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def machine_facts() -> dict[str, Any]:
    """Return what the measured times depend on."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def library_versions(*names: str) -> dict[str, str]:
    """Return the versions of the distributions that are installed."""
    found = {}
    for name in names:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue
    return found
