"""The Debugger: what watching costs, in turn with wandb's watch; how soon a fault is said; reading; many tensors."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import nn

import kernel_tools as kt
from benchmarks.harness import Result, measure, wall_seconds
from kernel_tools.debugger.finding import FILE
from kernel_tools.debugger.records import COLUMNS, Mode
from kernel_tools.debugger.store import StoreWriter, store_path
from kernel_tools.debugger.trial import Trial
from scripts.wandb_library import VERSION, wandb_path

LIBRARIES = ("jupyter-atelier", "torch", "numpy", "xgboost")
BAR_OVERHEAD = 2.0
BAR_CONTROL = 1.0
BAR_WANDB = 10
BAR_LATENCY = 1.5
BAR_SERIES_MS = 50
STEPS = {"cnn": 1000, "mlp": 2000, "transformer": 350}
"""Each trains for about ten seconds of a processor, at least."""
STEPS_EVERY = {"cnn": 150, "mlp": 300, "transformer": 100}
TITLES = {"cnn": "small CNN", "mlp": "13-layer MLP", "transformer": "small transformer"}
ROOT = Path(__file__).parents[1]


def run() -> Iterator[Result]:
    """Measure, the trainings in processes of their own."""
    for name in STEPS:
        yield from _overhead(name)
    for name in STEPS_EVERY:
        yield _against_wandb(name)
    yield _latency()
    yield _series()
    yield from _many_tensors()


def _train(name: str, steps: int, *sides: str) -> dict[str, dict[str, float]]:
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT), wandb_path()]),
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
        "WANDB_SILENT": "true",
        # Without these, glibc gives memory back and takes it again at will: up to 40 % of a step, plain or watched.
        "MALLOC_TRIM_THRESHOLD_": str(1 << 32),
        "MALLOC_MMAP_THRESHOLD_": str(1 << 30),
    }
    command = [sys.executable, "-m", "benchmarks.debugger_trainings", name, str(steps), *sides]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    found: dict[str, dict[str, float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def _overhead(name: str) -> Iterator[Result]:
    """Plain, watched, plain again, in turn in one process; the first of three is the control's other half."""
    added, control, measured, closing, sampled = [], [], [], [], []
    for _ in range(3):
        found = _train(name, STEPS[name], "plain", "watched", "control")
        plain = (found["plain"]["cpu"] + found["control"]["cpu"]) / 2
        added.append(100 * (found["watched"]["cpu"] / plain - 1))
        control.append(100 * (found["control"]["cpu"] / found["plain"]["cpu"] - 1))
        measured.append(100 * found["watched"]["measured"])
        closing.append(found["watched"]["closing"])
        sampled.append(found["watched"]["sampled"])
    quiet = abs(statistics.median(control)) < BAR_CONTROL
    yield Result(
        f"{TITLES[name]}, {STEPS[name]:,} steps: CPU added at default settings, rules in a thread",
        f"under {BAR_OVERHEAD:g} %, control within {BAR_CONTROL:g} %",
        "%",
        [round(value, 3) for value in added],
        statistics.median(added) < BAR_OVERHEAD and quiet,
        "the same code twice",
        [round(value, 3) for value in control],
        note=f"the hook's own measure: {statistics.median(measured):.2f} %; {statistics.median(sampled):.0f} steps "
        f"sampled; closing and exporting takes {statistics.median(closing):.2f} s more, once",
    )


def _against_wandb(name: str) -> Result:
    """The same tensors at every step: parameters and gradients."""
    ours, theirs, everything = [], [], []
    for _ in range(2):
        found = _train(name, STEPS_EVERY[name], "plain", "wandb", "wandb_alone", "like_wandb", "every_step", "control")
        plain = (found["plain"]["cpu"] + found["control"]["cpu"]) / 2
        per_step = 1000 / STEPS_EVERY[name]
        ours.append((found["like_wandb"]["cpu"] - plain) * per_step)
        everything.append((found["every_step"]["cpu"] - plain) * per_step)
        theirs.append((found["wandb"]["cpu"] - found["wandb_alone"]["cpu"]) * per_step)
    ratio = statistics.median(theirs) / statistics.median(ours)
    return Result(
        f"{TITLES[name]}: CPU added per step, every parameter and gradient at every step",
        f"1/{BAR_WANDB}",
        "ms",
        [round(value, 4) for value in ours],
        ratio >= BAR_WANDB,
        f'wandb {VERSION}, watch(log="all", log_freq=1), offline',
        [round(value, 4) for value in theirs],
        note=f"with layers, updates, inputs and outputs too: {statistics.median(everything):.3g} ms",
    )


