"""What the Debugger has captured and found of a run, over HTTP: the rule board, figures, tensors."""

from __future__ import annotations

import math
from contextlib import AbstractContextManager, closing
from typing import Annotated

from pydantic import Field, WithJsonSchema

from kernel_tools import debugger, experiments
from kernel_tools.core.errors import IntegrityError, InvalidArgumentError, NotFoundError
from kernel_tools.core.figures import figure_json
from kernel_tools.debugger.figures import EVIDENCE, available_figures, draw_evidence, figure_code
from kernel_tools.debugger.figures.classes import confusion_steps
from kernel_tools.debugger.figures.drawing import evenly
from kernel_tools.debugger.finding import Finding, RuleStatus, TakenAction, now, read_findings
from kernel_tools.debugger.notices import Notice, read_notices
from kernel_tools.debugger.reading import TensorInfo
from kernel_tools.debugger.records import COLUMN, Mode
from kernel_tools.debugger.session import debugger_folder
from kernel_tools.debugger.trial import Trial
from studio_ext.handlers import StudioHandler
from studio_ext.operations import operation
from studio_ext.schema import Body, FigureReply, Name, PageQuery, PlotlyFigure, Query, Reply

SHOWN_STEPS = 500
"""Sampled steps that are named; of more, evenly spaced ones."""
SHOWN_FINDINGS = 500
OTHERS = 100
MAX_STEP = 2**53


class NamedFinding(Reply):
    """A finding with a name that is the same while it goes on."""

    id: str
    finding: Finding


class Capture(Reply):
    """What was captured of a run, in numbers.

    `overhead` is the hook's share of the time of the training; `steps` are the sampled ones of the training, and
    `figures` the names of those that there is something for.
    """

    framework: str
    model: str
    optimizer: str
    overhead: float | None
    is_over: bool
    step_count: int
    last_step: int
    steps: list[int]
    confusion_steps: dict[str, list[int]]
    modes: list[str]
    collections: dict[str, int]
    tensor_count: int
    figures: list[str]


class DebuggerReply(Reply):
    """The rule board of a run: what every rule is doing, what was found, and what was captured, if anything was.

    `findings` are the first of `finding_count`, in the order in which they were found; `step` is the last step that
    the rules have seen, and `is_over` says that they will see no other.
    """

    capture: Capture | None
    rules: list[RuleStatus]
    findings: list[NamedFinding]
    finding_count: int
    actions: list[TakenAction]
    step: int
    is_over: bool


FigureName = Annotated[str, Field(max_length=100), WithJsonSchema({"type": "string", "enum": list(EVIDENCE)})]
"""The names are for the document; `kernel_tools.debugger.figures` checks them."""


class EvidenceRequest(Body):
    """What a figure is asked to show; each figure knows some of these."""

    tensors: list[str] | None = Field(None, max_length=200)
    tensor: str | None = Field(None, max_length=1000)
    reduction: str | None = Field(None, max_length=40)
    threshold: float | None = None
    step: int | None = Field(None, ge=-1, le=MAX_STEP)
    mode: str | None = Field(None, max_length=40)
    kind: str | None = Field(None, max_length=40)
    stddev: float | None = Field(None, gt=0, le=100)
    start: float | None = None
    end: float | None = None


class DebuggerFigureRequest(Body):
    """Which figure, of what; `other` is the run that `compare_tensors` compares with."""

    figure: FigureName
    arguments: EvidenceRequest | None = None
    other: str | None = Field(None, min_length=1, max_length=128)


class TensorQuery(PageQuery):
    """Which tensors to list."""

    search: str = Field("", max_length=250, description="What their names contain, in any case.")
    collection: str = Field("", max_length=250)


class TensorRow(Reply):
    """A tensor, and its statistics at the last step that it was sampled at; a single number is its own mean."""

    name: str
    collections: list[str]
    shape: list[int]
    kind: str
    layer: str
    is_scalar: bool
    last_step: int | None
    mean: float | None
    std: float | None
    min: float | None
    max: float | None


class TensorRows(Reply):
    """Some tensors, in the order in which they were first seen, and how many there are."""

    tensors: list[TensorRow]
    tensor_count: int
    next_page_token: str | None


class OneTensorQuery(Query):
    """Which tensor, at which step; the nearest sampled one is answered."""

    name: str = Field(min_length=1, max_length=1000)
    step: int | None = Field(None, ge=-1, le=MAX_STEP)
    mode: str = Field("TRAIN", max_length=40)


class TensorDetail(Reply):
    """A tensor at a step: its statistics that mean something there, and where else it was sampled or saved whole."""

    name: str
    collections: list[str]
    shape: list[int]
    kind: str
    layer: str
    is_scalar: bool
    modes: list[str]
    mode: str
    steps: list[int]
    step: int | None
    statistics: dict[str, float]
    saved_steps: list[int]


