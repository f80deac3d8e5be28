"""Reading what was captured of a run: its trial, its findings, and rules over it afterwards."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.debugger.evaluation import evaluate_trial
from kernel_tools.debugger.exporting import export_trial
from kernel_tools.debugger.finding import Findings, read_findings
from kernel_tools.debugger.rules import make_rules
from kernel_tools.debugger.rules.base import Rule
from kernel_tools.debugger.session import debugger_folder
from kernel_tools.debugger.trial import Trial

if TYPE_CHECKING:
    from kernel_tools.experiments import Run
    from kernel_tools.jobs.handle import Job

    Watched = Run | Job | str | os.PathLike[str]


def open(run: Watched, *, workspace: Workspace | None = None) -> Trial:
    """Return everything that was captured of a run.

    Parameters
    ----------
    run
        A run, a job, a run's id, or a folder that was captured into.
    workspace
        Default: the current workspace.

    Raises
    ------
    NotFoundError
        If there is no such run, or nothing was captured of it; the message says how to capture.
    """
    found, folder = _find(run, workspace)
    return Trial(folder, found)


def findings(run: Watched, *, workspace: Workspace | None = None) -> Findings:
    """Return what the rules have found in a run so far: ``.findings``, and the state of every rule, ``.rules``."""
    return read_findings(_find(run, workspace)[1])


def evaluate(
    rules: str | Rule | Iterable[Any], run: Watched | Trial, *, workspace: Workspace | None = None
) -> Findings:
    """Evaluate rules over what was captured of a run, from its first step to its last.

    Parameters
    ----------
    rules
        A rule, its name, several, pairs of a name and parameters, or "default" and "all".
    run
        A run, a job, a run's id, a folder, or a trial.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If there is no such rule, or it has no such parameter.
    NotFoundError
        If nothing was captured.
    """
    made = make_rules([rules] if isinstance(rules, Rule) else rules)
    return evaluate_trial(run if isinstance(run, Trial) else open(run, workspace=workspace), made)


def export(run: Watched | Trial, path: str | os.PathLike[str], *, workspace: Workspace | None = None) -> int:
    """Write everything that was captured of a run into a Parquet file; returns the number of rows.

    See `kernel_tools.debugger.exporting.export_trial` for the columns.
    """
    return export_trial(run if isinstance(run, Trial) else open(run, workspace=workspace), Path(path))


def find_named(name: str) -> Watched:
    """Return what a user has named: the id of a run, or a job by its name; NotFoundError if there is none."""
    from kernel_tools.jobs import get

    is_run_id = len(name) == 32 and all(letter in "0123456789abcdef" for letter in name)
    return name if is_run_id or os.sep in name else get(name)


def _find(run: Any, workspace: Workspace | None) -> tuple[Run | None, Path]:
    from kernel_tools.core.errors import NotFoundError
    from kernel_tools.experiments import Run, get_run

    if isinstance(run, os.PathLike) or (isinstance(run, str) and os.sep in run):
        return None, Path(run)
    if not isinstance(run, (Run, str)):  # a job
        if run.run is None:
            raise NotFoundError(f"The job {run.name!r} has no run. Submit it with experiment=...")
        run = run.run
    if isinstance(run, str):
        run = get_run(run, workspace=workspace or current_workspace())
    return run, debugger_folder(run._workspace, run.id)
