"""A batch transform as a job: ``python -m kernel_tools.hosting.batch.job --plan P --workspace W``."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from kernel_tools.core.workspace import Workspace
from kernel_tools.hosting.batch.plan import read_plan
from kernel_tools.hosting.batch.transform import run_transform

ENTRY = "-m kernel_tools.hosting.batch.job"
"""What runs."""


def main(arguments: Sequence[str] | None = None) -> None:
    """Transform what the plan names, and say what was done."""
    parser = argparse.ArgumentParser(description="Predict all rows of files.")
    parser.add_argument("--plan", required=True, help="The file of the plan.")
    parser.add_argument("--workspace", required=True, help="The workspace that the model is in.")
    given = parser.parse_args(arguments)
    plan = read_plan(Path(given.plan))
    summary = run_transform(Workspace(Path(given.workspace)), plan)
    print(f"{summary.rows:,} rows of {summary.files} files in {summary.seconds:g} s: {plan.output}")


if __name__ == "__main__":
    main()
