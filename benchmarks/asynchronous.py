"""Asynchronous inference: claims of the durable queue, and outputs, per second."""

from __future__ import annotations

import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.harness import Result, measure
from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.asynchronous.configuration import output_paths
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import AsyncConfiguration, Claim, NewRequest
from kernel_tools.hosting.folder import EndpointFolder
from tests.hosting.asynchronous.campaign import kill_workers

LIBRARIES = ("jupyter-atelier",)
CLAIMS = 2000
BACKLOG = 20_000
CLAIMS_BAR = 500
JOBS = 10_000
KILLS = 200


def run() -> Iterator[Result]:
    """Measure the steps of a request, each a transaction of its own, with a backlog behind it."""
    with tempfile.TemporaryDirectory() as name:
        folder = EndpointFolder(Workspace(name), "benchmark")
        folder.path.mkdir(parents=True)
        with AsyncQueue(folder) as queue:
            source = Path(name) / "input"
            source.write_bytes(b"{}")
            began = time.perf_counter()
            for number in range(BACKLOG):
                _enqueue(folder, queue, source, number)
            queued = BACKLOG / (time.perf_counter() - began)
            claims: list[Claim] = []
            rates, _ = measure(lambda: _claims_per_second(queue, claims))
            rate = statistics.median(rates)
            note = f"a backlog of {BACKLOG:,}; {queued:,.0f} a second are queued, each synchronised to the disk"
            what = f"claims of one request each, {CLAIMS:,} by one worker"
            yield Result(what, f"at least {CLAIMS_BAR} a second", "a second", rates, rate >= CLAIMS_BAR, note=note)
            rates, _ = measure(lambda: _outputs_per_second(queue, claims), repeat=3)
            what = "outputs that appear and are said to be complete"
            yield Result(what, "reported", "a second", rates, True, note="file and row synchronised to the disk")


def campaign(folder: Path, jobs: int = JOBS, kills: int = KILLS) -> Iterator[Result]:
    """Kill workers of a queue; a part of `make soak`."""
    report = kill_workers(folder / "queue", jobs, kills, seed=1)
    problems = [*report.lost, *report.twice, *report.wrong, *report.left]
    print("\n".join(problems), end="\n" if problems else "", file=sys.stderr)
    yield Result(
        f"{jobs:,} asynchronous requests, {kills} kill -9 of workers: lost, outputs twice, wrong or left over",
        "0",
        "",
        [len(problems)],
        report.is_clean and report.kills >= kills,
        note=f"{report.kills} killed, half at a line of the queue's code; the model was asked {report.asked:,} times",
    )


def _enqueue(folder: EndpointFolder, queue: AsyncQueue, source: Path, number: int) -> None:
    output, failure = output_paths(folder, AsyncConfiguration(), str(number))
    queue.enqueue(NewRequest(str(number), str(source), "digest", 2, False, str(output), str(failure)))


def _claims_per_second(queue: AsyncQueue, claims: list[Claim]) -> float:
    began = time.perf_counter()
    for _ in range(CLAIMS):
        claims += queue.claim("benchmark", lease_seconds=3600)
    return CLAIMS / (time.perf_counter() - began)


def _outputs_per_second(queue: AsyncQueue, claims: list[Claim]) -> float:
    count = CLAIMS // 4
    began = time.perf_counter()
    for claim in (claims.pop() for _ in range(count)):
        written = Path(claim.output_path).with_name(f".{claim.id}.tmp")
        written.write_bytes(b"{}")
        queue.succeed(claim, written, "application/json")
    return count / (time.perf_counter() - began)
