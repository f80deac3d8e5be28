"""Submitting a job again from what it has kept: its source, parameters and inputs."""

from __future__ import annotations

import pickle
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from kernel_tools.core.errors import InvalidArgumentError
from kernel_tools.core.workspace import Workspace
from kernel_tools.jobs import submission
from kernel_tools.jobs.folder import JobFolder
from kernel_tools.jobs.inputs import sources_again
from kernel_tools.jobs.plans import FUNCTION_FILE

if TYPE_CHECKING:
    from kernel_tools.jobs.handle import Job

_CHANGEABLE = frozenset(
    {"params", "inputs", "experiment", "resources", "spot", "checkpoint", "max_runtime", "retries", "priority", "tags"}
)


def rerun(workspace: Workspace, job: Job, name: str | None, changes: dict[str, Any]) -> Job:
    """Submit a job again; see `Job.rerun`."""
    from kernel_tools.jobs.handle import Job

    unknown = sorted(set(changes) - _CHANGEABLE)
    if unknown:
        raise InvalidArgumentError(
            f"rerun() cannot change {', '.join(unknown)}. It can change: {', '.join(sorted(_CHANGEABLE))}."
        )
    spec, folder = job.spec, JobFolder(workspace.root / "jobs" / job.name)
    inputs = changes.pop("inputs", None)
    if inputs is None:
        inputs = sources_again(folder, spec)
    order = submission.Order(spec.entry, folder.source, working_dir=spec.working_dir)
    params = {**spec.params, **changes.pop("params", {})}
    if spec.entry.kind == "function":
        with open(folder.path / FUNCTION_FILE, "rb") as file:
            function, args, _ = pickle.load(file)  # code of this workspace, which its owner submitted and runs again
        order = replace(order, function=function, args=args)
    made = submission.new_spec(order, name, changes.pop("experiment", spec.experiment))
    kept = {
        item: getattr(spec, item)
        for item in ("environment", "secrets", "resources", "spot", "checkpoint", "retries", "max_runtime", "grace",
                     "priority", "launcher", "tags", "debugger")
    }  # fmt: skip
    made = replace(made, **{**kept, **changes}, params=params, rerun_of=job.name, python=sys.executable)
    submission.submit_order(workspace, order, made, inputs)
    return Job(workspace, made.name)
