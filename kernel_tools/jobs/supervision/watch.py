"""The supervisor's watch over one job: its output, its use of resources, its limits, what is asked of it, its end.

It holds the job's lock from before the first event to after the last one. Everything that it knows is in the job's
folder, so that a reader sees at any moment what is true.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import time
from pathlib import Path
from typing import Any

from kernel_tools.jobs import plans, queue
from kernel_tools.jobs.folder import JobFolder, now, read_json, write_json
from kernel_tools.jobs.spec import JobSpec
from kernel_tools.jobs.states import Attempt, JobHistory, JobState
from kernel_tools.jobs.supervision.boot import start_workload
from kernel_tools.jobs.supervision.companions import end_companions, start_companions
from kernel_tools.jobs.supervision.output import OutputWriter
from kernel_tools.jobs.supervision.processes import Family, adopt_orphans, living_marked, reap, send, stamp_of
from kernel_tools.jobs.supervision.usage import UsageWriter
from kernel_tools.jobs.workload import DONE_FILE, ERROR_FILE

TICK = 0.5
CHUNK = 256 * 1024
LEFTOVER_GRACE = 5.0
"""Seconds that processes which outlive the workload have between SIGTERM and SIGKILL."""
MOST_KILLS = 3
"""Kills of a spot job without notice and without a checkpoint in between, after which it is out of memory or the
like."""
INTERRUPTED_EXIT_CODE = 75
"""What a workload exits with that has saved its state because of a notice (EX_TEMPFAIL of sysexits.h)."""


class Supervisor:
    """Runs the attempts of one job until it ends, or until nobody knows how to go on."""

    def __init__(self, folder: str, attempt: int, lock: int, slot: int) -> None:
        self._folder = JobFolder(Path(folder))
        self._number = attempt
        self._lock = lock
        self._slot: int | None = slot
        self._spec = JobSpec.from_json(self._folder.spec.read_bytes(), self._folder.name)
        self._family = Family(os.getpid())
        self._is_dying = False
        self._wake, wake_end = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        adopt_orphans()
        signal.set_wakeup_fd(wake_end, warn_on_full_buffer=False)
        for number in (signal.SIGCHLD, signal.SIGUSR1):
            signal.signal(number, lambda *_: None)
        for number in (signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_term)

    def run(self, plan: dict[str, Any], started: tuple[int, int] | str | None) -> None:
        """Run the job; `started` is the workload that runs already, or why it could not be started."""
        if started is None and not self._wait_for_turn(is_first=True):
            return self._leave()
        while True:
            if started is None:
                started = self._start(plan)
            if isinstance(started, str):
                self._append(JobState.STARTING, attempt=self._number, supervisor=self._stamp())
                self._append(
                    JobState.FAILED,
                    reason=f"It could not be started: {started}",
                    failure={"error": "OSError", "message": started},
                )
                break
            if not self._run_attempt(plan, *started):
                break
            if self._is_dying or not self._wait_for_turn(is_first=False):
                break
            self._number += 1
            plan = plans.prepare_attempt(self._folder, self._spec, self._number, at_once=True)
            started = None
        self._leave()

    # ---- One attempt ----

    def _start(self, plan: dict[str, Any]) -> tuple[int, int] | str:
        os.environ.update(plans.attempt_environment(self._folder, self._number))
        try:
            return start_workload(plan)
        except OSError as error:
            return str(error)

    def _run_attempt(self, plan: dict[str, Any], pid: int, reading: int) -> bool:
        """Watch the workload to its end; returns whether the job is to be started again."""
        attempt = self._folder.attempt(self._number)
        workload = stamp_of(pid) or {"pid": pid}
        self._append(JobState.STARTING, attempt=self._number, supervisor=self._stamp())
        self._folder.interrupt_request.unlink(
            missing_ok=True
        )  # of an earlier attempt; from here on they are for this one
        history = self._append(JobState.RUNNING, workload=workload, limits=plan["limits"])
        output = OutputWriter(attempt)
        usage = UsageWriter(attempt / "usage.bin", self._family, str(attempt))
        companions = start_companions(plan.get("companions", []))
        ending = Ending(pid, self._spec.grace)
        try:
            code = self._watch(pid, reading, output, usage, ending, attempt, history)
            self._clear_away(str(attempt))
            end_companions(companions)
            self._drain(reading, output)
            self._keep_progress(output, attempt)
        finally:
            os.close(reading)
            output.close()
            usage.close()
        return self._judge(code, ending.reason, output, attempt)

    def _watch(
        self,
        pid: int,
        reading: int,
        output: OutputWriter,
        usage: UsageWriter,
        ending: Ending,
        attempt: Path,
        history: JobHistory,
    ) -> int:
        os.set_blocking(reading, False)
        ran_before = history.running_time(now()) / 1000
        began = time.monotonic()
        due = 0.0
        is_open = True
        while True:
            moment = time.monotonic()
            if moment >= due:
                due = moment + TICK
                usage.sample(now())
                self._keep_progress(output, attempt)
                self._beat()
                self._look_for_requests(ending, attempt, ran_before + moment - began, history)
            ending.advance(moment)
            code = reap().get(pid)
            if code is not None:
                usage.sample(now())
                return code
            waited = [self._wake, *([reading] if is_open else [])]
            ready, _, _ = select.select(waited, [], [], max(0.0, min(due, ending.due) - time.monotonic()))
            if self._wake in ready:
                self._drop_wakeups()
                due = 0.0 if not ending.is_begun else due
            if reading in ready:
                is_open = self._read(reading, output)

    def _look_for_requests(self, ending: Ending, attempt: Path, ran: float, history: JobHistory) -> None:
        spec = self._spec
        if self._folder.stop_request.exists():
            ending.begin(JobState.STOPPED)
        elif spec.max_runtime is not None and ran > spec.max_runtime:
            ending.begin(JobState.TIMED_OUT)
        elif self._is_dying:
            ending.begin(JobState.RESTARTING)
        elif spec.spot is not None and self._is_expired(history):
            ending.begin(JobState.WAIT_EXPIRED)
        elif spec.spot is not None and not ending.is_begun:
            request = read_json(self._folder.interrupt_request)
            if request is not None:
                seconds = float(request.get("notice", spec.spot.notice))
                deadline = now() + int(seconds * 1000)
                write_json(attempt / "notice.json", {"deadline": deadline, "reason": request.get("reason", "")})
                ending.begin(JobState.INTERRUPTED, seconds)

    def _judge(self, code: int, asked: JobState | None, output: OutputWriter, attempt: Path) -> bool:
        """Write down how an attempt ended; returns whether the job is to be started again."""
        is_done = code == 0 and (asked is None or (attempt / DONE_FILE).exists())
        redone = self._redone(attempt)
        if is_done:
            self._append(JobState.COMPLETED, exit_code=code)
        elif asked is JobState.INTERRUPTED or (code == INTERRUPTED_EXIT_CODE and (attempt / "notice.json").exists()):
            self._append(JobState.INTERRUPTED, exit_code=code, redone=redone, reason="Its capacity was taken back.")
            return True
        elif asked is None and self._spec.spot is not None and code == -signal.SIGKILL and self._may_be_reclaimed():
            self._append(JobState.INTERRUPTED, exit_code=code, redone=redone, reason="It was killed without notice.")
            return True
        elif asked is JobState.RESTARTING:
            reason = "The machine or its administrator ended the supervisor."
            if self._spec.spot is not None or self._spec.retries.lost > self._losses():
                self._append(JobState.RESTARTING, exit_code=code, redone=redone, reason=reason)
            else:
                self._append(JobState.LOST, exit_code=code, reason=reason)
        elif asked is not None:
            self._append(asked, exit_code=code, reason=self._reason_of(asked))
        else:
            failure = self._describe_failure(code, output, attempt)
            reason = failure["summary"]
            if self._failures() < self._spec.retries.errors:
                self._append(JobState.RESTARTING, exit_code=code, reason=reason, failure=failure, redone=redone)
                return True
            self._append(JobState.FAILED, exit_code=code, reason=reason, failure=failure)
        return False

    def _reason_of(self, end: JobState) -> str:
        if end is JobState.TIMED_OUT:
            return f"It ran longer than max_runtime ({self._spec.max_runtime:g} s)."
        if end is JobState.WAIT_EXPIRED and self._spec.spot is not None:
            return f"Waiting and running took longer than max_wait ({self._spec.spot.max_wait:g} s)."
        request = read_json(self._folder.stop_request) or {}
        return f"Stopped by {request.get('user', 'somebody')}."

    def _describe_failure(self, code: int, output: OutputWriter, attempt: Path) -> dict[str, Any]:
        failure: dict[str, Any] = {
            "exit_code": code,
            "last_output": output.last_lines(),
            **(read_json(attempt / ERROR_FILE) or {}),
        }
        if "error" in failure:
            first_line = str(failure.get("message", "")).partition("\n")[0][:500]
            summary = f"{failure['error']}: {first_line}" if first_line else str(failure["error"])
            if failure.get("file"):
                summary += f" ({Path(failure['file']).name}, line {failure['line']})"
        elif code < 0:
            failure["error"] = _signal_name(-code)
            summary = f"It was ended by the signal {_signal_name(-code)}."
            if -code == signal.SIGKILL:
                summary += " Often the machine was out of memory."
        else:
            failure["error"] = f"exit code {code}"
            last_line = failure["last_output"].rpartition("\n")[2].strip()[:300]
            summary = f"It ended with exit code {code}." + (f" It said last: {last_line}" if last_line else "")
        return {**failure, "summary": summary}

    # ---- Between attempts ----

    def _wait_for_turn(self, *, is_first: bool) -> bool:
        """Wait for capacity and for a place to run; returns whether the job may start (again)."""
        root = self._folder.root
        history = self._folder.history()
        while True:
            if self._folder.stop_request.exists():
                self._append(JobState.STOPPED, reason=self._reason_of(JobState.STOPPED))
                return False
            if self._is_expired(history):
                self._append(JobState.WAIT_EXPIRED, reason=self._reason_of(JobState.WAIT_EXPIRED))
                return False
            has_capacity = self._spec.spot is None or queue.has_capacity(root)
            if has_capacity and self._slot is None:
                self._slot = queue.take_slot(root)
            if has_capacity and self._slot is not None:
                if not is_first and history.state is not JobState.RESTARTING:
                    self._append(JobState.RESTARTING)
                return True
            if self._slot is not None:
                os.close(self._slot)
                self._slot = None
            if history.state is not JobState.WAITING:
                history = self._append(JobState.WAITING, reason="" if has_capacity else "There is no spot capacity.")
                queue.dispatch(root)
            if self._is_dying:
                return False
            self._beat()
            select.select([self._wake], [], [], TICK)
            self._drop_wakeups()

    def _is_expired(self, history: JobHistory) -> bool:
        spot = self._spec.spot
        return spot is not None and spot.max_wait is not None and now() - history.created_at > spot.max_wait * 1000  # type: ignore[operator]  # seconds after __post_init__

    def _failures(self) -> int:
        """How many attempts have failed and were followed by another."""
        return sum(1 for event in self._folder.read_events() if event["state"] == "Restarting" and event.get("failure"))

    def _may_be_reclaimed(self) -> bool:
        """Whether a kill without notice may have taken capacity back; again and again without progress it has not."""
        attempts = self._folder.history().attempts[-1 - MOST_KILLS : -1]
        without_progress = [
            attempt
            for attempt in attempts
            if attempt.exit_code == -signal.SIGKILL and attempt.redone and not self._has_checkpoint_since(attempt)
        ]
        return len(without_progress) < MOST_KILLS

    def _has_checkpoint_since(self, attempt: Attempt) -> bool:
        return any(_changed_at(path) > attempt.started_at for path in self._folder.checkpoints.rglob("*"))

    def _losses(self) -> int:
        return queue.count_losses(self._folder)

    def _redone(self, attempt: Path) -> int:
        """Milliseconds since the newest checkpoint of this attempt, or since it ran: work to be done again."""
        running_at = self._folder.history().attempts[-1].running_at or now()
        newest = max((_changed_at(path) for path in self._folder.checkpoints.rglob("*")), default=0)
        return max(0, now() - max(running_at, newest))

    def _leave(self) -> None:
        """Give the place to the next job."""
        if self._slot is not None:
            os.close(self._slot)
        is_settled = self._spec.run_id is None
        os.close(self._lock)
        queue.dispatch(self._folder.root)
        if not is_settled:
            queue.settle_later(self._folder)

    # ---- Small things ----

    def _append(self, state: JobState, **details: Any) -> JobHistory:
        """Add an event; on a full disk wait until there is room, because nothing may be left unsaid."""
        while True:
            try:
                return self._folder.append(state, **details)
            except OSError:
                plans.free_reserve(self._folder)
                time.sleep(TICK)

    def _clear_away(self, attempt: str) -> None:
        """End what the workload has left running."""
        deadline = time.monotonic() + LEFTOVER_GRACE
        told: set[int] = set()
        while left := {*self._family.members(attempt), *living_marked(attempt)}:
            is_late = time.monotonic() > deadline
            for pid in left if is_late else left - told:
                send(pid, signal.SIGKILL if is_late else signal.SIGTERM)
            told |= left
            select.select([self._wake], [], [], 0.05)
            self._drop_wakeups()
            reap()

    def _drain(self, reading: int, output: OutputWriter) -> None:
        while self._read(reading, output):
            if not select.select([reading], [], [], 0)[0]:
                return

    def _read(self, reading: int, output: OutputWriter) -> bool:
        """Take over some output; returns whether there may be more."""
        try:
            chunk = os.read(reading, CHUNK)
        except BlockingIOError:
            return True
        output.write(chunk)
        return bool(chunk)

    def _keep_progress(self, output: OutputWriter, attempt: Path) -> None:
        path = attempt / "progress.json"
        found = output.progress()
        known = read_json(path) or {}
        if found is not None and known.get("source", "tqdm") == "tqdm" and {**known, **found} != known:
            with contextlib.suppress(OSError):  # a full disk
                write_json(path, {**found, "at": now()}, durable=False)

    def _beat(self) -> None:
        with contextlib.suppress(OSError):  # a full disk
            self._folder.heartbeat.touch()

    def _stamp(self) -> dict[str, Any] | None:
        return stamp_of(os.getpid())

    def _drop_wakeups(self) -> None:
        try:
            while os.read(self._wake, 4096):
                pass
        except BlockingIOError:
            pass

    def _on_term(self, *_: Any) -> None:
        self._is_dying = True


class Ending:
    """The end of a workload that was asked for: SIGTERM to its group, a time of grace, SIGKILL."""

    def __init__(self, pid: int, grace: float) -> None:
        self._pid = pid
        self._grace = grace
        self.reason: JobState | None = None
        self.due = float("inf")

    @property
    def is_begun(self) -> bool:
        """Whether an end was asked for."""
        return self.reason is not None

    def begin(self, reason: JobState, grace: float | None = None) -> None:
        """Ask the workload to end. A stop goes before an interruption; anything else comes too late."""
        if self.reason is None:
            send(self._pid, signal.SIGTERM, to_group=True)
            self.due = time.monotonic() + (self._grace if grace is None else grace)
        elif not (self.reason is JobState.INTERRUPTED and reason is JobState.STOPPED):
            return
        else:
            self.due = min(self.due, time.monotonic() + self._grace)
        self.reason = reason

    def advance(self, moment: float) -> None:
        """Kill the workload if its time is up."""
        if moment >= self.due:
            send(self._pid, signal.SIGKILL, to_group=True)
            self.due = moment + 1.0


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"


def _changed_at(path: Path) -> int:
    try:
        return path.stat().st_mtime_ns // 1_000_000
    except OSError:
        return 0
