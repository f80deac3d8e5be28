"""Whose turn it is: jobs wait as empty files, places to run are locks, and whoever ends or submits a job starts the
next.

There is no process that must be alive for the queue to move on. Standard library only: supervisors use this.

``jobs/.queue/waiting/<5000-priority>-<sequence>-<job>`` sorts by priority, then by submission. ``slots/<n>`` is
locked by
the supervisor that runs in it; the kernel frees it when that process is gone.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

from kernel_tools.core.errors import AtelierError, InvalidArgumentError
from kernel_tools.jobs import plans
from kernel_tools.jobs.folder import JobFolder, flock, now, read_json, try_flock, write_json
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import JobState

MAX_PRIORITY = 1000
SUPERVISOR_LOG = "supervisor.log"
"""What a supervisor itself has to complain about; empty if all is well."""
_PREFIX = len("00000-00000000000000000000-")


def queue_folder(root: Path) -> Path:
    """Return the queue's folder below that of all jobs."""
    return root / ".queue"


def max_concurrent(root: Path) -> int:
    """Return how many jobs run at the same time: the setting, else the number of processors, at least 2."""
    settings = read_json(queue_folder(root) / "settings.json") or {}
    return int(settings.get("max_concurrent", max(2, os.cpu_count() or 1)))


def set_max_concurrent(root: Path, count: int) -> None:
    """Set how many jobs run at the same time, 1 to 1000; running jobs are left alone."""
    if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 1000:
        raise InvalidArgumentError(f"max_concurrent is {count!r}: use a whole number from 1 to 1000.")
    path = queue_folder(root) / "settings.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    write_json(path, {"version": 1, "max_concurrent": count})
    dispatch(root)


def has_capacity(root: Path) -> bool:
    """Whether spot jobs may start; `kernel_tools.jobs.spot` takes capacity away for a while."""
    capacity = read_json(queue_folder(root) / "capacity.json")
    return capacity is None or now() >= int(capacity.get("available_at", 0))


def enqueue(folder: JobFolder, priority: int) -> None:
    """Let a job wait for its turn."""
    waiting = queue_folder(folder.root) / "waiting"
    waiting.mkdir(parents=True, exist_ok=True)
    name = f"{5000 - priority:05d}-{time.time_ns():020d}-{folder.name}"
    os.close(os.open(waiting / name, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o644))


def is_enqueued(folder: JobFolder) -> bool:
    """Whether a job waits for its turn."""
    return folder.name in waiting_names(folder.root)


def waiting_names(root: Path) -> list[str]:
    """Return the names of the jobs that wait, in the order in which they will start."""
    return [marker[_PREFIX:] for marker in sorted(_waiting(root))]


def take_slot(root: Path) -> int | None:
    """Take a place to run and return the open file that holds it; None if all are taken."""
    slots = queue_folder(root) / "slots"
    slots.mkdir(parents=True, exist_ok=True)
    for number in range(max_concurrent(root)):
        slot = try_flock(slots / str(number))
        if slot is not None:
            return slot
    return None


def dispatch(root: Path) -> int:
    """Start waiting jobs while there are places for them; returns how many were started."""
    count = 0
    if not _waiting(root):
        return count
    with flock(queue_folder(root) / "lock"):
        slot: int | None = None
        for marker in sorted(_waiting(root)):
            slot = take_slot(root) if slot is None else slot
            if slot is None:
                break
            folder = JobFolder(root / marker[_PREFIX:])
            lock = folder.try_lock() if folder.path.is_dir() else None
            if lock is None and folder.path.is_dir():
                continue  # just being submitted, stopped or recovered: who does so looks at the queue afterwards
            is_started = lock is not None and _start(folder, lock, slot)
            (queue_folder(root) / "waiting" / marker).unlink(missing_ok=True)
            if lock is not None:
                os.close(lock)
            if is_started:
                os.close(slot)
                slot = None
                count += 1
        if slot is not None:
            os.close(slot)
    return count


def count_losses(folder: JobFolder) -> int:
    """How many attempts were lost and followed by another."""
    return sum(1 for event in folder.read_events() if event.get("is_lost"))


def settle_later(folder: JobFolder) -> None:
    """Let a process of its own end the run of a job that has ended: it loads more than a supervisor should."""
    command = [sys.executable, "-P", "-m", "kernel_tools.jobs.settling", str(folder.root.parent)]
    _spawn(command, folder.path / SUPERVISOR_LOG, environment=_library_environment())


def _waiting(root: Path) -> list[str]:
    try:
        return os.listdir(queue_folder(root) / "waiting")
    except FileNotFoundError:
        return []


def _start(folder: JobFolder, lock: int, slot: int) -> bool:
    """Start the supervisor of a waiting job, with its lock and place; False if the job is no longer to be started."""
    history = folder.history()
    if history.state not in (JobState.QUEUED, JobState.RESTARTING):
        return False
    if folder.stop_request.exists():
        user = (read_json(folder.stop_request) or {}).get("user", "somebody")
        folder.append(JobState.STOPPED, reason=f"Stopped by {user} before it started.")
        return False
    try:
        spec = JobSpec.from_json(folder.spec.read_bytes(), folder.name)
        number = len(history.attempts) + 1
        has_turn = spec.spot is None or has_capacity(folder.root)
        environment = plans.job_environment(folder, spec, number)
        plans.prepare_attempt(folder, spec, number, at_once=has_turn)
    except (OSError, AtelierError) as error:
        reason = f"It could not be started: {error}"
        folder.append(JobState.FAILED, reason=reason, failure={"error": type(error).__name__, "message": str(error)})
        return False
    boot = Path(__file__).parent / "supervision" / "boot.py"
    library = str(Path(__file__).parents[2])
    command = [sys.executable, "-I", "-S", str(boot), str(folder.path), str(number), str(lock), str(slot), library]
    _spawn(command, folder.path / SUPERVISOR_LOG, environment, (lock, slot))
    return True


def _spawn(command: list[str], log: Path, environment: dict[str, str], handed_down: tuple[int, ...] = ()) -> None:
    with log.open("ab") as errors:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            env=environment,
            pass_fds=handed_down,
            start_new_session=True,
        )
    threading.Thread(target=process.wait, name=f"reaper of {process.pid}", daemon=True).start()


def _library_environment() -> dict[str, str]:
    """Return this environment with the folder that holds this library first on Python's path."""
    library = str(Path(__file__).parents[2])
    paths = [library, *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(dict.fromkeys(paths))}