class WatchedRun(Reply):
    """Another run that was watched."""

    id: str
    name: str
    started_at: int


class WatchedRuns(Reply):
    """The newest other runs of the same experiment that were watched."""

    runs: list[WatchedRun]


class _CaptureHandler(StudioHandler):
    auth_resource = "experiments"

    def open_trial(self, run_id: str) -> AbstractContextManager[Trial]:
        """Open what was captured of a run."""
        return self.studio.captures.open(experiments.get_run(run_id, workspace=self.workspace))


class DebuggerHandler(_CaptureHandler):
    """The rule board of one run."""

    path = "/runs/{run_id}/debugger"

    @operation("get_debugger", "Show what the Debugger has captured and found", raises=(NotFoundError, IntegrityError))
    def get(self, run_id: Name) -> DebuggerReply:
        """Answer all rules and findings."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        folder = debugger_folder(self.workspace, run.id)
        found = read_findings(folder)
        capture = None
        if any(folder.glob("rank-*.db")):
            with self.open_trial(run_id) as trial:
                capture = _describe(trial)
        return DebuggerReply(
            capture=capture,
            rules=list(found.rules),
            findings=[NamedFinding(id=finding.id, finding=finding) for finding in found.findings[:SHOWN_FINDINGS]],
            finding_count=len(found.findings),
            actions=list(found.actions)[-SHOWN_FINDINGS:],
            step=found.step,
            is_over=found.is_over,
        )


class DebuggerFigureHandler(_CaptureHandler):
    """Figures of one run's capture."""

    path = "/runs/{run_id}/debugger/figures"

    @operation(
        "draw_debugger",
        "Draw what the Debugger has captured",
        raises=(NotFoundError, InvalidArgumentError, IntegrityError),
        action="read",
    )
    def post(self, run_id: Name, body: DebuggerFigureRequest) -> FigureReply:
        """Answer the figure that notebooks show too."""
        arguments = body.arguments.model_dump(exclude_none=True) if body.arguments else {}
        with self.open_trial(run_id) as trial:
            evidence = {"figure": body.figure, **arguments}
            if body.other is None:
                figure = draw_evidence(trial, evidence)
            else:
                # Not one of those that are kept open: two requests could wait for each other's.
                with closing(debugger.open(experiments.get_run(body.other, workspace=self.workspace))) as other:
                    figure = draw_evidence(trial, {**evidence, "other": other})
        drawn = figure_json(figure)
        compared = {} if body.other is None else {"other": body.other}
        return FigureReply(
            figure=PlotlyFigure(data=drawn["data"], layout=drawn["layout"]),
            code=figure_code(run_id, body.figure, {**arguments, **compared}),
        )


class TensorsHandler(_CaptureHandler):
    """The tensors of one run's capture."""

    path = "/runs/{run_id}/debugger/tensors"

    @operation("list_tensors", "List the tensors that were captured", raises=(NotFoundError, IntegrityError))
    def get(self, run_id: Name, query: TensorQuery) -> TensorRows:
        """Answer one page."""
        with self.open_trial(run_id) as trial:
            wanted = query.search.casefold()
            names = trial.tensor_names(collection=query.collection or None)
            found = [trial.tensor(name).info for name in names if wanted in name.casefold()]
            found.sort(key=lambda info: info.id)
            page, token = self.page(found, query)
            newest = _newest(trial)
            rows = [_row(trial, info, newest) for info in page]
        return TensorRows(tensors=rows, tensor_count=len(found), next_page_token=token)


class TensorHandler(_CaptureHandler):
    """One tensor of one run's capture."""

    path = "/runs/{run_id}/debugger/tensor"

    @operation(
        "get_tensor",
        "Show the statistics of a tensor at a step",
        raises=(NotFoundError, InvalidArgumentError, IntegrityError),
    )
    def get(self, run_id: Name, query: OneTensorQuery) -> TensorDetail:
        """Answer it at the nearest sampled step."""
        with self.open_trial(run_id) as trial:
            tensor = trial.tensor(query.name)
            info = tensor.info
            modes = [mode.name for mode in Mode if tensor.steps(mode)]
            steps, _ = tensor.series("mean", query.mode)
            step = None
            statistics: dict[str, float] = {}
            if len(steps):
                wanted = int(steps[-1]) if query.step is None else query.step
                step = min((int(known) for known in steps), key=lambda known: abs(known - wanted))
                if tensor.is_scalar:
                    statistics = {"value": float(tensor.value(step, query.mode))}
                else:
                    found = tensor.reduction_values(step, query.mode)
                    statistics = {name: value for name, value in found.items() if not math.isnan(value)}
            saved = [] if tensor.is_scalar else tensor.saved_steps(query.mode)
            return TensorDetail(
                name=info.name,
                collections=list(info.collections),
                shape=list(info.shape),
                kind=info.kind,
                layer=info.layer,
                is_scalar=tensor.is_scalar,
                modes=modes,
                mode=query.mode,
                steps=evenly([int(known) for known in steps], SHOWN_STEPS),
                step=step,
                statistics=statistics,
                saved_steps=evenly(saved, SHOWN_STEPS),
            )


