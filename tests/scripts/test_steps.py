"""A step reports what its command did, and leaves no process behind."""

import sys

from scripts import steps
from scripts.steps import Outcome, count_failure_only, run_step


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
