"""The table of runs over HTTP: its windows, fields, groups, saved views and changes of many runs at once."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.experiments import views
from kernel_tools.experiments.bulk import MAX_RUNS, ChangedRuns, RunChange
from kernel_tools.experiments.records import View
from kernel_tools.experiments.run_fields import RunFields
from kernel_tools.experiments.run_groups import MAX_METRICS, RunGroups
from kernel_tools.experiments.run_window import MAX_FIND, MAX_OFFSET, MAX_WINDOW, RunWindow
from kernel_tools.experiments.views import RunView, ViewColumn, ViewSettings
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, Query, Reply

MAX_COLUMNS = 300
ExperimentName = Annotated[str, Field(min_length=1, max_length=250)]
ColumnId = Annotated[str, Field(min_length=1, max_length=260)]
MetricKey = Annotated[str, Field(min_length=1, max_length=250)]
GroupBy = Annotated[str, Field(min_length=1, max_length=260)]
RunId = Annotated[str, Field(min_length=1, max_length=128)]


class ScopeRequest(Body):
    """Which runs."""

    experiment: list[ExperimentName] = Field([], max_length=100, description="Names of experiments; all if none.")
    filter: str = Field("", max_length=2000, description="Such as `metrics.auc > 0.9 and params.depth = '6'`.")
    view: View = View.ACTIVE_ONLY
    is_archived: bool | None = Field(None, description="Only archived runs, or only others.")


class WindowRequest(ScopeRequest):
    """Which rows of which runs."""

    order_by: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field([], max_length=10)
    offset: int = Field(0, ge=0, le=MAX_OFFSET)
    limit: int = Field(200, ge=0, le=MAX_WINDOW)
    columns: list[ColumnId] | None = Field(
        None, max_length=MAX_COLUMNS, description="Such as `metrics.auc`; all if it is missing."
    )
    order: str | None = Field(None, max_length=20, description="`order` of an earlier window, to go on in it.")
    group_by: GroupBy | None = None
    group_value: str | None = Field(None, max_length=250)
    parent_run_id: RunId | None = None
    roots_only: bool = False
    find: list[RunId] = Field([], max_length=MAX_FIND, description="Runs whose positions are wanted.")


class GroupsRequest(ScopeRequest):
    """What to group which runs by, and the metrics to summarize."""

    by: GroupBy
    metrics: list[MetricKey] = Field([], max_length=MAX_METRICS)
    lowest: list[MetricKey] = Field(
        [], max_length=MAX_METRICS, description="The metrics whose lowest value is the best."
    )


class BestRequest(ScopeRequest):
    """Of which metrics to find the best value, among which runs."""

    highest: list[MetricKey] = Field([], max_length=MAX_COLUMNS)
    lowest: list[MetricKey] = Field([], max_length=MAX_COLUMNS)


class BestReply(Reply):
    """The best value of each metric that has one."""

    values: dict[str, float]


class ChangeRequest(Body):
    """One change of many runs."""

    run_ids: list[RunId] = Field(min_length=1, max_length=MAX_RUNS)
    change: RunChange
    tags: dict[Annotated[str, Field(min_length=1, max_length=250)], Annotated[str, Field(max_length=5000)]] = Field(
        default_factory=dict, max_length=20, description="For `set_tags`."
    )
    tag_keys: list[Annotated[str, Field(min_length=1, max_length=250)]] = Field(
        [], max_length=20, description="For `delete_tags`."
    )


class FieldsQuery(Query):
    """Whose fields."""

    experiment: list[Annotated[str, Field(max_length=250)]] = Field([], max_length=100)
    view: View = View.ACTIVE_ONLY


class ViewsQuery(Query):
    """Whose views: an experiment's, or those of the table of all runs."""

    experiment: str | None = Field(None, max_length=250)


class ViewQuery(ViewsQuery):
    """Which view."""

    name: str = Field(min_length=1, max_length=250)


class ColumnRequest(Body):
    """A column of a view."""

    id: ColumnId
    width: int | None = Field(None, ge=20, le=2000)


