"""Experiments and runs over HTTP. What they are is decided in `kernel_tools.experiments`."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Literal

from pydantic import Field

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.experiments.figures import metric_history
from kernel_tools.experiments.figures.code import figure_code
from kernel_tools.experiments.metrics import read_history
from kernel_tools.experiments.records import Experiment, RunRecord
from kernel_tools.experiments.run_files import RunFolder
from studio_ext.handlers import StudioHandler
from studio_ext.operations import FileReply, operation
from studio_ext.schema import FigureReply, Name, PageQuery, PlotlyFigure, Query, Reply

CHART_KEYS = 20
HISTORY_POINTS = 2000
MetricKey = Annotated[str, Field(min_length=1, max_length=250)]


class ExperimentPage(Reply):
    """Some experiments, the most recently used first."""

    experiments: list[Experiment]
    next_page_token: str | None


class RunQuery(PageQuery):
    """Which runs to answer, in which order."""

    experiment: list[Annotated[str, Field(max_length=250)]] = Field(
        [], max_length=100, description="Names of experiments; all if there is none."
    )
    filter: str = Field("", max_length=2000, description="Such as `metrics.auc > 0.9 and params.depth = '6'`.")
    order_by: list[Annotated[str, Field(max_length=300)]] = Field(
        [], max_length=10, description="Such as `metrics.auc DESC`; then the newest first."
    )


class RunPage(Reply):
    """Some runs."""

    runs: list[RunRecord]
    next_page_token: str | None


class HistoryQuery(Query):
    """Which metric, and how much of it."""

    key: MetricKey
    max_points: int = Field(HISTORY_POINTS, ge=4, le=100_000)


class MetricHistory(Reply):
    """The points of a metric by step. If not `exact`, the extremes of equal buckets out of `point_count` points."""

    key: str
    steps: list[int]
    timestamps: list[int]
    values: list[float]
    exact: bool
    point_count: int


class FigureQuery(Query):
    """Which metrics to draw, and how."""

    key: list[MetricKey] = Field(min_length=1, max_length=CHART_KEYS)
    x: Literal["step", "time", "relative"] = Field("step", description="`relative` is seconds since the run's start.")
    smoothing: float = Field(0, ge=0, le=0.999, description="Weight of the past in a moving average.")
    log_y: bool = False


class ArtifactQuery(Query):
    """Which artifact."""

    path: str = Field(min_length=1, max_length=2000)


class ExperimentsHandler(StudioHandler):
    """All experiments."""

    path = "/experiments"
    auth_resource = "experiments"

    @operation("list_experiments", "List experiments, the most recently used first")
    def get(self, query: PageQuery) -> ExperimentPage:
        """Answer one page."""
        page, token = experiments.list_experiments(self.limit(query), query.page_token, workspace=self.workspace)
        return ExperimentPage(experiments=page, next_page_token=token)


class RunsHandler(StudioHandler):
    """All runs."""

    path = "/runs"
    auth_resource = "experiments"

    @operation("search_runs", "Search runs")
    def get(self, query: RunQuery) -> RunPage:
        """Answer one page."""
        page, token = experiments.search_run_records(
            query.experiment or None,
            query.filter,
            query.order_by,
            self.limit(query),
            query.page_token,
            workspace=self.workspace,
        )
        return RunPage(runs=page, next_page_token=token)


class RunHistoryHandler(StudioHandler):
    """The points of one metric."""

    path = "/runs/{run_id}/history"
    auth_resource = "experiments"

    @operation("get_metric_history", "Show the points of a metric", raises=(NotFoundError,))
    def get(self, run_id: Name, query: HistoryQuery) -> MetricHistory:
        """Answer the points, or the extremes of them."""
        history = read_history(RunFolder(self.workspace, run_id), query.key, query.max_points)
        return MetricHistory(
            key=history.key,
            steps=history.steps.tolist(),
            timestamps=history.timestamps.tolist(),
            values=history.values.tolist(),
            exact=history.exact,
            point_count=history.point_count,
        )


class RunFigureHandler(StudioHandler):
    """Metrics, drawn."""

    path = "/runs/{run_id}/figures/metrics"
    auth_resource = "experiments"

    @operation("draw_metrics", "Draw metrics of a run", raises=(NotFoundError,))
    def get(self, run_id: Name, query: FigureQuery) -> FigureReply:
        """Answer the figure that notebooks show too."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        changes = query.model_dump(exclude={"key"}, exclude_defaults=True)
        figure = figure_json(metric_history(run, query.key, **changes))
        return FigureReply(
            figure=PlotlyFigure(data=figure["data"], layout=figure["layout"]),
            code=figure_code("metric_history", [run.id], {"keys": query.key, **changes}),
        )


class ArtifactContentHandler(StudioHandler):
    """The bytes of one artifact."""

    path = "/runs/{run_id}/artifacts/content"
    auth_resource = "experiments"

    @operation("download_artifact", "Download an artifact", raises=(NotFoundError, ConflictError))
    def get(self, run_id: Name, query: ArtifactQuery) -> FileReply:
        """Stream the file as a download."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        record = run.artifact(query.path)
        name = PurePosixPath(record.path).name
        return FileReply(run.open_artifact(query.path), name, record.size, record.media_type)


HANDLERS: list[type[StudioHandler]] = [
    ExperimentsHandler,
    RunsHandler,
    RunHistoryHandler,
    RunFigureHandler,
    ArtifactContentHandler,
]
