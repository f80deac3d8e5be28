"""The campaign: every kind of fault with many seeds, and healthy trainings; who fires, and who should not."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import torch

from kernel_tools.debugger.finding import Findings, RuleState
from tests.debugger.faults.healthy import healthy
from tests.debugger.faults.planted import FAULTS, Fault
from tests.debugger.faults.training import Recipe, alarms, judge, train


@dataclass
class Caught:
    """How a kind of fault came off: `by` counts the trainings that each right rule fired in."""

    name: str
    seeds: int = 0
    seen: int = 0
    by: Counter[str] = field(default_factory=Counter)
    missed: list[int] = field(default_factory=list)


@dataclass
class Quiet:
    """How healthy trainings came off: `alarms` has a sentence for each that an error or a warning was found in."""

    seeds: int = 0
    alarms: list[str] = field(default_factory=list)
    hints: Counter[str] = field(default_factory=Counter)


def plant_all(seeds: Iterable[int], faults: Iterable[Fault] = FAULTS, every: int | None = 5) -> Iterator[Caught]:
    """Plant every kind of fault once for each seed, and evaluate the default rules."""
    chosen = list(seeds)
    for fault in faults:
        caught = Caught(fault.name)
        for seed in chosen:
            with tempfile.TemporaryDirectory() as folder:
                found = _watched(fault.plant(seed), seed, Path(folder), every)
                right = {finding.rule for finding in found.findings} & fault.right
            caught.seeds += 1
            caught.seen += bool(right)
            caught.by.update(right)
            if not right:
                caught.missed.append(seed)
        yield caught


def leave_healthy(seeds: Iterable[int], every: int | None = 5) -> Quiet:
    """Train with nothing wrong, once for each seed, and evaluate the default rules."""
    quiet = Quiet()
    for seed in seeds:
        recipe = healthy(seed)
        with tempfile.TemporaryDirectory() as folder:
            found = _watched(recipe, seed, Path(folder), every)
        false = alarms(found)
        quiet.seeds += 1
        quiet.hints.update({finding.rule for finding in found.findings} - {finding.rule for finding in false})
        if false:
            quiet.alarms.append(f"{recipe.name}, seed {seed}: " + "; ".join(f"{f.rule}: {f.message}" for f in false))
    return quiet


def _watched(recipe: Recipe, seed: int, folder: Path, every: int | None) -> Findings:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        train(recipe, seed, folder / "debugger", every)
    finally:
        torch.set_num_threads(threads)
    found = judge(folder / "debugger")
    failed = [f"{status.rule}: {status.reason}" for status in found.rules if status.state is RuleState.FAILED]
    assert not failed, failed
    return found
