"""What the profiler records beside the capture of `scripts.recorded_run`: a machine, and two steps that are traced."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np

from kernel_tools.debugger.profiling.torch_trace import FILE as TRACE
from kernel_tools.jobs.supervision.machine import FILE, HEADER, MAGIC, record_of

CORES = 4
SAMPLES = 60
_BEGAN = 1_790_000_000_000
_GIB = 1024**3


def write_machine(folder: Path, *, seed: int = 0) -> None:
    """Write samples of a machine with four cores, of which one is busy, twice a second."""
    rng = np.random.default_rng(seed)
    record = record_of(CORES, 0)
    content = [MAGIC + HEADER.pack(CORES, 0, 16 * _GIB)]
    for sample in range(SAMPLES):
        busy = [int(rng.integers(80, 100)), *(int(value) for value in rng.integers(5, 40, CORES - 1))]
        waiting = [30 if sample % 20 == 0 else 1] * CORES
        used = 3 * _GIB + sample * 10_000_000
        counters = (sample * 4_000_000, sample * 100_000, sample * 50_000, sample * 20_000)
        content.append(record.pack(_BEGAN + 500 * sample, used, *counters, 2, *busy, *waiting))
    (folder / FILE).write_bytes(b"".join(content))


def write_trace(folder: Path) -> None:
    """Write a Chrome trace of two steps, as `torch.profiler` does."""
    events: list[dict[str, Any]] = []

    def add(category: str, name: str, start: float, duration: float) -> None:
        events.append({"ph": "X", "cat": category, "name": name, "pid": 1, "tid": 1, "ts": start, "dur": duration})

    for place, step in enumerate((10, 11)):
        start = 40_000.0 * place
        add("user_annotation", f"step {step}", start, 38_000)
        at = start + 6000
        for layer, kind, operator, duration in (
            ("conv1", "Conv2d", "aten::convolution", 3000),
            ("conv2", "Conv2d", "aten::convolution", 5000),
            ("fc1", "Linear", "aten::addmm", 1500),
            ("fc2", "Linear", "aten::addmm", 300),
        ):
            add("user_annotation", f"module {layer} ({kind})", at, duration)
            add("cpu_op", operator, at + 50, duration - 100)
            add("cpu_op", "aten::copy_", at + 100, duration / 10)
            at += duration + 100
        for operator, duration in (("aten::convolution_backward", 12_000), ("aten::mm", 4000)):
            add("cpu_op", operator, at, duration)
            at += duration + 100
    with gzip.open(folder / TRACE, "wt", encoding="utf-8") as file:
        json.dump({"traceEvents": events}, file)
