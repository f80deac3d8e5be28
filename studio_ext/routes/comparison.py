"""Runs side by side over HTTP. What is compared, and how it is drawn, is decided in `kernel_tools.experiments`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field

from kernel_tools import experiments
from kernel_tools.core.errors import ConflictError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.experiments import figures
from kernel_tools.experiments.captured import CodeComparison, FileDifference, compare_file
from kernel_tools.experiments.comparison import ComparedArtifact, ComparedRow, compare_artifacts, compare_records
from kernel_tools.experiments.figures.code import figure_code
from kernel_tools.experiments.records import Lifecycle, RunRecord
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, FigureReply, Name, PlotlyFigure, Reply

MAX_RUNS = 20
MAX_ROWS = 5000
MAX_ARTIFACTS = 500
FIGURE_POINTS = 40_000
"""Points of all curves of a figure together; a curve has at least `LEAST_POINTS`."""
LEAST_POINTS = 200

RunIds = Annotated[list[Name], Field(min_length=1, max_length=MAX_RUNS)]
RunField = Annotated[
    str, Field(min_length=1, max_length=300, description="Such as `metrics.auc`, `params.depth` or `tags.team`.")
]
MetricKey = Annotated[str, Field(min_length=1, max_length=250)]


class AbsentRun(Reply):
    """A run that cannot be compared, because it was never there or is deleted."""

    id: str
    is_deleted: bool


class RunsComparisonRequest(Body):
    """Which runs to compare."""

    runs: RunIds
    differences_only: bool = False


class RunsComparison(Reply):
    """Runs and the lines of their comparison: a value for every run, in their order. At most 5,000 lines are sent."""

    runs: list[RunRecord]
    absent: list[AbsentRun]
    rows: list[ComparedRow]
    row_count: int


class CurvesRequest(Body):
    """Metrics of all runs over each other."""

    kind: Literal["curves"]
    keys: list[MetricKey] = Field(min_length=1, max_length=8)
    x: Literal["step", "time", "relative"] = "step"
    smoothing: float = Field(0, ge=0, le=0.999, description="Weight of the past in a moving average.")
    log_y: bool = False
    log_x: bool = False


class ParallelRequest(Body):
    """A line for each run across an axis for each field."""

    kind: Literal["parallel"]
    fields: list[RunField] = Field(min_length=2, max_length=20)
    color: RunField | None = None


class ScatterRequest(Body):
    """A point for each run."""

    kind: Literal["scatter"]
    x: RunField
    y: RunField
    color: RunField | None = None


class BarsRequest(Body):
    """A bar for each run."""

    kind: Literal["bars"]
    metric: RunField


class BoxesRequest(Body):
    """How a number is spread in groups of runs."""

    kind: Literal["boxes"]
    metric: RunField
    by: RunField


FigureSpec = Annotated[
    CurvesRequest | ParallelRequest | ScatterRequest | BarsRequest | BoxesRequest, Field(discriminator="kind")
]
FUNCTIONS = {
    "curves": "compare_curves",
    "parallel": "parallel_coordinates",
    "scatter": "scatter",
    "bars": "bars",
    "boxes": "boxes",
}


class RunsFigureRequest(Body):
    """Which runs to draw, and how."""

    runs: RunIds
    figure: FigureSpec


class RunsFigureReply(FigureReply):
    """A figure of runs, and the ids of those that have no place in it."""

    missing: list[str]


class CodeComparisonRequest(Body):
    """The two runs whose code to compare."""

    first: Name
    second: Name


class FileComparisonRequest(Body):
    """The two runs, and the path of the file that both or one of them kept."""

    first: Name
    second: Name
    path: str = Field(min_length=1, max_length=2000)


class RunsRequest(Body):
    """Some runs."""

    runs: RunIds


class EnvironmentReply(Reply):
    """Python, machine and packages: a value for each run; `uncaptured` are the runs that recorded nothing."""

    rows: list[ComparedRow]
    uncaptured: list[str]


class ComparedArtifacts(Reply):
    """The files of the runs by their paths, those of several runs first; at most 500 of `count`."""

    artifacts: list[ComparedArtifact]
    count: int


class ComparisonBase(StudioHandler):
    """What the comparisons share."""

    auth_resource = "experiments"

    def open_runs(self, run_ids: list[str]) -> list[experiments.Run]:
        """Return runs in the order of their ids, none of them twice."""
        return [experiments.get_run(run_id, workspace=self.workspace) for run_id in dict.fromkeys(run_ids)]


class RunsComparisonHandler(ComparisonBase):
    """Parameters, metrics and tags of runs."""

    path = "/runs-comparison"

    @operation("compare_runs", "Compare runs", action="read")
    def post(self, body: RunsComparisonRequest) -> RunsComparison:
        """Answer the lines, or only those that differ; runs that are not there are named."""
        records: list[RunRecord] = []
        absent: list[AbsentRun] = []
        for run_id in dict.fromkeys(body.runs):
            try:
                record = experiments.get_run(run_id, workspace=self.workspace).record
            except NotFoundError:
                absent.append(AbsentRun(id=run_id, is_deleted=False))
                continue
            if record.lifecycle is Lifecycle.DELETED:
                absent.append(AbsentRun(id=run_id, is_deleted=True))
            else:
                records.append(record)
        rows = [row for row in compare_records(records) if row.is_different or not body.differences_only]
        return RunsComparison(runs=records, absent=absent, rows=rows[:MAX_ROWS], row_count=len(rows))


class RunsFigureHandler(ComparisonBase):
    """Runs, drawn."""

    path = "/runs-comparison/figures"

    @operation("draw_runs", "Draw runs in one figure", raises=(NotFoundError,), action="read")
    def post(self, body: RunsFigureRequest) -> RunsFigureReply:
        """Answer the figure that notebooks show too, and the code that makes it there."""
        runs = self.open_runs(body.runs)
        function = FUNCTIONS[body.figure.kind]
        arguments: dict[str, Any] = body.figure.model_dump(exclude={"kind"}, exclude_defaults=True)
        if isinstance(body.figure, CurvesRequest):
            points = max(LEAST_POINTS, FIGURE_POINTS // (len(runs) * len(body.figure.keys)))
            if points < figures.CHART_POINTS:
                arguments["max_points"] = points
        drawn = figure_json(getattr(figures, function)(runs, **arguments))
        return RunsFigureReply(
            figure=PlotlyFigure(data=drawn["data"], layout=drawn["layout"]),
            code=figure_code(function, [run.id for run in runs], arguments),
            missing=drawn["layout"]["meta"]["missing"],
        )


class CodeComparisonHandler(ComparisonBase):
    """The code of two runs."""

    path = "/runs-comparison/code"

    @operation(
        "compare_code", "Compare the captured code of two runs", raises=(NotFoundError, ConflictError), action="read"
    )
    def post(self, body: CodeComparisonRequest) -> CodeComparison:
        """Answer the differences."""
        first, second = (experiments.get_run(name, workspace=self.workspace) for name in (body.first, body.second))
        return experiments.compare_code(first, second)


class FileComparisonHandler(ComparisonBase):
    """One file of two runs."""

    path = "/runs-comparison/files"

    @operation("compare_file", "Compare a text file of two runs", raises=(NotFoundError, ConflictError), action="read")
    def post(self, body: FileComparisonRequest) -> FileDifference:
        """Answer the lines that differ."""
        first, second = (experiments.get_run(name, workspace=self.workspace) for name in (body.first, body.second))
        return compare_file(first, second, body.path)


class EnvironmentHandler(ComparisonBase):
    """The environments of runs."""

    path = "/runs-comparison/environment"

    @operation(
        "compare_environments", "Compare the environments of runs", raises=(NotFoundError, ConflictError), action="read"
    )
    def post(self, body: RunsRequest) -> EnvironmentReply:
        """Answer all lines, those that are the same too."""
        found = experiments.compare_environments(self.open_runs(body.runs))
        return EnvironmentReply(rows=found.rows[:MAX_ROWS], uncaptured=found.uncaptured)


class ArtifactsHandler(ComparisonBase):
    """The files of runs."""

    path = "/runs-comparison/artifacts"

    @operation("compare_artifacts", "Compare the artifacts of runs", raises=(NotFoundError,), action="read")
    def post(self, body: RunsRequest) -> ComparedArtifacts:
        """Answer which runs kept a file under which path, and whether it is the same."""
        rows = compare_artifacts(self.open_runs(body.runs))
        return ComparedArtifacts(artifacts=rows[:MAX_ARTIFACTS], count=len(rows))


HANDLERS: list[type[StudioHandler]] = [
    RunsComparisonHandler,
    RunsFigureHandler,
    CodeComparisonHandler,
    FileComparisonHandler,
    EnvironmentHandler,
    ArtifactsHandler,
]
