"""Experiments: runs with their metrics, parameters, tags and artifacts, and the search over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.paging import DEFAULT_PAGE, MAX_PAGE
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog
from kernel_tools.experiments import run as _run
from kernel_tools.experiments.records import ArtifactRecord, Experiment, RunRecord, RunStatus
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_files import list_folders
from kernel_tools.experiments.xgboost_logger import xgboost_logger

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ArtifactRecord",
    "Experiment",
    "Run",
    "RunRecord",
    "RunStatus",
    "count_experiments",
    "artifact_references",
    "count_runs",
    "get_run",
    "list_experiments",
    "search_run_records",
    "search_runs",
    "start_run",
    "xgboost_logger",
]


def start_run(
    experiment: str,
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    workspace: Workspace | None = None,
) -> Run:
    """Start a run; use it in a ``with`` statement, or call its `finish`.

    Parameters
    ----------
    experiment
        The experiment's name; it is created with its first run.
    name
        A name for people. Default: ``run-`` and eight digits of the id.
    params
        Parameters to log at once.
    tags
        Tags to set at once.
    workspace
        Default: the current workspace.

    Returns
    -------
    Run
        A run with status RUNNING. Left by an exception it becomes FAILED; if its process dies, KILLED.

    Raises
    ------
    InvalidArgumentError
        If a name or key cannot be used.
    """
    return _run.start_run(experiment, name, params, tags, workspace=workspace or current_workspace())


def get_run(run_id: str, *, workspace: Workspace | None = None) -> Run:
    """Return a run by its id.

    Raises
    ------
    NotFoundError
        If there is no such run.
    """
    run = Run(workspace or current_workspace(), run_id)
    catalog.refresh_run(run._workspace, run_id)
    return run


def search_run_records(
    experiments: str | Sequence[str] | None = None,
    filter: str = "",
    order_by: Sequence[str] = (),
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    *,
    workspace: Workspace | None = None,
) -> tuple[list[RunRecord], str | None]:
    """Search runs, a page at a time.

    Parameters
    ----------
    experiments
        One experiment's name, several, or None for all.
    filter
        MLflow's search grammar, plus OR and parentheses, such as ``metrics.auc > 0.9 and params.max_depth = '6'``.
    order_by
        Such as ``["metrics.auc DESC"]``; the newest come first where nothing else decides.
    limit
        Length of a page, 1 to 1000.
    page_token
        The token that came with the page before.
    workspace
        Default: the current workspace.

    Returns
    -------
    list of RunRecord, str or None
        The page, and the token of the next one.

    Raises
    ------
    InvalidArgumentError
        If the filter or an ordering is not understood; the message gives the position.
    """
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    names = [experiments] if isinstance(experiments, str) else experiments
    return catalog.search(
        workspace.database, names=names, filter=filter, order_by=order_by, limit=limit, page_token=page_token
    )


def search_runs(
    experiment: str | Sequence[str] | None = None,
    filter: str = "",
    order_by: Sequence[str] = (),
    max_results: int = 1000,
    *,
    workspace: Workspace | None = None,
) -> pd.DataFrame:
    """Search runs and return them as a table.

    Returns
    -------
    DataFrame
        One row per run: run_id, name, experiment, status, user, started_at, ended_at (UTC), then a column
        ``metrics.<key>``, ``params.<key>`` and ``tags.<key>`` for every key that occurs.
    """
    import pandas as pd

    records: list[RunRecord] = []
    token: str | None = None
    while len(records) < max_results:
        limit = min(MAX_PAGE, max_results - len(records))
        page, token = search_run_records(experiment, filter, order_by, limit, token, workspace=workspace)
        records += page
        if token is None:
            break
    frame = pd.DataFrame(
        {
            "run_id": [record.id for record in records],
            "name": [record.name for record in records],
            "experiment": [record.experiment for record in records],
            "status": [record.status.value for record in records],
            "user": [record.user for record in records],
            "started_at": pd.to_datetime([record.started_at for record in records], unit="ms", utc=True),
            "ended_at": pd.to_datetime([record.ended_at for record in records], unit="ms", utc=True),
        }
    )
    columns = {
        f"{group}.{key}": [getattr(record, group).get(key) for record in records]
        for group in ("metrics", "params", "tags")
        for key in sorted({key for record in records for key in getattr(record, group)})
    }
    return pd.concat([frame, pd.DataFrame(columns, index=frame.index)], axis=1)


def list_experiments(
    limit: int = DEFAULT_PAGE, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[Experiment], str | None]:
    """Return one page of experiments, the most recently used first, and the token of the next page."""
    workspace = workspace or current_workspace()
    return catalog.list_experiments(workspace.database, limit=limit, page_token=page_token)


def count_experiments(*, workspace: Workspace | None = None) -> int:
    """Return the number of experiments."""
    return catalog.count_experiments((workspace or current_workspace()).database)


def count_runs(*, workspace: Workspace | None = None) -> dict[RunStatus, int]:
    """Return the number of runs by status."""
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    return catalog.count_runs(workspace.database)


def artifact_references(workspace: Workspace) -> set[str]:
    """Return the sha256 of every blob that a run of the workspace refers to, read from the run folders."""
    return {artifact.sha256 for folder in list_folders(workspace) for artifact in folder.load().artifacts}
