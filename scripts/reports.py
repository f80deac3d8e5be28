"""Reads how many tests passed, failed and were skipped out of the reports of pytest, jest and Playwright.

A suite that wrote no report, found no test, or failed without naming a failed test counts as one failure.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from scripts.steps import Outcome


def read_pytest(report: Path) -> Outcome:
    """Read pytest's JUnit XML; an error (of a fixture, of collection) is a failure."""
    outcome = Outcome()
    for suite in ElementTree.parse(report).getroot().iter("testsuite"):
        total, failures, errors, skipped = (
            int(suite.get(key, "0")) for key in ("tests", "failures", "errors", "skipped")
        )
        passed = max(0, total - failures - errors - skipped)
        outcome += Outcome(passed, failures + errors, skipped)
    return outcome


def read_jest(report: Path) -> Outcome:
    """Read jest's JSON; a test file that could not run is a failure."""
    result = _read_json(report)
    return Outcome(
        passed=result["numPassedTests"],
        failed=result["numFailedTests"] + result["numRuntimeErrorTestSuites"],
        skipped=result["numPendingTests"] + result["numTodoTests"],
    )


def read_playwright(report: Path) -> Outcome:
    """Read Playwright's JSON; a test that passed only at a second try is a failure, an error outside of tests too."""
    result = _read_json(report)
    stats = result["stats"]
    return Outcome(
        passed=stats["expected"],
        failed=stats["unexpected"] + stats["flaky"] + len(result["errors"]),
        skipped=stats["skipped"],
    )


def counter(read: Callable[[Path], Outcome], report: Path) -> Callable[[int], Outcome]:
    """Make the function that counts a suite from its report; the report of an earlier run is removed now."""
    report.parent.mkdir(parents=True, exist_ok=True)
    report.unlink(missing_ok=True)

    def count(exit_code: int) -> Outcome:
        if not report.exists():
            print("(no report) ", end="")
            return Outcome(failed=1)
        outcome = read(report)
        if outcome == Outcome():
            print("(no test found) ", end="")
        if outcome.failed == 0 and (exit_code != 0 or outcome.passed == 0):
            return outcome + Outcome(failed=1)
        return outcome

    return count


def _read_json(report: Path) -> Any:
    return json.loads(report.read_text(encoding="utf-8"))
