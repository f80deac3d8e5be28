"""One step of a check or test run: a heading, a command, its duration, and how much of it passed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

STEP_TIMEOUT_SECONDS = 30 * 60
_printing = threading.Lock()
_running: set[subprocess.Popen[bytes]] = set()
_is_ending = threading.Event()


@dataclass(frozen=True)
class Outcome:
    """How many tests or checks passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: Outcome) -> Outcome:
        return Outcome(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed, {self.skipped} skipped"


def run_step(
    heading: str,
    command: list[str],
    count: Callable[[int], Outcome] | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Run one command and print its heading, outcome and duration in one line; print its output if something failed.

    Parameters
    ----------
    heading
        What the step does, for the reader of the log.
    command
        The program and its arguments.
    count
        Turns the exit code into an outcome, usually by reading a report. Default: the step is one check.
    environment
        Variables to add to this process's.
    folder
        The folder to run in.
    """
    started = time.monotonic()
    with tempfile.TemporaryFile() as output:
        exit_code = _run(command, output.fileno(), {**os.environ, **(environment or {})}, folder)
        outcome = (count or count_as_one)(exit_code)
        result = "done" if outcome == Outcome() else outcome
        with _printing:  # steps may run side by side
            print(f"{heading} ... {result} in {time.monotonic() - started:.1f} s", flush=True)
            if outcome.failed:
                output.seek(0)
                print(output.read().decode("utf-8", "replace"), flush=True)
                print(f"^ {heading}: failed (exit code {exit_code}): {' '.join(command)}", flush=True)
    return outcome


def run_side_by_side(*parts: Callable[[], Outcome]) -> Outcome:
    """Run parts that need nothing of each other at the same time; an interruption ends the steps of all of them."""
    with ThreadPoolExecutor(len(parts)) as pool:
        try:
            return sum((future.result() for future in [pool.submit(part) for part in parts]), Outcome())
        except BaseException:
            _is_ending.set()
            for process in tuple(_running):
                _kill(process)
            raise


def count_as_one(exit_code: int) -> Outcome:
    """Count a command as one check."""
    return Outcome(passed=1) if exit_code == 0 else Outcome(failed=1)


def count_failure_only(exit_code: int) -> Outcome:
    """Count a set-up command: it is no check, but its failure fails the run."""
    return Outcome() if exit_code == 0 else Outcome(failed=1)


def _run(command: list[str], output: int, environment: dict[str, str], folder: Path | None) -> int:
    """Run a command in a session of its own, so that its children end with it; 127 if it does not exist."""
    if _is_ending.is_set():
        return 130
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=environment,
            cwd=folder,
            start_new_session=True,
        )
    except FileNotFoundError as error:
        os.write(output, f"{error}\n".encode())
        return 127
    _running.add(process)
    if _is_ending.is_set():  # since it was asked above
        _kill(process)
    try:
        return process.wait(STEP_TIMEOUT_SECONDS)
    except subprocess.TimeoutExpired:
        os.write(output, f"\nStopped after {STEP_TIMEOUT_SECONDS // 60} minutes.\n".encode())
        return 124
    finally:
        _running.discard(process)
        if process.poll() is None:
            _kill(process)
            process.wait()


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
