"""The handlers, in the order in which their paths are tried."""

from __future__ import annotations

from studio_ext.handlers import StudioHandler, UnknownPathHandler
from studio_ext.routes import (
    comparison,
    debugger,
    experiments,
    home,
    hosting,
    job_files,
    job_page,
    jobs,
    live_debugger,
    live_jobs,
    live_runs,
    profiler,
    registry,
    registry_views,
    resources,
    run_artifacts,
    run_page,
    run_table,
    schedules,
    submissions,
    system,
)

HANDLERS: list[type[StudioHandler]] = [
    *system.HANDLERS,
    *home.HANDLERS,
    *run_table.HANDLERS,
    *live_runs.HANDLERS,
    *experiments.HANDLERS,
    *comparison.HANDLERS,
    *run_page.HANDLERS,
    *run_artifacts.HANDLERS,
    *debugger.HANDLERS,
    *live_debugger.HANDLERS,
    *profiler.HANDLERS,
    *registry.HANDLERS,
    *registry_views.HANDLERS,
    *hosting.HANDLERS,
    *jobs.HANDLERS,
    *job_page.HANDLERS,
    *job_files.HANDLERS,
    *live_jobs.HANDLERS,
    *resources.HANDLERS,
    *schedules.HANDLERS,
    *submissions.HANDLERS,
    UnknownPathHandler,
]
