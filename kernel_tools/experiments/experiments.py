"""The public functions for experiments themselves; each takes `workspace`, by default the current one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from kernel_tools.core.paging import DEFAULT_PAGE
from kernel_tools.core.workspace import Workspace, current_workspace
from kernel_tools.experiments import experiment_catalog
from kernel_tools.experiments.experiment_files import ExperimentDocument
from kernel_tools.experiments.records import Experiment, View


def create_experiment(
    name: str, tags: Mapping[str, Any] | None = None, *, workspace: Workspace | None = None
) -> Experiment:
    """Create an experiment without a run.

    Raises
    ------
    InvalidArgumentError
        If the name or a tag cannot be used.
    ConflictError
        If the name is taken, also by a deleted experiment.
    """
    return experiment_catalog.create_experiment(workspace or current_workspace(), name, tags)


def get_experiment(name: str | None = None, id: str | None = None, *, workspace: Workspace | None = None) -> Experiment:
    """Return one experiment by its name or its id, also a deleted one.

    Raises
    ------
    NotFoundError
        If there is none.
    """
    return experiment_catalog.get_experiment(workspace or current_workspace(), name, id)


def rename_experiment(id: str, name: str, *, workspace: Workspace | None = None) -> Experiment:
    """Give an experiment another name; its id and its runs stay."""
    return experiment_catalog.rename_experiment(workspace or current_workspace(), id, name)


def delete_experiment(id: str, *, workspace: Workspace | None = None) -> Experiment:
    """Delete an experiment with its runs; it can be restored until `collect_garbage` removes it."""
    return experiment_catalog.set_deleted(workspace or current_workspace(), id, True)


def restore_experiment(id: str, *, workspace: Workspace | None = None) -> Experiment:
    """Restore a deleted experiment with its runs, but for those that were deleted one by one."""
    return experiment_catalog.set_deleted(workspace or current_workspace(), id, False)


def archive_experiment(id: str, is_archived: bool = True, *, workspace: Workspace | None = None) -> Experiment:
    """Put an experiment out of sight without deleting it, or bring it back."""

    def change(document: ExperimentDocument) -> None:
        experiment_catalog.require_active_experiment(document)
        document.is_archived = is_archived

    action = "experiment.archive" if is_archived else "experiment.unarchive"
    return experiment_catalog.change_experiment(workspace or current_workspace(), id, action, change)


def set_experiment_tags(id: str, tags: Mapping[str, Any], *, workspace: Workspace | None = None) -> Experiment:
    """Set tags of an experiment; a tag that exists gets the new value."""
    return experiment_catalog.set_tags(workspace or current_workspace(), id, tags)


def delete_experiment_tag(id: str, key: str, *, workspace: Workspace | None = None) -> Experiment:
    """Delete a tag of an experiment; NotFoundError if it has none of that key."""
    return experiment_catalog.delete_tag(workspace or current_workspace(), id, key)


def search_experiment_records(
    filter: str = "",
    order_by: Sequence[str] = (),
    view: View | str = View.ACTIVE_ONLY,
    limit: int = DEFAULT_PAGE,
    page_token: str | None = None,
    *,
    is_archived: bool | None = None,
    workspace: Workspace | None = None,
) -> tuple[list[Experiment], str | None]:
    """Search experiments, a page at a time.

    Parameters
    ----------
    filter
        Over ``name``, ``creation_time``, ``last_update_time`` and ``tags.<key>``, such as ``name LIKE 'census%'``.
    order_by
        Such as ``["name ASC"]``. Default: the most recently used first.
    view
        ``ACTIVE_ONLY``, ``DELETED_ONLY`` or ``ALL``.
    limit
        Length of a page, 1 to 1000.
    page_token
        The token that came with the page before.
    is_archived
        Only archived ones, or only others. Default: both.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If the filter or an ordering is not understood; the message gives the position.
    """
    return experiment_catalog.search_experiments(
        (workspace or current_workspace()).database,
        filter=filter,
        order_by=order_by,
        view=View(view),
        is_archived=is_archived,
        limit=limit,
        page_token=page_token,
    )


def list_experiments(
    limit: int = DEFAULT_PAGE, page_token: str | None = None, *, workspace: Workspace | None = None
) -> tuple[list[Experiment], str | None]:
    """Return one page of experiments, the most recently used first, and the token of the next page."""
    return search_experiment_records(limit=limit, page_token=page_token, workspace=workspace)


def count_experiments(*, workspace: Workspace | None = None) -> int:
    """Return the number of experiments that are not deleted."""
    return experiment_catalog.count_experiments((workspace or current_workspace()).database)
