"""A step reports what its command did, and leaves no process behind."""

import signal
import sys
import threading

import pytest

from scripts import steps
from scripts.steps import Outcome, count_failure_only, run_side_by_side, run_step

MEET = """
import pathlib, sys, time
own, other = map(pathlib.Path, sys.argv[1:])
own.touch()
while not other.exists():
    time.sleep(0.01)
"""


def test_the_output_of_a_passing_command_is_not_shown(capfd):
    assert run_step("Step", [sys.executable, "-c", "print('hello')"]) == Outcome(passed=1)
    assert "hello" not in capfd.readouterr().out


def test_the_output_of_a_failing_command_is_shown(capfd):
    assert run_step("Step", [sys.executable, "-c", "raise SystemExit('broken')"]) == Outcome(failed=1)
    assert "broken" in capfd.readouterr().out


def test_a_command_that_does_not_exist_is_a_failure_that_names_it(capfd):
    assert run_step("Step", ["no-such-command"]) == Outcome(failed=1)
    assert "no-such-command" in capfd.readouterr().out


def test_set_up_that_works_is_not_counted_as_a_check():
    assert run_step("Set-up", [sys.executable, "-c", ""], count_failure_only) == Outcome()


def test_a_command_that_hangs_is_ended(monkeypatch, capfd):
    monkeypatch.setattr(steps, "STEP_TIMEOUT_SECONDS", 0.2)
    assert run_step("Step", [sys.executable, "-c", "import time; time.sleep(60)"]) == Outcome(failed=1)
    assert "Stopped after" in capfd.readouterr().out


def test_parts_run_side_by_side_and_are_summed(tmp_path):
    names = [str(tmp_path / name) for name in "ab"]
    parts = [
        lambda order=order: run_step("Step", [sys.executable, "-c", MEET, *order]) for order in (names, names[::-1])
    ]
    assert run_side_by_side(*parts) == Outcome(passed=2)


def test_an_interruption_ends_the_steps_that_run_beside(tmp_path, monkeypatch):
    monkeypatch.setattr(steps, "_is_ending", threading.Event())
    started = tmp_path / "started"
    sleep = f"import pathlib, time; pathlib.Path({str(started)!r}).touch(); time.sleep(600)"
    exit_codes = []

    def interrupt():
        while not started.exists():
            pass
        raise KeyboardInterrupt

    def work():
        for _ in range(2):
            run_step("Step", [sys.executable, "-c", sleep], lambda code: exit_codes.append(code) or Outcome())
        return Outcome()

    with pytest.raises(KeyboardInterrupt):
        run_side_by_side(interrupt, work)
    assert exit_codes == [-signal.SIGKILL, 130]
