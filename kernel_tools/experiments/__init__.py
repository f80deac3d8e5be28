"""Experiments: runs with their metrics, parameters, tags and artifacts, and the search over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from kernel_tools.core.paging import DEFAULT_PAGE, MAX_PAGE
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import catalog, figures, run_rows
from kernel_tools.experiments import run as _run
from kernel_tools.experiments.active import active_run
from kernel_tools.experiments.attached import attach
from kernel_tools.experiments.bulk import ChangedRuns, RunChange, change_runs
from kernel_tools.experiments.capture.autolog import autolog
from kernel_tools.experiments.capture.output import capture_run_output
from kernel_tools.experiments.captured import compare_code, compare_environments
from kernel_tools.experiments.comparison import compare_runs
from kernel_tools.experiments.experiments import (
    archive_experiment,
    count_experiments,
    create_experiment,
    delete_experiment,
    delete_experiment_tag,
    get_experiment,
    list_experiments,
    rename_experiment,
    restore_experiment,
    search_experiment_records,
    set_experiment_tags,
)
from kernel_tools.experiments.loose_files import loose_references
from kernel_tools.experiments.metrics import read_history_page as _read_history_page
from kernel_tools.experiments.records import (
    ArtifactEntry,
    ArtifactRecord,
    DatasetInput,
    Experiment,
    Lifecycle,
    RunRecord,
    RunStatus,
    RunTree,
    View,
)
from kernel_tools.experiments.run import Run
from kernel_tools.experiments.run_fields import RunField, RunFields, read_run_fields
from kernel_tools.experiments.run_files import RunFolder, list_folders
from kernel_tools.experiments.run_groups import GroupedMetric, RunGroup, RunGroups, group_runs, read_best_values
from kernel_tools.experiments.run_window import RunWindow, count_matching_runs, read_run_window
from kernel_tools.experiments.segment import Point
from kernel_tools.experiments.upkeep import collect_garbage, compact, rebuild
from kernel_tools.experiments.views import RunView, ViewColumn, ViewSettings, delete_view, list_views, save_view
from kernel_tools.experiments.xgboost_logger import xgboost_logger

if TYPE_CHECKING:
    import pandas as pd

__all__ = [
    "ArtifactEntry",
    "ArtifactRecord",
    "ChangedRuns",
    "DatasetInput",
    "Experiment",
    "Lifecycle",
    "GroupedMetric",
    "Point",
    "Run",
    "RunChange",
    "RunField",
    "RunFields",
    "RunGroup",
    "RunGroups",
    "RunRecord",
    "RunStatus",
    "RunTree",
    "RunView",
    "RunWindow",
    "View",
    "ViewColumn",
    "ViewSettings",
    "active_run",
    "archive_experiment",
    "artifact_references",
    "autolog",
    "change_runs",
    "collect_garbage",
    "compact",
    "compare_code",
    "compare_environments",
    "compare_runs",
    "count_experiments",
    "count_matching_runs",
    "count_runs",
    "create_experiment",
    "delete_experiment",
    "delete_experiment_tag",
    "delete_view",
    "figures",
    "get_experiment",
    "get_run",
    "group_runs",
    "list_experiments",
    "list_views",
    "read_best_values",
    "read_history_page",
    "read_run_fields",
    "read_run_window",
    "rebuild",
    "rename_experiment",
    "restore_experiment",
    "save_view",
    "search_experiment_records",
    "search_run_records",
    "search_runs",
    "set_experiment_tags",
    "start_run",
    "xgboost_logger",
]


def start_run(
    experiment: str = "Default",
    name: str | None = None,
    params: Mapping[str, Any] | None = None,
    tags: Mapping[str, Any] | None = None,
    *,
    experiment_id: str | None = None,
    parent_run_id: str | None = None,
    run_id: str | None = None,
    user: str | None = None,
    started_at: int | None = None,
    owned: bool = True,
    capture_output: bool = False,
    workspace: Workspace | None = None,
) -> Run:
    """Start a run; use it in a ``with`` statement, or call its `finish`.

    Inside of a job that has an experiment, the first run that is started is the job's own.

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
    experiment_id
        The experiment's id, instead of its name.
    parent_run_id
        The run that this one is nested in.
    run_id
        The run's id, 32 hexadecimal digits. Default: a new one.
    user
        Who runs it. Default: the user of this process.
    started_at
        Milliseconds since 1970 UTC. Default: now.
    owned
        Whether the run belongs to this process, and is KILLED when the process dies. A server that starts runs for
        others says no. Of a run that it owns, a process also records its source (script or notebook, git commit and
        difference) and its packages; the environment variable ``ATELIER_CAPTURE_SOURCE=0`` prevents that.
    capture_output
        Keep what Python prints until the run ends as the artifact ``output/output.txt``.
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
    ConflictError
        If the experiment is deleted, or the run exists.
    NotFoundError
        If there is no experiment of this id, or no such parent.
    """
    if experiment_id is None and parent_run_id is None and run_id is None and owned:
        attached = attach(workspace or current_workspace(), experiment)
        if attached is not None:
            attached.log_params(params or {})
            attached.set_tags(tags or {})
            if capture_output:
                capture_run_output(attached)
            return attached
    run = _run.start_run(
        experiment if experiment_id is None else None,
        name,
        params,
        tags,
        experiment_id=experiment_id,
        parent_run_id=parent_run_id,
        run_id=run_id,
        user=user,
        started_at=started_at,
        owned=owned,
        workspace=workspace or current_workspace(),
    )
    if capture_output:
        capture_run_output(run)
    return run


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
    experiment_ids: Sequence[str] | None = None,
    view: View | str = View.ACTIVE_ONLY,
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
    experiment_ids
        Ids of experiments, instead of their names.
    view
        ``ACTIVE_ONLY``, ``DELETED_ONLY`` or ``ALL``.
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
    return run_rows.search(
        workspace.database,
        names=names,
        experiment_ids=experiment_ids,
        filter=filter,
        order_by=order_by,
        view=View(view),
        limit=limit,
        page_token=page_token,
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


def read_history_page(
    run_id: str, key: str, limit: int, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[Point], str | None]:
    """Return some points of a metric by step, then time, and the token of the next page, None at the end."""
    return _read_history_page(RunFolder(workspace or current_workspace(), run_id), key, limit, page_token)


def count_runs(*, workspace: Workspace | None = None) -> dict[RunStatus, int]:
    """Return the number of runs by status."""
    workspace = workspace or current_workspace()
    catalog.refresh_running(workspace)
    return catalog.count_runs(workspace.database)


def artifact_references(workspace: Workspace) -> set[str]:
    """Return the sha256 of every blob that a run of the workspace or a file of no run refers to, read from the disk."""
    of_runs = {artifact.sha256 for folder in list_folders(workspace) for artifact in folder.load_artifacts()}
    return of_runs | loose_references(workspace)
