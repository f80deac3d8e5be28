"""The test run's total is right, above all when a suite went wrong in a way of its own."""

import json
from pathlib import Path

import pytest

from scripts.reports import counter, read_jest, read_playwright, read_pytest
from scripts.steps import Outcome

JEST = {
    "numPassedTests": 3,
    "numFailedTests": 0,
    "numRuntimeErrorTestSuites": 0,
    "numPendingTests": 1,
    "numTodoTests": 0,
}
PLAYWRIGHT = {"stats": {"expected": 2, "unexpected": 0, "flaky": 0, "skipped": 1}, "errors": []}


def junit(tests: int, failures: int = 0, errors: int = 0, skipped: int = 0) -> str:
    counts = f'tests="{tests}" failures="{failures}" errors="{errors}" skipped="{skipped}"'
    return f"<testsuites><testsuite {counts}/></testsuites>"


def count(read, report: Path, text: str | None, exit_code: int) -> Outcome:
    report.write_text("the report of an earlier run")
    outcome_of = counter(read, report)
    if text is not None:
        report.write_text(text)
    return outcome_of(exit_code)


@pytest.mark.parametrize(
    ("read", "text", "exit_code", "expected"),
    [
        (read_pytest, junit(9, failures=1, errors=2, skipped=2), 1, Outcome(4, 3, 2)),
        (read_pytest, junit(5), 0, Outcome(5, 0, 0)),
        (read_jest, json.dumps(JEST), 0, Outcome(3, 0, 1)),
        (read_jest, json.dumps({**JEST, "numRuntimeErrorTestSuites": 1}), 1, Outcome(3, 1, 1)),
        (read_playwright, json.dumps(PLAYWRIGHT), 0, Outcome(2, 0, 1)),
        (read_playwright, json.dumps({**PLAYWRIGHT, "errors": [{"message": "no server"}]}), 1, Outcome(2, 1, 1)),
    ],
)
def test_a_report_is_counted(tmp_path, read, text, exit_code, expected):
    assert count(read, tmp_path / "report", text, exit_code) == expected


def test_a_suite_without_tests_is_a_failure(tmp_path):
    assert count(read_pytest, tmp_path / "report", junit(0), 5) == Outcome(failed=1)


def test_a_suite_of_which_all_is_skipped_is_a_failure(tmp_path):
    assert count(read_pytest, tmp_path / "report", junit(4, skipped=4), 0) == Outcome(failed=1, skipped=4)


def test_a_suite_that_wrote_no_report_is_a_failure_even_if_an_earlier_run_wrote_one(tmp_path):
    assert count(read_jest, tmp_path / "report", None, 0) == Outcome(failed=1)


def test_an_exit_code_is_a_failure_even_if_every_test_passed(tmp_path):
    assert count(read_pytest, tmp_path / "report", junit(5), 3) == Outcome(passed=5, failed=1)
