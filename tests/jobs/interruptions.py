"""A campaign of interruptions: seeded trainings are interrupted at random, also inside of a save, and must give what an
uninterrupted one gives.
"""

from __future__ import annotations

import itertools
import random
import time
from dataclasses import dataclass, field
from pathlib import Path

from kernel_tools import jobs
from kernel_tools.core.workspace import Workspace

EVERY = 0.3
"""Seconds between two checkpoints of the trainings here."""

TORCH = """
import os, time
import torch
from torch.utils.data import DataLoader, TensorDataset
import kernel_tools as kt

torch.manual_seed(7)
torch.set_num_threads(1)
x = torch.randn(256, 6)
y = x @ torch.randn(6, 1)
model = torch.nn.Sequential(torch.nn.Linear(6, 16), torch.nn.Dropout(0.2), torch.nn.Linear(16, 1))
optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 20)
loader = DataLoader(TensorDataset(x, y), batch_size=16, shuffle=True)
run = kt.experiments.start_run("spot")

def save(folder):
    print("saving", flush=True)
    time.sleep(PAUSE)
    (folder / "note").write_text("kept")

PAUSE = float(os.environ.get("SM_HP_PAUSE", 0))
loop = kt.jobs.checkpointing.Checkpointer(model=model, optimizer=optimizer, scheduler=scheduler, save=save,
                                          load=lambda folder: None, run=run)
begun = None
for epoch, index, (inputs, targets) in loop.batches(loader, epochs=EPOCHS):
    step = epoch * 16 + index
    begun = begun if begun is not None else print("from", step, time.time(), flush=True) or step
    loss = torch.nn.functional.mse_loss(model(inputs), targets)
    optimizer.zero_grad(); loss.backward(); optimizer.step(); scheduler.step()
    run.log_metric("loss", loss.item(), step=step)
    print("step", step, time.time(), flush=True)
    time.sleep(PAUSE)
run.finish()
"""
XGBOOST = """
import os, time
import numpy, xgboost
import kernel_tools as kt
from kernel_tools.jobs.checkpointing import boosting

generator = numpy.random.default_rng(0)
x = generator.normal(size=(400, 6))
data = xgboost.DMatrix(x, x[:, 0] + x[:, 1] * x[:, 2] > generator.normal(size=400))
PAUSE = float(os.environ.get("SM_HP_PAUSE", 0))
run = kt.experiments.start_run("spot")

class Watch(xgboost.callback.TrainingCallback):
    begun = None
    def before_iteration(self, model, step, log):
        if self.begun is None:
            self.begun = step
            print("from", step, time.time(), flush=True)
    def after_iteration(self, model, step, log):
        run.log_metric("loss", log["train"]["logloss"][-1], step=step)
        print("step", step, time.time(), flush=True)
        time.sleep(PAUSE)

class Slow(xgboost.Booster):
    def save_model(self, place):
        print("saving", flush=True)
        time.sleep(PAUSE)
        super().save_model(place)

xgboost.Booster = Slow
params = {"objective": "binary:logistic", "seed": 3, "nthread": 1, "subsample": 0.7, "colsample_bynode": 0.7}
kt.jobs.checkpointing.train_xgboost(params, data, EPOCHS * 16, evals=[(data, "train")], callbacks=[Watch()])
run.finish()
"""


@dataclass
class InterruptionReport:
    """What came of a campaign. `differing` and `wrong` are to be empty, `redone` at most one interval."""

    interruptions: int = 0
    by_kind: dict[str, int] = field(default_factory=lambda: dict.fromkeys(KINDS, 0))
    differing: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    redone: list[float] = field(default_factory=list)
    """Seconds of work done again after each interruption, as the log tells it."""


KINDS = ("SIGTERM", "SIGKILL", "SIGKILL inside a save")


def interrupt_many(folder: Path, count: int, seed: int, per_job: int = 10, epochs: int = 30) -> InterruptionReport:
    """Run torch and XGBoost trainings as spot jobs, two at a time, until `count` interruptions have come."""
    draw = random.Random(seed)
    folder.mkdir(parents=True, exist_ok=True)
    workspace = Workspace(folder / "home")
    jobs.set_max_concurrent(2, workspace=workspace)
    scripts, expected = {}, {}
    for name, code in (("torch", TORCH), ("xgboost", XGBOOST)):
        scripts[name] = folder / f"train_{name}.py"
        scripts[name].write_text(code.replace("EPOCHS", str(epochs)))
        whole = jobs.submit(scripts[name], experiment="spot", workspace=workspace)
        assert whole.wait() == "Completed", whole.logs()
        expected[name] = whole.metrics()["value"].tolist()
    report = InterruptionReport()
    number = 0
    while report.interruptions < count:
        number += 1
        under_way = {
            name: jobs.submit(
                script,
                name=f"{name}-{number}",
                experiment="spot",
                params={"pause": 0.02},
                spot=jobs.Spot(),
                checkpoint=jobs.Checkpoint(every=EVERY),
                workspace=workspace,
            )
            for name, script in scripts.items()
        }
        plans = {name: _plan(draw, per_job) for name in under_way}
        while any(not job.status.is_end for job in under_way.values()):
            for name, job in under_way.items():
                _advance(job, plans[name], report)
            time.sleep(0.005)
        for name, job in under_way.items():
            _judge(job, expected[name], report)
    return report


def _plan(draw: random.Random, count: int) -> list[tuple[str, int]]:
    """What is to happen to a job: the kind of each interruption, and after how many steps of its attempt."""
    return [(draw.choice(KINDS), draw.randint(1, 25)) for _ in range(count)]


def _advance(job: jobs.Job, plan: list[tuple[str, int]], report: InterruptionReport) -> None:
    """Interrupt a job if the moment has come that its plan names."""
    attempt = len(job.attempts)
    if not 0 < attempt <= len(plan) or job.attempts[-1].ended_at is not None or job.status != "Running":
        return
    kind, after = plan[attempt - 1]
    lines = job.logs(attempt=attempt, tail=10_000).splitlines()
    is_due = sum(line.startswith("step") for line in lines) >= after
    if kind == KINDS[2]:
        is_due = is_due and lines[-1] == "saving"
    if is_due and not (job._folder.attempt(attempt) / "notice.json").exists():
        job.interrupt(notice=20 if kind == KINDS[0] else 0.001)
        report.by_kind[kind] += 1
        while job.attempts[attempt - 1].ended_at is None:
            time.sleep(0.002)


def _judge(job: jobs.Job, expected: list[float], report: InterruptionReport) -> None:
    attempts = job.attempts
    report.interruptions += sum(attempt.ended_state == "Interrupted" for attempt in attempts)
    if job.status != "Completed":
        report.wrong.append(f"{job.name}: {job.status} {job.reason}")
    metrics = job.metrics()
    if metrics["value"].tolist() != expected or metrics["step"].tolist() != list(range(len(expected))):
        report.differing.append(job.name)
    logs = [job.logs(attempt=attempt.number, tail=10_000).splitlines() for attempt in attempts]
    worked: dict[int, float] = {}
    for number, lines in enumerate(logs):
        marks = [line.split() for line in lines if line.startswith(("from", "step"))]
        if not marks:
            continue
        begun = int(marks[0][1])
        if number:
            report.redone.append(sum(seconds for step, seconds in worked.items() if step >= begun))
        worked = {step: seconds for step, seconds in worked.items() if step < begun}
        for (_, _, before), (_, step, after) in itertools.pairwise(marks):
            worked[int(step)] = float(after) - float(before)
