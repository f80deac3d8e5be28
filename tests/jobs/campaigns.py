"""Campaigns against jobs: kill whoever stands behind them, at random, and see that each ends in the right state, once.

Small ones run with the tests, the full ones with `make soak`.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from kernel_tools import jobs
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs.catalog import root_of
from kernel_tools.jobs.folder import JobFolder
from tests.jobs.submitters import SUBMITTERS, Order

WORK = """
import os, sys, time
mark = os.path.join(os.environ["SM_HP_MARKS"], os.environ["ATELIER_JOB"])
with open(mark, "a") as file:
    file.write("began " + os.environ["ATELIER_ATTEMPT"] + "\\n")
time.sleep(float(os.environ["SM_HP_SECONDS"]))
with open(mark, "a") as file:
    file.write("ended " + os.environ["ATELIER_ATTEMPT"] + "\\n")
sys.exit(int(os.environ["SM_HP_CODE"]))
"""


@dataclass
class KillReport:
    """What came of a campaign; every list is to be empty."""

    jobs: int = 0
    supervisors_killed: int = 0
    submitters_killed: int = 0
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    orphans: list[int] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether all ended as they should."""
        return not (self.wrong or self.twice or self.orphans)


def kill_around(folder: Path, count: int, seed: int, seconds: float = 0.3, supervisor_rate: float = 0.3) -> KillReport:
    """Submit jobs from scripts, kernels and Jupyter servers that are killed, kill supervisors at random, and check
    every job.

    A job that may not be started again when its supervisor is lost may be Lost, and has begun at most once.
    """
    draw = random.Random(seed)
    workspace = Workspace(folder / "home")
    marks = folder / "marks"
    marks.mkdir(parents=True)
    script = folder / "work.py"
    script.write_text(WORK)
    report = KillReport(jobs=count)
    submitted: set[str] = set()
    while len(submitted) < count:
        order = Order(script, marks, seconds, first=len(submitted), count=count - len(submitted))
        submitter = SUBMITTERS[report.submitters_killed % len(SUBMITTERS)](workspace, order)
        try:
            names = submitter.names()
            for name in itertools.islice(names, draw.randint(2, max(3, count // 6))):
                submitted.add(name)
                if draw.random() < supervisor_rate:
                    report.supervisors_killed += _kill_a_supervisor(workspace, draw)
            time.sleep(draw.random() * 0.05)  # the next submission is under way, somewhere
        finally:
            submitter.kill()
        report.submitters_killed += 1
        submitted |= {path.parent.name for path in root_of(workspace).glob("*/spec.json")}
    while any(not jobs.get(name, workspace=workspace).status.is_end for name in submitted):
        report.supervisors_killed += draw.random() < supervisor_rate / 10 and _kill_a_supervisor(workspace, draw)
        time.sleep(0.05)
    _judge(report, workspace, submitted, marks)
    return report


def _kill_a_supervisor(workspace: Workspace, draw: random.Random) -> int:
    found = []
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if any("supervision/boot.py" in word for word in command) and any(
            str(workspace.root) in word for word in command
        ):
            found.append(process)
    if not found:
        return 0
    try:
        draw.choice(found).send_signal(signal.SIGKILL)
    except psutil.Error:
        return 0
    return 1


def _judge(report: KillReport, workspace: Workspace, names: set[str], marks: Path) -> None:
    for name in sorted(names):
        job = jobs.get(name, workspace=workspace)
        number = int(name[-4:])
        right = {"Failed"} if number % 5 == 4 else {"Completed"}
        may_restart = job.spec.retries.lost > 0
        if not may_restart:
            right.add("Lost")
        lines = (marks / name).read_text().splitlines() if (marks / name).exists() else []
        begun = [line for line in lines if line.startswith("began")]
        ended = [line for line in lines if line.startswith("ended")]
        if job.status not in right or (job.status != "Lost" and not ended):
            report.wrong.append(f"{name}: {job.status} {job.reason}")
        if len(set(begun)) != len(begun) or (not may_restart and len(begun) > 1):
            report.twice.append(f"{name}: {lines}")
    time.sleep(0.2)
    for process in psutil.process_iter():
        try:
            is_ours = process.environ().get("ATELIER_HOME") == str(workspace.root)
            if is_ours and process.status() != psutil.STATUS_ZOMBIE and process.pid != os.getpid():
                report.orphans.append(process.pid)
        except psutil.Error:
            continue


def queue_many(folder: Path, count: int, at_once: int) -> tuple[Workspace, list[str]]:
    """Submit jobs that do nothing, `at_once` of them at a time, wait for all, and return those that did not run
    once."""
    workspace = Workspace(folder / "home")
    counts = folder / "counts"
    counts.mkdir(parents=True)
    jobs.set_max_concurrent(at_once, workspace=workspace)
    script = ["sh", "-c", 'echo x >> "$COUNTS/$ATELIER_JOB"; exit 0']
    names = []
    for number in range(count):
        job = jobs.submit(script, name=f"noop-{number:04d}", environment={"COUNTS": str(counts)}, workspace=workspace)
        names.append(job.name)
    while any(state not in ("Completed",) and total for state, total in jobs.count_jobs(workspace=workspace).items()):
        time.sleep(0.2)
    return workspace, [name for name in names if (counts / name).read_text() != "x\n"]


def overlaps(workspace: Workspace, at_once: int) -> int:
    """Return how many jobs began while `at_once` others ran already."""
    stretches = []
    for path in root_of(workspace).glob("*/spec.json"):
        attempt = JobFolder(path.parent).history().attempts[-1]
        stretches.append((attempt.running_at or 0, attempt.ended_at or 0))
    return sum(1 for start, _ in stretches if sum(1 for other in stretches if other[0] < start < other[1]) > at_once)