class SettingsRequest(Body):
    """What a view shows."""

    filter: str = Field("", max_length=2000)
    order_by: str = Field("", max_length=300)
    columns: list[ColumnRequest] | None = Field(None, max_length=MAX_COLUMNS)
    group_by: GroupBy | None = None
    is_nested: bool = False
    shown: Literal["active", "archived", "deleted"] = "active"
    goals: dict[MetricKey, Literal["max", "min"]] = Field(default_factory=dict, max_length=MAX_COLUMNS)

    def settings(self) -> ViewSettings:
        """Return the settings as the library keeps them."""
        columns = None if self.columns is None else [ViewColumn(item.id, item.width) for item in self.columns]
        return ViewSettings(**{**dict(self), "columns": columns})


class ViewRequest(Body):
    """A view to be saved."""

    name: str = Field(min_length=1, max_length=250)
    experiment: ExperimentName | None = None
    settings: SettingsRequest
    is_default: bool = False
    replaces: str | None = Field(None, max_length=250, description="The former name of a view that is renamed.")


class ViewsReply(Reply):
    """The views of one table, by name."""

    views: list[RunView]


class WindowHandler(StudioHandler):
    """Runs by position."""

    path = "/runs/window"
    auth_resource = "experiments"

    @operation("read_run_window", "Show the runs from a position on, and how many there are", action="read")
    def post(self, body: WindowRequest) -> RunWindow:
        """Answer a window."""
        return experiments.read_run_window(
            body.experiment or None,
            workspace=self.workspace,
            **{name: value for name, value in body if name != "experiment"},
        )


class GroupsHandler(StudioHandler):
    """Runs grouped."""

    path = "/runs/groups"
    auth_resource = "experiments"

    @operation("group_runs", "Group runs and summarize their metrics", action="read")
    def post(self, body: GroupsRequest) -> RunGroups:
        """Answer the largest groups."""
        return experiments.group_runs(
            experiments=body.experiment or None,
            workspace=self.workspace,
            **{name: value for name, value in body if name != "experiment"},
        )


class BestHandler(StudioHandler):
    """The best values."""

    path = "/runs/best"
    auth_resource = "experiments"

    @operation("read_best_values", "Show the best value of metrics", action="read")
    def post(self, body: BestRequest) -> BestReply:
        """Answer the values."""
        values = experiments.read_best_values(
            experiments=body.experiment or None,
            workspace=self.workspace,
            **{name: value for name, value in body if name != "experiment"},
        )
        return BestReply(values=values)


class FieldsHandler(StudioHandler):
    """What runs hold."""

    path = "/runs/fields"
    auth_resource = "experiments"

    @operation("read_run_fields", "List the keys of metrics, parameters and tags")
    def get(self, query: FieldsQuery) -> RunFields:
        """Answer the keys, those of most runs first."""
        return experiments.read_run_fields(query.experiment or None, view=query.view, workspace=self.workspace)


class ChangesHandler(StudioHandler):
    """Changes of many runs."""

    path = "/runs/changes"
    auth_resource = "experiments"

    @operation("change_runs", "Tag, archive, mark, delete or restore many runs")
    def post(self, body: ChangeRequest) -> ChangedRuns:
        """Change each run, and answer how many, and why others could not be."""
        return experiments.change_runs(
            body.run_ids, body.change, tags=body.tags, tag_keys=body.tag_keys, workspace=self.workspace
        )


class ViewsHandler(StudioHandler):
    """Saved views."""

    path = "/runs/views"
    auth_resource = "experiments"

    @operation("list_views", "List the saved views of an experiment", raises=(NotFoundError, ConflictError))
    def get(self, query: ViewsQuery) -> ViewsReply:
        """Answer the views."""
        return ViewsReply(views=views.list_views(query.experiment, workspace=self.workspace))

    @operation("save_view", "Save a view, or rename it", raises=(NotFoundError, ConflictError))
    def put(self, body: ViewRequest) -> RunView:
        """Save, and answer the view."""
        return views.save_view(
            body.name,
            body.settings.settings(),
            body.experiment,
            is_default=body.is_default,
            replaces=body.replaces,
            workspace=self.workspace,
        )

    @operation("delete_view", "Delete a saved view", status=204, raises=(NotFoundError, ConflictError))
    def delete(self, query: ViewQuery) -> None:
        """Delete the view."""
        views.delete_view(query.name, query.experiment, workspace=self.workspace)


HANDLERS: list[type[StudioHandler]] = [
    WindowHandler,
    GroupsHandler,
    BestHandler,
    FieldsHandler,
    ChangesHandler,
    ViewsHandler,
]
