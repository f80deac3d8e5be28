"""The rules of the profiler, on recorded series of machines with and without GPUs; each fires and is quiet."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from kernel_tools.debugger import RuleState
from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.finding import Finding, Findings, Severity
from kernel_tools.debugger.profiling.system import read_system, system_of
from kernel_tools.debugger.records import TICK, Mode
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.trial import Trial
from kernel_tools.jobs.supervision.machine import FILE, HEADER, MAGIC, record_of
from tests.debugger.test_store import open_writer, write

BEGAN = 1_790_000_000_000
GIB = 1024**3
CORES = 4


def record(
    folder: Path,
    *,
    seconds: float = 120,
    core: Any = 20,
    waiting: Any = 0,
    gpus: Any = (),
    memory: Any = (),
    workers: int = 2,
    step: Any = 0.05,
    data: float = 0.01,
) -> Trial:
    """Write a machine's samples and the times of steps; what is a function is called with the share of the time."""
    writer = open_writer(folder)
    write(writer, 0)

    def at(value: Any, share: float) -> Any:
        return value(share) if callable(value) else value

    loads = at(gpus, 0.0)
    layout = record_of(CORES, len(loads))
    content = [MAGIC + HEADER.pack(CORES, len(loads), 16 * GIB)]
    samples = int(2 * seconds)
    for sample in range(samples + 1):
        share = sample / samples
        busy, wait = [int(at(core, share))] + [5] * (CORES - 1), [int(at(waiting, share))] * CORES
        used = at(memory, share) or [20.0] * len(loads)
        content.append(
            layout.pack(BEGAN + 500 * sample, 4 * GIB, 0, 0, 0, 0, workers, *busy, *wait, *at(gpus, share), *used)
        )
    (folder / FILE).write_bytes(b"".join(content))
    count = 400
    ticks = np.zeros((count, len(TICK)))
    ticks[:, 0], ticks[:, 1] = np.arange(count), Mode.TRAIN
    ticks[:, TICK.index("at")] = BEGAN + 1000 * seconds * np.arange(count) / count
    ticks[:, TICK.index("data")] = data
    ticks[:, TICK.index("forward")] = [at(step, index / count) for index in range(count)]
    writer.write_ticks(ticks)
    writer.set_meta("began", BEGAN)
    return Trial(folder)


def judge(trial: Trial, rule: str, **parameters: Any) -> Findings:
    return evaluate_trial(trial, make_rules([(rule, parameters)]))


def one(found: Findings) -> Finding:
    (finding,) = found.findings
    assert finding.message and finding.advice and all(advice.reason for advice in finding.advice)
    for advice in finding.advice:
        compile(advice.patch, "patch", "exec")
    return finding


FIRING: list[tuple[str, dict[str, Any]]] = [
    ("CPUBottleneck", {"gpus": [5.0], "core": 97}),
    ("IOBottleneck", {"gpus": [5.0], "waiting": 80}),
    ("LowGPUUtilization", {"gpus": [40.0]}),
    ("LowGPUUtilization", {"gpus": lambda share: [2.0 if int(100 * share) % 5 == 0 else 98.0]}),
    ("BatchSize", {"gpus": [30.0], "memory": [20.0]}),
    ("GPUMemoryIncrease", {"gpus": [90.0], "memory": lambda share: [20 + 40 * share]}),
    ("LoadBalancing", {"gpus": [95.0, 10.0]}),
    ("Dataloader", {"workers": 12}),
    ("Dataloader", {"workers": 0, "data": 0.1}),
    ("StepOutlier", {"step": lambda share: 2.0 if int(400 * share) % 30 == 0 else 0.05, "seconds": 200}),
]
QUIET: list[tuple[str, dict[str, Any]]] = [
    ("CPUBottleneck", {"gpus": [80.0], "core": 97}),
    ("CPUBottleneck", {"gpus": [5.0], "core": 97, "seconds": 10}),
    ("IOBottleneck", {"gpus": [5.0], "waiting": 10}),
    ("LowGPUUtilization", {"gpus": [95.0]}),
    ("BatchSize", {"gpus": [30.0], "memory": [85.0]}),
    ("GPUMemoryIncrease", {"gpus": [90.0], "memory": [50.0]}),
    ("LoadBalancing", {"gpus": [95.0, 92.0]}),
    ("Dataloader", {"workers": 3, "data": 0.1}),
    ("Dataloader", {"workers": 0, "data": 0.001}),
    ("StepOutlier", {}),
]


