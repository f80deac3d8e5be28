"""Kill the workers of a queue, again and again, and see that each request is completed, with one output.

``python -m tests.hosting.asynchronous.campaign <folder> <jobs> <kills> <seed>`` prints a report as JSON. Half of the
workers are killed at a line of the queue's code that is drawn at random, the others at any moment. A small campaign
runs with the tests, the full one with `make soak`.
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
from types import FrameType
from typing import IO, Any

import msgspec

from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting import asynchronous
from kernel_tools.hosting.asynchronous.configuration import make_folder, output_paths
from kernel_tools.hosting.asynchronous.delivery import deliver_due
from kernel_tools.hosting.asynchronous.files import store_input
from kernel_tools.hosting.asynchronous.processing import AsyncProcessor
from kernel_tools.hosting.asynchronous.queue import AsyncQueue
from kernel_tools.hosting.asynchronous.records import AsyncConfiguration, AsyncState, Claim, NewRequest, Notify
from kernel_tools.hosting.asynchronous.submission import enqueue
from kernel_tools.hosting.folder import EndpointFolder

WORKERS = 3
LINES_PER_JOB = 90
_CODE = str(Path(asynchronous.__file__).parent)


@dataclass
class Report:
    """What came of a campaign; `lost`, `twice`, `wrong` and `left` are to be empty."""

    jobs: int = 0
    kills: int = 0
    asked: int = 0
    seconds: float = 0.0
    notified: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)

    @property
    def is_clean(self) -> bool:
        """Whether nothing was lost, and nothing came twice."""
        return not (self.lost or self.twice or self.wrong or self.left)


def kill_workers(folder: Path, jobs: int, kills: int, seed: int) -> Report:
    """Run a campaign in a process of its own, which forks the workers."""
    command = [sys.executable, "-m", "tests.hosting.asynchronous.campaign", str(folder), str(jobs), str(kills)]
    done = subprocess.run([*command, str(seed)], stdout=subprocess.PIPE, check=True, cwd=Path(__file__).parents[3])
    return msgspec.json.decode(done.stdout.splitlines()[-1], type=Report)


def run(folder: Path, jobs: int, kills: int, seed: int) -> Report:
    """Queue the jobs, let workers die on them, and look at what is there at the end."""
    draw = random.Random(seed)
    endpoint = EndpointFolder(Workspace(folder), "campaign")
    endpoint.path.mkdir(parents=True)
    _queue_jobs(endpoint, jobs)
    report, seen, workers = Report(jobs), {}, {}
    began = looked = time.monotonic()
    numbers = itertools.count()
    deaths: dict[int, float] = {}
    while True:
        while len(workers) < WORKERS:
            number = next(numbers)
            lives_on = report.kills + len(workers) >= kills
            lines = 0 if lives_on or number % 2 else draw.randint(1, 2 * LINES_PER_JOB * jobs // kills)
            pid = _fork(endpoint, f"worker-{number}", lines)
            workers[pid] = f"worker-{number}"
            if not lives_on and not lines:
                deaths[pid] = time.monotonic() + draw.uniform(0.0, 0.4)
        for pid in [pid for pid, moment in deaths.items() if time.monotonic() > moment]:
            del deaths[pid]
            if pid in workers:
                os.kill(pid, signal.SIGKILL)
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid:
            deaths.pop(pid, None)
            worker = workers.pop(pid)
            report.kills += os.WIFSIGNALED(status)
            if os.WIFSIGNALED(status) and draw.random() < 0.5:  # as the host does; else the lease ends by itself
                with AsyncQueue(endpoint) as queue:
                    queue.release_worker(worker)
            continue
        if time.monotonic() - looked > 0.5:
            looked = time.monotonic()
            _look(endpoint, seen, report)
            with AsyncQueue(endpoint) as queue:
                if queue.metrics(1).backlog == 0:
                    break
        time.sleep(0.002)
    for pid in workers:
        os.kill(pid, signal.SIGTERM)
        os.waitpid(pid, 0)
    report.seconds = time.monotonic() - began
    _look(endpoint, seen, report)
    _judge(endpoint, report)
    return report


def _queue_jobs(endpoint: EndpointFolder, jobs: int) -> None:
    inputs = make_folder(endpoint.path / "async" / "input")
    notify = Notify((str(endpoint.path / "notices.jsonl"),))
    for number in range(jobs):
        identifier = f"job-{number}"
        output, failure = output_paths(endpoint, AsyncConfiguration(), identifier)
        stored = store_input(inputs, identifier, str(number).encode())
        enqueue(
            endpoint,
            NewRequest(
                identifier, str(stored.path), stored.digest, stored.size, True, str(output), str(failure),
                notify=notify if number % 10 == 0 else Notify(),
            ),
            stored,
        )  # fmt: skip


def _fork(endpoint: EndpointFolder, worker: str, lines: int) -> int:
    """Start a worker that is killed at a line of the queue's code, or lives on if `lines` is 0."""
    pid = os.fork()
    if pid:
        return pid
    try:
        asked = os.open(endpoint.path / "asked", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

        def invoke(claim: Claim, body: IO[bytes], reply: IO[bytes]) -> str:
            os.write(asked, b".")
            reply.write(body.read() + b" " + os.urandom(8).hex().encode())
            return "text/plain"

        processor = AsyncProcessor(endpoint, invoke, worker=worker, lease_seconds=1.0)
        signal.signal(signal.SIGTERM, lambda *_: processor.stop())
        if lines:
            _count_down(lines)
        processor.run()
        os._exit(0)
    except BaseException as error:
        print(repr(error), file=sys.stderr)
        os._exit(1)


def _count_down(lines: int) -> None:
    import threading

    counter = itertools.count(1)

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        if not frame.f_code.co_filename.startswith(_CODE):
            return None
        if event == "line" and next(counter) >= lines:
            os.kill(os.getpid(), signal.SIGKILL)
        return trace

    threading.settrace(trace)
    sys.settrace(trace)


def _look(endpoint: EndpointFolder, seen: dict[str, tuple[int, int]], report: Report) -> None:
    """Note the file that each output is, and whether it is another one than before."""
    for entry in os.scandir(endpoint.path / "async" / "output"):
        if entry.name.endswith(".out"):
            status = entry.stat()
            mark = (status.st_ino, status.st_mtime_ns)
            if seen.setdefault(entry.name, mark) != mark:
                report.twice.append(entry.name)


def _judge(endpoint: EndpointFolder, report: Report) -> None:
    outputs = endpoint.path / "async" / "output"
    with AsyncQueue(endpoint) as queue:
        for number in range(report.jobs):
            record = queue.get(f"job-{number}")
            path = outputs / f"job-{number}.out"
            if record.state is not AsyncState.COMPLETED or not path.exists():
                report.lost.append(f"{record}")
            elif path.read_bytes().split()[0] != str(number).encode() or record.reply_type != "text/plain":
                report.wrong.append(f"{record}")
        with queue.database.write() as connection:  # those that a killed worker had in hand are due in a minute
            connection.execute("UPDATE notifications SET due_at = 0")
        deliver_due(queue)
    said = (endpoint.path / "notices.jsonl").read_bytes().splitlines()
    report.notified = len({msgspec.json.decode(line)["inferenceId"] for line in said})
    if report.notified != len(range(0, report.jobs, 10)):
        report.wrong.append(f"{report.notified} of the requests were told of")
    report.left = [entry.name for entry in os.scandir(outputs) if not entry.name.endswith(".out")]
    report.left += [entry.name for entry in os.scandir(endpoint.path / "async" / "input")]
    report.asked = (endpoint.path / "asked").stat().st_size


if __name__ == "__main__":
    place, *arguments = sys.argv[1:]
    print(msgspec.json.encode(run(Path(place), *map(int, arguments))).decode())
