"""What a reader does about a job whose supervisor is gone: end what it left, say so, and let it go on if it may."""

from __future__ import annotations

import os

from kernel_tools.jobs import queue
from kernel_tools.jobs.folder import JobFolder, read_json
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import JobHistory, JobState
from kernel_tools.jobs.supervision.processes import kill_marked
from kernel_tools.jobs.workload import DONE_FILE

_LOST = "Its supervisor was killed, or the machine was restarted."


def recover(folder: JobFolder) -> JobHistory:
    """Return the history of a job, after bringing it up to date if its supervisor is gone."""
    history = folder.history()
    if history.state is None or history.state.is_end:
        return history
    if _waits(history) and queue.is_enqueued(folder):
        # Those who were to start it may have been killed.
        return folder.history() if queue.dispatch(folder.root) else history
    lock = folder.try_lock()
    if lock is None:
        return folder.history()
    try:
        history, is_to_go_on = _recover(folder)
    finally:
        os.close(lock)
    if is_to_go_on:
        queue.dispatch(folder.root)
        return folder.history()
    return history


def _waits(history: JobHistory) -> bool:
    return history.state in (JobState.QUEUED, JobState.RESTARTING)


def _recover(folder: JobFolder) -> tuple[JobHistory, bool]:
    """Recover under the job's lock; says whether the job waits for its turn now."""
    history = folder.history()
    state = history.state
    if state is None or state.is_end:
        return history, False
    spec = JobSpec.from_json(folder.spec.read_bytes(), folder.name)
    if _waits(history):
        following = len(history.attempts) + 1
        if not (folder.attempt(following) / "began").exists():
            if not queue.is_enqueued(folder):
                queue.enqueue(folder, spec.priority)
            return history, True
        history = folder.append(JobState.STARTING, attempt=following)
    elif state in (JobState.WAITING, JobState.INTERRUPTED):
        if folder.stop_request.exists():
            return folder.append(JobState.STOPPED, reason=_stopped(folder)), False
        history = folder.append(JobState.RESTARTING, reason=_LOST)
        queue.enqueue(folder, spec.priority)
        return history, True
    return _recover_attempt(folder, spec, history)


def _recover_attempt(folder: JobFolder, spec: JobSpec, history: JobHistory) -> tuple[JobHistory, bool]:
    attempt = folder.attempt(len(history.attempts))
    kill_marked(str(attempt))
    if (attempt / DONE_FILE).exists():
        if history.state is JobState.STARTING:
            folder.append(JobState.RUNNING)
        return folder.append(JobState.COMPLETED, reason="Its supervisor was killed after its code had ended."), False
    if folder.stop_request.exists():
        return folder.append(JobState.STOPPED, reason=_stopped(folder)), False
    if spec.spot is not None or queue.count_losses(folder) < spec.retries.lost:
        queue.enqueue(folder, spec.priority)
        redone = _redone(folder, history)
        return folder.append(JobState.RESTARTING, reason=_LOST, is_lost=True, redone=redone), True
    way_out = "Submit it again with job.rerun(); Retries(lost=1) would have started it again."
    return folder.append(JobState.LOST, reason=f"{_LOST} {way_out}"), False


def _stopped(folder: JobFolder) -> str:
    return f"Stopped by {(read_json(folder.stop_request) or {}).get('user', 'somebody')}."


def _redone(folder: JobFolder, history: JobHistory) -> int:
    """Milliseconds between the newest checkpoint, or the start of the attempt, and the last sign of life."""
    running_at = history.attempts[-1].running_at
    if running_at is None:
        return 0
    try:
        last = folder.heartbeat.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0
    newest = max((path.stat().st_mtime_ns // 1_000_000 for path in folder.checkpoints.rglob("*")), default=0)
    return max(0, last - max(running_at, newest))
