"""Campaigns against jobs: kill whoever stands behind them, at random, and see that each ends in the right state, once.

Small ones run with the tests, the full ones with `make soak`.
"""

from __future__ import annotations

import itertools
import os
import random
import signal
import subprocess
import sys
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
        submitted |= {path.parent.name for path in root_of(workspace).glob("*/events.jsonl") if path.stat().st_size}
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


TICKER = """
import os, random, signal, sys, threading
from kernel_tools.core.workspace import Workspace
from kernel_tools import jobs
from kernel_tools.jobs import submission
from kernel_tools.jobs.schedules import firing, folder
workspace, moments, kill_at = Workspace(sys.argv[1]), [int(text) for text in sys.argv[2].split(",")], int(sys.argv[3])
watched = {firing.__file__, submission.__file__, folder.__file__}
lines = 0
def count(frame, event, argument):
    global lines
    if frame.f_code.co_filename not in watched:
        return None
    if event == "line":
        lines += 1
        if lines == kill_at:
            os.kill(os.getpid(), signal.SIGKILL)
    return count
workspace.database.migrate()
print("ready", flush=True)
sys.stdin.readline()
sys.settrace(count)
for moment in moments:
    jobs.run_due_schedules(workspace, moment)
sys.settrace(None)
print(lines, flush=True)
"""


@dataclass
class FiringReport:
    """What came of killing those who tick; the lists are to be empty."""

    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


def kill_tickers_anywhere(folder: Path, kills: int, seed: int) -> FiringReport:
    """Kill a ticker at lines drawn at random, each time of another due time, let a second one go on, and check."""
    draw = random.Random(seed)
    workspace, schedule = _marking_schedule(folder)
    first = schedule.record.next_at
    assert first is not None
    report = FiringReport()
    whole = _start_ticker(workspace, [first], 0)
    _begin(whole)
    assert whole.stdout is not None
    lines = int(whole.stdout.readline())
    whole.wait()
    for number in range(1, kills + 1):
        moment = first + number * 3_600_000
        ticker = _start_ticker(workspace, [moment], draw.randint(1, lines))
        _begin(ticker)
        report.kills += ticker.wait() == -signal.SIGKILL
        jobs.run_due_schedules(workspace, moment)
    _judge_firings(report, workspace, folder, [first + number * 3_600_000 for number in range(kills + 1)])
    return report


def tick_together(folder: Path, tickers: int, times: int, seed: int) -> FiringReport:
    """Let several processes tick through the same times at once, some of which are killed on the way."""
    draw = random.Random(seed)
    workspace, schedule = _marking_schedule(folder)
    first = schedule.record.next_at
    assert first is not None
    moments = [first + number * 3_600_000 for number in range(times)]
    report = FiringReport()
    running = [_start_ticker(workspace, moments, draw.randint(20, 200) if n else 0) for n in range(tickers)]
    for ticker in running:
        _begin(ticker)
    report.kills = sum(ticker.wait() == -signal.SIGKILL for ticker in running)
    jobs.run_due_schedules(workspace, moments[-1])
    _judge_firings(report, workspace, folder, moments)
    return report


def _marking_schedule(folder: Path) -> tuple[Workspace, jobs.Schedule]:
    workspace = Workspace(folder / "home")
    marks = folder / "marks"
    marks.mkdir(parents=True)
    command = ["sh", "-c", 'echo x >> "$MARKS/$ATELIER_JOB"']
    environment = {"MARKS": str(marks)}
    schedule = jobs.create_schedule(
        "marks", command, every="1h", missed="all", environment=environment, workspace=workspace
    )
    return workspace, schedule


def _start_ticker(workspace: Workspace, moments: list[int], kill_at: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", TICKER, str(workspace.root), ",".join(map(str, moments)), str(kill_at)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _begin(ticker: subprocess.Popen[str]) -> None:
    assert ticker.stdin is not None and ticker.stdout is not None
    assert ticker.stdout.readline() == "ready\n"
    ticker.stdin.write("go\n")
    ticker.stdin.flush()


def _judge_firings(report: FiringReport, workspace: Workspace, folder: Path, moments: list[int]) -> None:
    due = {f"marks-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime(moment // 1000))}" for moment in moments}
    records, _ = jobs.list_jobs(limit=1000, workspace=workspace)
    made = {record.name for record in records}
    report.wrong += sorted(made ^ due)
    for name in sorted(made):
        state = jobs.get(name, workspace=workspace).wait(60)
        if state != "Completed":
            report.wrong.append(f"{name}: {state}")
        if (folder / "marks" / name).read_text() != "x\n":
            report.twice.append(name)
