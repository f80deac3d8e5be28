"""What a run and its machine spent their time on, over HTTP; the figures are those of the Debugger."""

from __future__ import annotations

import io

from kernel_tools import experiments
from kernel_tools.core.errors import IntegrityError, NotFoundError
from kernel_tools.debugger.profiling.report import report_html
from kernel_tools.debugger.profiling.steps import breakdown
from kernel_tools.debugger.profiling.system import system_of
from kernel_tools.debugger.profiling.trace import has_trace, trace_tables
from kernel_tools.debugger.session import debugger_folder
from studio_ext.handlers import StudioHandler
from studio_ext.operations import FileReply, operation
from studio_ext.schema import Name, Reply

SHOWN_ROWS = 200
"""Operators and modules that are shown, those that took longest."""


class PhaseTime(Reply):
    """What all steps together spent on a phase."""

    phase: str
    seconds: float
    share: float


class OperatorTime(Reply):
    """An operator of the trace: milliseconds without and with what it calls, and on a device."""

    name: str
    calls: int
    own_ms: float
    total_ms: float
    device_ms: float


class ModuleTime(Reply):
    """A module of the trace, in the forward pass."""

    name: str
    kind: str
    calls: int
    own_ms: float
    total_ms: float


class ProfilerReply(Reply):
    """What was measured of a run: steps, samples of its machine, and the tables of a trace if one was recorded.

    `operators` and `modules` are the first of `operator_count` and `module_count`, the slowest first; `figures` are
    the names of those that there is something for.
    """

    step_count: int
    sample_count: int
    phases: list[PhaseTime]
    operators: list[OperatorTime]
    operator_count: int
    modules: list[ModuleTime]
    module_count: int
    figures: list[str]


class ProfilerHandler(StudioHandler):
    """The profile of one run."""

    path = "/runs/{run_id}/profiler"
    auth_resource = "experiments"

    @operation("get_profile", "Show what a run spent its time on", raises=(NotFoundError, IntegrityError))
    def get(self, run_id: Name) -> ProfilerReply:
        """Answer the tables; a run that was not watched has empty ones."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        if not any(debugger_folder(self.workspace, run.id).glob("rank-*.db")):
            return ProfilerReply(
                step_count=0,
                sample_count=0,
                phases=[],
                operators=[],
                operator_count=0,
                modules=[],
                module_count=0,
                figures=[],
            )
        with self.studio.captures.open(run) as trial:
            steps, samples = len(trial.tick_values()), len(system_of(trial))
            phases = breakdown(trial).to_dict("records") if steps else []
            figures = ["phases", "step_times", "outliers"] if steps else []
            figures += ["utilization"] if samples > 1 else []
            tables = trace_tables(trial) if has_trace(trial) else None
            figures += ["trace"] if tables else []
        operators, modules = (tables.operators, tables.modules) if tables else ([], [])
        return ProfilerReply(
            step_count=steps,
            sample_count=samples,
            phases=[PhaseTime(phase=row["phase"], seconds=row["seconds"], share=row["share"]) for row in phases],
            operators=[OperatorTime(**row) for row in operators[:SHOWN_ROWS]],
            operator_count=len(operators),
            modules=[ModuleTime(**row) for row in modules[:SHOWN_ROWS]],
            module_count=len(modules),
            figures=figures,
        )


class ProfileReportHandler(StudioHandler):
    """The profiler's report of a run as a file."""

    path = "/runs/{run_id}/profiler/report"
    auth_resource = "experiments"

    @operation("download_profile_report", "Download the profiler's report", raises=(NotFoundError, IntegrityError))
    def get(self, run_id: Name) -> FileReply:
        """Make the page, and stream it as a download."""
        run = experiments.get_run(run_id, workspace=self.workspace)
        with self.studio.captures.open(run) as trial:
            content = report_html(trial).encode()
        return FileReply(io.BytesIO(content), f"profile-{run.id}.html", len(content), "text/html")


HANDLERS: list[type[StudioHandler]] = [ProfilerHandler, ProfileReportHandler]