def _latency() -> Result:
    """From the end of the step that shows the fault to the finding in the file that the screen is drawn from."""

    def once() -> float:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            model = nn.Sequential(nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 2))
            optimizer = torch.optim.SGD(model.parameters(), 0.1)
            seen: list[float] = []
            is_over = threading.Event()

            def look() -> None:
                while not is_over.is_set():
                    path = folder / FILE
                    if path.exists() and '"NaNLoss"' in path.read_text() and kt.debugger.findings(folder).findings:
                        seen.append(time.perf_counter())
                        return
                    time.sleep(0.005)

            with kt.debugger.watch(model, optimizer, run=folder):
                watcher = threading.Thread(target=look)
                watcher.start()
                began = 0.0
                for step in range(10_000):
                    optimizer.zero_grad()
                    loss = nn.functional.cross_entropy(model(torch.randn(16, 8)), torch.zeros(16).long())
                    if step == 200:
                        loss, began = loss * float("nan"), time.perf_counter()
                    loss.backward()
                    optimizer.step()
                    time.sleep(0.005)
                    if seen:
                        break
                is_over.set()
                watcher.join()
            return seen[0] - began

    ours, _ = measure(once, repeat=7)
    return Result(
        "from a loss of NaN to its finding, steps of 6 ms",
        f"under 1 sampled step + {BAR_LATENCY:g} s",
        "s",
        ours,
        max(ours) < BAR_LATENCY,
        note="to the file that the studio answers from; its views look at least twice a second",
    )


def _series() -> Result:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _write_steps(folder, 10_000, 60)

        def once() -> float:
            trial = Trial(folder)
            took = 1000 * wall_seconds(lambda: trial.tensor("t30").table())
            trial.close()
            return took

        ours, _ = measure(once, repeat=9)
    return Result(
        "reading one of 60 tensors over 10,000 sampled steps",
        f"under {BAR_SERIES_MS} ms",
        "ms",
        ours,
        max(ours) < BAR_SERIES_MS,
        note="all its statistics, from a file just opened",
    )


def _many_tensors() -> Iterator[Result]:
    """Models of many small layers: the time to capture a step, and the memory that it takes."""
    times = {}
    for count in (1000, 5000, 10_000):
        environment = {**os.environ, "PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
        command = [sys.executable, "-c", _MANY, str(count)]
        samples = []
        for _ in range(3):
            done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
            samples.append(json.loads(done.stdout.splitlines()[-1]))
        times[count] = samples
    for count, samples in times.items():
        of_first = statistics.median(sample["us"] for sample in times[1000])
        median = statistics.median(sample["us"] for sample in samples)
        yield Result(
            f"a model of {count:,} weights: CPU to capture a step, per tensor",
            "grows linearly, bounded memory",
            "us",
            [round(sample["us"], 3) for sample in samples],
            median < 1.5 * of_first and max(sample["mib"] for sample in samples) < 512,
            note=f"{samples[0]['tensors']:,} tensors; peak memory grows by {max(s['mib'] for s in samples):.0f} MiB "
            f"in {samples[0]['steps']} captured steps",
        )


_MANY = """
import json, resource, sys, tempfile, time
from pathlib import Path
import torch
from torch import nn
import kernel_tools as kt
torch.set_num_threads(1)
model = nn.ParameterList([nn.Parameter(torch.randn(8, 8)) for _ in range(int(sys.argv[1]))])
class Model(nn.Module):
    def __init__(self):
        super().__init__()
        self.weights = model
    def forward(self, x):
        return sum((weight.sum() for weight in self.weights), x)
net = Model()
optimizer = torch.optim.SGD(net.parameters(), 0.01)
def step():
    optimizer.zero_grad()
    net(torch.zeros(1)).sum().backward()
    optimizer.step()
for _ in range(5):
    step()
with tempfile.TemporaryDirectory() as folder:
    save = kt.debugger.SaveConfig(every=1)
    with kt.debugger.watch(net, optimizer, rules="none", save=save, run=Path(folder)) as hook:
        for _ in range(5):
            step()
        before, spent = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, hook._session.sampler.spent
        for _ in range(30):
            step()
        grown = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
        tensors = len(hook.trial.tensor_names())
        us = (hook._session.sampler.spent - spent) / 30 / tensors * 1e6
print(json.dumps({"us": us, "mib": grown, "tensors": tensors, "steps": 30}))
"""


def _write_steps(folder: Path, steps: int, tensors: int) -> None:
    writer = StoreWriter(store_path(folder, 0), framework="pytorch", max_disk=1 << 30)
    ids = np.array([writer.define(f"t{number}", ["weights"], (16, 16)) for number in range(tensors)])
    layout = writer.layout(ids)
    for step in range(steps):
        writer.write_step(step, Mode.TRAIN, step, layout, np.full((tensors, len(COLUMNS)), step, "f4"))
        writer.tidy()
    writer.close()
