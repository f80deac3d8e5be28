"""The checks that read the code and do not run it: format, lint, types, floors and locks."""

from __future__ import annotations

from collections.abc import Mapping

from scripts.steps import Outcome, run_side_by_side, run_step

PYTHON_CHECKS = {
    "Python format (ruff)": ["ruff", "format", "--check", "--output-format=concise", "."],
    "Python lint (ruff)": ["ruff", "check", "--output-format=concise", "."],
    "Python types (mypy)": ["mypy"],
    "Floors (import-linter)": ["lint-imports"],
    "Locks": ["python", "-m", "scripts.check_locks"],
}
TYPESCRIPT_CHECKS = {
    "TypeScript format (prettier)": ["jlpm", "format:check"],
    "TypeScript types (tsc)": ["jlpm", "tsc", "--project", "studio_ext/ui/tsconfig.test.json", "--noEmit"],
}


def run_static_checks() -> Outcome:
    """Run every static check, those of Python beside those of TypeScript."""
    return run_side_by_side(lambda: run_checks(PYTHON_CHECKS), lambda: run_checks(TYPESCRIPT_CHECKS))


def run_checks(checks: Mapping[str, list[str]]) -> Outcome:
    """Run some checks in turn, also after one has failed."""
    return sum((run_step(heading, command) for heading, command in checks.items()), Outcome())