@pytest.mark.parametrize(("rule", "series"), FIRING)
def test_a_rule_fires_with_numbers_and_advice(tmp_path: Path, rule: str, series: dict[str, Any]) -> None:
    finding = one(judge(record(tmp_path, **series), rule))
    assert finding.rule == rule and finding.value is not None and finding.threshold is not None


@pytest.mark.parametrize(("rule", "series"), QUIET)
def test_a_rule_is_quiet(tmp_path: Path, rule: str, series: dict[str, Any]) -> None:
    found = judge(record(tmp_path, **series), rule)
    assert not found.findings and found.rules[0].state is RuleState.WATCHING


@pytest.mark.parametrize(
    "rule", ["CPUBottleneck", "IOBottleneck", "LowGPUUtilization", "BatchSize", "GPUMemoryIncrease"]
)
def test_without_a_gpu_the_rule_says_so(tmp_path: Path, rule: str) -> None:
    (status,) = judge(record(tmp_path), rule).rules
    assert status.state is RuleState.NOT_APPLICABLE and status.reason == "There is no GPU."
    assert status.kind == "profiler"


def test_one_gpu_has_nothing_to_be_balanced_with(tmp_path: Path) -> None:
    assert "2 GPUs" in judge(record(tmp_path, gpus=[50.0]), "LoadBalancing").rules[0].reason


def test_a_late_first_step_is_said_in_minutes(tmp_path: Path) -> None:
    trial = record(tmp_path)
    assert not judge(trial, "MaxInitializationTime").findings
    open_writer(tmp_path).set_meta("began", BEGAN - 30 * 60_000)
    finding = one(judge(Trial(tmp_path), "MaxInitializationTime"))
    assert finding.value == pytest.approx(30) and finding.threshold == 20


def test_a_few_late_steps_are_a_hint_and_many_seconds_a_warning(tmp_path: Path) -> None:
    few = record(tmp_path / "few", step=lambda share: 0.15 if int(400 * share) % 30 == 0 else 0.05)
    assert one(judge(few, "StepOutlier", patience=1)).severity is Severity.HINT
    many = record(tmp_path / "many", step=lambda share: 2.0 if int(400 * share) % 30 == 0 else 0.05)
    finding = one(judge(many, "StepOutlier", patience=1))
    assert finding.severity is Severity.WARNING and finding.advice[0].seconds > 10  # type: ignore[operator]


def test_overall_rules_never_fire_but_say_percentiles_and_shares(tmp_path: Path) -> None:
    trial = record(tmp_path)
    usage = judge(trial, "OverallSystemUsage")
    assert not usage.findings and "processors 9, 9, 9, 9 %" in usage.rules[0].reason
    metrics = judge(trial, "OverallFrameworkMetrics")
    assert not metrics.findings and "forward 83 %" in metrics.rules[0].reason


def test_samples_that_are_torn_or_missing_are_no_error(tmp_path: Path) -> None:
    trial = record(tmp_path, gpus=[50.0])
    whole = len(system_of(trial))
    with (tmp_path / FILE).open("ab") as file:
        file.write(b"torn")
    assert len(system_of(trial)) == whole == 240
    table = read_system(trial)
    assert {"cpu", "iowait", "core_3", "gpu_0", "gpu_memory_0"} <= set(table.columns)
    (tmp_path / FILE).unlink()
    (status,) = judge(trial, "Dataloader").rules
    assert status.reason == "The machine was not sampled."
