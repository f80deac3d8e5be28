"""Set everything up and run every check and test: what `make test` does. The last line is the total over all of them.

Runs under any Python from 3.11 on, before there is a virtual environment. A step that fails does not stop the next.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from scripts.postgres import find_server_programs, temporary_server
from scripts.reports import counter, read_jest, read_playwright, read_pytest
from scripts.static_checks import PYTHON_CHECKS, TYPESCRIPT_CHECKS, run_checks
from scripts.steps import Outcome, count_failure_only, run_side_by_side, run_step
from scripts.system_packages import find_chromium, install, may_install

REPORTS = Path("build/reports").resolve()
UI_TESTS = Path("ui-tests")
ONE_THREAD = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
"""For training models in tests: as many processes run already as there are cores, and threads would wait for each
other."""


def run_everything() -> Outcome:
    """Run set-up, checks and tests; only a missing Python environment ends the run early."""
    environment = run_side_by_side(lambda: set_up("Set-up: Python environment", "environment"), install_programs)
    if environment.failed:
        return environment
    return sum(
        (
            environment,
            run_side_by_side(build_and_check_extension, check_library),
            # Alone: it writes the files for a moment that the others read.
            run_step("API types are up to date", [".venv/bin/python", "-m", "scripts.check_api_types"]),
            run_pytest(),
            run_browser_tests(),
        ),
        Outcome(),
    )


def install_programs() -> Outcome:
    """Install the programs of the system that are missing, if we may; tests that need one else say so."""
    if may_install():
        for package, found in {"postgresql": find_server_programs(), "chromium": find_chromium()}.items():
            if found is None:
                install(package)
    return Outcome()


def build_and_check_extension() -> Outcome:
    """Build the extension, check its sources and run its unit tests."""
    built = set_up("Set-up: JavaScript environment", "node_modules/.installed")
    built += run_step("Extension build", ["make", "--no-print-directory", "extension"])
    return built + run_checks(TYPESCRIPT_CHECKS) + run_jest()


def check_library() -> Outcome:
    """Check the Python sources, then make the environments of the browser tests and of MLflow, whose tests would."""
    checked = run_checks(PYTHON_CHECKS)
    if find_chromium() is not None:
        checked += set_up("Set-up: browser tests", "ui-tests-environment")
    # Without a package index its tests are skipped, and say so.
    run_step("Set-up: MLflow", [".venv/bin/python", "-m", "scripts.mlflow_environment"], lambda _: Outcome())
    return checked


def set_up(heading: str, target: str) -> Outcome:
    """Make one target of the Makefile."""
    return run_step(heading, ["make", "--no-print-directory", target], count_failure_only)


def run_pytest() -> Outcome:
    """Run pytest on three processes, as tests often wait, with a PostgreSQL server if this machine has one."""
    report = REPORTS / "pytest.xml"
    command = [".venv/bin/python", "-m", "pytest", "--numprocesses=3", "--dist=loadfile", "--no-loadscope-reorder"]
    command.append(f"--junitxml={report}")
    with contextlib.ExitStack() as stack:
        variables = dict(ONE_THREAD)
        programs = find_server_programs()
        if programs is None:
            print("PostgreSQL is not installed, its tests are skipped (Debian: apt-get install postgresql).")
        else:
            try:
                variables["ATELIER_TEST_POSTGRES"] = stack.enter_context(temporary_server(programs))
            except subprocess.CalledProcessError as error:
                print(f"PostgreSQL could not be started:\n{error.output}\n{error}", flush=True)
                return run_step("pytest", command, counter(read_pytest, report)) + Outcome(failed=1)
        return run_step("pytest", command, counter(read_pytest, report), environment=variables)


def run_jest() -> Outcome:
    """Run the extension's unit tests."""
    report = REPORTS / "jest.json"
    command = ["jlpm", "test", "--ci", "--json", f"--outputFile={report}"]
    return run_step("jest", command, counter(read_jest, report))


def run_browser_tests() -> Outcome:
    """Run the browser tests; without a Chromium they are one skipped test."""
    chromium = find_chromium()
    if chromium is None:
        print("Browser tests ... skipped, Chromium is missing: apt-get install chromium (Debian), or set CHROMIUM.")
        return Outcome(skipped=1)
    report = REPORTS / "playwright.json"
    # With CI set Playwright starts a server of its own and does not take one that happens to run.
    variables = {**ONE_THREAD, "CHROMIUM": chromium, "CI": "true", "PLAYWRIGHT_JSON_OUTPUT_NAME": str(report)}
    command = ["jlpm", "playwright", "test", "--reporter=line,json"]
    return run_step("Browser tests", command, counter(read_playwright, report), environment=variables, folder=UI_TESTS)


def main() -> int:
    """Run everything, print the total, return the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    os.environ.pop("MAKEFLAGS", None)
    # Tests start thousands of processes; each would compile the project's modules anew.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    os.environ["PATH"] = os.pathsep.join([str(Path(".venv/bin").resolve()), os.environ["PATH"]])
    started = time.monotonic()
    total = run_everything()
    print(f"Everything took {time.monotonic() - started:.0f} s.")
    print(f"total: {total}", flush=True)
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
