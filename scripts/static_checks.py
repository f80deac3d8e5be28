"""The checks that read the code and do not run it: format, lint, types, floors and locks."""

from __future__ import annotations

from scripts.steps import Outcome, run_step

STATIC_CHECKS = {
    "Python format (ruff)": ["ruff", "format", "--check", "--output-format=concise", "."],
    "Python lint (ruff)": ["ruff", "check", "--output-format=concise", "."],
    "Python types (mypy)": ["mypy"],
    "Floors (import-linter)": ["lint-imports"],
    "Locks": ["python", "-m", "scripts.check_locks"],
    "TypeScript format (prettier)": ["jlpm", "format:check"],
    "TypeScript types (tsc)": ["jlpm", "tsc", "--project", "studio_ext/ui/tsconfig.test.json", "--noEmit"],
}


def run_static_checks() -> Outcome:
    """Run every static check, also after one has failed."""
    return sum((run_step(heading, command) for heading, command in STATIC_CHECKS.items()), Outcome())
