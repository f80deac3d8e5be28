"""Jobs for the UI tests: one of each kind that a page looks different for, and many that ended long ago."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import kernel_tools as kt
from kernel_tools.core.workspace import current_workspace
from kernel_tools.jobs import catalog
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.spec import Entry, JobSpec
from kernel_tools.jobs.states import JobState

OLD_JOBS = 150
LONGEST_WAIT = 90.0

TRAIN = """
import argparse, json, os, pathlib, sys
import kernel_tools as kt

parser = argparse.ArgumentParser()
parser.add_argument("--rounds", type=int)
args = parser.parse_args()
print("\\x1b[1mTraining\\x1b[0m on \\x1b[36m3000\\x1b[0m rows")
with kt.experiments.start_run("census-jobs") as run:
    for step in range(args.rounds):
        run.log_metrics({"train/loss": 1 / (step + 1), "valid/auc": 0.9 - 0.3 / (step + 2)}, step=step)
        kt.jobs.progress(step + 1, args.rounds, "rounds")
for line in range(14000):
    level = "\\x1b[33mWARNING\\x1b[0m" if line % 500 == 499 else "\\x1b[32mINFO\\x1b[0m"
    print(f"{level} batch {line:05d} loss {1 / (line + 1):.6f} of the training of a small model")
print("\\x1b[31mthe needle\\x1b[0m <script>alert(1)</script>")
for line in range(1500):
    print(f"\\x1b[34mDEBUG\\x1b[0m closing shard {line:04d}")
model = pathlib.Path(os.environ["SM_MODEL_DIR"])
(model / "config.json").write_text(json.dumps({"rounds": args.rounds, "booster": "hist"}))
(model / "README.md").write_text("# Model\\n\\nTrained by a **job**.\\n")
rows = "\\n".join(f"{n},{n * n}" for n in range(400))
(pathlib.Path(os.environ["SM_OUTPUT_DATA_DIR"]) / "rows.csv").write_text("n,square\\n" + rows)
"""

BROKEN = """
import json

def read_rows(text):
    rows = json.loads(text)
    return [row["age"] for row in rows]

print("\\x1b[32mreading\\x1b[0m the table")
print("3 rows")
ages = read_rows('[{"age": 30}, {"years": 40}]')
"""

SPOT = """
import os, pathlib, time
import kernel_tools as kt

place = pathlib.Path(os.environ["SM_CHECKPOINT_DIR"]) / "step"
start = int(place.read_text()) if place.exists() else 0
print("from step", start, flush=True)
for step in range(start, 12):
    time.sleep(0.15)
    kt.jobs.progress(step + 1, 12, "steps")
    place.write_text(str(step + 1))
"""

ENDLESS = """
import time
import kernel_tools as kt

step = 0
with kt.experiments.start_run("census-jobs") as run:
    while True:
        step += 1
        run.log_metric("loss", 1 / step, step=step)
        kt.jobs.progress(min(step, 90000), 100000, "epoch 1")
        print(f"\\x1b[32mstep\\x1b[0m {step}", flush=True)
        time.sleep(0.5)
"""


def start_jobs() -> dict[str, kt.jobs.Job]:
    """Submit them; they run while the rest of the workspace is filled."""
    seed_old_jobs()
    kt.jobs.set_max_concurrent(4)
    kt.jobs.spot.set_prices(0.20, 0.06)
    jobs = {
        "live": submit("live-job", ENDLESS, experiment="census-jobs"),
        "broken": submit("broken-job", BROKEN),
        "spot": submit("spot-job", SPOT, spot=kt.jobs.Spot(notice=2.0, max_wait="10min")),
        "done": submit(
            "train-job", TRAIN, params={"rounds": 30}, experiment="census-jobs", resources=kt.jobs.Resources(cpus=1)
        ),
    }
    for attempt in (1, 2):
        wait_until(lambda: jobs["spot"].progress is not None and len(jobs["spot"].attempts) == attempt, jobs["spot"])  # noqa: B023
        jobs["spot"].interrupt(notice=2.0)
        wait_until(lambda: len(jobs["spot"].attempts) > attempt, jobs["spot"])  # noqa: B023  # called at once
    return jobs


def submit(name: str, code: str, **options: Any) -> kt.jobs.Job:
    """Submit a script, which is copied."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"{name.replace('-', '_')}.py"
        path.write_text(code, encoding="utf-8")
        return kt.jobs.submit(path, name=name, **options)


def wait_until(holds: Callable[[], bool], job: kt.jobs.Job) -> None:
    """Wait for something that a job does."""
    end = time.monotonic() + LONGEST_WAIT
    while not holds():
        if time.monotonic() > end:
            sys.exit(f"{job} did not get on: {job.reason} {job.logs()}")
        time.sleep(0.05)


def seed_old_jobs() -> None:
    """Jobs as they are found in a workspace that has been used for a while; none of them ever ran."""
    workspace = current_workspace()
    ends = [JobState.COMPLETED] * 6 + [JobState.STOPPED, JobState.FAILED]
    began = time.time_ns() // 1_000_000 - 40 * 24 * 3_600_000
    for index in range(OLD_JOBS):
        name = f"nightly-{index:03d}"
        folder = JobFolder(catalog.root_of(workspace) / name)
        folder.path.mkdir(parents=True)
        at = began + index * 5 * 3_600_000
        spec = JobSpec(name, Entry("script", "report.py"), at, "tests", tags={"team": "reports"})
        folder.spec.write_bytes(spec.to_json())
        end = ends[index % len(ends)]
        for state, after in (
            (JobState.QUEUED, 0),
            (JobState.STARTING, 40),
            (JobState.RUNNING, 90),
            (end, 90 + 700 * index),
        ):
            write_event(folder, state, at + after * (10 if state is end else 1))
        catalog.index_job(workspace, folder, spec)


def write_event(folder: JobFolder, state: JobState, at: int) -> None:
    """Append an event of the past."""
    event: dict[str, object] = {"at": at, "state": state.value}
    if state is JobState.QUEUED:
        event["version"] = 1
    if state is JobState.STARTING:
        event["attempt"] = 1
    if state is JobState.FAILED:
        event["reason"] = "It ended with exit code 1."
    with folder.events.open("a", encoding="utf-8") as file:
        file.write(json.dumps(event) + "\n")
