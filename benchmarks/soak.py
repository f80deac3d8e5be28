"""What takes minutes: kill -9 while logging, many processes at once, campaigns on jobs, endpoints and queues."""

from __future__ import annotations

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path

from benchmarks import asynchronous, job_campaigns
from benchmarks.harness import Result, save
from benchmarks.report import TABLE_HEAD
from kernel_tools import experiments
from kernel_tools.core.errors import AtelierError
from kernel_tools.core.workspace import Workspace
from kernel_tools.experiments import RunStatus
from kernel_tools.experiments.run_files import list_folders
from kernel_tools.hosting.hosts import stop_host
from scripts import hosting_soak

LIBRARIES = ("jupyter-atelier", "torch", "xgboost")
TRIES = 100
PROCESSES = 16
POINTS = 10_000
UPDATES = 50

CRASHING_WRITER = """
import sys
from kernel_tools import experiments
from kernel_tools.experiments import Point

def acknowledge(*words):
    sys.stdout.write(" ".join(map(str, words)) + "\\n")
    sys.stdout.flush()

while True:
    run = experiments.start_run("crash")
    acknowledge("run", run.id)
    for step in range(3000):
        run.log_metric("loss", step / 7, step=step)
        acknowledge("loss", step)
        if step % 50 == 0:
            run.log_points([Point(f"key {step}", value / 3, value, value) for value in range(20)])
            acknowledge("batch", step)
        if step % 500 == 100:
            run.log_params({f"param {step}": step})
            acknowledge("param", step)
        if step % 500 == 200:
            run.log_text(f"text {step}", f"{step}.txt")
            acknowledge("artifact", step)
    run.finish()
    acknowledge("finish", run.id)
"""
BUSY_WRITER = """
import sys
from kernel_tools import experiments
with experiments.start_run("busy", name=sys.argv[1], params={"process": sys.argv[1]}) as run:
    for step in range(int(sys.argv[2])):
        run.log_metric("loss", step / 7, step=step)
        if step % 2500 == 0:
            run.set_tag("step", step)
print(run.id)
"""


@dataclass(slots=True)
class Campaign:
    """What became of the runs whose processes were killed."""

    tries: int = 0
    acknowledged: int = 0
    lost: int = 0
    unreadable: int = 0


def kill_while_logging(workspace: Workspace, tries: int, seed: int = 0) -> Campaign:
    """Let a process log until it is killed, again and again, and look for everything that it was told is kept."""
    campaign = Campaign()
    delays = random.Random(seed)
    for _ in range(tries):
        words = _log_until_killed(workspace, delays.uniform(0.0, 1.5))
        campaign.tries += 1
        _check(workspace, words, campaign)
    for folder in list_folders(workspace):
        try:
            run = experiments.get_run(folder.id, workspace=workspace)
            run.record  # noqa: B018  # reads everything
            campaign.unreadable += run.status not in (RunStatus.KILLED, RunStatus.FINISHED)
        except AtelierError:
            campaign.unreadable += 1
    return campaign


def log_from_many_processes(workspace: Workspace, processes: int, points: int) -> tuple[int, int]:
    """Let many processes log to one experiment at once; returns the number of errors, and of points that are there."""
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", BUSY_WRITER, str(number), str(points)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=_environment(workspace),
        )
        for number in range(processes)
    ]
    errors = 0
    while any(writer.poll() is None for writer in writers):
        experiments.search_run_records("busy", "metrics.loss > 0", ["metrics.loss DESC"], workspace=workspace)
        time.sleep(0.2)
    for writer in writers:
        _, complaint = writer.communicate()
        if writer.returncode != 0:
            errors += 1
            print(complaint, file=sys.stderr)
    found, _ = experiments.search_run_records("busy", "status = 'FINISHED'", limit=1000, workspace=workspace)
    histories = [experiments.get_run(record.id, workspace=workspace).history("loss") for record in found]
    return errors, sum(len(history) for history in histories)


