"""Saved views of the runs table: a name for a filter, an order, columns and a grouping, per experiment.

They stand in `views/<experiment id>.json` of the workspace, those over all experiments in `views/all.json`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from kernel_tools.core.audit import current_user
from kernel_tools.core.errors import ConflictError, IntegrityError, NotFoundError
from kernel_tools.core.locks import hold_lock
from kernel_tools.core.workspace import Workspace, atomic_write, current_workspace, validate_title
from kernel_tools.experiments.disk import explain_disk_errors
from kernel_tools.experiments.experiments import get_experiment
from kernel_tools.experiments.run_files import now

VIEWS_VERSION = 1
MAX_VIEWS = 200
"""Views of one experiment."""


@dataclass(frozen=True, slots=True)
class ViewColumn:
    """A column by its id, such as ``metrics.auc``; `width` in pixels, None for the usual one."""

    id: str
    width: int | None = None


@dataclass(frozen=True, slots=True)
class ViewSettings:
    """What a view shows.

    `columns` is None for the usual ones. `goals` says of metrics whether the highest (``max``) or the lowest
    (``min``) value is the best, where it is not the usual one; `shown` is ``active``, ``archived`` or ``deleted``.
    """

    filter: str = ""
    order_by: str = ""
    columns: list[ViewColumn] | None = None
    group_by: str | None = None
    is_nested: bool = False
    shown: Literal["active", "archived", "deleted"] = "active"
    goals: dict[str, Literal["max", "min"]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RunView:
    """A saved view; the default one is what opens first."""

    name: str
    settings: ViewSettings
    is_default: bool = False
    updated_at: int = 0
    updated_by: str = ""


def list_views(experiment: str | None = None, *, workspace: Workspace | None = None) -> list[RunView]:
    """Return the views of an experiment, or of the table of all runs, by name.

    Raises
    ------
    NotFoundError
        If there is no such experiment.
    IntegrityError
        If the file was written by a newer Atelier, or is damaged.
    """
    return _load(_path(workspace or current_workspace(), experiment))


def save_view(
    name: str,
    settings: ViewSettings,
    experiment: str | None = None,
    *,
    is_default: bool = False,
    replaces: str | None = None,
    workspace: Workspace | None = None,
) -> RunView:
    """Save a view; one of the same name is replaced.

    Parameters
    ----------
    name
        A name for people.
    settings
        What the view shows.
    experiment
        The experiment's name; None for the table of all runs.
    is_default
        Open this view first; of the views of an experiment at most one is.
    replaces
        The view that this one takes the place of: its former name.
    workspace
        Default: the current workspace.

    Raises
    ------
    InvalidArgumentError
        If the name cannot be used.
    NotFoundError
        If there is no such experiment, or no view to replace.
    ConflictError
        If a view that is renamed would take the name of another one, or there are too many.
    """
    validate_title(name, "name of a view")
    workspace = workspace or current_workspace()
    saved = RunView(name, settings, is_default, now(), current_user())

    def change(views: dict[str, RunView]) -> None:
        if replaces is not None and replaces != name:
            if name in views:
                raise ConflictError(f"There is a view {name!r} already. Choose another name, or delete that one first.")
            if views.pop(replaces, None) is None:
                raise NotFoundError(f"There is no view {replaces!r} to rename; somebody may have deleted it.")
        if name not in views and len(views) >= MAX_VIEWS:
            raise ConflictError(f"There are {MAX_VIEWS} views already. Delete some that nobody needs.")
        if is_default:
            views.update({other: replace(view, is_default=False) for other, view in views.items()})
        views[name] = saved

    _change(workspace, experiment, change)
    workspace.audit.record("view.save", name, {"experiment": experiment} if experiment else {})
    return saved


def delete_view(name: str, experiment: str | None = None, *, workspace: Workspace | None = None) -> None:
    """Delete a view.

    Raises
    ------
    NotFoundError
        If there is no such experiment or view.
    """
    workspace = workspace or current_workspace()

    def change(views: dict[str, RunView]) -> None:
        if views.pop(name, None) is None:
            raise NotFoundError(f"There is no view {name!r}.")

    _change(workspace, experiment, change)
    workspace.audit.record("view.delete", name, {"experiment": experiment} if experiment else {})


def _change(workspace: Workspace, experiment: str | None, change: Callable[[dict[str, RunView]], None]) -> None:
    path = _path(workspace, experiment)
    with explain_disk_errors("The view was not saved", path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        with hold_lock(path.with_suffix(".lock")):
            views = {view.name: view for view in _load(path)}
            change(views)
            content = {"version": VIEWS_VERSION, "views": [asdict(view) for view in views.values()]}
            with atomic_write(path) as file:
                file.write(json.dumps(content, ensure_ascii=False, indent=1).encode())


def _path(workspace: Workspace, experiment: str | None) -> Path:
    name = "all" if experiment is None else get_experiment(experiment, workspace=workspace).id
    return workspace.root / "views" / f"{name}.json"


def _load(path: Path) -> list[RunView]:
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return []
    except ValueError as error:
        raise IntegrityError(f"{path} is not valid JSON ({error}). Restore it from a backup, or delete it.") from error
    version = content.get("version") if isinstance(content, dict) else None
    if version != VIEWS_VERSION:
        raise IntegrityError(
            f"{path} has format version {version!r}; this Atelier reads {VIEWS_VERSION}. Install the Atelier that "
            "wrote it, or a newer one; the views are left as they are."
        )
    try:
        views = [_parse(item) for item in content["views"]]
    except (KeyError, TypeError) as error:
        raise IntegrityError(
            f"{path} is not what Atelier wrote ({type(error).__name__}: {error}). Restore it from a backup, or delete "
            "it to give up the saved views."
        ) from error
    return sorted(views, key=lambda view: view.name.casefold())


def _parse(item: dict[str, object]) -> RunView:
    settings = dict(item["settings"])  # type: ignore[call-overload]  # a wrong one is a TypeError
    if settings.get("columns") is not None:
        settings["columns"] = [ViewColumn(**column) for column in settings["columns"]]
    if settings.get("shown") not in (None, "active", "archived", "deleted"):
        raise TypeError(f"nothing is shown as {settings['shown']!r}")
    return RunView(**{**item, "settings": ViewSettings(**settings)})  # type: ignore[arg-type]  # checked by the call