class WatchedRunsHandler(_CaptureHandler):
    """The other runs that one run's tensors can be compared with."""

    path = "/runs/{run_id}/debugger/others"

    @operation("list_watched_runs", "List other runs of the experiment that were watched", raises=(NotFoundError,))
    def get(self, run_id: Name) -> WatchedRuns:
        """Answer the newest."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        records, _ = experiments.search_run_records(run.experiment, limit=OTHERS, workspace=self.workspace)
        found = [
            WatchedRun(id=record.id, name=record.name, started_at=record.started_at)
            for record in records
            if record.id != run.id and any(debugger_folder(self.workspace, record.id).glob("rank-*.db"))
        ]
        return WatchedRuns(runs=found)


def _describe(trial: Trial) -> Capture:
    steps = trial.steps(Mode.TRAIN)
    ticks = trial.tick_values()
    overhead = trial.meta("overhead")
    optimizer = trial.meta("optimizer")
    collections = {name: len(names) for name, names in trial.collections().items()}
    return Capture(
        framework=str(trial.meta("framework") or ""),
        model=str(trial.meta("model") or ""),
        optimizer=str(optimizer.get("class", "")) if isinstance(optimizer, dict) else "",
        overhead=float(overhead) if isinstance(overhead, int | float) else None,
        is_over=trial.loaded_all_steps,
        step_count=len(steps),
        last_step=int(ticks[:, 0].max()) if len(ticks) else (steps[-1] if steps else -1),
        steps=evenly(steps, SHOWN_STEPS),
        confusion_steps={mode: evenly(known, SHOWN_STEPS) for mode, known in confusion_steps(trial).items()},
        modes=[mode.name for mode in trial.modes()],
        collections=collections,
        tensor_count=len(trial.tensor_names()),
        figures=available_figures(trial),
    )


def _newest(trial: Trial) -> dict[str, tuple[int, list[float]]]:
    """Return, by the tensor's name, the newest sampled step and the statistics at it."""
    found: dict[str, tuple[int, list[float]]] = {}
    for mode in trial.modes():
        steps = trial.steps(mode)
        block = trial.statistics(steps[-1], mode) if steps else None
        if block is not None:
            for name, values in zip(block.names, block.values.tolist(), strict=True):
                found.setdefault(name, (block.step, values))
    return found


def _row(trial: Trial, info: TensorInfo, newest: dict[str, tuple[int, list[float]]]) -> TensorRow:
    is_scalar = info.kind == "scalar"
    step, values = newest.get(info.name, (None, None))
    numbers = {name: values[COLUMN[name]] if values else None for name in ("mean", "std", "min", "max")}
    if is_scalar:
        steps, scalars = trial.scalars(info.name)
        if len(steps):
            step, numbers["mean"] = int(steps[-1]), float(scalars[-1])
    return TensorRow(
        name=info.name,
        collections=list(info.collections),
        shape=list(info.shape),
        kind=info.kind,
        layer=info.layer,
        is_scalar=is_scalar,
        last_step=step,
        mean=numbers["mean"],
        std=numbers["std"],
        min=numbers["min"],
        max=numbers["max"],
    )


class NoticesQuery(Query):
    """Since when, in milliseconds since 1970 UTC."""

    since: int = Field(ge=0, le=MAX_STEP)


class NoticesReply(Reply):
    """What one wants to be told of, the oldest first, and what time the server has."""

    notices: list[Notice]
    now: int


class NoticesHandler(StudioHandler):
    """Notices of findings."""

    path = "/debugger/-/notices"
    auth_resource = "experiments"

    @operation("list_notices", "List the findings that somebody is to be told of since a time")
    def get(self, query: NoticesQuery) -> NoticesReply:
        """Answer the newest."""
        return NoticesReply(notices=read_notices(self.workspace, query.since), now=now())


HANDLERS: list[type[StudioHandler]] = [
    NoticesHandler,
    DebuggerHandler,
    DebuggerFigureHandler,
    TensorsHandler,
    TensorHandler,
    WatchedRunsHandler,
]