def _log_until_killed(workspace: Workspace, delay: float) -> list[list[str]]:
    process = subprocess.Popen(
        [sys.executable, "-c", CRASHING_WRITER], stdout=subprocess.PIPE, text=True, env=_environment(workspace)
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    killer = subprocess.Popen(
        [sys.executable, "-c", f"import os, time; time.sleep({delay}); os.kill({process.pid}, {int(signal.SIGKILL)})"]
    )
    rest = process.stdout.read()  # until the death, so that the pipe never holds the writer up
    killer.wait()
    process.wait()
    return [line.split() for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]


def _check(workspace: Workspace, words: list[list[str]], campaign: Campaign) -> None:
    starts = [number for number, word in enumerate(words) if word[0] == "run"]
    for start, end in zip(starts, [*starts[1:], len(words)], strict=True):
        campaign.acknowledged += end - start
        try:
            campaign.lost += _count_lost(workspace, words[start:end])
        except AtelierError as error:
            print(f"unreadable: {error}", file=sys.stderr)
            campaign.unreadable += 1


def _count_lost(workspace: Workspace, words: list[list[str]]) -> int:
    run = experiments.get_run(words[0][1], workspace=workspace)
    told = {
        kind: {int(value) for word, value in words[1:] if word == kind}
        for kind in ("loss", "batch", "param", "artifact")
    }
    lost = 0
    if told["loss"]:
        history = run.history("loss")
        kept = {step for step, value in zip(history["step"], history["value"], strict=True) if value == step / 7}
        lost += len(told["loss"] - kept)
    lost += sum(len(run.history(f"key {step}")) != 20 for step in told["batch"])
    lost += sum(run.params.get(f"param {step}") != str(step) for step in told["param"])
    lost += sum(run.open_artifact(f"{step}.txt").read() != f"text {step}".encode() for step in told["artifact"])
    return lost


def _environment(workspace: Workspace) -> dict[str, str]:
    return {**os.environ, "ATELIER_HOME": str(workspace.root), "ATELIER_CAPTURE_SOURCE": "0"}


def run(tries: int = TRIES) -> Iterator[Result]:
    """Run all, each in a workspace of its own."""
    with tempfile.TemporaryDirectory() as name:
        campaign = kill_while_logging(Workspace(Path(name) / "crash"), tries)
        yield Result(
            f"kill -9 while logging, {campaign.tries} tries: acknowledged points lost and runs unreadable",
            "0",
            "",
            [campaign.lost + campaign.unreadable],
            campaign.lost == campaign.unreadable == 0,
            note=f"{campaign.acknowledged:,} points, parameters and files acknowledged",
        )
        errors, points = log_from_many_processes(Workspace(Path(name) / "busy"), PROCESSES, POINTS)
        yield Result(
            f"{PROCESSES} processes logging {POINTS:,} points each to one experiment: errors and points missing",
            "0",
            "",
            [errors + abs(PROCESSES * POINTS - points)],
            errors == 0 and points == PROCESSES * POINTS,
            note=f"{points:,} points there",
        )
        yield from job_campaigns.run(Path(name))
        yield from asynchronous.campaign(Path(name))
    yield from run_hosting()


def run_hosting(updates: int = UPDATES) -> Iterator[Result]:
    """Update an endpoint under load while workers, hosts and clients are killed, in a workspace of its own."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        workspace = Workspace(Path(name) / "hosting")
        try:
            tally = hosting_soak.campaign(
                workspace, updates, clients=4, rollbacks=updates // 10, kills=updates * 3 // 5
            )
        finally:
            stop_host(workspace)
    wrong = len(tally.failures) + tally.unfinished + abs(tally.rolled_back - updates // 10)
    killed = ", ".join(f"{count} {kind}s" for kind, count in tally.killed.items())
    yield Result(
        f"{updates} updates of an endpoint under load while processes are killed: requests failed, other ends",
        "0",
        "",
        [wrong],
        wrong == 0,
        note=f"{tally.answered:,} requests answered, {tally.retried} sent again after a reset; {updates // 10} rolled "
        f"back; kill -9 of {killed}",
    )


def main() -> int:
    """Run all and keep the results; returns 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tries", type=int, default=TRIES, help="how often a logging process is killed")
    print(TABLE_HEAD, flush=True)
    results = []
    for result in run(parser.parse_args().tries):
        print(result.row(), flush=True)
        results.append(result)
    save("soak", results, {library: metadata.version(library) for library in LIBRARIES})
    return int(not all(result.met for result in results))


if __name__ == "__main__":
    sys.exit(main())
